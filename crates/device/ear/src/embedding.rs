//! The Google speech embedding: twenty convolutions over mel frames, computed once for every frame that comes.
//!
//! All convolutions over time look at three rows and pad nothing, so a layer needs but the last two rows of the one
//! before; they stay in its [`Plane`]. Time is halved three times. Eight frames are therefore one new row at the end,
//! and a window of 76 frames begins where 8 does not divide: see [`LEAD`].

use crate::conv::{PLACES, Weights};
use crate::error::EarError;
use crate::models::{EMBEDDING_HOP, EMBEDDING_SIZE, EMBEDDING_WINDOW, Embedding, MEL_BANDS, MelFrame};
use crate::onnx::Tensors;
use crate::simd::{Work, larger};

/// Outputs computed together. Layers of 24 and 72 are filled up with zeros, which costs less than blocks of 24 would: of
/// those the compiler makes code half as fast.
const BLOCK: usize = 16;
/// Outputs of the first layer.
const FIRST: usize = 24;
/// Rows that a convolution over time looks back.
const HISTORY: usize = 2;
/// Frames in front of the first window that fill up its first step.
const LEAD: usize = EMBEDDING_HOP - EMBEDDING_WINDOW % EMBEDDING_HOP;
/// Steps from the first, which holds [`LEAD`] frames of nothing, to the one that completes a window.
const WINDOW_STEPS: usize = (LEAD + EMBEDDING_WINDOW) / EMBEDDING_HOP;

/// After each convolution but the last: a leaky rectifier, and a floor under it.
const LEAK: f32 = 0.2;
const FLOOR: f32 = -0.4;

/// The layers behind the first, as the model's file numbers them: outputs of each, and how time and bands are divided
/// after it. Odd ones look at three bands, even ones at three rows.
const LAYERS: [(usize, Option<(usize, usize)>); 18] = [
    (24, None),
    (24, Some((2, 2))),
    (48, None),
    (48, None),
    (48, None),
    (48, Some((1, 2))),
    (72, None),
    (72, None),
    (72, None),
    (72, Some((2, 2))),
    (96, None),
    (96, None),
    (96, None),
    (96, Some((1, 2))),
    (96, None),
    (96, None),
    (96, None),
    (96, Some((2, 2))),
];

/// The network's weights and the shapes between its layers.
#[derive(Clone, Debug)]
pub(crate) struct EmbeddingNet {
    stages: Vec<Stage>,
    /// One more than stages: what goes into each, and what comes out of the last.
    planes: Vec<Plane>,
}

#[derive(Clone, Debug)]
enum Stage {
    /// With the rectifier or, for the last layer, without.
    Convolve { weights: Weights<BLOCK>, is_last: bool },
    /// Keeps the largest of so many rows and bands.
    Pool { rows: usize, bands: usize },
}

/// The shape of a buffer between two layers: `[history + rows, margin + bands + margin, channels]`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Plane {
    /// Rows that eight frames make.
    rows: usize,
    bands: usize,
    channels: usize,
    /// Rows kept from before: what the next layer looks back.
    history: usize,
    /// Bands of zeros on either side, for a next layer that looks at three.
    margin: usize,
}

impl Plane {
    /// Values of one row.
    const fn pitch(&self) -> usize {
        (self.bands + 2 * self.margin) * self.channels
    }

    /// Where row `row` of the new ones begins.
    const fn row(&self, row: usize) -> usize {
        (self.history + row) * self.pitch() + self.margin * self.channels
    }
}

/// What the network remembers of one stream, and room for the steps that are computed at once.
#[derive(Clone, Debug)]
pub(crate) struct EmbeddingState {
    planes: Vec<Vec<f32>>,
    steps_max: usize,
}

impl EmbeddingNet {
    pub(crate) fn new(what: &'static str, mut tensors: Tensors) -> Result<Self, EarError> {
        let mut net = Self { stages: Vec::new(), planes: Vec::new() };
        let plane = Plane { rows: EMBEDDING_HOP, bands: MEL_BANDS, channels: 1, history: HISTORY, margin: 1 };
        let fused = |name: &str, part: &str| format!("model/{name}/Conv2D_{part}_fused_bn");
        let mut layer = |plane: Plane, name: &str, outputs: usize| {
            let dims = [outputs, plane.channels, plane.history + 1, 2 * plane.margin + 1];
            let is_last = name == "conv2d_19";
            let (weights, bias) = if is_last {
                (format!("model/{name}/Conv2D/ReadVariableOp:0"), vec![0.0; outputs])
            } else {
                (fused(name, "weights"), tensors.take(what, &fused(name, "bias"), &[outputs])?)
            };
            let values = tensors.take(what, &weights, &dims)?;
            Ok::<_, EarError>(Stage::Convolve { weights: pack(&values, &bias, dims), is_last })
        };
        net.add(plane, layer(plane, "conv2d", FIRST)?);
        let mut plane = Plane { channels: FIRST, ..plane };
        for (index, (outputs, pool)) in LAYERS.into_iter().enumerate() {
            (plane.history, plane.margin) = if index % 2 == 0 { (0, 1) } else { (HISTORY, 0) };
            net.add(plane, layer(plane, &format!("conv2d_{}", index + 1), outputs)?);
            plane = Plane { channels: outputs, ..plane };
            if let Some((rows, bands)) = pool {
                net.add(Plane { history: 0, margin: 0, ..plane }, Stage::Pool { rows, bands });
                plane = Plane { rows: plane.rows / rows, bands: plane.bands / bands, ..plane };
            }
        }
        plane = Plane { history: HISTORY, margin: 0, ..plane };
        net.add(plane, layer(plane, "conv2d_19", EMBEDDING_SIZE)?);
        net.planes.push(Plane { history: 0, margin: 0, channels: EMBEDDING_SIZE, ..plane });
        Ok(net)
    }

    fn add(&mut self, plane: Plane, stage: Stage) {
        self.planes.push(plane);
        self.stages.push(stage);
    }

    /// A stream of nothing yet, with room for so many steps at once. Only what comes [`WINDOW_STEPS`] steps later is
    /// the embedding of what was pushed.
    pub(crate) fn blank(&self, steps_max: usize) -> EmbeddingState {
        let len = |plane: &Plane| (plane.history + steps_max * plane.rows) * plane.pitch();
        EmbeddingState { planes: self.planes.iter().map(|plane| vec![0.0; len(plane)]).collect(), steps_max }
    }

    /// The work of taking the next steps' frames, eight a step and no more steps than there is room for, and writing
    /// the embedding of the window that ends with each.
    pub(crate) const fn advance<'a>(
        &'a self,
        state: &'a mut EmbeddingState,
        frames: &'a [MelFrame],
        embeddings: &'a mut [Embedding],
    ) -> Advance<'a> {
        Advance { net: self, state, frames, embeddings }
    }

    /// The embeddings of all windows of `frames`, eight frames apart, computed `state.steps_max` steps at a time.
    pub(crate) fn all(&self, state: &mut EmbeddingState, frames: &[MelFrame]) -> Vec<Embedding> {
        let windows = match frames.len().checked_sub(EMBEDDING_WINDOW) {
            Some(more) => more / EMBEDDING_HOP + 1,
            None => return Vec::new(),
        };
        let steps = windows + WINDOW_STEPS - 1;
        let mut embeddings = vec![[0.0; EMBEDDING_SIZE]; steps];
        let mut lead = [[0.0; MEL_BANDS]; EMBEDDING_HOP];
        lead[LEAD..].copy_from_slice(&frames[..EMBEDDING_HOP - LEAD]);
        let (first, later) = embeddings.split_at_mut(1);
        crate::simd::run(self.advance(state, &lead, first));
        let rest = &frames[EMBEDDING_HOP - LEAD..][..(steps - 1) * EMBEDDING_HOP];
        let pieces = rest.chunks(state.steps_max * EMBEDDING_HOP);
        for (piece, embeddings) in pieces.zip(later.chunks_mut(state.steps_max)) {
            crate::simd::run(self.advance(state, piece, embeddings));
        }
        embeddings.split_off(WINDOW_STEPS - 1)
    }
}

/// From `[outputs, channels, rows, bands]` to one row of weights for each value of a stretch: bands, then channels.
fn pack(values: &[f32], bias: &[f32], [_, channels, rows, bands]: [usize; 4]) -> Weights<BLOCK> {
    let mut filled = bias.to_vec();
    filled.resize(bias.len().next_multiple_of(BLOCK), 0.0);
    Weights::pack(&filled, rows, bands * channels, |output, row, index| {
        let (band, channel) = (index / channels, index % channels);
        values.get(((output * channels + channel) * rows + row) * bands + band).copied().unwrap_or(0.0)
    })
}

/// See [`EmbeddingNet::advance`].
pub(crate) struct Advance<'a> {
    net: &'a EmbeddingNet,
    state: &'a mut EmbeddingState,
    frames: &'a [MelFrame],
    embeddings: &'a mut [Embedding],
}

impl Work for Advance<'_> {
    type Output = ();

    #[inline(always)]
    fn run<const FMA: bool>(self) {
        let Self { net, state, frames, embeddings } = self;
        let steps = (frames.len() / EMBEDDING_HOP).min(state.steps_max);
        let (first, input) = (net.planes[0], &mut state.planes[0]);
        for (row, frame) in frames.iter().take(steps * EMBEDDING_HOP).enumerate() {
            input[first.row(row)..][..MEL_BANDS].copy_from_slice(frame);
        }
        for (index, stage) in net.stages.iter().enumerate() {
            let (before, after) = state.planes.split_at_mut(index + 1);
            let (input, output) = (&mut before[index][..], &mut after[0][..]);
            let (from, to) = (net.planes[index], net.planes[index + 1]);
            match stage {
                Stage::Convolve { weights, is_last: false } => {
                    convolve::<FMA>(weights, from, to, steps, input, output, |x| larger(larger(x, LEAK * x), FLOOR))
                }
                Stage::Convolve { weights, is_last: true } => {
                    convolve::<FMA>(weights, from, to, steps, input, output, |x| x)
                }
                Stage::Pool { rows, bands } => pool(*rows, *bands, from, to, steps, input, output),
            }
            let kept = steps * from.rows * from.pitch();
            input.copy_within(kept..kept + from.history * from.pitch(), 0);
        }
        let last = &state.planes[net.stages.len()];
        for (embedding, vector) in embeddings.iter_mut().zip(last.as_chunks::<EMBEDDING_SIZE>().0) {
            *embedding = *vector;
        }
    }
}

/// One convolution over the new rows of `steps` steps.
#[inline(always)]
fn convolve<const FMA: bool>(
    weights: &Weights<BLOCK>,
    from: Plane,
    to: Plane,
    steps: usize,
    input: &[f32],
    output: &mut [f32],
    finish: impl Fn(f32) -> f32,
) {
    let places = steps * to.rows * to.bands;
    let start = |place: usize| place / from.bands * from.pitch() + place % from.bands * from.channels;
    let mut write = |block: usize, place: usize, sums: &[f32; BLOCK]| {
        let at = to.row(place / to.bands) + place % to.bands * to.channels + block * BLOCK;
        if block * BLOCK + BLOCK <= to.channels
            && let Some(outputs) = output[at..].first_chunk_mut::<BLOCK>()
        {
            for lane in 0..BLOCK {
                outputs[lane] = finish(sums[lane]);
            }
        } else {
            for (value, sum) in output[at..].iter_mut().zip(&sums[..to.channels % BLOCK]) {
                *value = finish(*sum);
            }
        }
    };
    for block in 0..weights.blocks() {
        let mut place = 0;
        while place + PLACES <= places {
            let mut starts = [0; PLACES];
            for (index, at) in starts.iter_mut().enumerate() {
                *at = start(place + index);
            }
            let sums = weights.products::<PLACES, FMA>(block, input, starts, from.pitch());
            for (index, sums) in sums.iter().enumerate() {
                write(block, place + index, sums);
            }
            place += PLACES;
        }
        while place < places {
            let [sums] = weights.products::<1, FMA>(block, input, [start(place)], from.pitch());
            write(block, place, &sums);
            place += 1;
        }
    }
}

/// The largest of each `rows` times `bands` values of a channel.
#[inline(always)]
fn pool(rows: usize, bands: usize, from: Plane, to: Plane, steps: usize, input: &[f32], output: &mut [f32]) {
    for row in 0..steps * to.rows {
        for band in 0..to.bands {
            let output = &mut output[to.row(row) + band * to.channels..][..to.channels];
            let place =
                |index: usize| from.row(row * rows + index / bands) + (band * bands + index % bands) * from.channels;
            output.copy_from_slice(&input[place(0)..][..from.channels]);
            for index in 1..rows * bands {
                for (largest, value) in output.iter_mut().zip(&input[place(index)..][..from.channels]) {
                    *largest = larger(*largest, *value);
                }
            }
        }
    }
}
