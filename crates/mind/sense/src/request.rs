//! What people and recognisers put around a request: the wake word, courtesies, sounds in brackets, repetitions.

use std::ops::Range;

use grammar::letters::{Letters, SPACE};

use crate::brackets::{self, Standing};

/// Wake words, folded, with what small recognisers write for them.
const WAKE_WORDS: [&[&str]; 7] =
    [&["a", "lexus"], &["alex", "uh"], &["alexa"], &["alexis"], &["computer"], &["echo"], &["amazon"]];

/// The wake word that recognisers spell in many ways: a letter more, less or other ("Alexia", "Lexa", "Alex"), or in two
/// words ("a Lexa"). The others are words they know.
const NAME: &str = "alexa";

/// Words before a wake word that do not belong to the request ("Wait, Alexa, …"): a stream begins half a second
/// before the wake word, which holds no more of them.
const WORDS_BEFORE_WAKE_MAX: usize = 3;

/// Words that ask the assistant, wherever they stand at an end.
const POLITE_WORDS: [&str; 2] = ["please", "kindly"];

/// The words of a text, folded.
pub(crate) fn folded_words(text: &str) -> Vec<String> {
    Request::of(text).words.into_iter().map(|(word, _)| word).collect()
}

/// A request as words, each folded and with its place in the text.
pub(crate) struct Request<'a> {
    text: &'a str,
    words: Vec<(String, Range<usize>)>,
    standings: Vec<Standing>,
}

/// A text to look up: some of a request's words.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Reading {
    text: String,
    /// Each word's place in this text, and its number in the request.
    words: Vec<(Range<usize>, usize)>,
    /// The words of the request that may be what a wildcard holds. What stands outside was said to the assistant.
    content: Range<usize>,
}

impl Reading {
    pub(crate) fn text(&self) -> &str {
        &self.text
    }
}

impl<'a> Request<'a> {
    pub(crate) fn of(text: &'a str) -> Self {
        let letters = Letters::of(text);
        let mut words = Vec::new();
        let mut start = 0;
        for word in letters.as_slice().split(|letter| *letter == SPACE) {
            let range = start..start + word.len();
            start = range.end + 1;
            if !word.is_empty() {
                words.push((word.iter().collect(), letters.place(range)));
            }
        }
        let standings = brackets::standings(text, &words);
        Self { text, words, standings }
    }

    /// The texts to look up, the most faithful first, without two that are alike.
    pub(crate) fn readings(&self, skip_words: &[Vec<String>]) -> Vec<Reading> {
        let without = |left_out: &[Standing]| -> Vec<usize> {
            let kept = |index: &usize| self.standings.get(*index).is_none_or(|standing| !left_out.contains(standing));
            (0..self.words.len()).filter(kept).collect()
        };
        let said = without(&[Standing::Sound]);
        let heard = without(&[Standing::Aside, Standing::Sound]);
        let mut readings = Vec::new();
        self.read_after_wake(&heard, &said, skip_words, &mut readings);
        if let (Some(after), Some(said_after)) = (self.after_later_wake(&heard), self.after_later_wake(&said)) {
            let (ends, content) = (self.without_ends(&after, skip_words), self.content_of(&said_after, skip_words));
            self.read(&ends, &content, &mut readings);
            self.read_once(&ends, &mut readings);
        }
        if said.len() > heard.len() {
            self.read_after_wake(&said, &said, skip_words, &mut readings);
        }
        self.read(&heard, &span(&said), &mut readings);
        readings
    }

    /// What a wildcard holds that took so much of a reading: all that was said there, whatever the reading left out.
    pub(crate) fn content(&self, reading: &Reading, place: Range<usize>) -> String {
        let inside = |word: &&(Range<usize>, usize)| word.0.start < place.end && place.start < word.0.end;
        let mut taken = reading.words.iter().filter(inside).map(|(_, index)| *index);
        let Some(first) = taken.next() else { return reading.text.get(place).unwrap_or_default().to_owned() };
        let last = taken.next_back().unwrap_or(first);
        let left_out =
            |index: usize| reading.content.contains(&index) && !reading.words.iter().any(|(_, kept)| *kept == index);
        let start = (0..first).rev().take_while(|index| left_out(*index)).last().unwrap_or(first);
        let end = (last + 1..self.words.len()).take_while(|index| left_out(*index)).last().unwrap_or(last);
        let said = |index: &usize| self.standings.get(*index) != Some(&Standing::Sound);
        let words: Vec<usize> = (start..=end).filter(said).collect();
        self.join(&words).0
    }

    /// Adds the readings of what follows the wake word, if one is at the beginning. `words` are some of what was `said`.
    fn read_after_wake(
        &self,
        words: &[usize],
        said: &[usize],
        skip_words: &[Vec<String>],
        readings: &mut Vec<Reading>,
    ) {
        let (plain, said) = (self.after_leading_wake(words, skip_words), self.after_leading_wake(said, skip_words));
        self.read(&plain, &span(&said), readings);
        let content = self.content_of(&said, skip_words);
        let within: Vec<usize> = plain.iter().copied().filter(|word| content.contains(word)).collect();
        self.read(&within, &content, readings);
        let ends = self.without_ends(&plain, skip_words);
        self.read(&ends, &content, readings);
        let without_wake = self.without_wake(&ends);
        self.read(&without_wake, &content, readings);
        self.read_once(&without_wake, readings);
        self.read(&self.without(&ends, skip_words), &content, readings);
    }

    fn read_once(&self, words: &[usize], readings: &mut Vec<Reading>) {
        let once = self.once(words);
        if once.len() < words.len() {
            self.read(&once, &span(&once), readings);
        }
    }

    fn read(&self, words: &[usize], content: &Range<usize>, readings: &mut Vec<Reading>) {
        let (text, words) = self.join(words);
        if !text.is_empty() && !readings.iter().any(|reading| reading.text == text && reading.content == *content) {
            readings.push(Reading { text, words, content: content.clone() });
        }
    }

    fn word(&self, index: usize) -> &str {
        self.words.get(index).map_or("", |(word, _)| word)
    }

    /// Which of the words may be content: not the courtesies and wake words at either end that a pause sets apart, nor
    /// "please" there. Others may belong to a title or a message.
    fn content_of(&self, words: &[usize], skip_words: &[Vec<String>]) -> Range<usize> {
        let whole = span(words);
        let is_asked = |phrase: &[usize]| phrase.len() == 1 && POLITE_WORDS.contains(&self.word(phrase[0]));
        let pause = |before: Option<&usize>, after: Option<&usize>| {
            let place = |index: Option<&usize>| index.and_then(|index| self.words.get(*index)).map(|word| &word.1);
            match (place(before), place(after)) {
                (Some(before), Some(after)) => self.text.get(before.end..after.start).is_some_and(has_pause),
                _ => false,
            }
        };
        let (mut start, mut head) = (0, 0);
        while let Some(length) = self.skipped(&words[head..], skip_words) {
            let next = head + length;
            if is_asked(&words[head..next]) || pause(words.get(next - 1), words.get(next)) {
                start = next;
            }
            head = next;
        }
        let (mut end, mut tail) = (words.len(), words.len());
        while let Some(length) = self.skipped_at_end(&words[head.min(tail)..tail], skip_words) {
            let next = tail - length;
            if is_asked(&words[next..tail])
                || pause(next.checked_sub(1).and_then(|at| words.get(at)), words.get(next))
            {
                end = next;
            }
            tail = next;
        }
        let first = words.get(start).copied().unwrap_or(whole.start);
        let last = end.checked_sub(1).and_then(|at| words.get(at)).map_or(whole.end, |last| last + 1);
        first..last.max(first)
    }

    /// What follows the wake word, or several, at the beginning; courtesies may stand before it ("hey Alexa").
    fn after_leading_wake(&self, words: &[usize], skip_words: &[Vec<String>]) -> Vec<usize> {
        let mut rest = words;
        loop {
            let mut ahead = rest;
            while let Some(length) = self.skipped(ahead, skip_words) {
                ahead = &ahead[length..];
            }
            match self.wake(ahead) {
                Some(length) => rest = &ahead[length..],
                None => return rest.to_vec(),
            }
        }
    }

    /// What follows a wake word that a few other words stand before.
    fn after_later_wake(&self, words: &[usize]) -> Option<Vec<usize>> {
        (1..=WORDS_BEFORE_WAKE_MAX).find_map(|before| {
            let ahead = words.get(before..)?;
            self.wake(ahead).map(|length| ahead[length..].to_vec())
        })
    }

    /// Without wake words anywhere: who was not heard the first time says all of it again.
    fn without_wake(&self, words: &[usize]) -> Vec<usize> {
        let (mut rest, mut kept) = (words, Vec::new());
        while let Some(first) = rest.first() {
            match self.wake(rest) {
                Some(length) => rest = &rest[length..],
                None => {
                    kept.push(*first);
                    rest = &rest[1..];
                }
            }
        }
        kept
    }

    /// Without courtesies at either end and without a wake word at the end ("what time is it, Alexa").
    fn without_ends(&self, words: &[usize], skip_words: &[Vec<String>]) -> Vec<usize> {
        let mut rest = words;
        while let Some(length) = self.skipped(rest, skip_words) {
            rest = &rest[length..];
        }
        while let Some(length) = self.skipped_at_end(rest, skip_words) {
            rest = &rest[..rest.len() - length];
        }
        rest.to_vec()
    }

    /// How many words at the end are a courtesy or a wake word.
    fn skipped_at_end(&self, words: &[usize], skip_words: &[Vec<String>]) -> Option<usize> {
        let ends_with = |length: usize, says: &dyn Fn(&[usize]) -> bool| {
            words.len().checked_sub(length).and_then(|at| words.get(at..)).filter(|end| says(end)).map(|_| length)
        };
        let skipped = skip_words.iter().find_map(|phrase| {
            let phrase: Vec<&str> = phrase.iter().map(String::as_str).collect();
            ends_with(phrase.len(), &|words| self.says(words, &phrase))
        });
        skipped.or_else(|| {
            WAKE_WORDS.iter().find_map(|phrase| ends_with(phrase.len(), &|words| self.says(words, phrase)))
        })
    }

    /// Without courtesies anywhere.
    fn without(&self, words: &[usize], skip_words: &[Vec<String>]) -> Vec<usize> {
        let (mut rest, mut kept) = (words, Vec::new());
        while let Some(first) = rest.first() {
            match self.skipped(rest, skip_words) {
                Some(length) => rest = &rest[length..],
                None => {
                    kept.push(*first);
                    rest = &rest[1..];
                }
            }
        }
        kept
    }

    /// A sentence that was written down two or more times, once: small recognisers repeat themselves.
    fn once(&self, words: &[usize]) -> Vec<usize> {
        let repeats = |period: usize| {
            words.len().is_multiple_of(period)
                && words.iter().zip(&words[period..]).all(|(a, b)| self.word(*a) == self.word(*b))
        };
        let period = (1..=words.len() / 2).find(|period| repeats(*period)).unwrap_or(words.len());
        words[..period].to_vec()
    }

    /// How many words of the beginning are a wake word.
    fn wake(&self, words: &[usize]) -> Option<usize> {
        let listed = WAKE_WORDS.iter().find(|phrase| self.says(words, phrase)).map(|phrase| phrase.len());
        let joined =
            |count: usize| words.get(..count).map(|words| words.iter().map(|word| self.word(*word)).collect());
        let is_name = |count: &usize| joined(*count).is_some_and(|name: String| within_one(&name, NAME));
        listed.or_else(|| [2, 1].into_iter().find(is_name))
    }

    fn skipped(&self, words: &[usize], skip_words: &[Vec<String>]) -> Option<usize> {
        let begins = |phrase: &&Vec<String>| {
            words.len() >= phrase.len() && phrase.iter().zip(words).all(|(said, word)| said == self.word(*word))
        };
        skip_words.iter().find(begins).map(Vec::len)
    }

    fn says(&self, words: &[usize], phrase: &[&str]) -> bool {
        words.len() >= phrase.len() && phrase.iter().zip(words).all(|(said, word)| *said == self.word(*word))
    }

    /// The words as they stand in the text, with what stands between neighbours, and each one's place in that.
    fn join(&self, words: &[usize]) -> (String, Vec<(Range<usize>, usize)>) {
        let (mut text, mut places) = (String::new(), Vec::with_capacity(words.len()));
        for run in words.chunk_by(|a, b| a + 1 == *b) {
            let place =
                |index: Option<&usize>| index.and_then(|index| self.words.get(*index)).map(|(_, place)| place);
            if let (Some(first), Some(last)) = (place(run.first()), place(run.last())) {
                if !text.is_empty() {
                    text.push(SPACE);
                }
                let whole = brackets::with_brackets(self.text, first.start..last.end);
                let (before, from) = (text.len(), whole.start);
                text.push_str(self.text.get(whole).unwrap_or_default());
                let moved = |index: &usize| {
                    let place = &self.words.get(*index)?.1;
                    Some((before + place.start - from..before + place.end - from, *index))
                };
                places.extend(run.iter().filter_map(moved));
            }
        }
        (text, places)
    }
}

/// From the first of some words to the last.
fn span(words: &[usize]) -> Range<usize> {
    match (words.first(), words.last()) {
        (Some(first), Some(last)) => *first..last + 1,
        _ => 0..0,
    }
}

/// Whether what stands between two words is a pause.
fn has_pause(between: &str) -> bool {
    between.contains([',', '.', ';', ':', '!', '?', '…', '–', '—'])
}

/// Whether one letter put in, left out or changed makes `a` of `b`.
fn within_one(a: &str, b: &str) -> bool {
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
    let same = a.iter().zip(&b).take_while(|(a, b)| a == b).count();
    let rest = |word: &[char], skipped: usize| word.get(same + skipped..).unwrap_or_default().to_vec();
    a == b || rest(&a, 1) == rest(&b, 1) || rest(&a, 1) == rest(&b, 0) || rest(&a, 0) == rest(&b, 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_letter_is_one_letter() {
        for word in ["alexa", "alexia", "lexa", "alex", "elexa", "alexas", "aleksa"] {
            assert_eq!(within_one(word, NAME), word != "aleksa", "{word}");
        }
        for word in ["", "a", "relax", "axela", "alice"] {
            assert!(!within_one(word, NAME), "{word}");
        }
    }
}
