//! A word that is listened for, in recordings of people that hold it and in others.

use std::fs;
use std::path::Path;

use super::{data, recording, say, whisper};

/// The most that is listened to: the word may stand anywhere in its recording.
const WINDOW_SAMPLES: usize = 64_000;

/// Clips of each kind.
const CLIPS: usize = 24;

/// A word that is there scores above this, other speech below that: the room between is the threshold's.
const SAID: f32 = -1.5;
const NOT_SAID: f32 = -7.0;

/// Of [`CLIPS`], so many may lie on the wrong side: some are hardly to be understood.
const ASTRAY_MAX: usize = 2;

fn clips(data: &Path, is_wanted: impl Fn(&str, &str) -> bool) -> Vec<String> {
    let manifest =
        fs::read_to_string(data.join("speech/manifest.tsv")).expect("the manifest lies beside the recordings");
    let wanted = manifest.lines().skip(1).filter_map(|line| {
        let fields: Vec<&str> = line.split('\t').collect();
        is_wanted(fields[1], &fields[3].to_lowercase()).then(|| fields[0].to_owned())
    });
    let wanted: Vec<String> = wanted.collect();
    let step = (wanted.len() / CLIPS).max(1);
    wanted.into_iter().step_by(step).take(CLIPS).collect()
}

fn scores(clips: &[String], data: &Path, spelling: &str) -> Option<Vec<f32>> {
    let whisper = whisper()?;
    let phrase = whisper.phrase(&[spelling]).expect("a word");
    let score = |file: &String| {
        let sound = recording(data, file);
        let window = &sound[..sound.len().min(WINDOW_SAMPLES)];
        whisper.spot(window, &phrase, &|| false).expect("it is short").log_probability
    };
    Some(clips.iter().map(score).collect())
}

#[test]
fn a_word_scores_high_where_it_was_said_and_low_elsewhere() {
    let Some(data) = data() else { return };
    for word in ["alexa", "computer"] {
        let said = clips(&data, |source, label| source == "picovoice-wwb" && label == word);
        let others = clips(&data, |source, label| {
            ["resemblyzer-librispeech", "picovoice-s2i", "eagle"].contains(&source) && !label.contains(word)
        });
        let (Some(said), Some(others)) = (scores(&said, &data, word), scores(&others, &data, word)) else { return };
        say(&format!("{word} said {said:.1?}\n{word} not said {others:.1?}"));
        assert!(said.len() >= CLIPS && others.len() >= CLIPS, "{} and {} clips", said.len(), others.len());
        assert!(said.iter().filter(|score| **score < SAID).count() <= ASTRAY_MAX, "{word} said: {said:?}");
        assert!(others.iter().all(|score| *score < NOT_SAID), "{word} not said: {others:?}");
    }
}
