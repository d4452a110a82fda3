//! The plainest way through the decoder: always the best token, until the end, or until the same sound is written again.

use crate::AsrError;
use crate::config::Config;
use crate::math::{log_sum_exp, max};
use crate::repetition::{before_echo, find_loop, goes_on};
use crate::session::{Path, Session};
use crate::vocabulary::Vocabulary;
use crate::whisper::Whisper;

/// Tokens that one window of speech may become, as in Whisper itself.
const TOKENS_MAX: usize = 224;

/// Nobody speaks more tokens than these in a second of sound, over the few that even the shortest may have.
const TOKENS_PER_SECOND_MAX: usize = 12;
const TOKENS_FREE: usize = 12;

/// A position of what the encoder made.
const POSITION_SECONDS: f32 = 0.02;

/// The tokens of a transcript, and how sure the decoder was of them.
pub(crate) struct Tokens {
    pub(crate) tokens: Vec<u32>,
    pub(crate) log_probability: f32,
    pub(crate) no_speech: f32,
    /// A repetition became a loop: what was said after it may be missing.
    pub(crate) is_torn: bool,
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

/// How far the best token is followed.
#[derive(Clone, Copy)]
pub(crate) struct Reach<'a> {
    /// Seconds of the sound that was heard.
    pub(crate) seconds: usize,
    /// How often a decoder that loops may go on with another token instead.
    pub(crate) resumes: usize,
    /// Asked between tokens.
    pub(crate) stop: &'a dyn Fn() -> bool,
}

/// Follows the best token through the sound that was heard.
pub(crate) fn follow(
    whisper: &Whisper,
    session: &mut Session,
    reach: Reach<'_>,
    watch: Watcher<'_>,
) -> Result<Tokens, AsrError> {
    let vocabulary = whisper.vocabulary();
    let n_tokens_max = (TOKENS_FREE + TOKENS_PER_SECOND_MAX * reach.seconds).min(TOKENS_MAX);
    let mut scores = std::mem::take(&mut session.scores);
    let start = whisper.begin_with_scores(session, &mut scores)?;
    // How likely nobody spoke is what the decoder holds of it when it is told to begin.
    let (_, at_start) = scores.split_at(whisper.decoder.n_tokens());
    let no_speech = vocabulary.no_speech().map_or(0.0, |token| log_probability(at_start, token).exp());
    scores.truncate(whisper.decoder.n_tokens());
    let mut way = Way { paths: vec![start], ..Way::default() };
    while way.tokens.len() < n_tokens_max {
        if (reach.stop)() {
            return Err(AsrError::Stopped);
        }
        let path = way.path(start);
        whisper.suppression.apply(&mut scores, way.tokens.is_empty());
        watch(whisper, session, path, &scores)?;
        let best = way.choose(&mut scores, session.decoder.heard_at() * POSITION_SECONDS);
        if best == vocabulary.end() {
            way.ended = true;
            break;
        }
        if let Some(found) = find_loop(&way.tokens, &way.times, &|a, b| vocabulary.is_alike(a, b)) {
            way.back_to(found.kept);
            way.is_torn |= found.is_torn;
            if way.resumes.len() == reach.resumes {
                break;
            }
            way.resumes.push(found.kept);
        } else {
            match whisper.walk(session, Some(path), &[best]) {
                Ok(longer) => way.paths.push(longer),
                // The last position: what was heard so far is the text.
                Err(AsrError::NoRoom(_)) => break,
                Err(error) => return Err(error),
            }
        }
        whisper.scores(session, way.path(start), &mut scores)?;
    }
    session.scores = scores;
    Ok(way.finish(vocabulary, no_speech))
}

/// The tokens so far, with what is known of each.
#[derive(Debug, Default)]
struct Way {
    tokens: Vec<u32>,
    /// Where in the sound each is heard, in seconds.
    times: Vec<f32>,
    log_probabilities: Vec<f32>,
    /// The path before each token, and the one after the last.
    paths: Vec<Path>,
    /// Tokens that were kept each time the decoder looped.
    resumes: Vec<usize>,
    /// What must not be chosen next, since it would begin the loop again, and where it was heard.
    banned: Option<(u32, f32)>,
    /// The end was chosen.
    ended: bool,
    /// What was said several times was then written without end.
    is_torn: bool,
}

impl Way {
    fn path(&self, start: Path) -> Path {
        self.paths.last().copied().unwrap_or(start)
    }

    /// Takes the best token; the looks are of the last step, which for a token after a loop is the step that was undone.
    fn choose(&mut self, scores: &mut [f32], heard_at: f32) -> u32 {
        let heard_at = match self.banned.take() {
            Some((token, heard_at)) => {
                scores[token as usize] = f32::NEG_INFINITY;
                heard_at
            }
            None => heard_at,
        };
        let best = best(scores);
        self.tokens.push(best);
        self.times.push(heard_at);
        self.log_probabilities.push(log_probability(scores, best));
        best
    }

    fn back_to(&mut self, kept: usize) {
        self.banned = Some((self.tokens[kept], self.times[kept]));
        self.truncate(kept);
        self.paths.truncate(kept + 1);
    }

    fn truncate(&mut self, kept: usize) {
        self.tokens.truncate(kept);
        self.times.truncate(kept);
        self.log_probabilities.truncate(kept);
    }

    fn finish(mut self, vocabulary: &Vocabulary, no_speech: f32) -> Tokens {
        let n_chosen = self.log_probabilities.len().max(1);
        let log_probability = self.log_probabilities.iter().sum::<f32>() / n_chosen as f32;
        if self.ended {
            self.tokens.pop();
        }
        // What was written instead of a loop stays where it was said after it.
        if let Some(kept) = self.resumes.iter().copied().find(|kept| !goes_on(&self.times, *kept)) {
            self.truncate(kept);
        }
        let kept = before_echo(vocabulary, &self.tokens, &self.times);
        self.truncate(kept);
        Tokens { tokens: self.tokens, log_probability, no_speech, is_torn: self.is_torn }
    }
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
