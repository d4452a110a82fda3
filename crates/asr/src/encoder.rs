//! The encoder: two convolutions over the spectrogram, then layers of attention among all positions, one each 20 ms.

use crate::AsrError;
use crate::kernel::Level;
use crate::math::{LayerNorm, gelu, softmax};
use crate::matrix::{Convolution, IntegerRows, Into, Linear, View, multiply};
use crate::mel::BANDS;
use crate::weights::{Sizes, Source};

/// Frames of the spectrogram to one position.
pub(crate) const FRAMES_PER_POSITION: usize = 2;

/// Positions that Whisper's window of 30 s has.
pub(crate) const POSITIONS: usize = 1_500;

#[derive(Debug)]
pub(crate) struct Encoder {
    sizes: Sizes,
    first: Convolution,
    second: Convolution,
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
            positions: source.below("position_encodings").floats("encodings", [POSITIONS, width])?,
            layers: (0..sizes.layers).map(layer).collect::<Result<_, _>>()?,
            norm: source.layer_norm(width)?,
        })
    }

    pub(crate) const fn sizes(&self) -> &Sizes {
        &self.sizes
    }

    /// What the decoder attends to, left in `scratch`: `width` numbers for each position, for a spectrogram of an even
    /// number of frames, 3,000 at most.
    pub(crate) fn encode<'s>(
        &self,
        level: Level,
        mel: &[f32],
        scratch: &'s mut Scratch,
        stop: &dyn Fn() -> bool,
    ) -> Result<&'s [f32], AsrError> {
        let n_frames = mel.len() / BANDS;
        let n_positions = n_frames / FRAMES_PER_POSITION;
        assert!(
            n_positions <= POSITIONS && n_frames.is_multiple_of(FRAMES_PER_POSITION),
            "the window is longer than 30 s"
        );
        scratch.resize(&self.sizes, n_frames, n_positions);
        convolve(&self.first, mel, 1, &mut scratch.padded, &mut scratch.frames);
        convolve(&self.second, &scratch.frames, FRAMES_PER_POSITION, &mut scratch.padded, &mut scratch.x);
        scratch.x.iter_mut().zip(&self.positions).for_each(|(x, position)| *x += position);
        for layer in &self.layers {
            if stop() {
                return Err(AsrError::Stopped);
            }
            layer.apply(level, scratch, &self.sizes);
        }
        self.norm.apply(&scratch.x, &mut scratch.normed);
        Ok(&scratch.normed)
    }
}

/// Three frames at a time, `step` frames on each time, with a frame of zeros before and after, through GELU.
fn convolve(layer: &Convolution, from: &[f32], step: usize, padded: &mut Vec<f32>, to: &mut [f32]) {
    let width = layer.inputs / 3;
    padded.clear();
    padded.resize(from.len() + 2 * width, 0.0);
    padded[width..width + from.len()].copy_from_slice(from);
    let outputs = layer.bias.len();
    to.chunks_exact_mut(outputs).for_each(|row| row.copy_from_slice(&layer.bias));
    // Neighbouring rows share frames, since what they begin with lies a step and not a row apart.
    let windows = View::new(padded, to.len() / outputs, layer.inputs, step * width);
    let weights = View::new(&layer.weights, outputs, layer.inputs, layer.inputs);
    multiply(to, outputs, Into::Add, 1.0, windows, weights.transposed());
    gelu(to);
}

/// Room for what the encoder computes, used again by the next layer and the next sound.
#[derive(Debug, Default)]
pub(crate) struct Scratch {
    padded: Vec<f32>,
    frames: Vec<f32>,
    x: Vec<f32>,
    normed: Vec<f32>,
    integers: IntegerRows,
    attention: Vec<f32>,
    scores: Vec<f32>,
    mixed: Vec<f32>,
    feed: Vec<f32>,
}

impl Scratch {
    fn resize(&mut self, sizes: &Sizes, n_frames: usize, n_positions: usize) {
        let width = sizes.width;
        self.frames.resize(n_frames * width, 0.0);
        let each = [
            (&mut self.x, width),
            (&mut self.normed, width),
            (&mut self.attention, 3 * width),
            (&mut self.scores, n_positions),
            (&mut self.mixed, width),
            (&mut self.feed, 4 * width),
        ];
        each.into_iter().for_each(|(numbers, n)| numbers.resize(n_positions * n, 0.0));
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

    fn apply(&self, level: Level, scratch: &mut Scratch, sizes: &Sizes) {
        let Scratch { x, normed, integers, attention, scores, mixed, feed, .. } = scratch;
        let width = sizes.width;
        self.attention_norm.apply(x, normed);
        integers.take(normed, width);
        self.attention_in.apply(level, integers, attention, Into::Replace);
        attend(attention, scores, mixed, sizes);
        integers.take(mixed, width);
        self.attention_out.apply(level, integers, x, Into::Add);
        self.feed_norm.apply(x, normed);
        integers.take(normed, width);
        self.feed_in.apply(level, integers, feed, Into::Replace);
        gelu(feed);
        integers.take(feed, 4 * width);
        self.feed_out.apply(level, integers, x, Into::Add);
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
