//! The second stage on the project's own recogniser (crate `asr`, Whisper tiny.en).

use std::fs::File;
use std::io::{BufReader, ErrorKind};
use std::path::Path;
use std::sync::Arc;

use asr::{ModelBytes, Phrase, Session, Whisper};
use zeroize::Zeroize;

use crate::detector::WordVerifier;
use crate::error::EarError;
use crate::hindsight::KEPT;
use crate::verify::Verify;

/// The recogniser's folder below the models' directory, and its files: the compact one that fetching makes, or the three
/// that it is made of.
const FOLDER: &str = "whisper-tiny-en";
const COMPACT_FILE: &str = "model.i8";
const MODEL_FILE: &str = "model.bin";
const CONFIG_FILE: &str = "config.json";
const VOCABULARY_FILE: &str = "vocabulary.txt";
/// What one window tells depends on where it begins: the decoder's path is another 80 ms later. A second window begins so
/// many samples into the first.
const SECOND_WINDOW: usize = 1_280;
/// Below this the first window has decided: no word's mean with a second one was ever high enough.
const HOPELESS: f32 = -11.0;
/// What errors call it.
const NAME: &str = "the recogniser of the second stage";

/// The recogniser's files: opened before a process gives up opening files, and taken apart after that.
#[derive(Debug)]
pub struct RecogniserFiles {
    files: Files,
}

enum Files {
    Compact(File),
    Whole { model: Vec<u8>, config: Vec<u8>, vocabulary: Vec<u8> },
}

impl RecogniserFiles {
    /// Opens them in the models' directory; none where the recogniser was not fetched.
    ///
    /// # Errors
    /// Where a file is missing from its folder or cannot be read.
    pub fn open(models: &Path) -> Result<Option<Self>, EarError> {
        let folder = models.join(FOLDER);
        if let Some(file) = if_there(&folder.join(COMPACT_FILE), File::open(folder.join(COMPACT_FILE)))? {
            return Ok(Some(Self { files: Files::Compact(file) }));
        }
        let read = |name: &str| {
            let path = folder.join(name);
            std::fs::read(&path).map_err(|source| EarError::Read { path: path.display().to_string(), source })
        };
        let Some(model) = if_there(&folder.join(MODEL_FILE), std::fs::read(folder.join(MODEL_FILE)))? else {
            return Ok(None);
        };
        let (config, vocabulary) = (read(CONFIG_FILE)?, read(VOCABULARY_FILE)?);
        Ok(Some(Self { files: Files::Whole { model, config, vocabulary } }))
    }

    /// Makes a recogniser of them.
    ///
    /// # Errors
    /// Where they are not a Whisper's.
    pub fn load(self) -> Result<Recogniser, EarError> {
        let whisper = match &self.files {
            Files::Compact(file) => Whisper::read(&mut BufReader::new(file)),
            Files::Whole { model, config, vocabulary } => {
                Whisper::from_bytes(ModelBytes { model, config, vocabulary })
            }
        };
        Ok(Recogniser { whisper: Arc::new(whisper.map_err(|why| wrong(&why))?) })
    }
}

impl std::fmt::Debug for Files {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Compact(_) => COMPACT_FILE,
            Self::Whole { .. } => MODEL_FILE,
        })
    }
}

/// What was got of the file at `path`; none where there is no such file.
fn if_there<T>(path: &Path, outcome: std::io::Result<T>) -> Result<Option<T>, EarError> {
    match outcome {
        Ok(value) => Ok(Some(value)),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(source) => Err(EarError::Read { path: path.display().to_string(), source }),
    }
}

/// A loaded recogniser. Cheap to clone; clones share everything.
#[derive(Clone, Debug)]
pub struct Recogniser {
    whisper: Arc<Whisper>,
}

impl Recogniser {
    /// Reads and loads it; none where it was not fetched.
    ///
    /// # Errors
    /// Those of [`RecogniserFiles::open`] and [`RecogniserFiles::load`].
    pub fn open(models: &Path) -> Result<Option<Self>, EarError> {
        RecogniserFiles::open(models)?.map(RecogniserFiles::load).transpose()
    }

    /// The second stage for a word.
    ///
    /// # Errors
    /// Where the recogniser cannot write the word.
    pub fn verifier(&self, verify: &Verify) -> Result<WhisperVerifier, EarError> {
        let spellings: Vec<&str> = verify.spellings.iter().map(String::as_str).collect();
        let phrase = self.whisper.phrase(&spellings).map_err(|why| wrong(&why))?;
        let sound = Vec::with_capacity(usize::try_from(KEPT.0).unwrap_or(0));
        Ok(WhisperVerifier { whisper: Arc::clone(&self.whisper), phrase, sound })
    }
}

/// Asks the recogniser for one word.
pub struct WhisperVerifier {
    whisper: Arc<Whisper>,
    phrase: Phrase,
    /// What is listened to, at a full scale of 1; wiped after each look.
    sound: Vec<f32>,
}

impl WhisperVerifier {
    /// What the window from the sample `start` on tells.
    fn spot(&self, session: &mut Session, start: usize) -> Option<f32> {
        let window = self.sound.get(start..).filter(|window| !window.is_empty())?;
        let spot = self.whisper.spot_in(session, window, &self.phrase, &|| false);
        spot.ok().map(|spot| spot.log_probability)
    }
}

impl WordVerifier for WhisperVerifier {
    /// The mean over two windows, the second [`SECOND_WINDOW`] shorter at its beginning.
    fn log_probability(&mut self, sound: &[i16]) -> Option<f32> {
        self.sound.extend(sound.iter().map(|sample| f32::from(*sample) / 32_768.0));
        // Of this look alone: what it computed of the sound goes with it.
        let mut session = self.whisper.session();
        let first = self.spot(&mut session, 0);
        let second = first.filter(|first| *first > HOPELESS).and_then(|_| self.spot(&mut session, SECOND_WINDOW));
        self.sound.zeroize();
        Some(first?.midpoint(second.or(first)?))
    }
}

/// Shows nothing of what it heard.
impl std::fmt::Debug for WhisperVerifier {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("WhisperVerifier").field("phrase", &self.phrase).finish_non_exhaustive()
    }
}

/// The recogniser's errors name arrays and reasons, never anything that was heard.
fn wrong(why: &asr::AsrError) -> EarError {
    EarError::Model { what: NAME, reason: why.to_string() }
}
