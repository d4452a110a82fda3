//! From characters to the letters that the automaton is made of.
//!
//! Case is folded, and letters with marks are composed: a name typed on one system is found on another. Apostrophes vanish
//! ("what's" is "whats", as recognisers write either). Hyphens, punctuation and white space are one space, however many of
//! them stand together. Within numbers, signs keep their meaning: see [`fold_text`]. Templates, texts and the tokens of a
//! recogniser are folded by the same rules.

use std::ops::Range;

use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;

/// The letter between words.
pub const SPACE: char = ' ';

/// The letter between the whole part of a number and its decimals.
pub const POINT: char = '.';

/// Signs that are said aloud and so count as letters.
const SPOKEN_SIGNS: [char; 9] = ['%', '°', '&', '+', '#', '@', '$', '€', '£'];

/// Signs that make a number negative where they stand before it. A dash longer than these separates.
const MINUS_SIGNS: [char; 5] = ['-', '−', '–', '﹣', '－'];

/// What stands between groups of three digits: a comma, or a space that does not break.
const GROUP_SIGNS: [char; 4] = [',', '\u{a0}', '\u{202f}', '\u{2009}'];

/// Digits of one group of a large number: "1,500,000".
const GROUP_DIGITS: usize = 3;

/// Passes on the letters of a text in order, each with its place in the text in bytes. Spaces are not joined yet.
///
/// A minus sign before a number, where a word starts, becomes the word "minus". A point within a number, or at its start,
/// is [`POINT`]. Signs between groups of three digits vanish. A character and the marks on it are one letter.
pub fn fold_text(text: &str, mut push: impl FnMut(char, Range<usize>)) {
    let characters: Vec<(usize, char)> = text.char_indices().collect();
    let end_of = |index: usize| characters.get(index).map_or(text.len(), |(start, _)| *start);
    let digit = |index: usize| characters.get(index).is_some_and(|(_, character)| character.is_ascii_digit());
    let mut at_word_start = true;
    // Up to here, the signs of groups within a number were already recognised.
    let mut grouped_until = 0;
    let mut index = 0;
    while let Some((start, character)) = characters.get(index).copied() {
        let after_digit = index.checked_sub(1).is_some_and(digit);
        let mut next = index + 1;
        while characters.get(next).is_some_and(|(_, mark)| joins_what_precedes(*mark)) {
            next += 1;
        }
        let place = start..end_of(next);
        let begins_number = |at: usize| digit(at) || (characters.get(at).is_some_and(is_point) && digit(at + 1));
        if digit(index) && !after_digit && index >= grouped_until {
            grouped_until = end_of_groups(&characters, index);
        }
        let begins_word = at_word_start;
        let mut pass = |letter: char| {
            at_word_start = letter == SPACE;
            push(letter, place.clone());
        };
        if GROUP_SIGNS.contains(&character) && index < grouped_until {
            // Within a number: "1,500" is "1500".
        } else if MINUS_SIGNS.contains(&character) && begins_word && begins_number(next) {
            "minus ".chars().for_each(pass);
        } else if character == '.' && digit(next) && (after_digit || begins_word) {
            pass(POINT);
        } else {
            text.get(place.clone()).unwrap_or_default().nfc().flat_map(fold).for_each(pass);
        }
        index = next;
    }
}

/// The letters of one character: none, a space, or one to three. What depends on its neighbours is [`fold_text`]'s.
pub fn fold(character: char) -> impl Iterator<Item = char> {
    let vanishes = matches!(
        character,
        '\'' | '’' | '‘' | 'ʼ' | '`' | '\u{ad}' | '\u{200b}'..='\u{200d}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}'
    );
    let is_letter = character.is_alphanumeric() || is_combining_mark(character) || SPOKEN_SIGNS.contains(&character);
    let stays = is_letter && !vanishes;
    let lowered = stays.then(|| character.to_lowercase()).into_iter().flatten();
    let space = (!stays && !vanishes).then_some(SPACE);
    lowered.chain(space)
}

/// Whether a character belongs to the letter before it: an accent, or a later part of a Korean syllable.
fn joins_what_precedes(character: char) -> bool {
    is_combining_mark(character) || matches!(character, '\u{1160}'..='\u{11ff}')
}

const fn is_point((_, character): &(usize, char)) -> bool {
    *character == '.'
}

/// Where a number of several groups ends whose first digit is at `start`; `start` itself where it has one group.
fn end_of_groups(characters: &[(usize, char)], start: usize) -> usize {
    let run = |from: usize| {
        let rest = characters.get(from..).unwrap_or_default();
        rest.iter().take_while(|(_, character)| character.is_ascii_digit()).count()
    };
    let first = run(start);
    if first > GROUP_DIGITS || characters.get(start).is_some_and(|(_, character)| *character == '0') {
        return start;
    }
    let mut end = start + first;
    while characters.get(end).is_some_and(|(_, sign)| GROUP_SIGNS.contains(sign)) && run(end + 1) == GROUP_DIGITS {
        end += 1 + GROUP_DIGITS;
    }
    let is_grouped = end > start + first;
    if is_grouped { end } else { start }
}

/// A text as letters: no space at either end, never two together, and each letter's place in the text.
#[derive(Clone, Debug, Default)]
pub struct Letters {
    letters: Vec<char>,
    places: Vec<Range<usize>>,
}

impl Letters {
    /// Folds a text as [`fold_text`] does.
    #[must_use]
    pub fn of(text: &str) -> Self {
        let mut folded = Self::default();
        fold_text(text, |letter, place| folded.push(letter, place));
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
        check("–5 or −7", "minus 5 or minus 7");
        check("set it to -.5", "set it to minus .5");
        check("5–10", "5 10");
    }

    #[test]
    fn points_and_groups_of_digits_stay_one_number() {
        check("20.5°", "20.5°");
        check(".5 degrees", ".5 degrees");
        check("Heat to 20. Now.", "heat to 20 now");
        check("1,500", "1500");
        check("1,500,000.5 and 2\u{202f}000", "1500000.5 and 2000");
        check("1,50 and 1,5000 and 1500,000 and 0,500", "1 50 and 1 5000 and 1500 000 and 0 500");
        check("10, 200", "10 200");
    }

    #[test]
    fn marks_and_their_letters_are_one_however_they_were_written() {
        check("cafe\u{301} LAMP", "café lamp");
        check("A\u{30a}ngstro\u{308}m", "ångström");
        check("\u{1112}\u{1161}\u{11ab}", "한");
        check("x\u{302}y", "x\u{302}y");
        check("my \u{2764}\u{fe0f} lamp", "my lamp");
        let text = "the cafe\u{301} lamp";
        assert_eq!(&text[Letters::of(text).place(4..8)], "cafe\u{301}");
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
