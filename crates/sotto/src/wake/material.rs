//! The development recordings, by what their terms allow: what a shipped word may be trained from, and what may only
//! judge it; and by parts, so that what judges a set of weights was not met by them.

mod background;
mod clips;
mod table;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use learn::scene::Props;
use learn::scene::room::Rooms;
use learn::wake::parts::PARTS;
use learn::wake::{Clip, Material, Stretch};

pub(crate) use self::table::Table;
use crate::failure::Failure;

/// Words with fewer recordings of people than this are judged by synthetic voices, and say so.
const HUMAN_CLIPS_MIN: usize = 40;
/// Measured rooms that scenes to learn from are put into; the others judge.
const ROOMS_TO_LEARN_FROM: [&str; 2] = ["_rir1", "_rir2"];

/// Recordings of a word and of all else.
#[derive(Debug)]
pub(crate) struct Recordings {
    /// All of them, by use and part.
    pub(crate) material: Material,
    /// How many of the clips that judge are of people; 0 where they are synthetic.
    pub(crate) human_clips: usize,
    /// Clips of people where there are too few to judge by: they only train.
    pub(crate) few_human_clips: usize,
}

/// Where recordings are read from.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Sources<'s> {
    /// `speech/`, `background/` and `noise/` with their tables.
    pub(crate) data: &'s Path,
    /// Clips of the word by good synthetic voices: `VOICE_….wav`.
    pub(crate) voices: Option<&'s Path>,
    /// The user's own recordings of the word.
    pub(crate) own: Option<&'s Path>,
    /// More recordings in which nobody says the word.
    pub(crate) other_speech: Option<&'s Path>,
}

impl Recordings {
    /// Reads all that there is for `word`.
    pub(crate) fn read(sources: Sources<'_>, word: &str) -> Result<Self, Failure> {
        let human = clips::of_people(sources.data, word)?;
        let synthetic = sources.voices.map_or(Ok(Vec::new()), clips::of_voices)?;
        let own = sources.own.map_or(Ok(Vec::new()), clips::of_the_user)?;
        let other_speech = sources.other_speech.map_or(Ok(Vec::new()), |folder| {
            list(folder)?.iter().map(|path| decode(path)).collect::<Result<Vec<_>, _>>()
        })?;
        let words = |clips: Vec<Clip>| clips.into_iter().map(|clip| clip.word).collect::<Vec<_>>();
        let count = human.len();
        let is_human = count >= HUMAN_CLIPS_MIN;
        let (clips, company) = if is_human { (human, words(synthetic)) } else { (synthetic, words(human)) };
        let stretches = background::stretches(sources.data, word)?;
        let (props, judging) = props(sources.data, &stretches)?;
        let (human_clips, few_human_clips) = if is_human { (count, 0) } else { (0, count) };
        let material = Material { clips, company, own: words(own), stretches, other_speech, props, judging };
        Ok(Self { material, human_clips, few_human_clips })
    }
}

/// Up to `count` recordings of people saying the word, from all over them; none where there are none.
pub(crate) fn people_saying(data: &Path, word: &str, count: usize) -> Result<Vec<Vec<i16>>, Failure> {
    let clips = clips::of_people(data, word)?;
    let step = clips.len().div_ceil(count).max(1);
    Ok(clips.into_iter().step_by(step).map(|clip| clip.word.pcm).collect())
}

/// What scenes are furnished with, one set a part: to learn from, and to judge by.
fn props(data: &Path, stretches: &[Stretch]) -> Result<(Vec<Props>, Vec<Props>), Failure> {
    let kitchen = decode(&data.join("noise/kitchen.flac"))?;
    let (mut noises, mut rooms, mut far_rooms) = (Vec::new(), Vec::new(), Vec::new());
    for path in list(&data.join("speech/speechbrain"))? {
        let name = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        if name.contains("_noise") {
            noises.push(decode(&path)?);
        } else if ROOMS_TO_LEARN_FROM.iter().any(|room| name.ends_with(room)) {
            rooms.push(decode(&path)?);
        } else if name.contains("_rir") {
            far_rooms.push(decode(&path)?);
        }
    }
    let piece = kitchen.len() / usize::from(PARTS);
    let speech = |part: u8, is_wanted: &dyn Fn(&Stretch) -> bool| -> Vec<Arc<[i16]>> {
        let own = stretches.iter().filter(|stretch| stretch.part == part && is_wanted(stretch));
        own.map(|stretch| Arc::clone(&stretch.pcm)).collect()
    };
    let (mut to_learn, mut to_judge) = (Vec::new(), Vec::new());
    for part in 0..PARTS {
        let start = usize::from(part) * piece;
        let own = kitchen[start..start + piece].to_vec();
        let mut all = vec![own.clone(), own.clone()];
        all.extend(noises.iter().cloned());
        to_learn.push(Props {
            speech: speech(part, &|stretch| stretch.trains),
            noises: all,
            rooms: Rooms::new(&rooms),
        });
        to_judge.push(Props { speech: speech(part, &|_| true), noises: vec![own], rooms: Rooms::new(&far_rooms) });
    }
    Ok((to_learn, to_judge))
}

/// The files of a folder, by name.
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
