//! From embeddings to "now": the heads' scores, smoothed; and the trigger that holds them against a threshold.

use std::sync::Arc;

use base::{SampleCount, SampleIndex};

use crate::error::EarError;
use crate::head::HeadState;
use crate::models::{EMBEDDING_WINDOW, Embedding, Models, SILENT_FRAME};
use crate::weights::WordModel;

/// The score is the mean of the heads' over this many steps of 80 ms.
const SMOOTHED_STEPS: usize = 2;
/// After a wake the detector is deaf for this long: the tail of the same word must not wake twice.
const REST: SampleCount = SampleCount::from_ms(1_000);
/// Where the score must fall to before the word can wake again, as a part of the threshold.
const REARM: f32 = 0.5;

/// Decides from a stream of smoothed scores when the word was said.
#[derive(Clone, Debug)]
pub struct Trigger {
    threshold: f32,
    last_wake: Option<SampleIndex>,
    armed: bool,
}

impl Trigger {
    /// A trigger that has not fired.
    #[must_use]
    pub const fn new(threshold: f32) -> Self {
        Self { threshold, last_wake: None, armed: true }
    }

    /// Takes the score of the step that ended at `at`; true where the word is taken to have been said.
    pub fn push(&mut self, score: f32, at: SampleIndex) -> bool {
        let rested = self.last_wake.is_none_or(|wake| at - wake >= REST);
        self.armed |= rested && score < self.threshold * REARM;
        // Written so that a score which is no number does not wake.
        let is_high = score >= self.threshold;
        if !self.armed || !is_high {
            return false;
        }
        self.armed = false;
        self.last_wake = Some(at);
        true
    }
}

/// The heads of a word with what they remember of a stream. Training evaluates with it, so that both hear alike.
#[derive(Debug)]
pub struct Listener {
    model: Arc<WordModel>,
    heads: Vec<HeadState>,
    recent: [f32; SMOOTHED_STEPS],
}

impl Listener {
    /// A listener to whom all has been silent until now.
    ///
    /// # Errors
    /// Where the models are not those this crate was built with.
    pub fn new(models: &Models, model: Arc<WordModel>) -> Result<Self, EarError> {
        let silence = models.embeddings(&[SILENT_FRAME; EMBEDDING_WINDOW])?.pop();
        let silence = silence.ok_or(EarError::Weights("the embedding gives nothing"))?;
        let heads = model.heads.iter().map(|head| HeadState::new(head, &silence)).collect();
        Ok(Self { model, heads, recent: [0.0; SMOOTHED_STEPS] })
    }

    /// Takes the next embedding and returns the smoothed score, 0 to 1.
    pub fn push(&mut self, embedding: &Embedding) -> f32 {
        let heads = self.heads.iter_mut().zip(&self.model.heads);
        let sum: f32 = heads.map(|(state, head)| state.push(head, embedding)).sum();
        self.recent.rotate_left(1);
        self.recent[SMOOTHED_STEPS - 1] = sum / count(self.model.heads.len());
        self.score()
    }

    /// The smoothed score after the last step, 0 to 1.
    #[must_use]
    pub fn score(&self) -> f32 {
        self.recent.iter().sum::<f32>() / count(SMOOTHED_STEPS)
    }
}

#[expect(clippy::cast_precision_loss, reason = "a handful")]
const fn count(len: usize) -> f32 {
    len as f32
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Where a trigger fires, in steps of 80 ms.
    fn fired(scores: &[f32]) -> Vec<usize> {
        let mut trigger = Trigger::new(0.6);
        let at = |step: usize| SampleIndex(step as u64 * 1_280);
        (0..scores.len()).filter(|step| trigger.push(scores[*step], at(*step))).collect()
    }

    #[test]
    fn a_word_wakes_once_however_long_its_score_stays_up() {
        assert_eq!(fired(&[0.0, 0.7, 0.9, 0.9, 0.7]), [1]);
        assert_eq!(fired(&[0.9; 200]), [0]);
        let mut flicker = vec![0.9, 0.1, 0.9, 0.1, 0.9];
        flicker.resize(40, 0.1);
        assert_eq!(fired(&flicker), [0]);
    }

    #[test]
    fn after_a_rest_the_word_wakes_again() {
        let mut scores = vec![0.1; 40];
        (scores[3], scores[20]) = (0.8, 0.8);
        assert_eq!(fired(&scores), [3, 20]);
    }

    #[test]
    fn a_score_that_is_no_number_never_wakes() {
        assert_eq!(fired(&[f32::NAN; 50]), [0_usize; 0]);
    }
}
