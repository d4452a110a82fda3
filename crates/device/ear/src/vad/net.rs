//! The Silero network: a spectrum of four columns, four convolutions that make one column of them, a recurrent cell, and
//! one probability.

use super::{CONTEXT, VAD_FRAME};
use crate::conv::Weights;
use crate::error::EarError;
use crate::net::sigmoid;
use crate::onnx::Tensors;
use crate::simd::{Work, larger};

/// Outputs computed together in a layer of several columns, and in one of a single column.
const BLOCK: usize = 16;
const WIDE: usize = 64;

/// Samples of one column of the spectrum, and from one column to the next.
const COLUMN: usize = 256;
const HOP: usize = 128;
/// Samples mirrored at the end of the window.
const MIRRORED: usize = 64;
const PADDED: usize = CONTEXT + VAD_FRAME + MIRRORED;
/// Columns of the spectrum, and its bins: one real and one imaginary row each.
const COLUMNS: usize = (PADDED - COLUMN) / HOP + 1;
const BINS: usize = COLUMN / 2 + 1;
/// Rows of the transform, with rows of zeros so that blocks come out even.
const TRANSFORM_ROWS: usize = (2 * BINS).next_multiple_of(BLOCK);

/// Columns that a convolution looks at; one column of zeros lies before and behind the others.
const KERNEL: usize = 3;
/// Values that the recurrent cell takes, gives and remembers.
const CELL: usize = 128;
/// The cell's gates: what goes in, what is forgotten, the new value, what comes out.
const GATES: usize = 4;

/// How all names in the file begin: it was made from a file with branches.
const PREFIX: &str = "F0::If_0_then_branch__Inline_0__";

/// Outputs, columns out, and the step between columns, of the four convolutions.
const CONVOLUTIONS: [(usize, usize, usize); 4] = [(128, 4, 1), (64, 2, 2), (64, 1, 2), (CELL, 1, 1)];

/// The weights.
#[derive(Clone, Debug)]
pub(super) struct Net {
    transform: Weights<BLOCK>,
    convolutions: [Weights<BLOCK>; 4],
    cell: Weights<WIDE>,
    /// `[CELL]` and one.
    output: (Vec<f32>, f32),
}

/// What the network remembers of one stream, and room for its work.
#[derive(Clone, Debug)]
pub(super) struct StreamState {
    padded: Vec<f32>,
    transformed: Vec<f32>,
    /// What goes into each convolution: `[1 + columns + 1, channels]`, the first and last column zero.
    columns: [Vec<f32>; 4],
    /// What goes into the cell and what came out of it last: `[2, CELL]`.
    input: Vec<f32>,
    gates: Vec<f32>,
    memory: Vec<f32>,
}

impl StreamState {
    pub(super) fn new() -> Self {
        let columns = |count: usize, channels: usize| vec![0.0; (count + 2) * channels];
        Self {
            padded: vec![0.0; PADDED],
            transformed: vec![0.0; COLUMNS * TRANSFORM_ROWS],
            columns: [columns(COLUMNS, BINS), columns(4, 128), columns(2, 64), columns(1, 64)],
            input: vec![0.0; 2 * CELL],
            gates: vec![0.0; GATES * CELL],
            memory: vec![0.0; CELL],
        }
    }
}

impl Net {
    pub(super) fn new(what: &'static str, mut tensors: Tensors) -> Result<Self, EarError> {
        let mut take = |name: &str, dims: &[usize]| tensors.take(what, &format!("{PREFIX}{name}"), dims);
        let basis = take("stft.forward_basis_buffer", &[2 * BINS, 1, COLUMN])?;
        let transform = Weights::pack(&[0.0; TRANSFORM_ROWS], 1, COLUMN, |row, _, index| {
            basis.get(row * COLUMN + index).copied().unwrap_or(0.0)
        });
        let mut channels = BINS;
        let mut convolutions = Vec::with_capacity(CONVOLUTIONS.len());
        for (index, (outputs, ..)) in CONVOLUTIONS.into_iter().enumerate() {
            let weights = take(&format!("encoder.{index}.reparam_conv.weight"), &[outputs, channels, KERNEL])?;
            let bias = take(&format!("encoder.{index}.reparam_conv.bias"), &[outputs])?;
            convolutions.push(Weights::pack(&bias, 1, KERNEL * channels, |output, _, index| {
                weights[(output * channels + index % channels) * KERNEL + index / channels]
            }));
            channels = outputs;
        }
        let from_input = take("decoder.rnn.weight_ih", &[GATES * CELL, CELL])?;
        let from_output = take("decoder.rnn.weight_hh", &[GATES * CELL, CELL])?;
        let biases = (take("decoder.rnn.bias_ih", &[GATES * CELL])?, take("decoder.rnn.bias_hh", &[GATES * CELL])?);
        let bias: Vec<f32> = biases.0.iter().zip(biases.1).map(|(a, b)| a + b).collect();
        let cell = Weights::pack(&bias, 2, CELL, |output, segment, index| {
            let weights = if segment == 0 { &from_input } else { &from_output };
            weights[output * CELL + index]
        });
        let output = (take("decoder.decoder.2.weight", &[1, CELL, 1])?, take("decoder.decoder.2.bias", &[1])?[0]);
        let convolutions =
            convolutions.try_into().map_err(|_| EarError::Model { what, reason: "four layers".into() })?;
        Ok(Self { transform, convolutions, cell, output })
    }
}

/// The work of judging one frame.
pub(super) struct Step<'a> {
    net: &'a Net,
    state: &'a mut StreamState,
    window: &'a [f32],
}

impl<'a> Step<'a> {
    /// `window` is the context and the frame.
    pub(super) const fn new(net: &'a Net, state: &'a mut StreamState, window: &'a [f32]) -> Self {
        Self { net, state, window }
    }
}

impl Work for Step<'_> {
    type Output = f32;

    #[inline(always)]
    fn run<const FMA: bool>(self) -> f32 {
        let Self { net, state, window } = self;
        let StreamState { padded, transformed, columns, input, gates, memory } = state;
        let (front, mirrored) = padded.split_at_mut(CONTEXT + VAD_FRAME);
        front.copy_from_slice(window);
        for (value, sample) in mirrored.iter_mut().zip(window.iter().rev().skip(1)) {
            *value = *sample;
        }
        layer::<COLUMNS, BLOCK, FMA>(&net.transform, padded, HOP, transformed, |x| x);
        for (column, rows) in columns[0][BINS..].chunks_exact_mut(BINS).zip(transformed.chunks_exact(TRANSFORM_ROWS))
        {
            let (real, imaginary) = rows.split_at(BINS);
            for ((value, re), im) in column.iter_mut().zip(real).zip(imaginary) {
                *value = (re * re + im * im).sqrt();
            }
        }
        let rectify = |x| larger(x, 0.0);
        let [first, second, third, fourth] = columns;
        let [a, b, c, d] = &net.convolutions;
        layer::<4, BLOCK, FMA>(a, first, BINS, &mut second[128..], rectify);
        layer::<2, BLOCK, FMA>(b, second, 2 * 128, &mut third[64..], rectify);
        layer::<1, BLOCK, FMA>(c, third, 0, &mut fourth[64..], rectify);
        layer::<1, BLOCK, FMA>(d, fourth, 0, &mut input[..CELL], rectify);
        layer::<1, WIDE, FMA>(&net.cell, input, CELL, gates, |x| x);
        let output = &mut input[CELL..];
        for index in 0..CELL {
            let [enter, forget, new, leave] = std::array::from_fn(|gate| gates[gate * CELL + index]);
            memory[index] = sigmoid(forget) * memory[index] + sigmoid(enter) * new.tanh();
            output[index] = sigmoid(leave) * memory[index].tanh();
        }
        let (weights, bias) = &net.output;
        sigmoid(output.iter().zip(weights).fold(*bias, |sum, (value, weight)| sum + larger(*value, 0.0) * weight))
    }
}

/// One layer at `P` places, `step` values apart in `input`; where a place has two stretches, they are also so far apart.
/// Writes `[P, outputs]`.
#[inline(always)]
fn layer<const P: usize, const N: usize, const FMA: bool>(
    weights: &Weights<N>,
    input: &[f32],
    step: usize,
    output: &mut [f32],
    finish: impl Fn(f32) -> f32,
) {
    let outputs = weights.blocks() * N;
    for block in 0..weights.blocks() {
        let sums = weights.products::<P, FMA>(block, input, std::array::from_fn(|place| place * step), step);
        for (place, sums) in sums.iter().enumerate() {
            for (value, sum) in output[place * outputs + block * N..].iter_mut().zip(sums) {
                *value = finish(*sum);
            }
        }
    }
}
