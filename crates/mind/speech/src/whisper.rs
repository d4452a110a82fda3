//! The recogniser of crate `asr`, its files, and sound of any length.

use std::fs::{self, File};
use std::io::{self, BufReader};
use std::ops::Range;
use std::path::Path;
use std::time::Duration;

use asr::{AsrError, ModelBytes, Options, SECONDS_MAX, Whisper, Window};
use base::{Redacted, SAMPLE_RATE_HZ};
use rustix::time::{ClockId, clock_gettime};

use crate::{Deadline, Recognition, Recognizer, SpeechError};

/// Sound that one call hears at most: an hour, in windows one after another.
pub const SOUND_SECONDS_MAX: u32 = 3_600;

/// A model file larger than this is none of ours: the largest Whisper has 3.1 GB, the ones we use up to 150 MB.
const MODEL_BYTES_MAX: u64 = 4 << 30;

/// The recogniser's own file, made when a model is fetched.
const COMPACT: &str = "model.i8";

const RATE: usize = SAMPLE_RATE_HZ as usize;

/// A long recording is cut into windows of at most this, each at the quietest place of its last part.
const WINDOW_SAMPLES_MAX: usize = SECONDS_MAX as usize * RATE;
const WINDOW_LAST_PART: usize = 10 * RATE;
const QUIET_SAMPLES: usize = RATE / 4;

/// Whisper, loaded from a folder: its compact file, or files in CTranslate2's format.
#[derive(Debug)]
pub struct WhisperRecognizer {
    whisper: Whisper,
    window: Window,
}

impl WhisperRecognizer {
    /// Loads `model.i8` from `folder` or, where that is not there, `model.bin`, `config.json` and `vocabulary.txt` (or
    /// `vocabulary.json`).
    ///
    /// # Errors
    ///
    /// Where a file is missing, cannot be read or is not a Whisper's, with its name and the reason.
    pub fn load(folder: &Path) -> Result<Self, SpeechError> {
        let whisper = match File::open(folder.join(COMPACT)) {
            Ok(file) => Whisper::read(&mut BufReader::new(file)),
            Err(source) if source.kind() != io::ErrorKind::NotFound => {
                return Err(SpeechError::UnreadableModel { path: folder.join(COMPACT), source });
            }
            Err(_) => {
                let vocabulary = match read(folder, "vocabulary.txt") {
                    Err(SpeechError::NoModel { .. }) if folder.join("vocabulary.json").exists() => {
                        read(folder, "vocabulary.json")?
                    }
                    vocabulary => vocabulary?,
                };
                let (model, config) = (read(folder, "model.bin")?, read(folder, "config.json")?);
                Whisper::from_bytes(ModelBytes { model: &model, config: &config, vocabulary: &vocabulary })
            }
        };
        let whisper = whisper.map_err(|source| SpeechError::BadModel { folder: folder.to_owned(), source })?;
        Ok(Self { whisper, window: Window::Cut })
    }

    /// The same recogniser with Whisper's full window of 30 s for the shortest word: many times the work.
    #[must_use]
    pub fn with_full_window(self) -> Self {
        Self { window: Window::Full, ..self }
    }

    fn recognize_window(&self, pcm: &[i16], deadline: &Deadline) -> Result<asr::Transcript, SpeechError> {
        let sound = Redacted::new(pcm.iter().map(|sample| f32::from(*sample) / 32_768.0).collect::<Vec<f32>>());
        let options = Options { window: self.window, stop: &|| deadline.has_passed() };
        self.whisper.transcribe(sound.expose(), &options).map_err(|error| match error {
            AsrError::Stopped => SpeechError::Late { within: deadline.given() },
            source => SpeechError::NotHeard { source },
        })
    }
}

impl Recognizer for WhisperRecognizer {
    fn recognize(&self, pcm: &[i16], deadline: &Deadline) -> Result<Recognition, SpeechError> {
        if SOUND_SECONDS_MAX as usize * RATE < pcm.len() {
            return Err(SpeechError::SoundTooLong { limit_seconds: SOUND_SECONDS_MAX });
        }
        let start = cpu_time();
        let mut heard =
            Recognition { text: Redacted::new(String::new()), avg_logprob: 0.0, no_speech: 1.0, cpu: Duration::ZERO };
        let mut weight = 0.0;
        for window in windows(pcm) {
            let transcript = self.recognize_window(&pcm[window], deadline)?;
            heard.no_speech = heard.no_speech.min(transcript.no_speech);
            let n_tokens = transcript.tokens.expose().len() as f32;
            if 0.0 < n_tokens {
                weight += n_tokens;
                heard.avg_logprob += (transcript.avg_logprob - heard.avg_logprob) * n_tokens / weight;
                let joined = format!("{} {}", heard.text.expose(), transcript.text.expose());
                heard.text = Redacted::new(joined.trim_start().to_owned());
            }
        }
        heard.cpu = cpu_time().saturating_sub(start);
        Ok(heard)
    }
}

/// A whole file of the model.
fn read(folder: &Path, name: &str) -> Result<Vec<u8>, SpeechError> {
    let path = folder.join(name);
    let outcome = fs::metadata(&path).and_then(|metadata| {
        if MODEL_BYTES_MAX < metadata.len() {
            return Err(io::Error::from(io::ErrorKind::FileTooLarge));
        }
        fs::read(&path)
    });
    outcome.map_err(|source| match source.kind() {
        io::ErrorKind::NotFound => SpeechError::NoModel { path },
        _ => SpeechError::UnreadableModel { path, source },
    })
}

/// The CPU time of this thread: an engine works on no other.
fn cpu_time() -> Duration {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    Duration::new(time.tv_sec.unsigned_abs(), u32::try_from(time.tv_nsec).unwrap_or_default())
}

/// The windows of a recording, each short enough to be heard at once; none for no sound.
fn windows(pcm: &[i16]) -> Vec<Range<usize>> {
    let mut windows = Vec::new();
    let mut start = 0;
    while start < pcm.len() {
        let rest = &pcm[start..];
        let n_samples = if rest.len() <= WINDOW_SAMPLES_MAX { rest.len() } else { quietest_end(rest) };
        windows.push(start..start + n_samples);
        start += n_samples;
    }
    windows
}

/// The middle of the quietest quarter of a second in the last part of a full window.
fn quietest_end(rest: &[i16]) -> usize {
    let first = WINDOW_SAMPLES_MAX - WINDOW_LAST_PART;
    let loudness = |at: &usize| -> u64 {
        rest[*at..at + QUIET_SAMPLES].iter().map(|sample| u64::from(sample.unsigned_abs())).sum()
    };
    let places = (first..WINDOW_SAMPLES_MAX - QUIET_SAMPLES).step_by(QUIET_SAMPLES / 4);
    places.min_by_key(loudness).unwrap_or(first) + QUIET_SAMPLES / 2
}

#[cfg(test)]
mod tests;
