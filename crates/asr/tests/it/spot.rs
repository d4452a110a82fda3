//! A word that is listened for, in speech that holds it and in other.

use test_speech::{Clip, people};

use super::{say, whisper};

/// The most that is listened to: the word may stand anywhere in its recording.
const WINDOW_SAMPLES: usize = 64_000;

/// Clips of each kind.
const CLIPS: usize = 24;

/// A word that is there scores above this, other speech below that: the room between is the threshold's.
const SAID: f32 = -1.5;
/// ... by a machine's voice, which the recogniser doubts more.
const SAID_BY_A_MACHINE: f32 = -5.0;
const NOT_SAID: f32 = -7.0;

/// Of [`CLIPS`], so many may lie on the wrong side: some are hardly to be understood.
const ASTRAY_MAX: usize = 2;

/// So many of them, from all over.
fn some(clips: Vec<Clip>) -> Vec<Clip> {
    let step = (clips.len() / CLIPS).max(1);
    clips.into_iter().step_by(step).take(CLIPS).collect()
}

fn scores(clips: &[Clip], spelling: &str) -> Option<Vec<f32>> {
    let whisper = whisper()?;
    let phrase = whisper.phrase(&[spelling]).expect("a word");
    let score = |clip: &Clip| {
        let sound: Vec<f32> = clip.pcm.iter().map(|sample| f32::from(*sample) / 32_768.0).collect();
        let window = &sound[..sound.len().min(WINDOW_SAMPLES)];
        whisper.spot(window, &phrase, &|| false).expect("it is short").log_probability
    };
    Some(clips.iter().map(score).collect())
}

#[test]
fn a_word_scores_high_where_it_was_said_and_low_elsewhere() {
    for word in ["alexa", "computer"] {
        check(
            word,
            "synthetic voices",
            SAID_BY_A_MACHINE,
            some(test_speech::words(word)),
            some(test_speech::commands(60)),
        );
        let others = ["resemblyzer-librispeech", "picovoice-s2i", "eagle"].map(|source| people::clips(source, ""));
        let others: Vec<Clip> = others.into_iter().flatten().filter(|clip| !clip.label.contains(word)).collect();
        if !others.is_empty() {
            check(word, "people", SAID, some(people::clips("picovoice-wwb", word)), some(others));
        }
    }
}

fn check(word: &str, who: &str, least: f32, said: Vec<Clip>, others: Vec<Clip>) {
    let (Some(said), Some(others)) = (scores(&said, word), scores(&others, word)) else { return };
    say(&format!("{who}: {word} said {said:.1?}\n{word} not said {others:.1?}"));
    assert!(said.len() >= CLIPS && others.len() >= CLIPS, "{} and {} clips", said.len(), others.len());
    let astray = said.iter().filter(|score| **score < least).count();
    assert!(astray <= ASTRAY_MAX, "{who}: {word} said: {said:?}");
    assert!(others.iter().all(|score| *score < NOT_SAID), "{who}: {word} not said: {others:?}");
}
