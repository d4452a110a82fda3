//! Sentences that a text misses by a single letter.
//!
//! Only whole sentences without slots and wildcards are offered, only for texts that are long enough, and only if all
//! that are as near mean the same: "turn of the radio" is as near to "on" as to "off", and so is nothing.

use std::collections::HashSet;
use std::sync::Arc;

use grammar::letters::Letters;
use grammar::{Grammar, State, Walker};

/// A shorter text is another word as soon as one letter is: "stop", "top", "shop".
const LETTERS_MIN: usize = 10;

/// A longer text is no fixed sentence; it would only cost time.
const LETTERS_MAX: usize = 80;

/// Steps of the walk that are tried before it gives up (some milliseconds).
const STEPS_MAX: usize = 20_000;

/// A place in the walk: how many letters of the text are used up, and whether the one slip has been made.
struct Place {
    state: State,
    position: usize,
    slipped: bool,
    walked: String,
}

/// The sentences one letter away from the text (put in, left out or changed).
pub(crate) fn misses(grammar: &Arc<Grammar>, text: &str) -> Vec<String> {
    let letters = Letters::of(text);
    let letters = letters.as_slice();
    if !(LETTERS_MIN..=LETTERS_MAX).contains(&letters.len()) {
        return Vec::new();
    }
    let mut walker = Walker::new(Arc::clone(grammar));
    let start = Place { state: walker.start(), position: 0, slipped: false, walked: String::new() };
    let (mut work, mut seen, mut found) = (vec![start], HashSet::new(), Vec::new());
    while let Some(place) = work.pop() {
        // By what was walked, not by state: two whole sentences end in one state, and mean two things.
        if !seen.insert((place.walked.clone(), place.position, place.slipped)) {
            continue;
        }
        if seen.len() > STEPS_MAX {
            return Vec::new();
        }
        if place.position == letters.len() && walker.is_end(place.state) {
            found.push(place.walked.clone());
        }
        follow(&mut walker, &place, letters, &mut work);
    }
    found
}

fn follow(walker: &mut Walker, place: &Place, letters: &[char], work: &mut Vec<Place>) {
    let next = letters.get(place.position).copied();
    let mut go = |walker: &mut Walker, letter: char, position: usize, slipped: bool| {
        if let Some(state) = walker.advance(place.state, letter) {
            let mut walked = place.walked.clone();
            walked.push(letter);
            work.push(Place { state, position, slipped, walked });
        }
    };
    if let Some(letter) = next {
        go(walker, letter, place.position + 1, place.slipped);
    }
    if place.slipped {
        return;
    }
    for letter in walker.letters(place.state).0 {
        go(walker, letter, place.position, true);
        // A digit is never a slip for another.
        if next.is_some_and(|next| next != letter && !next.is_numeric()) {
            go(walker, letter, place.position + 1, true);
        }
    }
    if next.is_some_and(|next| !next.is_numeric()) {
        let walked = place.walked.clone();
        work.push(Place { state: place.state, position: place.position + 1, slipped: true, walked });
    }
}
