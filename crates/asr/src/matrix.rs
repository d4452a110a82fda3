//! Products: of matrices of f32, and of rows with weights of 8 bits.

use std::ops::Range;
use std::sync::Arc;

use crate::aligned::AlignedBytes;
pub(crate) use crate::kernel::Into;
use crate::kernel::{DEPTH, Group, Inputs, LANES, Level, Panels, Rows};
use crate::math::{NullaryFnOnce, largest_magnitude, vectorised};
use crate::product::Product;

/// A matrix that lies somewhere in a slice: a row every `row_step` numbers, a column every `column_step`.
#[derive(Clone, Copy)]
pub(crate) struct View<'a> {
    pub(crate) numbers: &'a [f32],
    pub(crate) rows: usize,
    pub(crate) columns: usize,
    pub(crate) row_step: usize,
    pub(crate) column_step: usize,
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
    assert_eq!(a.column_step, 1, "the first factor's rows are not in one piece");
    assert!(a.reach() <= a.numbers.len() && b.reach() <= b.numbers.len(), "a factor reaches beyond its numbers");
    assert!(b.columns <= out_step, "rows of the product overlap");
    assert!((a.rows - 1) * out_step + b.columns <= out.len(), "the product reaches beyond its place");
    pulp::Arch::new().dispatch(Product { out, out_step, into, scale, a, b });
}

/// A convolution `y = W x + b` in f32, over frames that lie side by side.
#[derive(Debug)]
pub(crate) struct Convolution {
    pub(crate) weights: Vec<f32>,
    pub(crate) bias: Vec<f32>,
    pub(crate) inputs: usize,
}

/// A layer `y = W x + b` with weights of 8 bits, a scale for each row of them.
pub(crate) struct Linear {
    /// The model's weights, of which these are some.
    pub(crate) bytes: Arc<AlignedBytes>,
    pub(crate) panels: Range<usize>,
    pub(crate) scales: Vec<f32>,
    /// Empty for none.
    pub(crate) bias: Vec<f32>,
    pub(crate) outputs: usize,
    pub(crate) inputs: usize,
}

impl std::fmt::Debug for Linear {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Linear({} × {})", self.outputs, self.inputs)
    }
}

impl Linear {
    fn groups(&self) -> &[Group] {
        self.bytes.as_slice()[self.panels.clone()].as_chunks().0
    }

    fn n_groups(&self) -> usize {
        self.inputs.div_ceil(DEPTH)
    }

    /// `out = x Wᵀ + b` for each row of `x`, or added to what is there.
    pub(crate) fn apply(&self, level: Level, x: &IntegerRows, out: &mut [f32], into: Into) {
        let (groups, n_groups) = (self.groups(), self.n_groups());
        let panels = Panels { groups, n_groups, scales: &self.scales, bias: &self.bias };
        level.product(x.rows(), panels, out, self.outputs, into);
    }

    /// The output of this number for the first row of `x`; those of its panel are computed too.
    pub(crate) fn apply_one(&self, level: Level, x: &IntegerRows, output: usize) -> f32 {
        let (panel, n) = (output / LANES, self.n_groups());
        let at = panel * LANES..(panel + 1) * LANES;
        let bias = if self.bias.is_empty() { &[] } else { &self.bias[at.clone()] };
        let groups = &self.groups()[panel * n..][..n];
        let mut out = [0.0; LANES];
        level.product(
            x.first(),
            Panels { groups, n_groups: n, scales: &self.scales[at], bias },
            &mut out,
            LANES,
            Into::Replace,
        );
        out[output % LANES]
    }

    /// Row `index` of the weights as f32.
    pub(crate) fn row(&self, index: usize) -> impl Iterator<Item = f32> {
        let n = self.n_groups();
        let groups = &self.groups()[index / LANES * n..][..n];
        let lane = index % LANES * DEPTH;
        let weights = groups.iter().flat_map(move |group| &group[lane..lane + DEPTH]);
        weights.take(self.inputs).map(move |weight| f32::from(weight.cast_signed()) * self.scales[index])
    }
}

/// Rows of numbers, each as integers from −127 to 127 and a scale: the largest of a row reaches 127.
#[derive(Debug, Default)]
pub(crate) struct IntegerRows {
    inputs: Vec<Inputs>,
    n_groups: usize,
    scales: Vec<f32>,
    sums: Vec<i32>,
}

impl IntegerRows {
    /// Takes the rows of `numbers`, each `width` long, in place of those before.
    pub(crate) fn take(&mut self, numbers: &[f32], width: usize) {
        let n_rows = numbers.len() / width;
        self.n_groups = width.div_ceil(DEPTH);
        // What is left from before is overwritten but for the last group of a row, where a width is no multiple of it.
        self.inputs.resize(n_rows * self.n_groups, [0; DEPTH]);
        self.scales.resize(n_rows, 0.0);
        self.sums.resize(n_rows, 0);
        vectorised(Rounding { rows: self, numbers, width });
    }

    fn rows(&self) -> Rows<'_> {
        Rows { inputs: &self.inputs, n_groups: self.n_groups, scales: &self.scales, sums: &self.sums }
    }

    fn first(&self) -> Rows<'_> {
        Rows {
            inputs: &self.inputs[..self.n_groups],
            n_groups: self.n_groups,
            scales: &self.scales[..1],
            sums: &self.sums[..1],
        }
    }
}

struct Rounding<'a> {
    rows: &'a mut IntegerRows,
    numbers: &'a [f32],
    width: usize,
}

impl NullaryFnOnce for Rounding<'_> {
    type Output = ();

    #[inline(always)]
    fn call(self) {
        let Self { rows: IntegerRows { inputs, n_groups, scales, sums }, numbers, width } = self;
        let rows = numbers.chunks_exact(width).zip(inputs.chunks_exact_mut(*n_groups));
        for ((numbers, inputs), (scale, sum)) in rows.zip(scales.iter_mut().zip(sums)) {
            let largest = largest_magnitude(numbers);
            *scale = largest / 127.0;
            let steps = if 0.0 < largest { 127.0 / largest } else { 0.0 };
            let (inputs, rest) = inputs.as_flattened_mut().split_at_mut(width);
            rest.fill(0);
            let mut total = 0_i32;
            for (input, number) in inputs.iter_mut().zip(numbers) {
                let integer = round(number * steps);
                total = total.wrapping_add(integer);
                *input = integer.to_le_bytes()[0];
            }
            *sum = total;
        }
    }
}

/// The nearest integer of a number between −127 and 127; of what is no number, some integer between −128 and 127.
#[inline(always)]
fn round(number: f32) -> i32 {
    /// Adding 1.5 · 2^23 leaves the integer in the sum's lowest bits.
    const SHIFT: f32 = 12_582_912.0;
    i32::from((number + SHIFT).to_bits().to_le_bytes()[0].cast_signed())
}

#[cfg(test)]
mod tests;
