//! The wake word detector: samples in, wakes out.

use std::sync::Arc;

use base::{SampleCount, SampleIndex};

use crate::error::EarError;
use crate::features::{Features, sample_of_frame};
use crate::hindsight::{Hindsight, KEPT};
use crate::judge::{Decision, Judge, Scores, Tuning};
use crate::listener::Listener;
use crate::models::{MEL_HOP, Models};
use crate::onset::Locator;
use crate::weights::WordModel;
use crate::word::Word;

/// What the second stage hears before the word.
const BEFORE_WORD: SampleCount = SampleCount::from_ms(400);
/// What it hears at least, wherever the word is said to begin: a short word and the time to notice it.
const WINDOW_MIN: SampleCount = SampleCount::from_ms(1_200);

/// Where the sound begins that a look at `at` is given, for a word that began at `onset`.
#[must_use]
pub fn look_from(onset: SampleIndex, at: SampleIndex) -> SampleIndex {
    onset.back(BEFORE_WORD).min(at.back(WINDOW_MIN)).max(at.back(KEPT))
}

/// The second stage: a recogniser that is asked how likely the word was said.
pub trait WordVerifier: std::fmt::Debug + Send {
    /// The largest log-probability (at most 0) of the word at any place of `sound`, which is 16 kHz mono, the word near
    /// its end, up to 2.2 s long. None where it could not be told; the first stage then decides alone.
    fn log_probability(&mut self, sound: &[i16]) -> Option<f32>;
}

/// The word was heard.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Wake {
    /// What was held against the threshold, 0 to 1.
    pub score: f32,
    /// The word's first sample, as far as can be told.
    pub onset: SampleIndex,
    /// Where the stream stood when it was decided.
    pub at: SampleIndex,
    /// Each stage's own score.
    pub scores: Scores,
}

/// Something raised the first stage and was not the word.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct NearMiss {
    /// The best scores it had.
    pub scores: Scores,
    /// Where the stream stood when it was over.
    pub at: SampleIndex,
}

/// What was heard.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Heard {
    /// The word.
    Wake(Wake),
    /// Something near it.
    NearMiss(NearMiss),
}

/// Listens to one stream for one word. All positions count from the first sample it was given.
///
/// Both stages where a verifier was given to it, else the first alone. What it decides depends on the samples and not on
/// how they were cut into calls.
#[derive(Debug)]
pub struct WakeDetector {
    models: Models,
    model: Arc<WordModel>,
    verifier: Option<Box<dyn WordVerifier>>,
    features: Features,
    hindsight: Hindsight,
    listener: Listener,
    judge: Judge,
    locator: Locator,
    /// Where the word began, as it looked at the first look: the locator was trained close to the word's end.
    onset: SampleIndex,
    /// The second stage does not hear again what woke already.
    last_wake: SampleIndex,
}

impl WakeDetector {
    /// The first stage alone, with the shipped weights of `word`. `threshold` is a score between 0 and 1; none takes the
    /// one that the weights were tuned to.
    ///
    /// # Errors
    /// None for what ships.
    pub fn new(models: &Models, word: Word, threshold: Option<f32>) -> Result<Self, EarError> {
        Ok(Self::with_model(models, Arc::new(word.model()?), threshold))
    }

    /// The first stage alone, with weights that were trained elsewhere.
    #[must_use]
    pub fn with_model(models: &Models, model: Arc<WordModel>, threshold: Option<f32>) -> Self {
        Self::tuned(models, model, Tuning { threshold, shift: 0.0 }, None)
    }

    /// Both stages, or where there is no verifier the first alone.
    #[must_use]
    pub fn tuned(
        models: &Models,
        model: Arc<WordModel>,
        tuning: Tuning,
        verifier: Option<Box<dyn WordVerifier>>,
    ) -> Self {
        Self {
            features: Features::new(models),
            hindsight: Hindsight::default(),
            listener: Listener::new(models, Arc::clone(&model)),
            judge: Judge::new(&model, tuning, verifier.is_some()),
            locator: Locator::new(&model.onset),
            onset: SampleIndex(0),
            last_wake: SampleIndex(0),
            models: models.clone(),
            model,
            verifier,
        }
    }

    /// Forgets all it heard, down to the last sample, and listens afresh with another tuning: its next sample is the
    /// first.
    pub fn restart(&mut self, tuning: Tuning) {
        let verifier = self.verifier.take();
        *self = Self::tuned(&self.models, Arc::clone(&self.model), tuning, verifier);
    }

    /// Listens for another word from the next sample on, and no longer for the one before. A candidate of that one is
    /// dropped; what was heard so far may be the new word's beginning.
    pub fn choose(&mut self, model: Arc<WordModel>, tuning: Tuning, verifier: Option<Box<dyn WordVerifier>>) {
        self.listener = Listener::new(&self.models, Arc::clone(&model));
        self.judge = Judge::new(&model, tuning, verifier.is_some());
        self.locator = Locator::new(&model.onset);
        (self.model, self.verifier) = (model, verifier);
    }

    /// Takes the next samples, of any number; says so where the word was heard in them. Of several wakes in one call
    /// (which takes more than a second of sound) only the first is told.
    pub fn push(&mut self, pcm: &[i16]) -> Option<Wake> {
        let mut first = None;
        self.hear(pcm, &mut |heard| {
            if let (Heard::Wake(wake), None) = (heard, first) {
                first = Some(wake);
            }
        });
        first
    }

    /// Takes the next samples, of any number, and tells all that was heard in them.
    pub fn hear(&mut self, pcm: &[i16], tell: &mut dyn FnMut(Heard)) {
        let mut rest = pcm;
        while !rest.is_empty() {
            let (left, embedding) = self.features.push(rest);
            self.hindsight.push(&rest[..rest.len() - left.len()]);
            rest = left;
            let Some(embedding) = embedding else { continue };
            let score = self.listener.push(&embedding);
            let decision = self.judge.step(score, self.position());
            if let Some(heard) = self.decide(decision) {
                tell(heard);
            }
        }
    }

    /// The smoothed score of the first stage after the last complete step of 80 ms.
    #[must_use]
    pub fn score(&self) -> f32 {
        self.listener.score()
    }

    /// The end of the last complete step.
    #[must_use]
    pub const fn position(&self) -> SampleIndex {
        self.features.position()
    }

    /// The word it listens for.
    #[must_use]
    pub fn model(&self) -> &WordModel {
        &self.model
    }

    fn decide(&mut self, decision: Decision) -> Option<Heard> {
        let at = self.position();
        match decision {
            Decision::Nothing => None,
            Decision::NearMiss(scores) => Some(Heard::NearMiss(NearMiss { scores, at })),
            Decision::Look { is_first } => {
                if is_first {
                    self.onset = self.locate();
                }
                let window = self.hindsight.since(look_from(self.onset, at).max(self.last_wake));
                let answer = self.verifier.as_mut().and_then(|verifier| verifier.log_probability(window));
                let decision = self.judge.answer(answer);
                self.decide_after_look(decision)
            }
            Decision::Wake(scores) => {
                self.onset = self.locate();
                Some(self.wake(scores))
            }
        }
    }

    fn decide_after_look(&mut self, decision: Decision) -> Option<Heard> {
        match decision {
            Decision::Wake(scores) => Some(self.wake(scores)),
            Decision::NearMiss(scores) => Some(Heard::NearMiss(NearMiss { scores, at: self.position() })),
            Decision::Nothing | Decision::Look { .. } => None,
        }
    }

    fn wake(&mut self, scores: Scores) -> Heard {
        let at = self.position();
        self.last_wake = at;
        Heard::Wake(Wake { score: scores.score, onset: self.onset, at, scores })
    }

    /// The position of the frame that the locator names, between two frames where it says so.
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "an age is between 20 and 165 frames"
    )]
    fn locate(&mut self) -> SampleIndex {
        let age = self.locator.locate(&self.model.onset, self.features.frames());
        let newest = sample_of_frame(self.features.next_frame().saturating_sub(1));
        newest.back(SampleCount((age * MEL_HOP as f32).round() as u64))
    }
}
