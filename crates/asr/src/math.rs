//! The functions between the products: written so that the compiler makes vectors of them, and run under whatever
//! vector instructions the machine has.

pub(crate) use pulp::NullaryFnOnce;

/// Runs `work` compiled for the machine's best vector instructions. Its `call` must be `#[inline(always)]`, and so must
/// be what it calls: what is not inlined is compiled for the oldest machine.
#[cfg(not(target_arch = "wasm32"))]
pub(crate) fn vectorised<W: NullaryFnOnce>(work: W) -> W::Output {
    pulp::Arch::new().dispatch(work)
}

/// The same in a browser, without the relaxed instructions that pulp would put in: some browsers have none of them, and
/// refuse a module that does.
#[cfg(target_arch = "wasm32")]
#[target_feature(enable = "simd128")]
pub(crate) fn vectorised<W: NullaryFnOnce>(work: W) -> W::Output {
    work.call()
}

/// Lanes that are summed side by side: enough to keep the widest machine's adders busy.
const LANES: usize = 32;

/// The sum of products of two slices of one length.
#[inline(always)]
pub(crate) fn dot(a: &[f32], b: &[f32]) -> f32 {
    let (a_lanes, a_rest) = a.as_chunks::<LANES>();
    let (b_lanes, b_rest) = b.as_chunks::<LANES>();
    let mut sums = [0.0; LANES];
    for (a, b) in a_lanes.iter().zip(b_lanes) {
        for lane in 0..LANES {
            sums[lane] += a[lane] * b[lane];
        }
    }
    let rest: f32 = a_rest.iter().zip(b_rest).map(|(a, b)| a * b).sum();
    sum(&sums) + rest
}

/// The sum of all lanes, by halves.
#[inline(always)]
fn sum(lanes: &[f32; LANES]) -> f32 {
    let mut sums = *lanes;
    for half in [16, 8, 4, 2, 1] {
        for lane in 0..half {
            sums[lane] += sums[lane + half];
        }
    }
    sums[0]
}

/// e to the power of `x`, to a few parts in ten million; `x` is taken to lie between −87 and 88.
#[inline(always)]
pub(crate) fn exp(x: f32) -> f32 {
    // Adding and subtracting 1.5 · 2^23 rounds to an integer, which then also stands in the sum's lowest bits.
    const ROUND: f32 = 12_582_912.0;
    const LN_2: f32 = std::f32::consts::LN_2;
    let power = x.clamp(-87.0, 88.0) * std::f32::consts::LOG2_E;
    let shifted = power + ROUND;
    let part = (power - (shifted - ROUND)) * LN_2;
    // Taylor's series: the part is at most half of ln 2 from zero.
    let series = 1.0 / 720.0;
    let series = series * part + 1.0 / 120.0;
    let series = series * part + 1.0 / 24.0;
    let series = series * part + 1.0 / 6.0;
    let series = series * part + 0.5;
    let series = series * part + 1.0;
    let series = series * part + 1.0;
    f32::from_bits(series.to_bits().wrapping_add(shifted.to_bits() << 23))
}

/// x times the probability that a normal variable is below x, in place.
pub(crate) fn gelu(values: &mut [f32]) {
    struct Gelu<'a>(&'a mut [f32]);
    impl NullaryFnOnce for Gelu<'_> {
        type Output = ();
        #[inline(always)]
        fn call(self) {
            for value in self.0 {
                *value *= normal_cdf(*value);
            }
        }
    }
    vectorised(Gelu(values));
}

/// By Abramowitz and Stegun's 7.1.26, good to 1.5e-7.
#[inline(always)]
fn normal_cdf(x: f32) -> f32 {
    let z = x.abs() * std::f32::consts::FRAC_1_SQRT_2;
    let t = 1.0 / (1.0 + 0.327_591_1 * z);
    let series = 1.061_405_4;
    let series = series * t - 1.453_152;
    let series = series * t + 1.421_413_7;
    let series = series * t - 0.284_496_74;
    let series = series * t + 0.254_829_6;
    let tail = 0.5 * series * t * exp(-z * z);
    if x < 0.0 { tail } else { 1.0 - tail }
}

/// Makes each row of `row` values sum to one, as exponents.
pub(crate) fn softmax(values: &mut [f32], row: usize) {
    struct Rows<'a>(&'a mut [f32], usize);
    impl NullaryFnOnce for Rows<'_> {
        type Output = ();
        #[inline(always)]
        fn call(self) {
            for row in self.0.chunks_exact_mut(self.1) {
                softmax_row(row);
            }
        }
    }
    vectorised(Rows(values, row));
}

#[inline(always)]
pub(crate) fn softmax_row(values: &mut [f32]) {
    let largest = max_here(values);
    for value in values.iter_mut() {
        *value = exp(*value - largest);
    }
    let scale = 1.0 / lane_sum(values);
    for value in values {
        *value *= scale;
    }
}

/// The largest of `values` without their signs; 0 for none.
#[inline(always)]
pub(crate) fn largest_magnitude(values: &[f32]) -> f32 {
    let (lanes, rest) = values.as_chunks::<LANES>();
    let mut largest = [0.0_f32; LANES];
    for chunk in lanes {
        for lane in 0..LANES {
            let size = chunk[lane].abs();
            largest[lane] = if largest[lane] < size { size } else { largest[lane] };
        }
    }
    largest.into_iter().chain(rest.iter().map(|value| value.abs())).fold(0.0, |a, b| if a < b { b } else { a })
}

/// The largest of `values`, without regard to what is not a number.
pub(crate) fn max(values: &[f32]) -> f32 {
    struct Max<'a>(&'a [f32]);
    impl NullaryFnOnce for Max<'_> {
        type Output = f32;
        #[inline(always)]
        fn call(self) -> f32 {
            max_here(self.0)
        }
    }
    vectorised(Max(values))
}

#[inline(always)]
fn max_here(values: &[f32]) -> f32 {
    let (lanes, rest) = values.as_chunks::<LANES>();
    let mut largest = [f32::MIN; LANES];
    for chunk in lanes {
        for lane in 0..LANES {
            largest[lane] = if largest[lane] < chunk[lane] { chunk[lane] } else { largest[lane] };
        }
    }
    largest.iter().chain(rest).copied().fold(f32::MIN, |a, b| if a < b { b } else { a })
}

/// The logarithm of the sum of exponents: what turns scores into log-probabilities.
pub(crate) fn log_sum_exp(values: &[f32]) -> f32 {
    struct LogSumExp<'a>(&'a [f32]);
    impl NullaryFnOnce for LogSumExp<'_> {
        type Output = f32;
        #[inline(always)]
        fn call(self) -> f32 {
            let largest = max_here(self.0);
            let (lanes, rest) = self.0.as_chunks::<LANES>();
            let mut sums = [0.0; LANES];
            for chunk in lanes {
                for lane in 0..LANES {
                    sums[lane] += exp(chunk[lane] - largest);
                }
            }
            let mut total = sum(&sums);
            for value in rest {
                total += exp(value - largest);
            }
            largest + total.ln()
        }
    }
    vectorised(LogSumExp(values))
}

/// Layer normalisation's two vectors.
#[derive(Debug)]
pub(crate) struct LayerNorm {
    pub(crate) gamma: Vec<f32>,
    pub(crate) beta: Vec<f32>,
}

impl LayerNorm {
    /// Brings each row of `from` to mean 0 and variance 1, scaled and shifted.
    pub(crate) fn apply(&self, from: &[f32], to: &mut [f32]) {
        struct Rows<'a>(&'a LayerNorm, &'a [f32], &'a mut [f32]);
        impl NullaryFnOnce for Rows<'_> {
            type Output = ();
            #[inline(always)]
            fn call(self) {
                let Self(norm, from, to) = self;
                let width = norm.gamma.len();
                for (from, to) in from.chunks_exact(width).zip(to.chunks_exact_mut(width)) {
                    norm.apply_row(from, to);
                }
            }
        }
        vectorised(Rows(self, from, to));
    }

    #[inline(always)]
    fn apply_row(&self, from: &[f32], to: &mut [f32]) {
        const EPSILON: f32 = 1e-5;
        let width = self.gamma.len() as f32;
        let mean = lane_sum(from) / width;
        for (to, from) in to.iter_mut().zip(from) {
            *to = from - mean;
        }
        let scale = 1.0 / (dot(to, to) / width + EPSILON).sqrt();
        for ((to, gamma), beta) in to.iter_mut().zip(&self.gamma).zip(&self.beta) {
            *to = *to * scale * gamma + beta;
        }
    }
}

#[inline(always)]
fn lane_sum(values: &[f32]) -> f32 {
    let (lanes, rest) = values.as_chunks::<LANES>();
    let mut sums = [0.0; LANES];
    for chunk in lanes {
        for lane in 0..LANES {
            sums[lane] += chunk[lane];
        }
    }
    sum(&sums) + rest.iter().sum::<f32>()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exp_is_exp() {
        for i in -8_600..8_700 {
            let x = i as f32 / 100.0;
            let exact = f64::from(x).exp();
            assert!((f64::from(exp(x)) / exact - 1.0).abs() < 8e-6, "{x}: {} for {exact}", exp(x));
        }
        assert!(exp(-1e30) < 1e-37 && exp(f32::NEG_INFINITY) < 1e-37 && exp(1e30).is_finite());
    }

    #[test]
    fn gelu_is_known_at_a_few_points() {
        let mut values = [-3.0, -1.0, 0.0, 0.5, 2.0, 40.0, -40.0];
        gelu(&mut values);
        let expected = [-0.004_049_7, -0.158_655_26, 0.0, 0.345_731_23, 1.954_499_7, 40.0, 0.0];
        for (value, expected) in values.iter().zip(expected) {
            assert!((value - expected).abs() < 1e-5, "{value} for {expected}");
        }
    }

    #[test]
    fn probabilities_sum_to_one_even_from_far_apart() {
        let mut values: Vec<f32> = (0..99).map(|i| if i == 7 { 500.0 } else { -(i as f32) }).collect();
        softmax(&mut values, 33);
        for row in values.chunks(33) {
            assert!((row.iter().sum::<f32>() - 1.0).abs() < 1e-5);
        }
        assert!((log_sum_exp(&[0.0; 100]) - 100_f32.ln()).abs() < 1e-5);
        assert!((log_sum_exp(&[f32::NEG_INFINITY, 3.0]) - 3.0).abs() < 1e-6);
    }

    #[test]
    fn a_normalised_row_has_no_mean_and_unit_variance() {
        let norm = LayerNorm { gamma: vec![1.0; 50], beta: vec![0.0; 50] };
        let from: Vec<f32> = (0..100).map(|i| (i * i % 37) as f32 + 5.0).collect();
        let mut to = vec![0.0; 100];
        norm.apply(&from, &mut to);
        for row in to.chunks(50) {
            assert!(row.iter().sum::<f32>().abs() < 1e-3);
            assert!((row.iter().map(|x| x * x).sum::<f32>() / 50.0 - 1.0).abs() < 1e-3);
        }
    }
}
