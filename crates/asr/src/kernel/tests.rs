//! Every kind of instructions against plain sums, and all of them against one another, to the last bit.

use proptest::prelude::*;

use super::*;

/// A matrix product as anyone would write it.
struct Case {
    n_groups: usize,
    inputs: Vec<Inputs>,
    groups: Vec<Group>,
    row_scales: Vec<f32>,
    scales: Vec<f32>,
    bias: Vec<f32>,
}

impl Case {
    fn new(n_rows: usize, n_groups: usize, n_panels: usize, seed: u64) -> Self {
        let mut state = seed | 1;
        let mut next = move || {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (state >> 33) as u32
        };
        // The ends of the range come often: they are what saturates.
        let mut integer = move || match next() % 8 {
            0 => 127_i8,
            1 => -127,
            _ => ((next() % 255) as i32 - 127) as i8,
        };
        let mut bytes = |n: usize| (0..n).map(|_| integer().cast_unsigned()).collect::<Vec<u8>>();
        let inputs = bytes(n_rows * n_groups * DEPTH).as_chunks().0.to_vec();
        let groups = bytes(n_panels * n_groups * LANES * DEPTH).as_chunks().0.to_vec();
        let scales = |n: usize, by: f32| (0..n).map(|i| (i + 1) as f32 * by).collect::<Vec<f32>>();
        let (row_scales, scales, bias) =
            (scales(n_rows, 0.37), scales(n_panels * LANES, 0.003), scales(n_panels * LANES, -0.9));
        Self { n_groups, inputs, groups, row_scales, scales, bias }
    }

    fn product(&self, level: Level, outputs: usize, into: Into, with_bias: bool) -> Vec<f32> {
        let signed = |inputs: &Inputs| inputs.iter().map(|input| i32::from(input.cast_signed())).sum::<i32>();
        let sums: Vec<i32> = self.inputs.chunks(self.n_groups).map(|row| row.iter().map(signed).sum()).collect();
        let rows = Rows { inputs: &self.inputs, n_groups: self.n_groups, scales: &self.row_scales, sums: &sums };
        let bias: &[f32] = if with_bias { &self.bias } else { &[] };
        let panels = Panels { groups: &self.groups, n_groups: self.n_groups, scales: &self.scales, bias };
        let mut out = vec![0.25; self.row_scales.len() * outputs];
        level.product(rows, panels, &mut out, outputs, into);
        out
    }

    fn weight(&self, output: usize, input: usize) -> i64 {
        let group = &self.groups[output / LANES * self.n_groups + input / DEPTH];
        i64::from(group[output % LANES * DEPTH + input % DEPTH].cast_signed())
    }

    fn expected(&self, row: usize, output: usize) -> f64 {
        let input = |k: usize| i64::from(self.inputs[row * self.n_groups + k / DEPTH][k % DEPTH].cast_signed());
        let sum: i64 = (0..self.n_groups * DEPTH).map(|k| input(k) * self.weight(output, k)).sum();
        sum as f64 * f64::from(self.row_scales[row]) * f64::from(self.scales[output])
    }
}

#[test]
fn the_scalar_way_is_the_sum_of_products() {
    let case = Case::new(3, 7, 2, 11);
    let out = case.product(Level::Scalar, 30, Into::Replace, false);
    for row in 0..3 {
        for output in 0..30 {
            let (found, expected) = (f64::from(out[row * 30 + output]), case.expected(row, output));
            assert!((found - expected).abs() <= expected.abs() * 1e-6 + 1e-6, "{row} {output}: {found} {expected}");
        }
    }
    let (added, biased) =
        (case.product(Level::Scalar, 30, Into::Add, false), case.product(Level::Scalar, 30, Into::Replace, true));
    assert!(out.iter().zip(&added).all(|(out, added)| (out + 0.25 - added).abs() < 1e-4));
    assert!(
        out.iter().zip(&biased).enumerate().all(|(i, (out, biased))| (out + case.bias[i % 30] - biased).abs() < 1e-4)
    );
}

#[test]
fn the_largest_sums_saturate_nowhere() {
    for (weight, input) in [(127_i8, 127_i8), (-127, -127), (127, -127), (-127, 127)] {
        let n_groups = 1_280;
        let mut case = Case::new(7, n_groups, 5, 1);
        case.inputs.fill([input.cast_unsigned(); DEPTH]);
        case.groups.fill([weight.cast_unsigned(); LANES * DEPTH]);
        for level in Level::all() {
            let out = case.product(level, 80, Into::Replace, false);
            assert!((f64::from(out[0]) / case.expected(0, 0) - 1.0).abs() < 1e-6, "{level:?}");
        }
    }
}

/// A machine is asked what it has; what it lacks is covered on another.
#[test]
fn the_best_is_among_all_and_the_scalar_way_is_last() {
    let all: Vec<Level> = Level::all().collect();
    assert_eq!(all.first(), Some(&Level::best()));
    assert_eq!(all.last(), Some(&Level::Scalar));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn every_way_gives_the_same_bits(
        n_rows in 0..15_usize, n_groups in 1..40_usize, n_panels in 1..10_usize, cut in 0..16_usize,
        seed: u64, with_bias: bool, adds: bool,
    ) {
        let case = Case::new(n_rows, n_groups, n_panels, seed);
        let (outputs, into) = (n_panels * LANES - cut, if adds { Into::Add } else { Into::Replace });
        let scalar = case.product(Level::Scalar, outputs, into, with_bias);
        for level in Level::all() {
            let other = case.product(level, outputs, into, with_bias);
            prop_assert!(scalar.iter().zip(&other).all(|(a, b)| a.to_bits() == b.to_bits()), "{:?}", level);
        }
    }
}
