//! The development recordings, by what their terms allow: what a shipped word may be trained from, and what may only
//! judge it.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use learn::bounds::word_bounds;
use learn::scene::room::Rooms;
use learn::scene::{Props, WordClip};
use learn::wake::Material;

use crate::failure::Failure;

/// Where the word's own clips come from. The clips of `richtier-alexa`, which judge the whole path, are not among them.
const WORD_SOURCE: &str = "picovoice-wwb";
/// Long speech whose terms let weights trained on it ship freely: Apache-2.0, public domain, Apache-2.0.
const FREE_SPEECH: [&str; 3] = ["picovoice-wwb", "mycroft-pcd", "watson-stt"];
/// Long speech that is share-alike or of its own terms. It only judges: CC-BY-SA-4.0, the game's licence, CC-BY-SA-3.0.
const JUDGING_SPEECH: [&str; 3] = ["wuw-corpus-ii", "fotaq-speech", "debian-asterisk-en"];
/// The kitchen's first part is trained with, the rest judges: samples.
const KITCHEN_SPLIT: usize = 40 * 16_000;

/// Recordings by use.
#[derive(Debug)]
pub(crate) struct Recordings {
    /// To learn from.
    pub(crate) material: Material,
    /// To judge with: other voices, other noise.
    pub(crate) judging: Props,
    /// Names of `judging.speech`, in its order.
    pub(crate) judging_names: Vec<String>,
}

impl Recordings {
    /// Reads what lies in `data` for `word`.
    pub(crate) fn read(data: &Path, word: &str) -> Result<Self, Failure> {
        let (kitchen, kitchen_rest) = split(&decode(&data.join("noise/kitchen.flac"))?);
        let mut noises = vec![kitchen];
        let mut rooms = Vec::new();
        for path in list(&data.join("speech/speechbrain"))? {
            let name = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
            if name.contains("_noise") {
                noises.push(decode(&path)?);
            } else if name.contains("_rir") {
                rooms.push(decode(&path)?);
            }
        }
        let (speech, _) = read_background(data, &FREE_SPEECH)?;
        let (judging_speech, judging_names) = read_background(data, &JUDGING_SPEECH)?;
        let clips = word_clips(data, word)?;
        let props = Props { speech, noises, rooms: Rooms::new(&rooms) };
        let judging = Props { speech: judging_speech, noises: vec![kitchen_rest], rooms: Rooms::new(&[]) };
        Ok(Self { material: Material { clips, props }, judging, judging_names })
    }
}

/// The isolated clips of the word, in the order of the number in their names: neighbours share a voice.
fn word_clips(data: &Path, word: &str) -> Result<Vec<WordClip>, Failure> {
    let speech = data.join("speech");
    let manifest = Table::read(&speech.join("manifest.tsv"))?;
    let mut clips = Vec::new();
    for row in manifest.rows() {
        if row.get("source") == WORD_SOURCE && row.get("label") == word {
            let path = row.get("path");
            let pcm = decode(&speech.join(path))?;
            if let Some(bounds) = word_bounds(&pcm) {
                clips.push(WordClip { name: path.to_owned(), pcm, bounds });
            }
        }
    }
    let number = |clip: &WordClip| {
        let digits = clip.name.rsplit(['_', '/']).next().unwrap_or_default();
        digits.trim_end_matches(".flac").parse::<u32>().unwrap_or(u32::MAX)
    };
    clips.sort_by_key(|clip| (number(clip), clip.name.clone()));
    Ok(clips)
}

fn read_background(data: &Path, sources: &[&str]) -> Result<(Vec<Vec<i16>>, Vec<String>), Failure> {
    let folder = data.join("background");
    let index = Table::read(&folder.join("index.tsv"))?;
    let names: BTreeSet<String> = index
        .rows()
        .filter(|row| sources.contains(&row.get("source")))
        .map(|row| row.get("file").to_owned())
        .collect();
    let recordings = names.iter().map(|name| decode(&folder.join(name))).collect::<Result<_, _>>()?;
    Ok((recordings, names.into_iter().collect()))
}

fn split(kitchen: &[i16]) -> (Vec<i16>, Vec<i16>) {
    let (first, rest) = kitchen.split_at(KITCHEN_SPLIT.min(kitchen.len()));
    (first.to_vec(), rest.to_vec())
}

fn list(folder: &Path) -> Result<Vec<PathBuf>, Failure> {
    let fail = |why: std::io::Error| Failure::usage(format!("{}: {why}", folder.display()));
    let entries = std::fs::read_dir(folder).map_err(fail)?;
    let mut paths =
        entries.map(|entry| entry.map(|entry| entry.path())).collect::<Result<Vec<_>, _>>().map_err(fail)?;
    paths.sort();
    Ok(paths)
}

/// A file's sound; the error names the file.
pub(crate) fn decode(path: &Path) -> Result<Vec<i16>, Failure> {
    sound::decode_file(path).map_err(|why| Failure::usage(why.to_string()))
}

/// A tab-separated table with a line of names on top.
#[derive(Debug)]
pub(crate) struct Table {
    names: Vec<String>,
    rows: Vec<Vec<String>>,
}

/// One line of a table.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Row<'t> {
    table: &'t Table,
    cells: &'t [String],
}

impl Table {
    /// Reads the file.
    pub(crate) fn read(path: &Path) -> Result<Self, Failure> {
        let text =
            std::fs::read_to_string(path).map_err(|why| Failure::usage(format!("{}: {why}", path.display())))?;
        let mut lines = text.lines().map(|line| line.split('\t').map(str::to_owned).collect::<Vec<_>>());
        let names = lines.next().unwrap_or_default();
        Ok(Self { names, rows: lines.collect() })
    }

    /// All lines but the first.
    pub(crate) fn rows(&self) -> impl Iterator<Item = Row<'_>> {
        self.rows.iter().map(|cells| Row { table: self, cells })
    }
}

impl<'t> Row<'t> {
    /// The cell under `name`; empty where there is none.
    pub(crate) fn get(self, name: &str) -> &'t str {
        let column = self.table.names.iter().position(|known| known == name);
        column.and_then(|column| self.cells.get(column)).map_or("", String::as_str)
    }
}
