//! What people and recognisers put around a request: the wake word, courtesies, sounds in brackets, repetitions.

use std::ops::Range;

use grammar::letters::{Letters, SPACE};

/// Wake words, folded, with what small recognisers write for them.
const WAKE_WORDS: [&[&str]; 7] =
    [&["a", "lexus"], &["alex", "uh"], &["alexa"], &["alexis"], &["computer"], &["echo"], &["amazon"]];

/// The wake word that recognisers spell in many ways: a letter more, less or other ("Alexia", "Lexa", "Alex"), or in two
/// words ("a Lexa"). The others are words they know.
const NAME: &str = "alexa";

/// Words before a wake word that do not belong to the request ("Wait, Alexa, …"): a stream begins half a second
/// before the wake word, which holds no more of them.
const WORDS_BEFORE_WAKE_MAX: usize = 3;

/// The words of a text, folded.
pub(crate) fn folded_words(text: &str) -> Vec<String> {
    Request::of(text).words.into_iter().map(|(word, _)| word).collect()
}

/// A request as words, each folded and with its place in the text.
pub(crate) struct Request<'a> {
    text: &'a str,
    words: Vec<(String, Range<usize>)>,
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
        Self { text, words }
    }

    /// The texts to look up, the most faithful first, without two that are alike.
    pub(crate) fn readings(&self, skip_words: &[Vec<String>]) -> Vec<String> {
        let heard = self.without_sounds();
        let plain = self.after_leading_wake(&heard, skip_words);
        let mut readings = vec![plain.clone()];
        let ends = self.without_ends(&plain, skip_words);
        readings.push(ends.clone());
        readings.push(self.once(&self.without_wake(&ends)));
        if let Some(after) = self.after_later_wake(&heard) {
            let after = self.without_ends(&after, skip_words);
            readings.push(after.clone());
            readings.push(self.once(&after));
        }
        readings.push(self.without(&ends, skip_words));
        readings.push(heard);
        let mut texts: Vec<String> = Vec::new();
        for text in readings.iter().map(|words| self.join(words)).filter(|text| !text.is_empty()) {
            if !texts.contains(&text) {
                texts.push(text);
            }
        }
        texts
    }

    fn word(&self, index: usize) -> &str {
        self.words.get(index).map_or("", |(word, _)| word)
    }

    /// Every word but those in brackets, such as "[BLANK_AUDIO]" and "(music playing)".
    fn without_sounds(&self) -> Vec<usize> {
        let mut depth = 0_usize;
        let mut at = 0;
        let mut kept = Vec::new();
        for (index, (_, place)) in self.words.iter().enumerate() {
            for character in self.text.get(at..place.start).unwrap_or_default().chars() {
                match character {
                    '[' | '(' => depth += 1,
                    ']' | ')' => depth = depth.saturating_sub(1),
                    _ => {}
                }
            }
            at = place.start;
            if depth == 0 {
                kept.push(index);
            }
        }
        kept
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
        loop {
            let ends_with =
                |phrase: &[&str]| rest.len().checked_sub(phrase.len()).filter(|at| self.says(&rest[*at..], phrase));
            let skipped = skip_words.iter().find_map(|phrase| {
                let phrase: Vec<&str> = phrase.iter().map(String::as_str).collect();
                ends_with(&phrase)
            });
            match skipped.or_else(|| WAKE_WORDS.iter().find_map(|phrase| ends_with(phrase))) {
                Some(kept) => rest = &rest[..kept],
                None => return rest.to_vec(),
            }
        }
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

    /// The words as they stand in the text, with what stands between neighbours.
    fn join(&self, words: &[usize]) -> String {
        let mut text = String::new();
        for run in words.chunk_by(|a, b| a + 1 == *b) {
            let place =
                |index: Option<&usize>| index.and_then(|index| self.words.get(*index)).map(|(_, place)| place);
            if let (Some(first), Some(last)) = (place(run.first()), place(run.last())) {
                if !text.is_empty() {
                    text.push(SPACE);
                }
                text.push_str(self.text.get(first.start..last.end).unwrap_or_default());
            }
        }
        text
    }
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
