//! The product behind every layer: some places of the input, each a few stretches of neighbouring values, times a
//! matrix of weights. A convolution over bands or over time is that, and so is a dense layer.

use crate::simd::mul_add;

/// Places computed side by side: with two vectors of outputs each, as many sums as AVX2 adds to at once.
pub(crate) const PLACES: usize = 4;

/// The weights of one layer, in blocks of `N` outputs that are computed together.
#[derive(Clone, Debug)]
pub(crate) struct Weights<const N: usize> {
    /// `[outputs / N, segments * len]` of `N` each.
    rows: Vec<[f32; N]>,
    /// `[outputs / N]` of `N` each.
    bias: Vec<[f32; N]>,
    /// Stretches of the input that one place looks at.
    segments: usize,
    /// Values of one stretch.
    len: usize,
}

impl<const N: usize> Weights<N> {
    /// Packs the weights. `weight(output, segment, index)` gives one; `outputs` is `bias.len()`, a multiple of `N`.
    pub(crate) fn pack(
        bias: &[f32],
        segments: usize,
        len: usize,
        weight: impl Fn(usize, usize, usize) -> f32,
    ) -> Self {
        let (bias, rest) = bias.as_chunks::<N>();
        debug_assert!(rest.is_empty(), "outputs come in blocks of {N}");
        let mut rows = Vec::with_capacity(bias.len() * segments * len);
        for block in 0..bias.len() {
            for segment in 0..segments {
                rows.extend(
                    (0..len).map(|index| std::array::from_fn(|lane| weight(block * N + lane, segment, index))),
                );
            }
        }
        Self { rows, bias: bias.to_vec(), segments, len }
    }

    /// How many blocks of `N` outputs there are.
    pub(crate) const fn blocks(&self) -> usize {
        self.bias.len()
    }

    /// The outputs of one block at `P` places. The first stretch of a place begins at its `starts` in `input`, each
    /// further one `pitch` values later. The order of the sums does not depend on `P`.
    #[inline(always)]
    pub(crate) fn products<const P: usize, const FMA: bool>(
        &self,
        block: usize,
        input: &[f32],
        starts: [usize; P],
        pitch: usize,
    ) -> [[f32; N]; P] {
        let len = self.len;
        let mut sums = [self.bias[block]; P];
        let rows = &self.rows[block * self.segments * len..][..self.segments * len];
        for segment in 0..self.segments {
            let rows = &rows[segment * len..][..len];
            // No `map` here, nor `from_fn`: the compiler does not inline them, and calls cost what the loop does.
            let mut stretches = [&input[..0]; P];
            for place in 0..P {
                stretches[place] = &input[starts[place] + segment * pitch..][..len];
            }
            for index in 0..len {
                for place in 0..P {
                    let value = stretches[place][index];
                    for lane in 0..N {
                        sums[place][lane] = mul_add::<FMA>(value, rows[index][lane], sums[place][lane]);
                    }
                }
            }
        }
        sums
    }
}
