//! The encoder: two convolutions over the spectrogram, then layers of attention among all positions, one each 20 ms.

use crate::AsrError;
use crate::math::{LayerNorm, gelu, softmax};
use crate::matrix::{Into, Linear, View, multiply};
use crate::mel::BANDS;
use crate::weights::{Sizes, Source};

/// Frames of the spectrogram to one position.
pub(crate) const FRAMES_PER_POSITION: usize = 2;

/// Positions that Whisper's window of 30 s has.
pub(crate) const POSITIONS: usize = 1_500;

#[derive(Debug)]
pub(crate) struct Encoder {
    sizes: Sizes,
    first: Linear,
    second: Linear,
    positions: Vec<f32>,
    layers: Vec<Layer>,
    norm: LayerNorm,
}

#[derive(Debug)]
struct Layer {
    attention_norm: LayerNorm,
    /// Queries, keys and values, side by side.
    attention_in: Linear,
    attention_out: Linear,
    feed_norm: LayerNorm,
    feed_in: Linear,
    feed_out: Linear,
}

impl Encoder {
    pub(crate) fn read(source: &Source<'_>) -> Result<Self, AsrError> {
        let sizes = Sizes::read(source)?;
        if sizes.positions != POSITIONS {
            return Err(AsrError::NotAModel("its window is not 30 s"));
        }
        let width = sizes.width;
        let layer = |i| Layer::read(&source.below(&format!("layer_{i}")), width);
        Ok(Self {
            sizes,
            first: source.below("conv1").convolution(width, BANDS)?,
            second: source.below("conv2").convolution(width, width)?,
            positions: source.below("position_encodings").floats("encodings", &[POSITIONS, width])?,
            layers: (0..sizes.layers).map(layer).collect::<Result<_, _>>()?,
            norm: source.layer_norm(width)?,
        })
    }

    pub(crate) const fn sizes(&self) -> &Sizes {
        &self.sizes
    }

    /// What the decoder attends to: `width` numbers for each position, for a spectrogram of an even number of frames,
    /// 3,000 at most.
    pub(crate) fn encode(&self, mel: &[f32], stop: &dyn Fn() -> bool) -> Result<Vec<f32>, AsrError> {
        let width = self.sizes.width;
        let n_frames = mel.len() / BANDS;
        let n_positions = n_frames / FRAMES_PER_POSITION;
        assert!(
            n_positions <= POSITIONS && n_frames.is_multiple_of(FRAMES_PER_POSITION),
            "the window is longer than 30 s"
        );
        let mut frames = vec![0.0; n_frames * width];
        convolve(&self.first, mel, 1, &mut frames);
        let mut x = vec![0.0; n_positions * width];
        convolve(&self.second, &frames, FRAMES_PER_POSITION, &mut x);
        x.iter_mut().zip(&self.positions).for_each(|(x, position)| *x += position);
        let mut scratch = Scratch::new(&self.sizes, n_positions);
        for layer in &self.layers {
            if stop() {
                return Err(AsrError::Stopped);
            }
            layer.apply(&mut x, &mut scratch, &self.sizes);
        }
        self.norm.apply(&x, &mut scratch.normed);
        Ok(scratch.normed)
    }
}

/// Three frames at a time, `step` frames on each time, with a frame of zeros before and after, through GELU.
fn convolve(layer: &Linear, from: &[f32], step: usize, to: &mut [f32]) {
    let width = layer.inputs / 3;
    let mut padded = vec![0.0; from.len() + 2 * width];
    padded[width..width + from.len()].copy_from_slice(from);
    let outputs = layer.outputs();
    to.chunks_exact_mut(outputs).for_each(|row| row.copy_from_slice(&layer.bias));
    // Neighbouring rows share frames, since what they begin with lies a step and not a row apart.
    let windows = View::new(&padded, to.len() / outputs, layer.inputs, step * width);
    let weights = View::new(&layer.weights, outputs, layer.inputs, layer.inputs);
    multiply(to, outputs, Into::Add, 1.0, windows, weights.transposed());
    gelu(to);
}

/// Room for what a layer computes, used again by the next.
struct Scratch {
    normed: Vec<f32>,
    attention: Vec<f32>,
    scores: Vec<f32>,
    mixed: Vec<f32>,
    feed: Vec<f32>,
}

impl Scratch {
    fn new(sizes: &Sizes, n_positions: usize) -> Self {
        let zeros = |n: usize| vec![0.0; n_positions * n];
        Self {
            normed: zeros(sizes.width),
            attention: zeros(3 * sizes.width),
            scores: zeros(n_positions),
            mixed: zeros(sizes.width),
            feed: zeros(4 * sizes.width),
        }
    }
}

impl Layer {
    fn read(source: &Source<'_>, width: usize) -> Result<Self, AsrError> {
        let attention = source.below("self_attention");
        let feed = source.below("ffn");
        Ok(Self {
            attention_norm: attention.layer_norm(width)?,
            attention_in: attention.below("linear_0").linear(3 * width, width)?,
            attention_out: attention.below("linear_1").linear(width, width)?,
            feed_norm: feed.layer_norm(width)?,
            feed_in: feed.below("linear_0").linear(4 * width, width)?,
            feed_out: feed.below("linear_1").linear(width, 4 * width)?,
        })
    }

    fn apply(&self, x: &mut [f32], scratch: &mut Scratch, sizes: &Sizes) {
        let Scratch { normed, attention, scores, mixed, feed } = scratch;
        self.attention_norm.apply(x, normed);
        self.attention_in.apply(normed, attention, Into::Replace);
        attend(attention, scores, mixed, sizes);
        self.attention_out.apply(mixed, x, Into::Add);
        self.feed_norm.apply(x, normed);
        self.feed_in.apply(normed, feed, Into::Replace);
        gelu(feed);
        self.feed_out.apply(feed, x, Into::Add);
    }
}

/// Each head's mix of values, by how well queries match keys.
fn attend(attention: &[f32], scores: &mut [f32], mixed: &mut [f32], sizes: &Sizes) {
    let (width, head_width) = (sizes.width, sizes.head_width());
    let n = mixed.len() / width;
    for head in 0..sizes.heads {
        let part =
            |which: usize| View::new(&attention[which * width + head * head_width..], n, head_width, 3 * width);
        multiply(scores, n, Into::Replace, sizes.attention_scale(), part(0), part(1).transposed());
        softmax(scores, n);
        let mixed = &mut mixed[head * head_width..];
        multiply(mixed, width, Into::Replace, 1.0, View::new(scores, n, n, n), part(2));
    }
}
