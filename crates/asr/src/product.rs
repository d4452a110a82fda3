//! A product of two f32 matrices, in blocks that stay in the registers and the nearest cache. The gemm crate does the same,
//! and finds out the caches' sizes by running a program: the ear's binary must hold no call that could.

use std::ops::Range;

use pulp::{Simd, WithSimd};

use crate::kernel::Into;
use crate::matrix::View;

/// Columns of the product that one panel gives.
const COLUMNS: usize = 64;
/// Rows of the product that are summed side by side, in [`VECTORS`] registers each: with these, as many as a machine has.
const ROWS: usize = 6;
const VECTORS: usize = 2;
/// Terms of the sums that are taken at a time: a panel of the second factor is 32 KiB then.
const TERMS: usize = 128;

/// A part of the second factor, and one of the first, in the order in which they are used.
struct Packed {
    panel: [[f32; COLUMNS]; TERMS],
    rows: [[f32; ROWS]; TERMS],
}

/// `out = scale · a · b`, or added to what is there. The shapes fit: [`crate::matrix::multiply`] has looked.
pub(crate) struct Product<'a> {
    pub(crate) out: &'a mut [f32],
    pub(crate) out_step: usize,
    pub(crate) into: Into,
    pub(crate) scale: f32,
    pub(crate) a: View<'a>,
    pub(crate) b: View<'a>,
}

impl WithSimd for Product<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let Self { out, out_step, into, scale, a, b } = self;
        if into == Into::Replace {
            out.chunks_mut(out_step).take(a.rows).for_each(|row| row[..b.columns].fill(0.0));
        }
        let mut packed = Packed { panel: [[0.0; COLUMNS]; TERMS], rows: [[0.0; ROWS]; TERMS] };
        for column in (0..b.columns).step_by(COLUMNS) {
            let columns = column..b.columns.min(column + COLUMNS);
            for term in (0..a.columns).step_by(TERMS) {
                let terms = term..a.columns.min(term + TERMS);
                pack_panel(&mut packed.panel, b, terms.clone(), columns.clone());
                for row in (0..a.rows).step_by(ROWS) {
                    let rows = row..a.rows.min(row + ROWS);
                    pack_rows(&mut packed.rows, a, rows.clone(), terms.clone());
                    add_block(
                        simd,
                        &packed,
                        terms.len(),
                        scale,
                        &mut out[row * out_step..],
                        out_step,
                        rows.len(),
                        &columns,
                    );
                }
            }
        }
    }
}

/// Puts a part of `b` side by side; columns that it does not have are zero.
#[inline(always)]
fn pack_panel(panel: &mut [[f32; COLUMNS]; TERMS], b: View<'_>, terms: Range<usize>, columns: Range<usize>) {
    let (first, n) = (columns.start, columns.len());
    if b.column_step == 1 {
        for (slot, term) in panel.iter_mut().zip(terms) {
            slot[..n].copy_from_slice(&b.numbers[term * b.row_step + first..][..n]);
            slot[n..].fill(0.0);
        }
        return;
    }
    if n < COLUMNS {
        panel.as_flattened_mut().fill(0.0);
    }
    // A transposed factor: its columns are read as they lie.
    for column in 0..n {
        let numbers =
            b.numbers[(first + column) * b.column_step + terms.start * b.row_step..].iter().step_by(b.row_step);
        panel.iter_mut().take(terms.len()).zip(numbers).for_each(|(slot, number)| slot[column] = *number);
    }
}

/// Puts a part of `a` side by side; rows that it does not have are zero.
#[inline(always)]
fn pack_rows(packed: &mut [[f32; ROWS]; TERMS], a: View<'_>, rows: Range<usize>, terms: Range<usize>) {
    for index in 0..ROWS {
        let slots = packed.iter_mut().map(|slot| &mut slot[index]);
        if index < rows.len() {
            let numbers = &a.numbers[(rows.start + index) * a.row_step + terms.start..][..terms.len()];
            slots.zip(numbers).for_each(|(slot, number)| *slot = *number);
        } else {
            slots.for_each(|slot| *slot = 0.0);
        }
    }
}

/// Adds to the product's rows, the first of which `out` begins with, what one panel gives.
#[inline(always)]
#[expect(clippy::too_many_arguments, reason = "the inside of a loop over blocks")]
fn add_block<S: Simd>(
    simd: S,
    packed: &Packed,
    n_terms: usize,
    scale: f32,
    out: &mut [f32],
    out_step: usize,
    n_rows: usize,
    columns: &Range<usize>,
) {
    let width = VECTORS * S::F32_LANES;
    for start in (0..columns.len()).step_by(width) {
        let mut sums = [[simd.splat_f32s(0.0); VECTORS]; ROWS];
        for (line, factors) in packed.panel.iter().zip(&packed.rows).take(n_terms) {
            let (vectors, _) = S::as_simd_f32s(&line[start..start + width]);
            for (sums, factor) in sums.iter_mut().zip(factors) {
                let factor = simd.splat_f32s(*factor);
                for (sum, vector) in sums.iter_mut().zip(vectors) {
                    *sum = simd.mul_add_f32s(factor, *vector, *sum);
                }
            }
        }
        let n = width.min(columns.len() - start);
        for (row, sums) in sums.iter().enumerate().take(n_rows) {
            let out = &mut out[row * out_step + columns.start + start..][..n];
            let sums: &[f32] = pulp::bytemuck::cast_slice(sums.as_slice());
            out.iter_mut().zip(sums).for_each(|(out, sum)| *out += scale * sum);
        }
    }
}
