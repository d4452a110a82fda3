//! The decoder: from what the encoder heard and the tokens so far to a score for each token that may come next.

use crate::AsrError;
use crate::math::{LayerNorm, NullaryFnOnce, dot, gelu, softmax_row, vectorised};
use crate::matrix::{HalfLinear, Into, Linear};
use crate::weights::{Sizes, Source};

/// Positions of every Whisper's decoder; a few more are no use, many fewer not a Whisper.
const POSITIONS_MAX: usize = 1_024;

#[derive(Debug)]
pub(crate) struct Decoder {
    sizes: Sizes,
    /// A row for each token, to begin with and to score with.
    embeddings: HalfLinear,
    positions: Vec<f32>,
    layers: Vec<Layer>,
    norm: LayerNorm,
}

#[derive(Debug)]
struct Layer {
    own_norm: LayerNorm,
    own_in: HalfLinear,
    own_out: HalfLinear,
    cross_norm: LayerNorm,
    cross_query: HalfLinear,
    /// Keys and values of what was heard, side by side; for all positions at once, hence f32.
    cross_in: Linear,
    cross_out: HalfLinear,
    feed_norm: LayerNorm,
    feed_in: HalfLinear,
    feed_out: HalfLinear,
}

/// What was heard, as each layer's keys and values: computed once, shared by every path through the decoder.
pub(crate) struct Heard {
    layers: Vec<Vec<f32>>,
}

/// One path through the decoder: the keys and values of its own tokens. A copy goes its own way.
#[derive(Clone)]
pub(crate) struct Path {
    layers: Vec<Vec<f32>>,
    n_tokens: usize,
    scratch: Scratch,
}

/// Room for what a step computes.
#[derive(Clone)]
struct Scratch {
    x: Vec<f32>,
    normed: Vec<f32>,
    attention: Vec<f32>,
    mixed: Vec<f32>,
    feed: Vec<f32>,
    weights: Vec<f32>,
}

impl Decoder {
    pub(crate) fn read(source: &Source<'_>) -> Result<Self, AsrError> {
        let sizes = Sizes::read(source)?;
        if POSITIONS_MAX < sizes.positions {
            return Err(AsrError::NotAModel("its decoder has too many positions"));
        }
        let width = sizes.width;
        let [n_tokens, _] = source.below("embeddings").sizes("weight")?;
        let layer = |i| Layer::read(&source.below(&format!("layer_{i}")), width);
        Ok(Self {
            sizes,
            embeddings: source.below("embeddings").half_rows("weight", n_tokens, width)?,
            positions: source.below("position_encodings").floats("encodings", &[sizes.positions, width])?,
            layers: (0..sizes.layers).map(layer).collect::<Result<_, _>>()?,
            norm: source.layer_norm(width)?,
        })
    }

    pub(crate) const fn sizes(&self) -> &Sizes {
        &self.sizes
    }

    pub(crate) fn n_tokens(&self) -> usize {
        self.embeddings.weights.len() / self.sizes.width
    }

    /// The keys and values of what the encoder made.
    pub(crate) fn hear(&self, encoded: &[f32]) -> Heard {
        let n_positions = encoded.len() / self.sizes.width;
        let keys_and_values = |layer: &Layer| {
            let mut out = vec![0.0; n_positions * 2 * self.sizes.width];
            layer.cross_in.apply(encoded, &mut out, Into::Replace);
            out
        };
        Heard { layers: self.layers.iter().map(keys_and_values).collect() }
    }

    /// A path without any token yet.
    pub(crate) fn start(&self) -> Path {
        let zeros = |n: usize| vec![0.0; n * self.sizes.width];
        let scratch = Scratch {
            x: zeros(1),
            normed: zeros(1),
            attention: zeros(3),
            mixed: zeros(1),
            feed: zeros(4),
            weights: Vec::new(),
        };
        Path { layers: vec![Vec::new(); self.layers.len()], n_tokens: 0, scratch }
    }

    /// Takes `token` onto the path. Whether there was room: past the last position nothing happens.
    #[must_use]
    pub(crate) fn step(&self, heard: &Heard, path: &mut Path, token: u32) -> bool {
        let width = self.sizes.width;
        let token = usize::try_from(token).unwrap_or(usize::MAX);
        if self.n_tokens() <= token || self.sizes.positions <= path.n_tokens {
            return false;
        }
        let Path { layers, n_tokens, scratch } = path;
        let position = &self.positions[*n_tokens * width..][..width];
        let embedding = self.embeddings.row(token).zip(position).map(|(embedding, position)| embedding + position);
        scratch.x.iter_mut().zip(embedding).for_each(|(x, value)| *x = value);
        *n_tokens += 1;
        for ((layer, own), heard) in self.layers.iter().zip(layers).zip(&heard.layers) {
            layer.step(scratch, own, heard, &self.sizes);
        }
        self.norm.apply(&scratch.x, &mut scratch.normed);
        true
    }

    /// The score of every token to come next on the path.
    pub(crate) fn scores(&self, path: &Path, scores: &mut Vec<f32>) {
        scores.resize(self.n_tokens(), 0.0);
        self.embeddings.apply(&path.scratch.normed, scores, Into::Replace);
    }
}

impl Layer {
    fn read(source: &Source<'_>, width: usize) -> Result<Self, AsrError> {
        let own = source.below("self_attention");
        let cross = source.below("attention");
        let feed = source.below("ffn");
        Ok(Self {
            own_norm: own.layer_norm(width)?,
            own_in: own.below("linear_0").half_linear(3 * width, width)?,
            own_out: own.below("linear_1").half_linear(width, width)?,
            cross_norm: cross.layer_norm(width)?,
            cross_query: cross.below("linear_0").half_linear(width, width)?,
            cross_in: cross.below("linear_1").linear(2 * width, width)?,
            cross_out: cross.below("linear_2").half_linear(width, width)?,
            feed_norm: feed.layer_norm(width)?,
            feed_in: feed.below("linear_0").half_linear(4 * width, width)?,
            feed_out: feed.below("linear_1").half_linear(width, 4 * width)?,
        })
    }

    fn step(&self, scratch: &mut Scratch, own: &mut Vec<f32>, heard: &[f32], sizes: &Sizes) {
        let Scratch { x, normed, attention, mixed, feed, weights } = scratch;
        let width = sizes.width;
        self.own_norm.apply(x, normed);
        self.own_in.apply(normed, attention, Into::Replace);
        own.extend_from_slice(&attention[width..]);
        attend(&attention[..width], own, weights, mixed, sizes);
        self.own_out.apply(mixed, x, Into::Add);

        self.cross_norm.apply(x, normed);
        self.cross_query.apply(normed, &mut attention[..width], Into::Replace);
        attend(&attention[..width], heard, weights, mixed, sizes);
        self.cross_out.apply(mixed, x, Into::Add);

        self.feed_norm.apply(x, normed);
        self.feed_in.apply(normed, feed, Into::Replace);
        gelu(feed);
        self.feed_out.apply(feed, x, Into::Add);
    }
}

/// Each head's mix of values for one query; `memory` holds a key and a value for each position.
fn attend(query: &[f32], memory: &[f32], weights: &mut Vec<f32>, mixed: &mut [f32], sizes: &Sizes) {
    weights.resize(memory.len() / (2 * sizes.width), 0.0);
    vectorised(Attention { query, memory, weights, mixed, sizes });
}

struct Attention<'a> {
    query: &'a [f32],
    memory: &'a [f32],
    weights: &'a mut [f32],
    mixed: &'a mut [f32],
    sizes: &'a Sizes,
}

impl NullaryFnOnce for Attention<'_> {
    type Output = ();

    #[inline(always)]
    fn call(self) {
        let (width, head_width, scale) = (self.sizes.width, self.sizes.head_width(), self.sizes.attention_scale());
        for head in 0..self.sizes.heads {
            let at = head * head_width;
            let query = &self.query[at..at + head_width];
            for (weight, pair) in self.weights.iter_mut().zip(self.memory.chunks_exact(2 * width)) {
                *weight = scale * dot(query, &pair[at..at + head_width]);
            }
            softmax_row(self.weights);
            let mixed = &mut self.mixed[at..at + head_width];
            mixed.fill(0.0);
            for (weight, pair) in self.weights.iter().zip(self.memory.chunks_exact(2 * width)) {
                let value = &pair[width + at..width + at + head_width];
                for (mixed, value) in mixed.iter_mut().zip(value) {
                    *mixed += weight * value;
                }
            }
        }
    }
}
