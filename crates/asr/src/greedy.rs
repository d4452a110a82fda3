//! The plainest way through the decoder: always the best token, until the end or the first repetition.

use crate::AsrError;
use crate::config::Config;
use crate::math::{log_sum_exp, max};
use crate::repetition::before_repetition;
use crate::session::{Path, Session};
use crate::vocabulary::Vocabulary;
use crate::whisper::Whisper;

/// Tokens that one window of speech may become, as in Whisper itself.
const TOKENS_MAX: usize = 224;

/// Nobody speaks more tokens than these in a second of sound, over the few that even the shortest may have.
const TOKENS_PER_SECOND_MAX: usize = 12;
const TOKENS_FREE: usize = 12;

/// The tokens of a transcript, and how sure the decoder was of them.
pub(crate) struct Tokens {
    pub(crate) tokens: Vec<u32>,
    pub(crate) log_probability: f32,
    pub(crate) no_speech: f32,
}

/// Which tokens may be chosen.
#[derive(Debug)]
pub(crate) struct Suppression {
    always: Vec<usize>,
    at_first: Vec<usize>,
}

impl Suppression {
    pub(crate) fn new(config: &Config, vocabulary: &Vocabulary) -> Self {
        let end = usize::try_from(vocabulary.end()).ok();
        let within = |ids: &[u32]| -> Vec<usize> {
            let ids = ids.iter().filter_map(|id| usize::try_from(*id).ok());
            ids.filter(|id| *id < vocabulary.n_tokens()).collect()
        };
        let mut always = within(&config.suppress_ids);
        // Also what config leaves out because time stamps need it: nothing that steers but the end is ever chosen.
        always.extend(vocabulary.steering().filter(|token| Some(*token) != end));
        Self { always, at_first: within(&config.suppress_ids_begin) }
    }

    fn apply(&self, scores: &mut [f32], is_first: bool) {
        let at_first: &[usize] = if is_first { &self.at_first } else { &[] };
        self.always.iter().chain(at_first).for_each(|token| scores[*token] = f32::NEG_INFINITY);
    }
}

/// What is shown a path at each of its positions, with the scores of what may come next there.
pub(crate) type Watcher<'a> = &'a mut dyn FnMut(&Whisper, &mut Session, Path, &[f32]) -> Result<(), AsrError>;

/// Follows the best token for `seconds` of the sound that was heard.
pub(crate) fn follow(
    whisper: &Whisper,
    session: &mut Session,
    seconds: usize,
    stop: &dyn Fn() -> bool,
    watch: Watcher<'_>,
) -> Result<Tokens, AsrError> {
    let (vocabulary, suppression) = (whisper.vocabulary(), &whisper.suppression);
    let n_tokens_max = (TOKENS_FREE + TOKENS_PER_SECOND_MAX * seconds).min(TOKENS_MAX);
    let mut scores = std::mem::take(&mut session.scores);
    let mut path = whisper.begin_with_scores(session, &mut scores)?;
    // How likely nobody spoke is what the decoder holds of it when it is told to begin.
    let (_, at_start) = scores.split_at(whisper.decoder.n_tokens());
    let no_speech = vocabulary.no_speech().map_or(0.0, |token| log_probability(at_start, token).exp());
    scores.truncate(whisper.decoder.n_tokens());
    let mut tokens: Vec<u32> = Vec::new();
    let mut total = 0.0;
    loop {
        if stop() {
            return Err(AsrError::Stopped);
        }
        suppression.apply(&mut scores, tokens.is_empty());
        watch(whisper, session, path, &scores)?;
        let best = best(&scores);
        total += log_probability(&scores, best);
        if best == vocabulary.end() {
            break;
        }
        tokens.push(best);
        if let Some(kept) = before_repetition(&tokens) {
            tokens.truncate(kept);
            break;
        }
        if tokens.len() == n_tokens_max {
            break;
        }
        match whisper.walk(session, Some(path), &[best]) {
            Ok(longer) => path = longer,
            // The last position: what was heard so far is the text.
            Err(AsrError::NoRoom(_)) => break,
            Err(error) => return Err(error),
        }
        whisper.scores(session, path, &mut scores)?;
    }
    session.scores = scores;
    let n_chosen = tokens.len() + 1;
    Ok(Tokens { tokens, log_probability: total / n_chosen as f32, no_speech })
}

fn log_probability(scores: &[f32], token: u32) -> f32 {
    usize::try_from(token)
        .ok()
        .and_then(|token| scores.get(token))
        .map_or(f32::MIN, |score| score - log_sum_exp(scores))
}

/// The token with the highest score; the first of equals.
fn best(scores: &[f32]) -> u32 {
    let highest = max(scores);
    let token = scores.iter().position(|score| *score == highest).unwrap_or(0);
    u32::try_from(token).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_best_is_the_first_of_the_highest() {
        assert_eq!(best(&[f32::NEG_INFINITY, 1.0, f32::NAN, 3.0, 3.0]), 3);
        assert_eq!(best(&[]), 0);
    }
}
