//! What all engines hear: human recordings of the word in a quiet room, in a kitchen and among eight voices, and long
//! speech without it; written once to a folder that is removed afterwards.

use std::ops::Range;
use std::path::{Path, PathBuf};

use base::SAMPLE_RATE_HZ;
use learn::bounds::word_bounds;
use learn::random::Chance;
use learn::scene::{add_at_ratio, babble, rms, to_pcm};
use learn::wake::Condition;

use crate::failure::Failure;
use crate::wake::decode;

const RATE: usize = SAMPLE_RATE_HZ as usize;
/// Room before and behind a clip, and what it hums with.
const BEFORE: usize = 2 * RATE;
const BEHIND: usize = 3 * RATE / 2;
const ROOM: f32 = 8.0;
/// A wake counts for the word from its onset until so long behind its end.
const LATE_S: f64 = 1.0;
/// Long speech is heard in pieces.
const PIECE: usize = 60 * RATE;
const VOICES: usize = 8;

/// What a clip is heard in.
pub(super) const CONDITIONS: [Condition; 3] = [Condition::Clean, Condition::Kitchen(10), Condition::Babble(10)];

/// One stream.
#[derive(Debug)]
pub(super) struct Stream {
    path: PathBuf,
    /// What the word is heard in; none where the word is not said.
    pub(super) condition: Option<&'static str>,
    pub(super) seconds: f64,
    /// When a wake counts for the word.
    pub(super) word_s: Range<f64>,
}

/// All streams, and the folder they lie in.
#[derive(Debug)]
pub(super) struct Streams {
    folder: PathBuf,
    pub(super) all: Vec<Stream>,
}

impl Drop for Streams {
    fn drop(&mut self) {
        // What is left behind is a folder in the place for such.
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

impl Streams {
    /// Makes them from the development recordings and writes them into `folder`.
    pub(super) fn write(
        folder: PathBuf,
        data: &Path,
        word: &str,
        clips: usize,
        minutes: usize,
    ) -> Result<Self, Failure> {
        std::fs::create_dir_all(&folder).map_err(|why| Failure::no(format!("{}: {why}", folder.display())))?;
        let mut streams = Self { folder, all: Vec::new() };
        let (words, others) = recordings(data, word)?;
        let step = words.len().div_ceil(clips).max(1);
        let kitchen = decode(&data.join("noise/kitchen.flac"))?;
        let speech = speech(&data.join("background"), word, minutes)?;
        let voices: Vec<Vec<i16>> = others.iter().map(|path| decode(path)).collect::<Result<_, _>>()?;
        let mut chance = Chance::new(11);
        for path in words.iter().step_by(step) {
            let clip = decode(path)?;
            let Some(bounds) = word_bounds(&clip) else { continue };
            for condition in CONDITIONS {
                let mut sound = vec![0.0; BEFORE];
                sound.extend(clip.iter().map(|sample| f32::from(*sample)));
                sound.resize(sound.len() + BEHIND, 0.0);
                let loudness = rms(&sound[BEFORE + bounds.start..BEFORE + bounds.end]);
                sound.iter_mut().for_each(|value| *value += ROOM * chance.normal());
                match condition {
                    Condition::Clean | Condition::Far => {}
                    Condition::Kitchen(ratio_db) => {
                        let from = chance.index(kitchen.len());
                        let noise = kitchen.iter().cycle().skip(from).take(sound.len());
                        let noise: Vec<f32> = noise.map(|sample| f32::from(*sample)).collect();
                        add_at_ratio(&mut sound, &noise, loudness, f32::from(ratio_db));
                    }
                    Condition::Babble(ratio_db) => {
                        let noise = babble(&voices, sound.len(), VOICES, &mut chance);
                        add_at_ratio(&mut sound, &noise, loudness, f32::from(ratio_db));
                    }
                }
                let second = |sample: usize| (BEFORE + sample) as f64 / RATE as f64;
                let word_s = second(bounds.start)..second(bounds.end) + LATE_S;
                streams.add(&to_pcm(&sound, 1.0), Some(condition.name()), word_s)?;
            }
        }
        for piece in speech.chunks(PIECE) {
            streams.add(piece, None, 0.0..0.0)?;
        }
        Ok(streams)
    }

    fn add(&mut self, pcm: &[i16], condition: Option<&'static str>, word_s: Range<f64>) -> Result<(), Failure> {
        let path = self.folder.join(format!("{}.wav", self.all.len()));
        let written = std::fs::File::create(&path)
            .and_then(|file| sound::write_wav(std::io::BufWriter::new(file), SAMPLE_RATE_HZ, pcm));
        written.map_err(|why| Failure::no(format!("{}: {why}", path.display())))?;
        self.all.push(Stream { path, condition, seconds: pcm.len() as f64 / RATE as f64, word_s });
        Ok(())
    }

    /// Where they lie, in order.
    pub(super) fn paths(&self) -> impl Iterator<Item = &Path> {
        self.all.iter().map(|stream| stream.path.as_path())
    }

    /// How long all of them are.
    pub(super) fn seconds(&self) -> f64 {
        self.all.iter().map(|stream| stream.seconds).sum()
    }
}

/// Isolated recordings of the word, and of people who say something else.
fn recordings(data: &Path, word: &str) -> Result<(Vec<PathBuf>, Vec<PathBuf>), Failure> {
    let folder = data.join("speech");
    let table = folder.join("manifest.tsv");
    let text =
        std::fs::read_to_string(&table).map_err(|why| Failure::usage(format!("{}: {why}", table.display())))?;
    let (mut words, mut others) = (Vec::new(), Vec::new());
    for row in text.lines().skip(1).map(|line| line.split('\t').collect::<Vec<_>>()) {
        let [path, _, _, label, _, _, _, kind, ..] = row[..] else { continue };
        if label.eq_ignore_ascii_case(word) && kind == "human" {
            words.push(folder.join(path));
        } else if path.starts_with("resemblyzer-librispeech/") || path.starts_with("eagle/") {
            others.push(folder.join(path));
        }
    }
    if words.is_empty() || others.is_empty() {
        return Err(Failure::usage(format!("{}: no human recordings of {word:?}", table.display())));
    }
    Ok((words, others))
}

/// So many minutes of long speech without the word: as much of each file.
fn speech(folder: &Path, word: &str, minutes: usize) -> Result<Vec<i16>, Failure> {
    let table = folder.join("index.tsv");
    let text =
        std::fs::read_to_string(&table).map_err(|why| Failure::usage(format!("{}: {why}", table.display())))?;
    let rows = || text.lines().skip(1).map(|line| line.split('\t').collect::<Vec<_>>()).filter(|row| row.len() >= 5);
    let mut files: Vec<&str> = rows().map(|row| row[0]).collect();
    files.dedup();
    let wanted = minutes * 60 * RATE / files.len().max(1);
    let mut all = Vec::new();
    for file in files {
        let second = |text: &str| (text.parse::<f64>().unwrap_or(0.0) * RATE as f64) as usize;
        let mut taken = 0;
        let stretches: Vec<_> = rows()
            .filter(|row| row[0] == file && !row[4].to_lowercase().contains(word))
            .map(|row| second(row[1])..second(row[2]) + RATE / 2)
            .take_while(|stretch| {
                let is_wanted = taken < wanted;
                taken += stretch.len();
                is_wanted
            })
            .collect();
        let pcm = beginning(&folder.join(file), stretches.last().map_or(0, |stretch| stretch.end))?;
        for stretch in stretches {
            all.extend_from_slice(&pcm[stretch.start.min(pcm.len())..stretch.end.min(pcm.len())]);
        }
    }
    Ok(all)
}

/// The first `len` samples of a recording, and a few more.
fn beginning(path: &Path, len: usize) -> Result<Vec<i16>, Failure> {
    let failed = |why: sound::SoundError| Failure::usage(why.to_string());
    let mut reader = sound::SoundReader::open(path).map_err(failed)?;
    let mut pcm = Vec::new();
    while pcm.len() < len && reader.read(&mut pcm).map_err(failed)? {}
    Ok(pcm)
}
