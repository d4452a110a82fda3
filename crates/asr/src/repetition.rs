//! Where a decoder that does not find the end begins again, and what somebody did say several times.
//!
//! The words alone do not tell: "stop, stop, stop" is said, and a decoder that has heard "next" to its end may write
//! "next next next" until it is stopped. What tells is where in the sound each word is heard. The second "stop" is heard
//! later than the first; the second "next" is the same sound again.

use crate::vocabulary::Vocabulary;

/// A phrase of this many tokens is looked at when it comes a second time at once, a shorter one when it comes a third
/// time: the time of a single token says little.
const LONG_PHRASE: usize = 5;

/// This many tokens that came before, wherever that was, are looked at too: a decoder that begins again does not always
/// leave the words as they were.
const REFRAIN: usize = 3;

/// A word that is said again is heard at least this much later, in seconds. The fastest repetitions that were measured
/// ("very very") took 0.24 s each; what loops moves by less than 0.15 s.
const LATER_SECONDS_MIN: f32 = 0.18;

/// ... this much where the last of the repetitions is the same sound for certain: then the decoder was looping before.
const LATER_SECONDS_SURE: f32 = 0.3;

/// A loop: the same sound again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Loop {
    /// How many tokens to keep.
    pub(crate) kept: usize,
    /// Somebody did repeat the phrase before the decoder did: what comes after it may not have been heard.
    pub(crate) is_torn: bool,
}

/// Where the tokens so far begin to say the same sound again. `times` says where in the sound each is heard, in seconds.
///
/// `is_alike` tells which tokens are one word with another capital or space.
pub(crate) fn find_loop(tokens: &[u32], times: &[f32], is_alike: &dyn Fn(u32, u32) -> bool) -> Option<Loop> {
    let n = tokens.len().min(times.len());
    let (tokens, times) = (&tokens[..n], &times[..n]);
    let ends_with = |phrase: usize, count: usize| {
        phrase * count <= n
            && (1..count).all(|i| tokens[n - (i + 1) * phrase..n - i * phrase] == tokens[n - phrase..])
    };
    let long = (LONG_PHRASE..=n / 2).find(|phrase| ends_with(*phrase, 2)).map(|phrase| (phrase, 2));
    let short = || (1..LONG_PHRASE).find(|phrase| ends_with(*phrase, 3)).map(|phrase| (phrase, 3));
    if let Some((phrase, count)) = long.or_else(short) {
        let first = n - count * phrase;
        let heard_at = |i: usize| mean(&times[first + i * phrase..][..phrase]);
        let is_later = |i: usize, by: f32| heard_at(i - 1) + by <= heard_at(i);
        if (1..count).all(|i| is_later(i, LATER_SECONDS_MIN)) {
            return None;
        }
        let real = (1..count).find(|i| !is_later(*i, LATER_SECONDS_SURE))?;
        return Some(Loop { kept: first + real * phrase, is_torn: real > 1 });
    }
    let refrain = n.checked_sub(REFRAIN)?;
    let last = mean(&times[refrain..]);
    let is_same = |at: usize| {
        let before = at..at + REFRAIN;
        tokens[before.clone()] == tokens[refrain..] && last < mean(&times[before]) + LATER_SECONDS_MIN
    };
    let at = (0..=refrain.checked_sub(REFRAIN)?).find(|at| is_same(*at))?;
    // A sentence that begins again has another capital or space there.
    let n_before = (1..=at.min(refrain - at - REFRAIN)).take_while(|i| is_alike(tokens[at - i], tokens[refrain - i]));
    Some(Loop { kept: refrain - n_before.count(), is_torn: false })
}

/// Whether what was written instead of a loop is heard later than the `kept` tokens before it. The time of its first
/// token is that of the loop, and the last of `times` is that of the end.
pub(crate) fn goes_on(times: &[f32], kept: usize) -> bool {
    let end = |times: &[f32]| mean(&times[times.len().saturating_sub(2)..]);
    let Some((before, after)) = times.split_at_checked(kept) else { return false };
    let after = after.get(1..).unwrap_or_default();
    let after = if after.len() > 1 { &after[..after.len() - 1] } else { after };
    !after.is_empty() && end(before) + LATER_SECONDS_SURE <= end(after)
}

/// How many tokens stay without a last clause that begins the text again, and the same sound ("Never mind, never").
pub(crate) fn before_echo(vocabulary: &Vocabulary, tokens: &[u32], times: &[f32]) -> usize {
    let is_stop = |c: char| matches!(c, ',' | '.' | '?' | '!' | ';');
    let mut n_kept = tokens.len().min(times.len());
    // A number's comma is no end of a clause: a space must follow.
    let begins_clause = |at: &usize| {
        vocabulary.bytes(tokens[*at]).first() == Some(&b' ') && vocabulary.text(&tokens[..*at]).ends_with(is_stop)
    };
    while let Some(at) = (1..n_kept).rev().find(begins_clause) {
        let (before, last) = (vocabulary.text(&tokens[..at]), vocabulary.text(&tokens[at..n_kept]));
        let mut first_words = words(&before);
        let n_words = words(&last).count();
        let is_again = n_words > 0 && words(&last).all(|word| first_words.next().as_ref() == Some(&word));
        let n_echoed = (n_kept - at).min(at);
        let heard_at = mean(&times[at..n_kept]);
        let is_later = mean(&times[..n_echoed]) + LATER_SECONDS_MIN <= heard_at
            && mean(&times[at.saturating_sub(2)..at]) <= heard_at;
        if !is_again || is_later {
            break;
        }
        n_kept = at;
    }
    n_kept
}

fn mean(times: &[f32]) -> f32 {
    times.iter().sum::<f32>() / times.len().max(1) as f32
}

/// The words as they sound alike.
fn words(text: &str) -> impl Iterator<Item = String> {
    let bare = |word: &str| word.chars().filter(|c| c.is_alphanumeric()).collect::<String>().to_lowercase();
    text.split_whitespace().map(bare).filter(|word| !word.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    const VOCABULARY: &str = "!\nStop\nĠstop\nĠStop\n.\n,\nNever\nĠnever\nĠmind\n<|endoftext|>\n<|startoftranscript|>\n<|nocaptions|>\n<|notimestamps|>\n";

    fn before(tokens: &[u32], times: &[f32]) -> Option<usize> {
        find_loop(tokens, times, &|a, b| a % 100 == b % 100).map(|found| found.kept)
    }

    #[test]
    fn what_is_said_again_stays_and_the_same_sound_again_goes() {
        // "no no no no", half a second each; "next next next" out of one "next".
        assert_eq!(before(&[4, 4, 4, 4], &[0.5, 1.0, 1.5, 2.0]), None);
        assert_eq!(before(&[4, 4, 4], &[0.78, 0.84, 0.84]), Some(1));
        // Said twice, and the second time written twice.
        assert_eq!(find_loop(&[4, 4, 4], &[0.6, 1.1, 1.12], &|_, _| false), Some(Loop { kept: 2, is_torn: true }));
        assert_eq!(before(&[9, 1, 2, 1, 2, 1, 2], &[0.2, 0.8, 1.1, 0.8, 1.1, 0.8, 1.1]), Some(3));
        assert_eq!(before(&[4, 4], &[0.5, 0.5]), None);
        assert_eq!(before(&[], &[]), None);
    }

    #[test]
    fn a_long_phrase_counts_the_second_time() {
        let tokens = [7, 1, 2, 3, 4, 5, 1, 2, 3, 4, 5];
        let again = [0.1, 0.3, 0.5, 0.7, 0.9, 1.1, 0.3, 0.5, 0.7, 0.9, 1.1];
        assert_eq!(before(&tokens, &again), Some(6));
        let said = [0.1, 0.3, 0.5, 0.7, 0.9, 1.1, 1.3, 1.5, 1.7, 1.9, 2.1];
        assert_eq!(before(&tokens, &said), None);
    }

    #[test]
    fn a_text_that_begins_again_in_other_words_is_a_loop_too() {
        let tokens = [1, 2, 3, 4, 8, 1, 2, 3];
        assert_eq!(before(&tokens, &[0.1, 0.3, 0.5, 0.7, 0.9, 0.1, 0.3, 0.5]), Some(5));
        // Its first word has another capital.
        let tokens_and_capital = [101, 2, 3, 4, 8, 1, 2, 3, 4];
        assert_eq!(before(&tokens_and_capital, &[0.1, 0.3, 0.5, 0.7, 0.9, 0.6, 0.3, 0.5, 0.7]), Some(5));
        assert_eq!(before(&tokens, &[0.1, 0.3, 0.5, 0.7, 0.9, 1.1, 1.3, 1.5]), None);
    }

    #[test]
    fn what_comes_after_a_loop_must_be_heard_later() {
        assert!(goes_on(&[0.5, 1.0, 1.0, 1.8, 2.0, 2.2], 2));
        assert!(!goes_on(&[0.5, 1.0, 1.0, 0.9, 1.0, 2.2], 2));
        assert!(!goes_on(&[0.5, 1.0, 1.0], 2) && !goes_on(&[0.5], 2));
    }

    #[test]
    fn a_last_clause_that_is_the_same_sound_goes() {
        let vocabulary = Vocabulary::parse(VOCABULARY.as_bytes()).expect("it is good");
        // "Never mind, never": once, and with a second "never" that is heard later.
        assert_eq!(before_echo(&vocabulary, &[6, 8, 5, 7], &[0.5, 0.8, 1.0, 0.6]), 3);
        assert_eq!(before_echo(&vocabulary, &[6, 8, 5, 7], &[0.5, 0.8, 1.0, 1.4]), 4);
        assert_eq!(before_echo(&vocabulary, &[1, 4, 3, 4], &[0.4, 0.6, 0.4, 0.7]), 2);
        assert_eq!(before_echo(&vocabulary, &[1, 4, 3, 4], &[0.4, 0.6, 1.0, 1.2]), 4);
        assert_eq!(before_echo(&vocabulary, &[], &[]), 0);
    }
}
