//! The wake word detector: samples in, wakes out.

use std::sync::Arc;

use base::{SampleCount, SampleIndex};

use crate::error::EarError;
use crate::features::{FRAMES_KEPT, Features, sample_of_frame};
use crate::head::HeadState;
use crate::models::{EMBEDDING_WINDOW, Models, SILENT_FRAME};
use crate::onset::Locator;
use crate::weights::{Word, WordModel};

/// The score is the mean of the heads' over this many steps of 80 ms.
const SMOOTHED_STEPS: usize = 2;
/// After a wake the detector is deaf for this long: the tail of the same word must not wake twice.
const REST: SampleCount = SampleCount::from_ms(1_000);
/// Where the score must fall to before the word can wake again, as a part of the threshold.
const REARM: f32 = 0.5;

/// The word was heard.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Wake {
    /// Which word.
    pub word: Word,
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
    word: Word,
    model: Arc<WordModel>,
    threshold: f32,
    features: Features,
    heads: Vec<HeadState>,
    recent: [f32; SMOOTHED_STEPS],
    locator: Locator,
    last_wake: Option<SampleIndex>,
    armed: bool,
}

impl WakeDetector {
    /// A detector with the shipped weights of `word`. `threshold` is a score between 0 and 1; none takes the one that
    /// the weights were tuned to.
    ///
    /// # Errors
    /// Where weights or models are not those this crate was built with.
    pub fn new(models: &Models, word: Word, threshold: Option<f32>) -> Result<Self, EarError> {
        Self::with_model(models, word, Arc::new(WordModel::from_bytes(word.weights())?), threshold)
    }

    /// A detector with weights that were trained elsewhere.
    ///
    /// # Errors
    /// Where the models are not those this crate was built with.
    pub fn with_model(
        models: &Models,
        word: Word,
        model: Arc<WordModel>,
        threshold: Option<f32>,
    ) -> Result<Self, EarError> {
        let silence = models.embeddings(&[SILENT_FRAME; EMBEDDING_WINDOW])?.pop();
        let silence = silence.ok_or(EarError::Weights("the embedding gives nothing"))?;
        Ok(Self {
            word,
            threshold: threshold.unwrap_or(model.threshold),
            features: Features::new(models),
            heads: model.heads.iter().map(|head| HeadState::new(head, &silence)).collect(),
            recent: [0.0; SMOOTHED_STEPS],
            locator: Locator::new(&model.onset),
            last_wake: None,
            armed: true,
            model,
        })
    }

    /// Takes the next samples, of any number; says so where the word was heard in them. Of several wakes in one call
    /// (which takes more than [`REST`] of sound) only the first is told.
    pub fn push(&mut self, pcm: &[i16]) -> Option<Wake> {
        let mut rest = pcm;
        let mut first = None;
        while !rest.is_empty() {
            let (left, embedding) = self.features.push(rest);
            rest = left;
            if let Some(embedding) = embedding {
                let heads = self.heads.iter_mut().zip(&self.model.heads);
                let sum: f32 = heads.map(|(state, head)| state.push(head, &embedding)).sum();
                let wake = self.step(sum / count(self.model.heads.len()));
                first = first.or(wake);
            }
        }
        first
    }

    /// The smoothed score after the last complete step of 80 ms.
    #[must_use]
    pub fn score(&self) -> f32 {
        self.recent.iter().sum::<f32>() / count(SMOOTHED_STEPS)
    }

    /// The end of the last complete step.
    #[must_use]
    pub const fn position(&self) -> SampleIndex {
        self.features.position()
    }

    fn step(&mut self, score: f32) -> Option<Wake> {
        self.recent.rotate_left(1);
        self.recent[SMOOTHED_STEPS - 1] = score;
        let (score, at) = (self.score(), self.position());
        let rested = self.last_wake.is_none_or(|wake| at - wake >= REST);
        self.armed |= rested && score < self.threshold * REARM;
        if !self.armed || score < self.threshold {
            return None;
        }
        self.armed = false;
        self.last_wake = Some(at);
        Some(Wake { word: self.word, score, onset: self.onset(), at })
    }

    /// The position of the frame that the locator names, between two frames where it says so.
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "an age is between 20 and 165 frames"
    )]
    fn onset(&mut self) -> SampleIndex {
        let frames = self.features.frames();
        debug_assert_eq!(frames.len(), FRAMES_KEPT);
        let age = self.locator.locate(&self.model.onset, frames);
        let newest = sample_of_frame(self.features.next_frame().saturating_sub(1));
        newest.back(SampleCount((age * crate::models::MEL_HOP as f32).round() as u64))
    }
}

#[expect(clippy::cast_precision_loss, reason = "a handful")]
const fn count(len: usize) -> f32 {
    len as f32
}
