//! A word to listen for: how the decoder might write it down, and how likely it is to do so now.

use std::fmt;

use crate::AsrError;
use crate::math::log_sum_exp;
use crate::session::{Path, Session};
use crate::vocabulary::Vocabulary;
use crate::whisper::Whisper;

/// Ways of writing one word that a caller may give.
const SPELLINGS_MAX: usize = 16;

/// Ways in which a spelling is written: its own, in small letters, with a capital.
const WRITINGS: usize = 3;

/// Tokens that one spelling may take: no wake word is a sentence.
const SPELLING_TOKENS_MAX: usize = 16;

/// Less likely than this is as good as never (log-probability), which also spares the steps to find out how much less:
/// other speech scores from −8 down.
pub(crate) const LOG_PROBABILITY_MIN: f32 = -12.0;

/// A word as tokens: each spelling, in its own letters, in small letters or with a capital, whichever take the fewest
/// tokens, after a space.
#[derive(Clone)]
pub struct Phrase {
    spellings: Vec<Vec<u32>>,
}

impl fmt::Debug for Phrase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Phrase").field("n_spellings", &self.spellings.len()).finish()
    }
}

/// How likely a phrase was said somewhere in a sound.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Spot {
    /// The largest log p(phrase | sound, words before), over the positions of the decoder's best path: from −12, which
    /// stands for never, to 0.
    pub log_probability: f32,
}

impl Phrase {
    pub(crate) fn new(vocabulary: &Vocabulary, spellings: &[&str]) -> Result<Self, AsrError> {
        if spellings.is_empty() || SPELLINGS_MAX < spellings.len() {
            return Err(AsrError::BadPhrase("it has no spelling, or too many"));
        }
        let mut found: Vec<Vec<u32>> = Vec::new();
        for spelling in spellings.iter().map(|spelling| spelling.trim()) {
            if spelling.is_empty() {
                return Err(AsrError::BadPhrase("a spelling is empty"));
            }
            let small = spelling.to_lowercase();
            let each =
                [spelling, &small, &capitalised(&small)].map(|written| vocabulary.tokens(&format!(" {written}")));
            if each[0].as_ref().is_none_or(|tokens| SPELLING_TOKENS_MAX < tokens.len()) {
                return Err(AsrError::BadPhrase("a spelling is too long, or not of the vocabulary's letters"));
            }
            // What the vocabulary has to piece together is not how the model writes the word.
            let shortest = each.iter().flatten().map(Vec::len).min().unwrap_or_default();
            for tokens in each.into_iter().flatten().filter(|tokens| tokens.len() == shortest) {
                if !found.contains(&tokens) {
                    found.push(tokens);
                }
            }
        }
        Ok(Self { spellings: found })
    }

    /// The log-probability that the phrase comes next on `path`, whose `scores` these are; spellings exclude one
    /// another, so their probabilities are summed. What cannot reach `least` is not looked at closely.
    pub(crate) fn comes_next(
        &self,
        whisper: &Whisper,
        session: &mut Session,
        path: Path,
        scores: &[f32],
        least: f32,
    ) -> Result<f32, AsrError> {
        let normaliser = log_sum_exp(scores);
        let mut each = [f32::MIN; SPELLINGS_MAX * WRITINGS];
        for (log_probability, tokens) in each.iter_mut().zip(&self.spellings) {
            *log_probability = follow(tokens, whisper, session, path, scores, normaliser, least)?;
        }
        Ok(log_sum_exp(&each[..self.spellings.len()]).clamp(LOG_PROBABILITY_MIN, 0.0))
    }
}

/// The log-probability of `tokens` after `path`; less than that of some of them where that does not reach `least`.
fn follow(
    tokens: &[u32],
    whisper: &Whisper,
    session: &mut Session,
    path: Path,
    scores: &[f32],
    normaliser: f32,
    least: f32,
) -> Result<f32, AsrError> {
    let score = |scores: &[f32], token: u32| {
        usize::try_from(token).ok().and_then(|token| scores.get(token).copied()).unwrap_or(f32::MIN)
    };
    let Some((first, rest)) = tokens.split_first() else { return Ok(f32::MIN) };
    let mut total = score(scores, *first) - normaliser;
    let (mut path, mut before) = (path, *first);
    let mut later = std::mem::take(&mut session.later_scores);
    for token in rest {
        if total < least {
            total = f32::MIN;
            break;
        }
        path = whisper.walk(session, Some(path), &[before])?;
        whisper.scores(session, path, &mut later)?;
        total += score(&later, *token) - log_sum_exp(&later);
        before = *token;
    }
    session.later_scores = later;
    Ok(total)
}

fn capitalised(word: &str) -> String {
    let mut letters = word.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}
