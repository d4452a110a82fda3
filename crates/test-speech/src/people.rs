//! Recordings of people, which are not in the repository: in the folder that `SOTTO_DEV_DATA` names, or beside the
//! clone. Tests that have synthetic speech use them besides; a test that is about people alone skips without them.

use std::path::{Path, PathBuf};

use crate::{Clip, skip};

/// "Alexa, what time is it", said by a person.
const REQUEST: &str = "speech/richtier-alexa/ecb572c012_alexa_what_time_is_it.flac";

/// The folder of the recordings, if it is there.
#[must_use]
pub fn folder() -> Option<PathBuf> {
    let beside = || Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data");
    let folder = std::env::var_os("SOTTO_DEV_DATA").map_or_else(beside, PathBuf::from);
    folder.join("speech/manifest.tsv").is_file().then_some(folder)
}

/// The folder of the recordings, for a test that is nothing without them: says so where they are not there.
#[must_use]
pub fn folder_or_skip() -> Option<PathBuf> {
    let folder = folder();
    if folder.is_none() {
        skip("it takes recordings of people (SOTTO_DEV_DATA)");
    }
    folder
}

/// The file of a person's "Alexa, what time is it".
#[must_use]
pub fn request_file() -> Option<PathBuf> {
    Some(folder()?.join(REQUEST))
}

/// A person's "Alexa, what time is it".
#[must_use]
pub fn request() -> Option<Vec<i16>> {
    Some(decode(&request_file()?))
}

/// A recording by its path below the folder.
#[must_use]
pub fn recording(path: &str) -> Option<Vec<i16>> {
    Some(decode(&folder()?.join(path)))
}

/// The recordings of speech of a source that bear a label, or all of the source where the label is empty; none where
/// there are no recordings.
#[must_use]
pub fn clips(source: &str, label: &str) -> Vec<Clip> {
    let Some(folder) = folder() else { return Vec::new() };
    let table = std::fs::read_to_string(folder.join("speech/manifest.tsv")).expect("the manifest is readable");
    let wanted = |line: &str| {
        let fields: Vec<&str> = line.split('\t').collect();
        let is_wanted = fields.get(1) == Some(&source) && (label.is_empty() || fields.get(3) == Some(&label));
        is_wanted.then(|| (fields[0].to_owned(), fields[3].to_lowercase()))
    };
    let found = table.lines().skip(1).filter_map(wanted);
    found.map(|(name, label)| Clip { pcm: decode(&folder.join("speech").join(&name)), name, label }).collect()
}

fn decode(path: &Path) -> Vec<i16> {
    sound::decode_file(path).expect("the recording is good")
}
