//! Our words against the oracle's, on recordings of people.
//!
//! The oracle is faster-whisper (`tests/oracle.py` makes `oracle.tsv`) with its full window of 30 s. Ours must give the
//! same text there; with the window cut to the sound it may differ, and `cut_window.tsv` lists where it does. With
//! `SOTTO_BLESS=1` the test writes that list anew.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

mod memory;
mod spot;
mod tokens;

use asr::{ModelBytes, Options, Whisper, Window};

const ORACLE: &str = include_str!("oracle.tsv");
const CUT_WINDOW: &str = include_str!("cut_window.tsv");

/// A cut window may cost this much of word error, in either direction a matter of chance on so few words.
const WORD_ERROR_MARGIN: f64 = 0.02;

/// Clips whose text may change from machine to machine: another order of additions is another rounding to 8 bits, and one
/// speaker's words are a coin's toss. The word error is what holds the whole.
const ROUNDING_CLIPS_MAX: usize = 10;

/// Every so manieth clip is also heard in the full window, which takes ten times as long.
const FULL_WINDOW_EVERY: usize = 5;

struct Clip {
    file: &'static str,
    label: &'static str,
    oracle: &'static str,
}

fn clips() -> Vec<Clip> {
    let fields = |line: &'static str| {
        let mut fields = line.split('\t');
        let mut next = || fields.next().unwrap_or_default();
        Clip { file: next(), label: next(), oracle: next() }
    };
    ORACLE.lines().skip(1).map(fields).collect()
}

#[expect(clippy::print_stderr, reason = "a test that is skipped says so, and one that measures says what")]
fn say(line: &str) {
    eprintln!("{line}");
}

fn folder(variable: &str, otherwise: impl FnOnce() -> Option<PathBuf>, why: &str) -> Option<PathBuf> {
    let folder = std::env::var_os(variable).map(PathBuf::from).or_else(otherwise).filter(|folder| folder.is_dir());
    if folder.is_none() {
        say(&format!("SKIPPED: {why}"));
    }
    folder
}

fn data() -> Option<PathBuf> {
    test_speech::people::folder_or_skip()
}

/// The folder of a fetched model.
fn model_folder(model: &str) -> Option<PathBuf> {
    let cache = || {
        let cache = std::env::var_os("XDG_CACHE_HOME").map(PathBuf::from);
        Some(cache.or_else(|| Some(PathBuf::from(std::env::var_os("HOME")?).join(".cache")))?.join("sotto/models"))
    };
    let folder = folder("SOTTO_MODELS", cache, "no model was fetched")?.join(model);
    if folder.is_dir() {
        return Some(folder);
    }
    say(&format!("SKIPPED: the model {model} was not fetched"));
    None
}

fn whisper_of(model: &str) -> Option<Whisper> {
    let folder = model_folder(model)?;
    if let Ok(compact) = fs::read(folder.join("model.i8")) {
        return Some(Whisper::read(&mut compact.as_slice()).expect("the fetched model is good"));
    }
    let read = |name: &str| fs::read(folder.join(name)).expect("a fetched model is complete");
    let (model, config, vocabulary) = (read("model.bin"), read("config.json"), read("vocabulary.txt"));
    let bytes = ModelBytes { model: &model, config: &config, vocabulary: &vocabulary };
    Some(Whisper::from_bytes(bytes).expect("the fetched model is good"))
}

fn whisper() -> Option<Whisper> {
    whisper_of("whisper-tiny-en")
}

/// A recording of people, as the recogniser takes it.
fn recording(data: &Path, file: &str) -> Vec<f32> {
    let pcm = sound::decode_file(&data.join("speech").join(file)).expect("the recording is good");
    pcm.into_iter().map(|sample| f32::from(sample) / 32_768.0).collect()
}

fn hear(whisper: &Whisper, data: &Path, clip: &Clip, window: Window) -> String {
    let sound = recording(data, clip.file);
    let options = Options { window, ..Options::to_the_end() };
    whisper.transcribe(&sound, &options).expect("it is short enough").text.expose().clone()
}

fn words(text: &str) -> Vec<String> {
    let kept = |c: char| if c.is_alphanumeric() || c == '\'' { c.to_ascii_lowercase() } else { ' ' };
    text.chars().map(kept).collect::<String>().split_whitespace().map(str::to_owned).collect()
}

/// Words to insert, delete or replace.
fn errors(label: &[String], text: &[String]) -> usize {
    let mut row: Vec<usize> = (0..=text.len()).collect();
    for (i, expected) in label.iter().enumerate() {
        let mut diagonal = std::mem::replace(&mut row[0], i + 1);
        for (j, found) in text.iter().enumerate() {
            let replaced = diagonal + usize::from(expected != found);
            diagonal = row[j + 1];
            row[j + 1] = replaced.min(diagonal + 1).min(row[j] + 1);
        }
    }
    row[text.len()]
}

#[test]
fn the_full_window_gives_the_oracles_text() {
    let (Some(data), Some(whisper)) = (data(), whisper()) else { return };
    let labelled = clips().into_iter().filter(|clip| !clip.label.is_empty());
    let chosen: Vec<Clip> = labelled.step_by(FULL_WINDOW_EVERY).collect();
    let heard = |clip: &Clip| hear(&whisper, &data, clip, Window::Full);
    let differ: Vec<_> = chosen.iter().map(|clip| (heard(clip), clip.oracle)).filter(|(a, b)| a != b).collect();
    assert!(differ.len() <= chosen.len() / 8, "{} of {}: {differ:?}", differ.len(), chosen.len());
}

#[test]
fn the_cut_window_hears_as_well_as_the_oracle() {
    let (Some(data), Some(whisper)) = (data(), whisper()) else { return };
    let (mut ours, mut oracles, mut n_words) = (0, 0, 0);
    let mut differing = BTreeMap::new();
    for clip in clips() {
        let heard = hear(&whisper, &data, &clip, Window::Cut);
        let label = words(clip.label);
        if !label.is_empty() {
            ours += errors(&label, &words(&heard));
            oracles += errors(&label, &words(clip.oracle));
            n_words += label.len();
        }
        if words(&heard) != words(clip.oracle) {
            differing.insert(clip.file, (clip.oracle, heard));
        }
    }
    let [ours, oracles] = [ours, oracles].map(|errors| errors as f64 / n_words as f64);
    let n_same = clips().len() - differing.len();
    say(&format!(
        "word error {ours:.3}, the oracle's {oracles:.3}; the same words in {n_same} of {} clips",
        clips().len()
    ));
    assert!(ours <= oracles + WORD_ERROR_MARGIN, "word error {ours:.3}, the oracle's {oracles:.3}");

    let mut list = String::from("file\toracle\tcut window\n");
    for (file, (oracle, heard)) in &differing {
        writeln!(list, "{file}\t{oracle}\t{heard}").expect("a text takes all that is written");
    }
    if std::env::var_os("SOTTO_BLESS").is_some() {
        let golden = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/cut_window.tsv");
        fs::write(golden, &list).expect("the golden is written");
        return;
    }
    let new: Vec<&str> = list.lines().filter(|line| !CUT_WINDOW.lines().any(|known| known == *line)).collect();
    assert!(new.len() <= ROUNDING_CLIPS_MAX, "not in cut_window.tsv: {new:#?}");
}
