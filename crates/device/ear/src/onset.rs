//! Where the word began. Runs once for each wake, over the mel frames of the last two seconds.
//!
//! One small network scores every candidate frame from what lies around it: the frames close by one by one, those
//! further off in groups of four, the loudness of the whole taken away, and how long ago the candidate was. A softmax
//! over the candidates gives a distribution; the answer is the mean of the 90 ms that hold most of it.

use crate::models::{MEL_BANDS, MelFrame};
use crate::net::Net;

/// Frames close to the candidate that are seen one by one: from 12 before it to 15 after it.
const NEAR_BEFORE: usize = 12;
const NEAR_AFTER: usize = 15;
/// Frames in a group, and groups before and after the near ones: 240 ms and 480 ms.
const GROUP: usize = 4;
const GROUPS_BEFORE: usize = 6;
const GROUPS_AFTER: usize = 12;
const NEAR: usize = NEAR_BEFORE + 1 + NEAR_AFTER;
/// Values that say how long ago the candidate was.
const AGE_INPUTS: usize = 2;

/// Inputs of the network.
pub const ONSET_INPUTS: usize = (NEAR + GROUPS_BEFORE + GROUPS_AFTER) * MEL_BANDS + AGE_INPUTS;
/// The youngest and the oldest candidate, in frames before the newest: a word lasts between 0.2 and 1.2 s, and the
/// heads answer up to 0.5 s after its end.
pub const AGE_MIN: usize = 20;
/// See [`AGE_MIN`].
pub const AGE_MAX: usize = 165;
/// Frames that the loudness is taken over: the word and what is around it.
const LOUDNESS_FRAMES: usize = 120;
/// Half the width of the stretch whose probability is summed.
const REACH: usize = 4;

/// Scores candidates with one network.
#[derive(Debug)]
pub struct Locator {
    inputs: Vec<f32>,
    scratch: Vec<f32>,
    probabilities: Vec<f32>,
}

impl Locator {
    /// Room for one network's work.
    #[must_use]
    pub fn new(net: &Net) -> Self {
        Self {
            inputs: vec![0.0; ONSET_INPUTS],
            scratch: vec![0.0; 2 * net.width()],
            probabilities: vec![0.0; AGE_MAX - AGE_MIN + 1],
        }
    }

    /// How many frames before the newest of `frames` the word began, in frames and parts of them.
    pub fn locate(&mut self, net: &Net, frames: &[MelFrame]) -> f32 {
        let loudness = loudness(frames);
        for (index, slot) in self.probabilities.iter_mut().enumerate() {
            onset_inputs(frames, loudness, AGE_MIN + index, &mut self.inputs);
            *slot = net.run(&self.inputs, &mut self.scratch)[0];
        }
        softmax(&mut self.probabilities);
        age_of(&self.probabilities)
    }
}

/// What is taken away from every value, so that a loud word and a soft one look alike.
#[must_use]
#[expect(clippy::cast_precision_loss, reason = "a few thousand values")]
pub fn loudness(frames: &[MelFrame]) -> f32 {
    let recent = frames[frames.len().saturating_sub(LOUDNESS_FRAMES)..].as_flattened();
    recent.iter().sum::<f32>() / recent.len().max(1) as f32
}

/// Writes the network's inputs for the candidate `age` frames before the newest; what lies outside of `frames` is 0.
#[expect(clippy::cast_precision_loss, reason = "ages have three digits")]
pub fn onset_inputs(frames: &[MelFrame], loudness: f32, age: usize, inputs: &mut [f32]) {
    let candidate = (frames.len() as isize) - 1 - age as isize;
    let frame_at = |offset: isize| usize::try_from(candidate + offset).ok().and_then(|index| frames.get(index));
    inputs.fill(0.0);
    let mut rows = inputs.chunks_exact_mut(MEL_BANDS);
    let mut add = |first: isize, count: usize| {
        let Some(row) = rows.next() else { return };
        for offset in (first..).take(count) {
            if let Some(frame) = frame_at(offset) {
                row.iter_mut().zip(frame).for_each(|(sum, value)| *sum += (value - loudness) / count as f32);
            }
        }
    };
    let first_group = -((NEAR_BEFORE + GROUPS_BEFORE * GROUP) as isize);
    (0..GROUPS_BEFORE).for_each(|group| add(first_group + (group * GROUP) as isize, GROUP));
    (0..NEAR).for_each(|near| add(near as isize - NEAR_BEFORE as isize, 1));
    (0..GROUPS_AFTER).for_each(|group| add((NEAR_AFTER + 1 + group * GROUP) as isize, GROUP));
    let years = age as f32 / 50.0 - 1.5;
    if let [.., linear, square] = inputs {
        *linear = years;
        *square = years * years;
    }
}

fn softmax(values: &mut [f32]) {
    let max = values.iter().copied().fold(f32::MIN, f32::max);
    values.iter_mut().for_each(|value| *value = (*value - max).exp());
    let sum: f32 = values.iter().sum();
    values.iter_mut().for_each(|value| *value /= sum);
}

/// The mean age within the stretch that holds most probability.
#[must_use]
#[expect(clippy::cast_precision_loss, reason = "ages have three digits")]
pub fn age_of(probabilities: &[f32]) -> f32 {
    let mass = |centre: usize| {
        let stretch = &probabilities[centre.saturating_sub(REACH)..(centre + REACH + 1).min(probabilities.len())];
        stretch.iter().sum::<f32>()
    };
    let best = (0..probabilities.len()).max_by(|a, b| mass(*a).total_cmp(&mass(*b))).unwrap_or(0);
    let start = best.saturating_sub(REACH);
    let stretch = probabilities.iter().enumerate().skip(start).take(best + REACH + 1 - start);
    let (sum, weighted) = stretch.fold((0.0_f32, 0.0_f32), |(sum, weighted), (index, probability)| {
        (sum + probability, weighted + probability * index as f32)
    });
    AGE_MIN as f32 + if sum > 0.0 { weighted / sum } else { best as f32 }
}
