//! From characters to the letters that the automaton is made of.
//!
//! Case is folded; apostrophes vanish ("what's" is "whats", as recognisers write either); hyphens, punctuation and
//! white space are one space, however many of them stand together. The same rule serves templates, texts and the tokens
//! of a recogniser, character by character.

use std::ops::Range;

/// The letter between words.
pub const SPACE: char = ' ';

/// Signs that are said aloud and so count as letters.
const SPOKEN_SIGNS: [char; 9] = ['%', '°', '&', '+', '#', '@', '$', '€', '£'];

/// The letters of one character: none, a space, or one to three.
pub fn fold(character: char) -> impl Iterator<Item = char> {
    let vanishes =
        matches!(character, '\'' | '’' | '‘' | 'ʼ' | '`' | '\u{ad}' | '\u{200b}'..='\u{200d}' | '\u{feff}');
    let stays = character.is_alphanumeric() || SPOKEN_SIGNS.contains(&character);
    let lowered = stays.then(|| character.to_lowercase()).into_iter().flatten();
    let space = (!stays && !vanishes).then_some(SPACE);
    lowered.chain(space)
}

/// A text as letters: no space at either end, never two together, and each letter's place in the text.
#[derive(Clone, Debug, Default)]
pub struct Letters {
    letters: Vec<char>,
    places: Vec<Range<usize>>,
}

impl Letters {
    /// Folds a text. A minus sign before a digit, where a word starts, is read as the word "minus".
    #[must_use]
    pub fn of(text: &str) -> Self {
        let mut folded = Self::default();
        let mut characters = text.char_indices().peekable();
        while let Some((start, character)) = characters.next() {
            let place = start..start + character.len_utf8();
            let before_digit = characters.peek().is_some_and(|(_, next)| next.is_ascii_digit());
            if matches!(character, '-' | '−') && before_digit && folded.at_word_start() {
                "minus ".chars().for_each(|letter| folded.push(letter, place.clone()));
            } else {
                fold(character).for_each(|letter| folded.push(letter, place.clone()));
            }
        }
        if folded.letters.last() == Some(&SPACE) {
            folded.letters.pop();
            folded.places.pop();
        }
        folded
    }

    /// The letters.
    #[must_use]
    pub fn as_slice(&self) -> &[char] {
        &self.letters
    }

    /// Where in the text, in bytes, the letters of `range` stand, from the first one's start to the last one's end.
    #[must_use]
    pub fn place(&self, range: Range<usize>) -> Range<usize> {
        let places = self.places.get(range).unwrap_or_default();
        match (places.first(), places.last()) {
            (Some(first), Some(last)) => first.start..last.end,
            _ => 0..0,
        }
    }

    fn at_word_start(&self) -> bool {
        self.letters.last().is_none_or(|last| *last == SPACE)
    }

    fn push(&mut self, letter: char, place: Range<usize>) {
        if letter != SPACE || !self.at_word_start() {
            self.letters.push(letter);
            self.places.push(place);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: &str) {
        assert_eq!(Letters::of(text).as_slice().iter().collect::<String>(), expected, "{text}");
    }

    #[test]
    fn case_hyphens_apostrophes_and_spaces_fold() {
        check("  What's   the-time? ", "whats the time");
        check("What’s the date, today?!", "whats the date today");
        check("ÄRGER", "ärger");
        check("20%", "20%");
        check("", "");
        check(" . ", "");
    }

    #[test]
    fn a_minus_sign_is_told_from_a_hyphen() {
        check("-5", "minus 5");
        check("set it to -5", "set it to minus 5");
        check("twenty-5", "twenty 5");
        check("- 5", "5");
    }

    #[test]
    fn places_lead_back_to_the_text() {
        let text = "Add Ben’s café!";
        let letters = Letters::of(text);
        let place = letters.place(4..8);
        assert_eq!(&text[place], "Ben’s");
        assert_eq!(&text[letters.place(9..13)], "café");
        assert_eq!(letters.place(90..99), 0..0);
    }
}
