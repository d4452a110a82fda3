//! Words in brackets: what recognisers write for sounds, and titles with a part in brackets.

use std::ops::Range;

/// Words of which one is in what recognisers write for a sound: "(door closes)", "[Music]", "(speaking in Spanish)".
const SOUND_WORDS: [&str; 40] = [
    "applause",
    "audio",
    "background",
    "barking",
    "barks",
    "beep",
    "beeping",
    "beeps",
    "chatter",
    "chirping",
    "clapping",
    "clears",
    "click",
    "clicking",
    "clicks",
    "cough",
    "coughing",
    "coughs",
    "crosstalk",
    "door",
    "footsteps",
    "inaudible",
    "indistinct",
    "laughing",
    "laughs",
    "laughter",
    "music",
    "noise",
    "noises",
    "sigh",
    "sighing",
    "sighs",
    "silence",
    "sneezes",
    "sniffs",
    "speaking",
    "static",
    "unintelligible",
    "whispering",
    "whispers",
];

/// A word that is all capitals stands for a sound from this many letters on: "[BLANK_AUDIO]". Shorter ones are names.
const CAPITALS_MIN: usize = 4;

/// How a word stands to brackets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Standing {
    /// It is in no brackets.
    Plain,
    /// It is in brackets, and was said.
    Aside,
    /// It is in brackets, and stands for a sound.
    Sound,
}

/// How each of the words, given by their letters and places, stands to the brackets of the text.
pub(crate) fn standings(text: &str, words: &[(String, Range<usize>)]) -> Vec<Standing> {
    let mut standings = vec![Standing::Plain; words.len()];
    let (mut depth, mut at, mut group) = (0_usize, 0, 0..0);
    for (index, (_, place)) in words.iter().enumerate() {
        for character in text.get(at..place.start).unwrap_or_default().chars() {
            match character {
                '[' | '(' => {
                    if depth == 0 {
                        group = index..index;
                    }
                    depth += 1;
                }
                ']' | ')' => depth = depth.saturating_sub(1),
                _ => {}
            }
        }
        at = place.start;
        if depth > 0 {
            group.end = index + 1;
            let members = words.get(group.clone()).unwrap_or_default();
            let standing = if is_sound(text, members) { Standing::Sound } else { Standing::Aside };
            standings[group.clone()].fill(standing);
        }
    }
    standings
}

/// The place in a text, widened by the bracket that its first or last word lacks.
pub(crate) fn with_brackets(text: &str, place: Range<usize>) -> Range<usize> {
    let inside = text.get(place.clone()).unwrap_or_default();
    let count = |bracket: char| inside.matches(bracket).count();
    let mut place = place;
    for (open, close) in [('(', ')'), ('[', ']')] {
        let before = text.get(..place.start).unwrap_or_default();
        if count(open) < count(close) && before.ends_with(open) {
            place.start -= open.len_utf8();
        }
        let after = text.get(place.end..).unwrap_or_default();
        if count(open) > count(close) && after.starts_with(close) {
            place.end += close.len_utf8();
        }
    }
    place
}

fn is_sound(text: &str, group: &[(String, Range<usize>)]) -> bool {
    group.iter().any(|(letters, place)| {
        let written = text.get(place.clone()).unwrap_or_default();
        let is_capitals = written.chars().count() >= CAPITALS_MIN && written.chars().all(char::is_uppercase);
        is_capitals || SOUND_WORDS.contains(&letters.as_str())
    })
}
