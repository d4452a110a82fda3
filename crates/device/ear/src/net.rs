//! The small networks of the heads and of the onset locator: dense layers, each but the last followed by a layer
//! normalisation and a rectifier. Knows no audio.

use crate::error::EarError;

/// Keeps the normalisation finite where a layer's outputs are all equal.
pub const NORM_EPSILON: f32 = 1e-5;

/// Inputs or outputs of one layer at most: a bound for what a damaged file may ask for.
const WIDTH_MAX: usize = 8_192;
/// Layers of one network at most.
const LAYERS_MAX: usize = 8;

/// One dense layer. `weights` is `[outputs, inputs]`, row by row.
#[derive(Clone, Debug, PartialEq)]
pub struct Layer {
    /// How many values go in.
    pub inputs: usize,
    /// How many come out.
    pub outputs: usize,
    /// `[outputs, inputs]`.
    pub weights: Vec<f32>,
    /// `[outputs]`.
    pub bias: Vec<f32>,
    /// `[outputs]` each: gain and shift of the layer normalisation and rectifier that follow; none for a last layer.
    pub norm: Option<(Vec<f32>, Vec<f32>)>,
}

impl Layer {
    /// Computes `output` from `input`.
    ///
    /// Slices of other lengths than the layer's are a mistake of the caller: what is missing counts as zero.
    pub fn run(&self, input: &[f32], output: &mut [f32]) {
        for ((value, row), bias) in output.iter_mut().zip(self.weights.chunks_exact(self.inputs)).zip(&self.bias) {
            *value = bias + dot(row, input);
        }
        if let Some((gain, shift)) = &self.norm {
            normalise(output, gain, shift);
        }
    }
}

/// Layers one after another.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Net {
    /// In the order they run.
    pub layers: Vec<Layer>,
}

impl Net {
    /// How many values go in.
    #[must_use]
    pub fn inputs(&self) -> usize {
        self.layers.first().map_or(0, |layer| layer.inputs)
    }

    /// How many come out.
    #[must_use]
    pub fn outputs(&self) -> usize {
        self.layers.last().map_or(0, |layer| layer.outputs)
    }

    /// The widest layer's outputs: what [`Net::run`] needs of each scratch buffer.
    #[must_use]
    pub fn width(&self) -> usize {
        self.layers.iter().map(|layer| layer.outputs).max().unwrap_or(0)
    }

    /// Runs all layers and returns the last one's outputs, a part of `scratch`, which must hold twice
    /// [`Net::width`] values.
    pub fn run<'s>(&self, input: &[f32], scratch: &'s mut [f32]) -> &'s [f32] {
        let (mut from, mut to) = scratch.split_at_mut(self.width());
        let mut len = 0;
        for (index, layer) in self.layers.iter().enumerate() {
            if index == 0 {
                layer.run(input, &mut to[..layer.outputs]);
            } else {
                layer.run(&from[..len], &mut to[..layer.outputs]);
            }
            len = layer.outputs;
            std::mem::swap(&mut from, &mut to);
        }
        &from[..len]
    }

    /// Appends the network to `bytes`, little-endian.
    pub fn write(&self, bytes: &mut Vec<u8>) {
        write_count(bytes, self.layers.len());
        for layer in &self.layers {
            write_count(bytes, layer.inputs);
            write_count(bytes, layer.outputs);
            write_count(bytes, usize::from(layer.norm.is_some()));
            write_floats(bytes, &layer.weights);
            write_floats(bytes, &layer.bias);
            if let Some((gain, shift)) = &layer.norm {
                write_floats(bytes, gain);
                write_floats(bytes, shift);
            }
        }
    }

    /// Reads what [`Net::write`] wrote.
    ///
    /// # Errors
    /// Where the bytes end early, hold a value that is not finite, or layers that do not fit each other.
    pub fn read(reader: &mut Reader<'_>) -> Result<Self, EarError> {
        let count = reader.count(LAYERS_MAX)?;
        let mut layers: Vec<Layer> = Vec::with_capacity(count);
        for _ in 0..count {
            let (inputs, outputs) = (reader.count(WIDTH_MAX)?, reader.count(WIDTH_MAX)?);
            let normed = reader.count(1)? == 1;
            if inputs == 0 || outputs == 0 || layers.last().is_some_and(|before| before.outputs != inputs) {
                return Err(EarError::Weights("two layers do not fit each other"));
            }
            let weights = reader.floats(inputs * outputs)?;
            let bias = reader.floats(outputs)?;
            let norm = if normed { Some((reader.floats(outputs)?, reader.floats(outputs)?)) } else { None };
            layers.push(Layer { inputs, outputs, weights, bias, norm });
        }
        if layers.is_empty() {
            return Err(EarError::Weights("a network without layers"));
        }
        Ok(Self { layers })
    }
}

/// Reads little-endian numbers from a word's weights.
#[derive(Debug)]
pub struct Reader<'b> {
    bytes: &'b [u8],
}

impl<'b> Reader<'b> {
    /// Starts at the first byte.
    #[must_use]
    pub const fn new(bytes: &'b [u8]) -> Self {
        Self { bytes }
    }

    /// The next `len` bytes.
    ///
    /// # Errors
    /// Where there are not so many.
    pub fn take(&mut self, len: usize) -> Result<&'b [u8], EarError> {
        let (taken, rest) = self.bytes.split_at_checked(len).ok_or(EarError::Weights("they end early"))?;
        self.bytes = rest;
        Ok(taken)
    }

    /// A count of at most `max`.
    ///
    /// # Errors
    /// Where it is larger or missing.
    pub fn count(&mut self, max: usize) -> Result<usize, EarError> {
        let bytes = self.take(4)?;
        let value = bytes.iter().rev().fold(0_usize, |value, byte| (value << 8) | usize::from(*byte));
        if value > max { Err(EarError::Weights("a count is out of bounds")) } else { Ok(value) }
    }

    /// `len` finite numbers.
    ///
    /// # Errors
    /// Where one is not finite or missing.
    pub fn floats(&mut self, len: usize) -> Result<Vec<f32>, EarError> {
        let values: Vec<f32> = self
            .take(len * 4)?
            .chunks_exact(4)
            .map(|bytes| f32::from_le_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]))
            .collect();
        if values.iter().all(|value| value.is_finite()) {
            Ok(values)
        } else {
            Err(EarError::Weights("a value is not finite"))
        }
    }

    /// Whether all has been read.
    #[must_use]
    pub const fn is_at_end(&self) -> bool {
        self.bytes.is_empty()
    }
}

/// Appends a count as four bytes.
pub fn write_count(bytes: &mut Vec<u8>, count: usize) {
    bytes.extend_from_slice(&u32::try_from(count).unwrap_or(u32::MAX).to_le_bytes());
}

/// Appends numbers as four bytes each.
pub fn write_floats(bytes: &mut Vec<u8>, values: &[f32]) {
    bytes.extend(values.iter().flat_map(|value| value.to_le_bytes()));
}

/// The logistic function.
#[must_use]
pub fn sigmoid(logit: f32) -> f32 {
    1.0 / (1.0 + (-logit).exp())
}

/// A sum of products in eight lanes, which the compiler turns into vector instructions.
fn dot(a: &[f32], b: &[f32]) -> f32 {
    let mut lanes = [0.0_f32; 8];
    let (a_chunks, b_chunks) = (a.chunks_exact(8), b.chunks_exact(8));
    let rest: f32 = a_chunks.remainder().iter().zip(b_chunks.remainder()).map(|(x, y)| x * y).sum();
    for (x, y) in a_chunks.zip(b_chunks) {
        for (lane, (x, y)) in lanes.iter_mut().zip(x.iter().zip(y)) {
            *lane += x * y;
        }
    }
    lanes.iter().sum::<f32>() + rest
}

#[expect(clippy::cast_precision_loss, reason = "a width has at most four digits")]
fn normalise(values: &mut [f32], gain: &[f32], shift: &[f32]) {
    let len = values.len().max(1) as f32;
    let mean = values.iter().sum::<f32>() / len;
    let variance = values.iter().map(|value| (value - mean) * (value - mean)).sum::<f32>() / len;
    let scale = 1.0 / (variance + NORM_EPSILON).sqrt();
    for ((value, gain), shift) in values.iter_mut().zip(gain).zip(shift) {
        *value = ((*value - mean) * scale * gain + shift).max(0.0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn small() -> Net {
        let layer = |inputs: usize, outputs: usize, norm| Layer {
            inputs,
            outputs,
            weights: (0..inputs * outputs).map(|index| index as f32 * 0.25 - 1.0).collect(),
            bias: vec![0.5; outputs],
            norm,
        };
        Net { layers: vec![layer(3, 4, Some((vec![1.0; 4], vec![0.1; 4]))), layer(4, 1, None)] }
    }

    #[test]
    fn a_network_reads_back_as_it_was_written() {
        let mut bytes = Vec::new();
        small().write(&mut bytes);
        let mut reader = Reader::new(&bytes);
        assert_eq!(Net::read(&mut reader).expect("whole"), small());
        assert!(reader.is_at_end());
    }

    #[test]
    fn a_network_cut_anywhere_is_refused() {
        let mut bytes = Vec::new();
        small().write(&mut bytes);
        for len in 0..bytes.len() {
            assert!(Net::read(&mut Reader::new(&bytes[..len])).is_err(), "cut at {len}");
        }
    }

    #[test]
    fn a_layer_is_a_matrix_then_a_norm_then_a_rectifier() {
        let net = small();
        let mut scratch = vec![0.0; 2 * net.width()];
        // First layer by hand: rows of weights times (1, 0, -1), plus 0.5, are all 0.0, so the norm leaves its shift.
        let output = net.run(&[1.0, 0.0, -1.0], &mut scratch)[0];
        let second: f32 = (0..4).map(|index| (index as f32 * 0.25 - 1.0) * 0.1).sum::<f32>() + 0.5;
        assert!((output - second).abs() < 1e-5, "{output} {second}");
    }

    #[test]
    fn equal_inputs_never_give_a_number_that_is_none() {
        let net = small();
        let mut scratch = vec![0.0; 2 * net.width()];
        assert!(net.run(&[0.0; 3], &mut scratch)[0].is_finite());
    }
}
