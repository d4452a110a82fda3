//! Clips of the word: by people, by synthetic voices, by the user.

use std::collections::BTreeMap;
use std::path::Path;

use learn::bounds::word_bounds;
use learn::scene::WordClip;
use learn::wake::Clip;
use learn::wake::parts::{PARTS, part_of};

use super::{Table, decode, list};
use crate::failure::Failure;

/// Where the word's own clips come from: Apache-2.0, public domain. The clips of `richtier-alexa`, which judge the whole
/// path, are not among them.
const WORD_SOURCES: [&str; 2] = ["picovoice-wwb", "mycroft-pcd"];
/// The voices of words whose clips' names say nothing of them: path, fold, cluster.
const FOLDS: [(&str, &str); 1] = [("computer", include_str!("../../../../mind/learn/folds/computer.tsv"))];

/// The isolated clips of the word by people, each with its part: by known voices, else by the number in their names,
/// since neighbours share a voice.
pub(super) fn of_people(data: &Path, word: &str) -> Result<Vec<Clip>, Failure> {
    let speech = data.join("speech");
    let manifest = Table::read(&speech.join("manifest.tsv"))?;
    let mut words = Vec::new();
    for row in manifest.rows() {
        if WORD_SOURCES.contains(&row.get("source")) && row.get("label") == word {
            let path = row.get("path");
            words.extend(clip(path, decode(&speech.join(path))?));
        }
    }
    words.extend(in_the_background(data, word)?);
    let table = FOLDS.iter().find(|(name, _)| *name == word).map(|(_, table)| parts_by_voice(table));
    if let Some(parts) = table {
        let known = words.into_iter().filter_map(|word| Some(Clip { part: *parts.get(&word.name)?, word }));
        return Ok(known.collect());
    }
    let number = |clip: &WordClip| {
        let digits = clip.name.rsplit(['_', '/']).next().unwrap_or_default();
        digits.trim_end_matches(".flac").parse::<u32>().unwrap_or(u32::MAX)
    };
    words.sort_by_key(|clip| (number(clip), clip.name.clone()));
    let len = words.len();
    Ok(words.into_iter().enumerate().map(|(index, word)| Clip { part: part_of(index, len), word }).collect())
}

/// Clips of the word that lie among the long recordings.
fn in_the_background(data: &Path, word: &str) -> Result<Vec<WordClip>, Failure> {
    let folder = data.join("background");
    let index = Table::read(&folder.join("index.tsv"))?;
    let mut recordings: BTreeMap<String, Vec<i16>> = BTreeMap::new();
    let mut words = Vec::new();
    for row in index.rows().filter(|row| WORD_SOURCES.contains(&row.get("source")) && row.get("label") == word) {
        let file = row.get("file");
        if !recordings.contains_key(file) {
            recordings.insert(file.to_owned(), decode(&folder.join(file))?);
        }
        let piece = recordings[file].get(row.samples("start_s")..row.samples("end_s")).unwrap_or_default();
        words.extend(clip(&format!("{file} at {} s", row.get("start_s")), piece.to_vec()));
    }
    Ok(words)
}

/// Clips named `VOICE_….wav`: voices are dealt to parts, so that each part has voices of every kind.
pub(super) fn of_voices(folder: &Path) -> Result<Vec<Clip>, Failure> {
    let mut voices: Vec<String> = Vec::new();
    let mut clips = Vec::new();
    for path in list(folder)? {
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let voice = name.rsplitn(3, '_').last().unwrap_or_default().to_owned();
        if voices.last() != Some(&voice) {
            voices.push(voice);
        }
        let part = u8::try_from((voices.len() - 1) % usize::from(PARTS)).unwrap_or(0);
        clips.extend(clip(&name, decode(&path)?).map(|word| Clip { word, part }));
    }
    Ok(clips)
}

/// The user's own recordings.
pub(super) fn of_the_user(folder: &Path) -> Result<Vec<Clip>, Failure> {
    let mut clips = Vec::new();
    for path in list(folder)? {
        let name = path.display().to_string();
        let word = clip(&name, decode(&path)?);
        let word = word.ok_or_else(|| Failure::usage(format!("{name}: no single clear word in it")))?;
        clips.push(Clip { word, part: 0 });
    }
    Ok(clips)
}

/// A clip, where it holds one clear word.
fn clip(name: &str, pcm: Vec<i16>) -> Option<WordClip> {
    let bounds = word_bounds(&pcm)?;
    Some(WordClip { name: name.to_owned(), pcm, bounds })
}

/// The part of each clip of a table of folds: its first half of voices lies in the fold's first part.
fn parts_by_voice(table: &str) -> BTreeMap<String, u8> {
    let rows = table.lines().filter(|line| !line.starts_with('#'));
    let rows: Vec<(&str, u8)> = rows
        .filter_map(|line| {
            let mut cells = line.split('\t');
            Some((cells.next()?, cells.next()?.parse().ok()?))
        })
        .collect();
    let len = |fold: u8| rows.iter().filter(|(_, own)| *own == fold).count();
    let mut met: BTreeMap<u8, usize> = BTreeMap::new();
    let mut parts = BTreeMap::new();
    for (path, fold) in &rows {
        let rank = met.entry(*fold).or_default();
        parts.insert((*path).to_owned(), 2 * fold + u8::from(*rank * 2 >= len(*fold)));
        *rank += 1;
    }
    parts
}
