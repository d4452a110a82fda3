//! Training the onset locator.

use ear::net::Net;
use ear::onset::{AGE_MAX, AGE_MIN, ONSET_INPUTS, loudness, onset_inputs};

use super::examples::Examples;
use super::heads::rate_at;
use super::parts::Parts;
use crate::grad::LearningNet;
use crate::random::Chance;

/// How a locator is built and trained.
#[derive(Clone, Copy, Debug)]
pub struct OnsetSettings {
    /// Values of its first and second layer.
    pub widths: [usize; 2],
    /// Steps of the optimiser.
    pub steps: usize,
    /// Its largest rate.
    pub rate: f32,
}

impl Default for OnsetSettings {
    fn default() -> Self {
        Self { widths: [64, 32], steps: 4_000, rate: 1.5e-3 }
    }
}

/// Words in one step.
const WORDS: usize = 12;
/// Candidates per word: all within this of the truth, and so many of the others, which then count for all others.
const NEAR: usize = 8;
const OTHERS: usize = 28;
/// The truth is this wide, in frames: no ear tells an onset to 10 ms.
const DEVIATION: f32 = 1.2;

/// Trains a locator on all examples that have nothing of the parts `held_out`.
#[must_use]
pub fn train_onset(examples: &Examples, held_out: Parts, settings: OnsetSettings, seed: u64) -> Net {
    let mut chance = Chance::new(seed);
    let widths = [ONSET_INPUTS, settings.widths[0], settings.widths[1], 1];
    let mut net = LearningNet::new(&widths, false, &mut chance);
    let kept: Vec<usize> =
        (0..examples.onsets.len()).filter(|index| !examples.onsets[*index].2.meets(held_out)).collect();
    for step in 0..settings.steps {
        let mut batch = Vec::new();
        let mut words = Vec::with_capacity(WORDS);
        for _ in 0..WORDS {
            let Some((frames, age, _)) = chance.pick(&kept).map(|index| &examples.onsets[*index]) else { break };
            let (ages, weight) = candidates(*age, &mut chance);
            let loudness = loudness(frames);
            for age in &ages {
                let start = batch.len();
                batch.resize(start + ONSET_INPUTS, 0.0);
                onset_inputs(frames, loudness, *age, &mut batch[start..]);
            }
            words.push((ages, *age, weight));
        }
        let scores = net.forward(batch);
        net.backward_to_weights(slopes(&scores, &words));
        net.step(settings.rate * rate_at(step, settings.steps));
    }
    net.to_net()
}

/// Which candidates are looked at, and how many others each of the far ones stands for.
#[expect(clippy::cast_precision_loss, clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "small")]
fn candidates(age: f32, chance: &mut Chance) -> (Vec<usize>, f32) {
    let truth = age.round().clamp(AGE_MIN as f32, AGE_MAX as f32) as usize;
    let near = truth.saturating_sub(NEAR).max(AGE_MIN)..(truth + NEAR + 1).min(AGE_MAX + 1);
    let others: Vec<usize> = (AGE_MIN..=AGE_MAX).filter(|age| !near.contains(age)).collect();
    let mut ages: Vec<usize> = near.collect();
    let each = others.len() as f32 / OTHERS as f32;
    ages.extend((0..OTHERS).map(|_| others[chance.index(others.len())]));
    (ages, each)
}

/// The derivative of the cross-entropy between the softmax over a word's candidates and the truth.
#[expect(clippy::cast_precision_loss, reason = "ages have three digits")]
fn slopes(scores: &[f32], words: &[(Vec<usize>, f32, f32)]) -> Vec<f32> {
    let mut slopes = Vec::with_capacity(scores.len());
    let mut rest = scores;
    for (ages, truth, weight) in words {
        let (own, others) = rest.split_at(ages.len());
        rest = others;
        let near_count = ages.len() - OTHERS;
        let max = own.iter().copied().fold(f32::MIN, f32::max);
        let factor = |index: usize| if index < near_count { 1.0 } else { *weight };
        let raised: Vec<f32> =
            own.iter().enumerate().map(|(index, score)| (score - max).exp() * factor(index)).collect();
        let wanted: Vec<f32> = ages
            .iter()
            .enumerate()
            .map(|(index, age)| {
                let off = (*age as f32 - truth) / DEVIATION;
                if index < near_count { (-0.5 * off * off).exp() } else { 0.0 }
            })
            .collect();
        let (sum, wanted_sum): (f32, f32) = (raised.iter().sum(), wanted.iter().sum());
        let scale = 1.0 / words.len() as f32;
        let pairs = raised.iter().zip(&wanted);
        slopes.extend(pairs.map(|(raised, wanted)| (raised / sum - wanted / wanted_sum.max(1e-6)) * scale));
    }
    slopes
}
