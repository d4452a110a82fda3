//! Training one head.

use ear::head::Head;
use ear::net::sigmoid;
use ear::{EMBEDDING_SIZE, EarError};

use super::examples::{Examples, HEAD_FRAMES};
use super::parts::Parts;
use crate::grad::LearningNet;
use crate::random::Chance;

/// How a head is built and trained.
#[derive(Clone, Copy, Debug)]
pub struct HeadSettings {
    /// Values that each embedding is reduced to.
    pub frame_width: usize,
    /// Values between those and the score.
    pub word_width: usize,
    /// Steps of the optimiser.
    pub steps: usize,
    /// Its largest rate; it falls to nothing along a cosine.
    pub rate: f32,
}

impl Default for HeadSettings {
    fn default() -> Self {
        Self { frame_width: 32, word_width: 32, steps: 2_400, rate: 2e-3 }
    }
}

/// Examples with and without the word in one step.
const POSITIVES: usize = 64;
const NEGATIVES: usize = 192;
/// Of the negatives, those drawn from the hardest; the hardest are found anew after this many steps.
const HARD: usize = 96;
const HARD_EVERY: usize = 500;
/// How many of all negatives count as the hardest: one in this many.
const HARD_PART: usize = 50;
/// Embeddings that are looked through at once for hard ones.
const MINED: usize = 2_048;
/// The chance that an embedding's reduced value is left out of a step.
const DROPPED: f32 = 0.1;

/// Trains a head on all examples that have nothing of the parts `held_out`.
///
/// # Errors
/// Never with settings that give networks which fit each other.
pub fn train_head(examples: &Examples, held_out: Parts, settings: HeadSettings, seed: u64) -> Result<Head, EarError> {
    let mut chance = Chance::new(seed);
    let kept = |places: &[(u32, Parts)]| -> Vec<u32> {
        places.iter().filter(|(_, parts)| !parts.meets(held_out)).map(|(place, _)| *place).collect()
    };
    let (positives, negatives) = (kept(&examples.positives), kept(&examples.negatives));
    let widths = [EMBEDDING_SIZE, settings.frame_width];
    let mut frame = LearningNet::new(&widths, true, &mut chance);
    let widths = [HEAD_FRAMES * settings.frame_width, settings.word_width, 1];
    let mut word = LearningNet::new(&widths, false, &mut chance);
    let mut hard: Vec<u32> = Vec::new();
    for step in 0..settings.steps {
        if step % HARD_EVERY == 0 && step > 0 {
            hard = hardest(examples, &negatives, &mut frame, &mut word);
        }
        let draw = |places: &[u32], chance: &mut Chance| chance.pick(places).copied().unwrap_or(0);
        let places: Vec<u32> = (0..POSITIVES + NEGATIVES)
            .map(|index| match index {
                0..POSITIVES => draw(&positives, &mut chance),
                index if index < POSITIVES + HARD && !hard.is_empty() => draw(&hard, &mut chance),
                _ => draw(&negatives, &mut chance),
            })
            .collect();
        let mut reduced = frame.forward(gather(examples, &places));
        let mask: Vec<bool> = reduced.iter().map(|_| chance.happens(DROPPED)).collect();
        drop_out(&mut reduced, &mask);
        let logits = word.forward(reduced);
        let mut back = word.backward(slopes(&logits));
        drop_out(&mut back, &mask);
        frame.backward_to_weights(back);
        let rate = settings.rate * rate_at(step, settings.steps);
        frame.step(rate);
        word.step(rate);
    }
    Head::new(frame.to_net(), word.to_net())
}

/// A short rise, then half a cosine down to nothing.
#[must_use]
#[expect(clippy::cast_precision_loss, reason = "steps have five digits")]
pub(super) fn rate_at(step: usize, steps: usize) -> f32 {
    let done = step as f32 / steps.max(1) as f32;
    (step as f32 / 100.0).min(1.0) * 0.5 * (1.0 + (std::f32::consts::PI * done).cos())
}

/// The derivative of the cross-entropy by each logit: positives come first.
#[expect(clippy::cast_precision_loss, reason = "a batch")]
fn slopes(logits: &[f32]) -> Vec<f32> {
    let scale = 1.0 / logits.len() as f32;
    let wanted = |index: usize| if index < POSITIVES { 1.0 } else { 0.0 };
    logits.iter().enumerate().map(|(index, logit)| (sigmoid(*logit) - wanted(index)) * scale).collect()
}

fn drop_out(values: &mut [f32], mask: &[bool]) {
    for (value, dropped) in values.iter_mut().zip(mask) {
        *value = if *dropped { 0.0 } else { *value / (1.0 - DROPPED) };
    }
}

fn gather(examples: &Examples, places: &[u32]) -> Vec<f32> {
    let mut batch = Vec::with_capacity(places.len() * HEAD_FRAMES * EMBEDDING_SIZE);
    for place in places {
        let end = usize::try_from(*place).unwrap_or(0) + 1;
        batch.extend_from_slice(examples.embeddings[end - HEAD_FRAMES..end].as_flattened());
    }
    batch
}

/// The negatives with the highest scores. `negatives` stand in order, so that each embedding is reduced only once.
fn hardest(examples: &Examples, negatives: &[u32], frame: &mut LearningNet, word: &mut LearningNet) -> Vec<u32> {
    let mut scored: Vec<(f32, u32)> = Vec::with_capacity(negatives.len());
    let place_of = |place: u32| usize::try_from(place).unwrap_or(0);
    let mut rest = negatives;
    while let Some(first) = rest.first().map(|place| place_of(*place)) {
        let (here, later) = rest.split_at(rest.partition_point(|place| place_of(*place) < first + MINED));
        rest = later;
        let last = here.last().map_or(first, |place| place_of(*place));
        let start = first + 1 - HEAD_FRAMES;
        let reduced = frame.forward(examples.embeddings[start..=last].as_flattened().to_vec());
        let width = reduced.len() / (last + 1 - start);
        let mut batch = Vec::with_capacity(here.len() * HEAD_FRAMES * width);
        for place in here {
            let end = place_of(*place) + 1 - start;
            batch.extend_from_slice(&reduced[(end - HEAD_FRAMES) * width..end * width]);
        }
        scored.extend(word.forward(batch).into_iter().zip(here.iter().copied()));
    }
    let count = (negatives.len() / HARD_PART).max(HARD).min(scored.len());
    if count == 0 {
        return Vec::new();
    }
    scored.select_nth_unstable_by(count - 1, |a, b| b.0.total_cmp(&a.0));
    scored.truncate(count);
    scored.into_iter().map(|(_, place)| place).collect()
}
