//! Sentences that a text misses by a letter or two.
//!
//! Only texts that are long enough have any. A request is taken for a sentence one letter away if no other meaning is
//! within two: "turn o the radio" is one from "on" and two from "off", and so is nothing.

use std::collections::HashSet;
use std::sync::Arc;

use grammar::letters::{Letters, POINT};
use grammar::{Grammar, State, Walker};

/// A shorter text is another word as soon as one letter is: "stop", "top", "shop".
const LETTERS_MIN: usize = 10;

/// A longer text is no fixed sentence; it would only cost time.
const LETTERS_MAX: usize = 80;

/// Steps of the walk that are tried before it gives up (some ten milliseconds).
const STEPS_MAX: usize = 50_000;

/// A place in the walk: how many letters of the text are used up, and how many slips may still be made.
struct Place {
    state: State,
    position: usize,
    slips_left: u8,
    walked: String,
}

/// The sentences that are at most so many letters away from the text (put in, left out or changed); nothing where that
/// would take too long to know.
pub(crate) fn misses(grammar: &Arc<Grammar>, text: &str, slips_max: u8) -> Option<Vec<String>> {
    let letters = Letters::of(text);
    let letters = letters.as_slice();
    if !(LETTERS_MIN..=LETTERS_MAX).contains(&letters.len()) {
        return None;
    }
    let mut walker = Walker::new(Arc::clone(grammar));
    let start = Place { state: walker.start(), position: 0, slips_left: slips_max, walked: String::new() };
    let (mut work, mut seen, mut found) = (vec![start], HashSet::new(), Vec::new());
    while let Some(place) = work.pop() {
        // By what was walked, not by state: two whole sentences end in one state, and mean two things.
        if !seen.insert((place.walked.clone(), place.position, place.slips_left)) {
            continue;
        }
        if seen.len() > STEPS_MAX {
            return None;
        }
        if place.position == letters.len() && walker.is_end(place.state) {
            found.push(place.walked.clone());
        }
        follow(&mut walker, &place, letters, &mut work);
    }
    Some(found)
}

fn follow(walker: &mut Walker, place: &Place, letters: &[char], work: &mut Vec<Place>) {
    let next = letters.get(place.position).copied();
    let mut go = |walker: &mut Walker, letter: char, position: usize, slips_left: u8| {
        if let Some(state) = walker.advance(place.state, letter) {
            let mut walked = place.walked.clone();
            walked.push(letter);
            work.push(Place { state, position, slips_left, walked });
        }
    };
    if let Some(letter) = next {
        go(walker, letter, place.position + 1, place.slips_left);
    }
    let Some(slips_left) = place.slips_left.checked_sub(1) else {
        return;
    };
    for letter in walker.letters(place.state).0 {
        go(walker, letter, place.position, slips_left);
        if next.is_some_and(|next| next != letter && !is_of_number(next)) {
            go(walker, letter, place.position + 1, slips_left);
        }
    }
    if next.is_some_and(|next| !is_of_number(next)) {
        let walked = place.walked.clone();
        work.push(Place { state: place.state, position: place.position + 1, slips_left, walked });
    }
}

/// What belongs to a number is never a slip: another number is another meaning.
fn is_of_number(letter: char) -> bool {
    letter.is_numeric() || letter == POINT
}
