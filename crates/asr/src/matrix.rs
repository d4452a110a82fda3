//! Products: of matrices by the gemm crate, and of one vector with a matrix of f16 rows by our own loop.

use crate::math::{NullaryFnOnce, sum, vectorised};

/// A matrix that lies somewhere in a slice: a row every `row_step` numbers, a column every `column_step`.
#[derive(Clone, Copy)]
pub(crate) struct View<'a> {
    numbers: &'a [f32],
    rows: usize,
    columns: usize,
    row_step: usize,
    column_step: usize,
}

impl<'a> View<'a> {
    /// `columns` numbers of each row lie side by side, rows `row_step` apart.
    pub(crate) fn new(numbers: &'a [f32], rows: usize, columns: usize, row_step: usize) -> Self {
        Self { numbers, rows, columns, row_step, column_step: 1 }
    }

    /// The same numbers with rows and columns exchanged.
    pub(crate) fn transposed(self) -> Self {
        Self {
            rows: self.columns,
            columns: self.rows,
            row_step: self.column_step,
            column_step: self.row_step,
            ..self
        }
    }

    fn reach(&self) -> usize {
        (self.rows - 1) * self.row_step + (self.columns - 1) * self.column_step + 1
    }
}

/// What happens to the numbers that stand where the product goes.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Into {
    /// They are overwritten.
    Replace,
    /// The product is added to them.
    Add,
}

/// Writes `scale · a · b` into `out`, whose rows lie `out_step` apart.
///
/// # Panics
///
/// Where the shapes do not fit: they come from the model's sizes, which were checked when it was loaded.
pub(crate) fn multiply(out: &mut [f32], out_step: usize, into: Into, scale: f32, a: View<'_>, b: View<'_>) {
    if a.rows == 0 || b.columns == 0 || a.columns == 0 {
        return;
    }
    assert_eq!(a.columns, b.rows, "the inner sizes differ");
    assert!(a.reach() <= a.numbers.len() && b.reach() <= b.numbers.len(), "a factor reaches beyond its numbers");
    assert!(b.columns <= out_step, "rows of the product overlap");
    assert!((a.rows - 1) * out_step + b.columns <= out.len(), "the product reaches beyond its place");
    let step = |step: usize| isize::try_from(step).unwrap_or(isize::MAX);
    #[expect(
        unsafe_code,
        reason = "gemm takes pointers; the three assertions above bound all that it reads and writes"
    )]
    // SAFETY: `out`, `a` and `b` are borrowed for the call, `out` alone to be written; the assertions hold each last
    // element inside its slice.
    unsafe {
        gemm::gemm(
            a.rows,
            b.columns,
            a.columns,
            out.as_mut_ptr(),
            1,
            step(out_step),
            into == Into::Add,
            a.numbers.as_ptr(),
            step(a.column_step),
            step(a.row_step),
            b.numbers.as_ptr(),
            step(b.column_step),
            step(b.row_step),
            1.0,
            scale,
            false,
            false,
            false,
            gemm::Parallelism::None,
        );
    }
}

/// A layer `y = W x + b` in f32, for many vectors at once.
#[derive(Debug)]
pub(crate) struct Linear {
    pub(crate) weights: Vec<f32>,
    pub(crate) bias: Vec<f32>,
    pub(crate) inputs: usize,
}

impl Linear {
    pub(crate) fn outputs(&self) -> usize {
        self.bias.len()
    }

    /// `out = x Wᵀ + b` for each row of `x`, or added to what is there.
    pub(crate) fn apply(&self, x: &[f32], out: &mut [f32], into: Into) {
        let (inputs, outputs) = (self.inputs, self.outputs());
        let rows = x.len() / inputs;
        for row in out.chunks_exact_mut(outputs) {
            match into {
                Into::Replace => row.copy_from_slice(&self.bias),
                Into::Add => row.iter_mut().zip(&self.bias).for_each(|(out, bias)| *out += bias),
            }
        }
        let weights = View::new(&self.weights, outputs, inputs, inputs);
        multiply(out, outputs, Into::Add, 1.0, View::new(x, rows, inputs, inputs), weights.transposed());
    }
}

/// Numbers of a row that are read at a time.
const LANES: usize = 32;

/// A layer whose weights stay f16, for one vector at a time: what such a product costs is reading the weights.
#[derive(Debug)]
pub(crate) struct HalfLinear {
    /// The bits of the weights, row after row; every one of them finite.
    pub(crate) weights: Vec<u16>,
    /// One for each row; empty for none.
    pub(crate) bias: Vec<f32>,
    pub(crate) inputs: usize,
}

impl HalfLinear {
    /// `out = W x + b`, or added to what is there.
    pub(crate) fn apply(&self, x: &[f32], out: &mut [f32], into: Into) {
        assert_eq!(x.len(), self.inputs, "the vector is not as long as a row");
        vectorised(HalfProduct { layer: self, x, out, into });
    }

    /// Row `index` as f32.
    pub(crate) fn row(&self, index: usize) -> impl Iterator<Item = f32> {
        self.weights[index * self.inputs..][..self.inputs].iter().map(|bits| widen(*bits))
    }
}

struct HalfProduct<'a> {
    layer: &'a HalfLinear,
    x: &'a [f32],
    out: &'a mut [f32],
    into: Into,
}

impl NullaryFnOnce for HalfProduct<'_> {
    type Output = ();

    #[inline(always)]
    fn call(self) {
        let Self { layer, x, out, into } = self;
        for (i, (out, row)) in out.iter_mut().zip(layer.weights.chunks_exact(layer.inputs)).enumerate() {
            let product = layer.bias.get(i).unwrap_or(&0.0) + half_dot(row, x);
            *out = if into == Into::Add { *out + product } else { product };
        }
    }
}

#[inline(always)]
fn half_dot(row: &[u16], x: &[f32]) -> f32 {
    let (row_lanes, row_rest) = row.as_chunks::<LANES>();
    let (x_lanes, x_rest) = x.as_chunks::<LANES>();
    let mut sums = [0.0; LANES];
    for (bits, x) in row_lanes.iter().zip(x_lanes) {
        for lane in 0..LANES {
            sums[lane] += widen(bits[lane]) * x[lane];
        }
    }
    let rest: f32 = row_rest.iter().zip(x_rest).map(|(bits, x)| widen(*bits) * x).sum();
    sum(&sums) + rest
}

/// A finite f16 as f32: the bits moved into place, and the exponent's bias mended by a product, which serves small
/// numbers too.
#[inline(always)]
fn widen(bits: u16) -> f32 {
    /// 2 to the power of 112, the difference of the two biases.
    const BIAS: f32 = f32::from_bits((112 + 127) << 23);
    let bits = u32::from(bits);
    let magnitude = f32::from_bits((bits & 0x7fff) << 13) * BIAS;
    f32::from_bits(magnitude.to_bits() | (bits & 0x8000) << 16)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn numbers(n: usize, seed: usize) -> Vec<f32> {
        (0..n).map(|i| ((i * 7_919 + seed * 104_729) % 1_000) as f32 / 500.0 - 1.0).collect()
    }

    #[test]
    fn every_finite_f16_widens_as_it_should() {
        for bits in 0..=u16::MAX {
            let exact = half::f16::from_bits(bits).to_f32();
            if exact.is_finite() {
                assert_eq!(widen(bits).to_bits(), exact.to_bits(), "{bits:#06x}");
            }
        }
    }

    #[test]
    fn a_product_of_views_is_the_sum_of_products() {
        let (m, n, k) = (5, 7, 67);
        let (a, b) = (numbers(m * 100, 1), numbers(n * 90, 2));
        let mut out = numbers(m * 10, 3);
        let before = out.clone();
        multiply(
            &mut out,
            10,
            Into::Add,
            0.5,
            View::new(&a[3..], m, k, 100 - 1),
            View::new(&b, n, k, 90).transposed(),
        );
        for i in 0..m {
            for j in 0..10 {
                let product: f32 = (0..k).map(|l| a[3 + i * 99 + l] * b[j.min(n - 1) * 90 + l]).sum();
                let expected = before[i * 10 + j] + if j < n { 0.5 * product } else { 0.0 };
                assert!((out[i * 10 + j] - expected).abs() < 1e-3, "{i},{j}");
            }
        }
    }

    #[test]
    fn half_rows_and_whole_rows_give_the_same() {
        let (inputs, outputs) = (97, 11);
        let weights: Vec<half::f16> = numbers(inputs * outputs, 4).into_iter().map(half::f16::from_f32).collect();
        let bias = numbers(outputs, 5);
        let whole = Linear { weights: weights.iter().map(|w| w.to_f32()).collect(), bias: bias.clone(), inputs };
        let half = HalfLinear { weights: weights.iter().map(|w| w.to_bits()).collect(), bias, inputs };
        let x = numbers(inputs, 6);
        for into in [Into::Replace, Into::Add] {
            let (mut a, mut b) = (vec![1.0; outputs], vec![1.0; outputs]);
            whole.apply(&x, &mut a, into);
            half.apply(&x, &mut b, into);
            assert!(a.iter().zip(&b).all(|(a, b)| (a - b).abs() < 1e-4), "{a:?} {b:?}");
        }
    }
}
