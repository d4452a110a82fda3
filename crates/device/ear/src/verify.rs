//! How the two stages' scores become one: a small calibrated function and the thresholds that belong to it.
//!
//! Cutting hard on both scores loses good wakes: a clear word that the recogniser spells oddly, a mumbled one that it
//! spells well. So the logit of the first stage's score and the recogniser's log-probability of the word are weighed
//! and summed.

use crate::error::EarError;
use crate::net::{Reader, sigmoid, write_count, write_floats};

/// Ways of writing one word, at most.
const SPELLINGS_MAX: usize = 8;
/// Bytes of one of them, at most.
const SPELLING_BYTES_MAX: usize = 64;
/// Weights of the fused score, at most: far beyond any that a fit gives, and finite in every sum.
const WEIGHT_MAX: f32 = 1_000.0;
/// What a log-probability counts as at least: one in 10¹³ says no more than one in 10²⁰.
const LOG_PROBABILITY_MIN: f32 = -30.0;
/// How close to 0 and 1 a first stage's score counts: a sigmoid in 32 bits reaches both ends.
const SCORE_MARGIN: f32 = 1e-5;

/// What the second stage needs to know of a word.
#[derive(Clone, Debug, PartialEq)]
pub struct Verify {
    /// How the recogniser may write the word, with its leading blank: the best of them counts.
    pub spellings: Vec<String>,
    /// The first stage's score at which the second stage is asked, 0 to 1.
    pub trigger: f32,
    /// What the logit of the first stage's highest score counts.
    pub logit_weight: f32,
    /// What the recogniser's log-probability of the word counts.
    pub word_weight: f32,
    /// Added to both.
    pub bias: f32,
    /// The fused score that wakes at the first look, 0 to 1.
    pub accept_at_once: f32,
    /// The fused score below which the first look ends it, 0 to 1.
    pub refuse_at_once: f32,
    /// The fused score that wakes at the second look, 0 to 1.
    pub accept: f32,
}

impl Verify {
    /// The two scores as one, 0 to 1: `peak` is the highest score of the first stage (0 to 1), `log_probability` what the
    /// recogniser gives the word (at most 0).
    #[must_use]
    pub fn fuse(&self, peak: f32, log_probability: f32) -> f32 {
        let word = log_probability.max(LOG_PROBABILITY_MIN);
        sigmoid(self.logit_weight * logit(peak) + self.word_weight * word + self.bias)
    }

    /// Appends the values to `bytes`.
    pub(crate) fn write(&self, bytes: &mut Vec<u8>) {
        write_count(bytes, self.spellings.len());
        for spelling in &self.spellings {
            write_text(bytes, spelling);
        }
        let Self { trigger, logit_weight, word_weight, bias, accept_at_once, refuse_at_once, accept, .. } = *self;
        write_floats(bytes, &[trigger, logit_weight, word_weight, bias, accept_at_once, refuse_at_once, accept]);
    }

    /// Reads what [`Verify::write`] wrote.
    pub(crate) fn read(reader: &mut Reader<'_>) -> Result<Self, EarError> {
        let count = reader.count(SPELLINGS_MAX)?;
        let spellings = (0..count).map(|_| read_text(reader, SPELLING_BYTES_MAX)).collect::<Result<Vec<_>, _>>()?;
        let values: [f32; 7] = reader.floats(7)?.try_into().map_err(|_| EarError::Weights("they end early"))?;
        let [trigger, logit_weight, word_weight, bias, accept_at_once, refuse_at_once, accept] = values;
        let verify =
            Self { spellings, trigger, logit_weight, word_weight, bias, accept_at_once, refuse_at_once, accept };
        verify.check()
    }

    fn check(self) -> Result<Self, EarError> {
        if self.spellings.is_empty() || self.spellings.iter().any(String::is_empty) {
            return Err(EarError::Weights("a word without a spelling"));
        }
        let weights = [self.logit_weight, self.word_weight, self.bias];
        let scores = [self.trigger, self.accept_at_once, self.refuse_at_once, self.accept];
        if weights.iter().any(|weight| weight.abs() > WEIGHT_MAX)
            || scores.iter().any(|score| !(0.0..=1.0).contains(score))
            || self.trigger <= 0.0
        {
            return Err(EarError::Weights("a threshold or weight of the second stage is out of bounds"));
        }
        Ok(self)
    }
}

/// The inverse of the logistic function, for scores from 0 to 1; both ends give a finite number.
#[must_use]
pub fn logit(score: f32) -> f32 {
    let score = score.clamp(SCORE_MARGIN, 1.0 - SCORE_MARGIN);
    (score / (1.0 - score)).ln()
}

/// Appends a text with its length.
pub(crate) fn write_text(bytes: &mut Vec<u8>, text: &str) {
    write_count(bytes, text.len());
    bytes.extend_from_slice(text.as_bytes());
}

/// Reads a text of at most `bytes_max` bytes.
pub(crate) fn read_text(reader: &mut Reader<'_>, bytes_max: usize) -> Result<String, EarError> {
    let len = reader.count(bytes_max)?;
    let text = std::str::from_utf8(reader.take(len)?);
    text.map(str::to_owned).map_err(|_| EarError::Weights("a text is not in UTF-8"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn verify() -> Verify {
        Verify {
            spellings: vec![" Alexa".to_owned(), " alexa".to_owned()],
            trigger: 0.2,
            logit_weight: 0.25,
            word_weight: 1.0,
            bias: 3.0,
            accept_at_once: 0.8,
            refuse_at_once: 0.05,
            accept: 0.5,
        }
    }

    #[test]
    fn either_score_lifts_the_fused_one() {
        let verify = verify();
        assert!(verify.fuse(0.5, -1.0) > verify.fuse(0.3, -1.0));
        assert!(verify.fuse(0.5, -1.0) > verify.fuse(0.5, -4.0));
        // By hand: 0.25 · logit(0.5) + 1 · -3 + 3 = 0.
        assert!((verify.fuse(0.5, -3.0) - 0.5).abs() < 1e-6);
    }

    #[test]
    fn the_ends_of_the_scales_give_finite_scores() {
        for (peak, log_probability) in [(0.0, 0.0), (1.0, 0.0), (0.0, f32::NEG_INFINITY), (1.0, f32::NEG_INFINITY)] {
            let fused = verify().fuse(peak, log_probability);
            assert!(fused.is_finite() && (0.0..=1.0).contains(&fused), "{peak} {log_probability}: {fused}");
        }
    }

    #[test]
    fn values_that_make_no_sense_are_refused() {
        let wrong = [
            Verify { spellings: Vec::new(), ..verify() },
            Verify { spellings: vec![String::new()], ..verify() },
            Verify { trigger: 0.0, ..verify() },
            Verify { accept: 1.5, ..verify() },
            Verify { word_weight: 1e9, ..verify() },
            Verify { bias: f32::NAN, ..verify() },
        ];
        let read = |verify: &Verify| {
            let mut bytes = Vec::new();
            verify.write(&mut bytes);
            Verify::read(&mut Reader::new(&bytes))
        };
        assert_eq!(read(&verify()).expect("whole"), verify());
        for verify in wrong {
            assert!(read(&verify).is_err(), "{verify:?}");
        }
    }
}
