//! Words near in sound to a word, for whoever trains a word of their own: what is said where the word must not be heard.

use std::io::{Read, Write};
use std::process::{Command, Stdio};

use crate::voices::VoiceError;

/// How many are taken.
const NEIGHBOURS: usize = 80;
/// What a sound too many or too few costs, and another sound of the same kind (two vowels, two consonants) or not.
const GAP: u32 = 3;
const SAME_KIND: u32 = 2;
const OTHER_KIND: u32 = 4;
/// Sounds before and behind the likeness cost less: "unacceptable" holds much of "Alexa".
const OUTSIDE: u32 = 1;
/// Bytes that the phonemes of all words may take.
const PHONEME_BYTES_MAX: u64 = 8_000_000;
/// What the sounds of vowels are written with.
const VOWELS: &str = "aeiouyɐɑɒæɔəɚɛɜɪʊʌᵻøœ";

/// The words of `lexicon` that sound most like `word`, nearest first, but not the word itself nor what begins with it.
///
/// # Errors
/// Where espeak-ng, which tells how words sound, cannot be run.
pub fn near_in_sound(word: &str, lexicon: &[String]) -> Result<Vec<String>, VoiceError> {
    let others: Vec<&String> = lexicon.iter().filter(|other| !other.to_lowercase().starts_with(word)).collect();
    let texts = std::iter::once(word).chain(others.iter().map(|other| other.as_str()));
    let sounds = phonemes(texts)?;
    let Some((own, rest)) = sounds.split_first() else { return Ok(Vec::new()) };
    let mut ranked: Vec<(u32, &String)> =
        rest.iter().zip(others).map(|(sound, other)| (distance(own, sound), other)).collect();
    ranked.retain(|(distance, _)| *distance > 0);
    ranked.sort();
    ranked.dedup_by(|a, b| a.1.eq_ignore_ascii_case(b.1));
    Ok(ranked.into_iter().take(NEIGHBOURS).map(|(_, other)| other.clone()).collect())
}

/// The sounds of each text, without stress and length: one line each from espeak-ng.
fn phonemes<'t>(texts: impl Iterator<Item = &'t str>) -> Result<Vec<Vec<char>>, VoiceError> {
    let program = "espeak-ng";
    let start = |source| VoiceError::Start { program, source };
    let mut child = Command::new(program)
        .args(["-q", "--ipa", "-v", "en-us", "--stdin"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .map_err(start)?;
    // A blank line between makes each a sentence, and so a line, of its own.
    let all: String = texts.map(|text| format!("{text}\n\n")).collect();
    let stdin = child.stdin.take();
    let writer = std::thread::spawn(move || stdin.map_or(Ok(()), |mut pipe| pipe.write_all(all.as_bytes())));
    let mut told = String::new();
    if let Some(stdout) = child.stdout.take() {
        stdout.take(PHONEME_BYTES_MAX).read_to_string(&mut told).map_err(start)?;
    }
    child.wait().map_err(start)?;
    // A program that stopped reading has told too little, which shows in the count of lines.
    let _ = writer.join();
    let lines = told.lines().map(str::trim).filter(|line| !line.is_empty());
    Ok(lines
        .map(|line| line.chars().filter(|sign| sign.is_alphabetic() && !"ˈˌː".contains(*sign)).collect())
        .collect())
}

/// How much must be changed to find `own` somewhere in `other`.
fn distance(own: &[char], other: &[char]) -> u32 {
    let mut row: Vec<u32> =
        (0..=other.len()).map(|place| OUTSIDE * u32::try_from(place).unwrap_or(u32::MAX)).collect();
    for sound in own {
        let mut last = row[0];
        row[0] += GAP;
        for (place, heard) in other.iter().enumerate() {
            let change = match (sound == heard, VOWELS.contains(*sound) == VOWELS.contains(*heard)) {
                (true, _) => 0,
                (false, true) => SAME_KIND,
                (false, false) => OTHER_KIND,
            };
            let best = (last + change).min(row[place] + GAP).min(row[place + 1] + GAP);
            last = std::mem::replace(&mut row[place + 1], best);
        }
    }
    let behind = row.iter().rev().zip(0..).map(|(cost, left): (&u32, u32)| cost + OUTSIDE * left);
    behind.min().unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sounds(text: &str) -> Vec<char> {
        text.chars().collect()
    }

    #[test]
    fn what_sounds_alike_is_near() {
        let own = sounds("dʒɑɹvɪs");
        let far = |other: &str| distance(&own, &sounds(other));
        assert_eq!(far("dʒɑɹvɪs"), 0);
        assert!(far("sɜɹvɪs") < far("tɛlɪfoʊn"), "service, telephone");
        assert!(far("hɑɹvɪst") < far("sɜɹvɪs"), "harvest, service");
    }

    #[test]
    fn words_of_a_lexicon_are_ranked() {
        let lexicon: Vec<String> = ["telephone", "service", "harvest", "jarvis", "window"].map(str::to_owned).into();
        let Ok(near) = near_in_sound("jarvis", &lexicon) else { return };
        assert_eq!(near.len(), 4);
        assert!(near[..2].contains(&"harvest".to_owned()) && near[..2].contains(&"service".to_owned()), "{near:?}");
    }
}
