//! The wake word detector: samples in, wakes out.

use std::sync::Arc;

use base::{SampleCount, SampleIndex};

use crate::error::EarError;
use crate::features::{Features, sample_of_frame};
use crate::listener::{Listener, Trigger};
use crate::models::{MEL_HOP, Models};
use crate::onset::Locator;
use crate::weights::WordModel;
use crate::word::Word;

/// The word was heard.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Wake {
    /// The smoothed score, threshold to 1.
    pub score: f32,
    /// The word's first sample, as far as can be told.
    pub onset: SampleIndex,
    /// Where the stream stood when it was decided.
    pub at: SampleIndex,
}

/// Listens to one stream for one word. All positions count from the first sample it was given.
#[derive(Debug)]
pub struct WakeDetector {
    model: Arc<WordModel>,
    features: Features,
    listener: Listener,
    trigger: Trigger,
    locator: Locator,
}

impl WakeDetector {
    /// A detector with the shipped weights of `word`. `threshold` is a score between 0 and 1; none takes the one that
    /// the weights were tuned to.
    ///
    /// # Errors
    /// Where weights or models are not those this crate was built with.
    pub fn new(models: &Models, word: Word, threshold: Option<f32>) -> Result<Self, EarError> {
        Self::with_model(models, Arc::new(word.model()?), threshold)
    }

    /// A detector with weights that were trained elsewhere.
    ///
    /// # Errors
    /// Where the models are not those this crate was built with.
    pub fn with_model(models: &Models, model: Arc<WordModel>, threshold: Option<f32>) -> Result<Self, EarError> {
        let listener = Listener::new(models, Arc::clone(&model))?;
        let trigger = Trigger::new(threshold.unwrap_or(model.threshold));
        let locator = Locator::new(&model.onset);
        Ok(Self { features: Features::new(models), listener, trigger, locator, model })
    }

    /// Takes the next samples, of any number; says so where the word was heard in them. Of several wakes in one call
    /// (which takes more than a second of sound) only the first is told.
    pub fn push(&mut self, pcm: &[i16]) -> Option<Wake> {
        let mut rest = pcm;
        let mut first = None;
        while !rest.is_empty() {
            let (left, embedding) = self.features.push(rest);
            rest = left;
            let Some(embedding) = embedding else { continue };
            let score = self.listener.push(&embedding);
            if self.trigger.push(score, self.features.position()) && first.is_none() {
                first = Some(self.wake());
            }
        }
        first
    }

    /// The smoothed score after the last complete step of 80 ms.
    #[must_use]
    pub fn score(&self) -> f32 {
        self.listener.score()
    }

    /// The end of the last complete step.
    #[must_use]
    pub const fn position(&self) -> SampleIndex {
        self.features.position()
    }

    /// The onset is the position of the frame that the locator names, between two frames where it says so.
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "an age is between 20 and 165 frames"
    )]
    fn wake(&mut self) -> Wake {
        let age = self.locator.locate(&self.model.onset, self.features.frames());
        let newest = sample_of_frame(self.features.next_frame().saturating_sub(1));
        let onset = newest.back(SampleCount((age * MEL_HOP as f32).round() as u64));
        Wake { score: self.score(), onset, at: self.position() }
    }
}
