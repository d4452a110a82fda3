//! Networks that learn: the forward pass of `ear::net`, its gradient, and Adam.

use ear::net::{Layer, NORM_EPSILON, Net};
use rten::FloatOperators;
use rten_tensor::NdTensorView;

use crate::random::Chance;

/// Adam's usual constants (Kingma and Ba, 2015), and AdamW's decay (Loshchilov and Hutter, 2019).
const MOMENTUM: f32 = 0.9;
const SPREAD: f32 = 0.999;
const TINY: f32 = 1e-8;
const DECAY: f32 = 0.01;

/// Values that are learned, with their gradient and Adam's two means.
#[derive(Clone, Debug)]
struct Param {
    value: Vec<f32>,
    gradient: Vec<f32>,
    first: Vec<f32>,
    second: Vec<f32>,
    decays: bool,
}

impl Param {
    fn new(value: Vec<f32>, decays: bool) -> Self {
        let zeros = vec![0.0; value.len()];
        Self { value, gradient: zeros.clone(), first: zeros.clone(), second: zeros, decays }
    }

    fn step(&mut self, rate: f32, count: i32) {
        let (first_bias, second_bias) = (1.0 - MOMENTUM.powi(count), 1.0 - SPREAD.powi(count));
        let decay = if self.decays { DECAY * rate } else { 0.0 };
        for (index, value) in self.value.iter_mut().enumerate() {
            let gradient = self.gradient[index];
            let (first, second) = (&mut self.first[index], &mut self.second[index]);
            *first = MOMENTUM * *first + (1.0 - MOMENTUM) * gradient;
            *second = SPREAD * *second + (1.0 - SPREAD) * gradient * gradient;
            let step = rate * (*first / first_bias) / ((*second / second_bias).sqrt() + TINY);
            *value -= step + decay * *value;
        }
        self.gradient.fill(0.0);
    }
}

#[derive(Clone, Debug)]
struct LearningLayer {
    inputs: usize,
    outputs: usize,
    weights: Param,
    bias: Param,
    norm: Option<(Param, Param)>,
    /// Of the last forward pass: its input, the normalised values, 1 / deviation of each row, and the output.
    input: Vec<f32>,
    normalised: Vec<f32>,
    scales: Vec<f32>,
    output: Vec<f32>,
}

/// A network under training. Rows of a batch lie one after another.
#[derive(Clone, Debug)]
pub struct LearningNet {
    layers: Vec<LearningLayer>,
    steps: i32,
}

impl LearningNet {
    /// A network of these widths, first the inputs; every layer is normalised and rectified, the last one too only
    /// where `norm_last` says so.
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "widths have four digits")]
    pub fn new(widths: &[usize], norm_last: bool, chance: &mut Chance) -> Self {
        let layers = widths.windows(2).enumerate().map(|(index, pair)| {
            let (inputs, outputs) = (pair[0], pair[1]);
            let scale = (2.0 / inputs as f32).sqrt();
            let weights = (0..inputs * outputs).map(|_| chance.normal() * scale).collect();
            let normed = norm_last || index + 2 < widths.len();
            LearningLayer {
                inputs,
                outputs,
                weights: Param::new(weights, true),
                bias: Param::new(vec![0.0; outputs], false),
                norm: normed.then(|| (Param::new(vec![1.0; outputs], false), Param::new(vec![0.0; outputs], false))),
                input: Vec::new(),
                normalised: Vec::new(),
                scales: Vec::new(),
                output: Vec::new(),
            }
        });
        Self { layers: layers.collect(), steps: 0 }
    }

    /// The outputs for a batch.
    pub fn forward(&mut self, batch: Vec<f32>) -> Vec<f32> {
        self.layers.iter_mut().fold(batch, |input, layer| layer.forward(input))
    }

    /// Adds to the gradients what `loss` (the loss's derivative by each output) makes of the last forward pass, and
    /// returns its derivative by each input.
    pub fn backward(&mut self, loss: Vec<f32>) -> Vec<f32> {
        self.layers.iter_mut().rev().fold(loss, |loss, layer| layer.backward(loss))
    }

    /// The same where nobody asks for the derivative by the inputs, which is a third of the work of a wide first layer.
    pub fn backward_to_weights(&mut self, loss: Vec<f32>) {
        let Some((first, rest)) = self.layers.split_first_mut() else { return };
        let loss = rest.iter_mut().rev().fold(loss, |loss, layer| layer.backward(loss));
        first.backward_to_weights(loss);
    }

    /// One step of Adam along the gradients, which are then zero.
    pub fn step(&mut self, rate: f32) {
        self.steps += 1;
        for layer in &mut self.layers {
            layer.weights.step(rate, self.steps);
            layer.bias.step(rate, self.steps);
            if let Some((gain, shift)) = &mut layer.norm {
                gain.step(rate, self.steps);
                shift.step(rate, self.steps);
            }
        }
    }

    /// What was learned.
    #[must_use]
    pub fn to_net(&self) -> Net {
        let layers = self.layers.iter().map(|layer| Layer {
            inputs: layer.inputs,
            outputs: layer.outputs,
            weights: layer.weights.value.clone(),
            bias: layer.bias.value.clone(),
            norm: layer.norm.as_ref().map(|(gain, shift)| (gain.value.clone(), shift.value.clone())),
        });
        Net { layers: layers.collect() }
    }
}

impl LearningLayer {
    fn forward(&mut self, input: Vec<f32>) -> Vec<f32> {
        let rows = input.len() / self.inputs;
        let left = NdTensorView::from_data([rows, self.inputs], &input[..]);
        let right = NdTensorView::from_data([self.outputs, self.inputs], &self.weights.value[..]);
        let mut output = product(left, right.transposed());
        for row in output.chunks_exact_mut(self.outputs) {
            row.iter_mut().zip(&self.bias.value).for_each(|(value, bias)| *value += bias);
        }
        self.input = input;
        if let Some((gain, shift)) = &self.norm {
            self.scales.clear();
            for row in output.chunks_exact_mut(self.outputs) {
                self.scales.push(normalise(row));
            }
            self.normalised.clone_from(&output);
            for row in output.chunks_exact_mut(self.outputs) {
                for ((value, gain), shift) in row.iter_mut().zip(&gain.value).zip(&shift.value) {
                    *value = (*value * gain + shift).max(0.0);
                }
            }
            self.output.clone_from(&output);
        }
        output
    }

    fn backward(&mut self, loss: Vec<f32>) -> Vec<f32> {
        let loss = self.backward_to_weights(loss);
        let rows = loss.len() / self.outputs;
        let by_output = NdTensorView::from_data([rows, self.outputs], &loss[..]);
        let weights = NdTensorView::from_data([self.outputs, self.inputs], &self.weights.value[..]);
        product(by_output, weights)
    }

    /// Adds to the gradients; returns the derivative by the values before the normalisation.
    fn backward_to_weights(&mut self, mut loss: Vec<f32>) -> Vec<f32> {
        if self.norm.is_some() {
            self.norm_backward(&mut loss);
        }
        let rows = loss.len() / self.outputs;
        for row in loss.chunks_exact(self.outputs) {
            self.bias.gradient.iter_mut().zip(row).for_each(|(sum, value)| *sum += value);
        }
        let by_output = NdTensorView::from_data([rows, self.outputs], &loss[..]);
        let input = NdTensorView::from_data([rows, self.inputs], &self.input[..]);
        let by_weight = product(by_output.transposed(), input);
        self.weights.gradient.iter_mut().zip(by_weight).for_each(|(sum, value)| *sum += value);
        loss
    }

    /// From the derivative by the rectifier's output to that by the normalisation's input, in place.
    #[expect(clippy::cast_precision_loss, reason = "widths have four digits")]
    fn norm_backward(&mut self, loss: &mut [f32]) {
        let Some((gain, shift)) = &mut self.norm else { return };
        let width = self.outputs;
        let rows = loss.chunks_exact_mut(width).zip(self.normalised.chunks_exact(width));
        for ((row, normalised), (output, scale)) in rows.zip(self.output.chunks_exact(width).zip(&self.scales)) {
            let (mut sum, mut along) = (0.0, 0.0);
            for index in 0..width {
                let by_output = if output[index] > 0.0 { row[index] } else { 0.0 };
                gain.gradient[index] += by_output * normalised[index];
                shift.gradient[index] += by_output;
                row[index] = by_output * gain.value[index];
                sum += row[index];
                along += row[index] * normalised[index];
            }
            let (sum, along) = (sum / width as f32, along / width as f32);
            for (value, normalised) in row.iter_mut().zip(normalised) {
                *value = (*value - sum - normalised * along) * scale;
            }
        }
    }
}

/// Mean 0 and deviation 1, in place; returns 1 / deviation.
#[expect(clippy::cast_precision_loss, reason = "widths have four digits")]
fn normalise(row: &mut [f32]) -> f32 {
    let len = row.len().max(1) as f32;
    let mean = row.iter().sum::<f32>() / len;
    let variance = row.iter().map(|value| (value - mean) * (value - mean)).sum::<f32>() / len;
    let scale = 1.0 / (variance + NORM_EPSILON).sqrt();
    row.iter_mut().for_each(|value| *value = (*value - mean) * scale);
    scale
}

/// The matrix product. The shapes are this module's own, so that it cannot fail.
fn product(left: NdTensorView<'_, f32, 2>, right: NdTensorView<'_, f32, 2>) -> Vec<f32> {
    left.matmul(right.as_dyn()).expect("inner dimensions are equal by construction").into_data()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Half the square of the outputs' sum: its derivative by each output is that sum.
    fn loss(net: &mut LearningNet, input: &[f32]) -> f32 {
        let sum: f32 = net.forward(input.to_vec()).iter().sum();
        0.5 * sum * sum
    }

    #[test]
    fn the_gradient_is_the_slope_of_the_loss() {
        let mut chance = Chance::new(3);
        let mut net = LearningNet::new(&[5, 6, 4, 1], false, &mut chance);
        let input: Vec<f32> = (0..15).map(|_| chance.normal()).collect();
        let sum: f32 = net.forward(input.clone()).iter().sum();
        let by_input = net.backward(vec![sum; 3]);
        for index in 0..input.len() {
            let mut moved = input.clone();
            moved[index] += 1e-3;
            let above = loss(&mut net.clone(), &moved);
            moved[index] -= 2e-3;
            let slope = (above - loss(&mut net.clone(), &moved)) / 2e-3;
            assert!((slope - by_input[index]).abs() < 0.02 * (1.0 + slope.abs()), "{slope} {}", by_input[index]);
        }
        for layer in 0..3 {
            let expected = net.layers[layer].weights.gradient[1];
            let mut moved = net.clone();
            moved.layers[layer].weights.value[1] += 1e-3;
            let above = loss(&mut moved, &input);
            moved.layers[layer].weights.value[1] -= 2e-3;
            let slope = (above - loss(&mut moved, &input)) / 2e-3;
            assert!((slope - expected).abs() < 0.02 * (1.0 + slope.abs()), "layer {layer}: {slope} {expected}");
        }
    }

    #[test]
    fn what_was_learned_runs_the_same_in_the_ear() {
        let mut chance = Chance::new(4);
        let mut learning = LearningNet::new(&[7, 9, 2], true, &mut chance);
        let input: Vec<f32> = (0..7).map(|_| chance.normal()).collect();
        let net = learning.to_net();
        let mut scratch = vec![0.0; 2 * net.width()];
        let outputs = learning.forward(input.clone());
        for (a, b) in net.run(&input, &mut scratch).iter().zip(&outputs) {
            assert!((a - b).abs() < 1e-4, "{a} {b}");
        }
    }

    #[test]
    fn it_learns_what_no_single_layer_can() {
        let mut chance = Chance::new(5);
        let mut net = LearningNet::new(&[2, 8, 1], false, &mut chance);
        let input = vec![0.0, 0.0, 0.0, 1.0, 1.0, 0.0, 1.0, 1.0];
        let wanted = [0.0, 1.0, 1.0, 0.0];
        for _ in 0..2_000 {
            let outputs = net.forward(input.clone());
            net.backward(outputs.iter().zip(&wanted).map(|(output, wanted)| output - wanted).collect());
            net.step(0.01);
        }
        let outputs = net.forward(input);
        assert!(outputs.iter().zip(&wanted).all(|(a, b)| (a - b).abs() < 0.1), "{outputs:?}");
    }
}
