//! The whole of it: a model in, sound in, text out.

use std::fmt;
use std::io::Read;

use base::{Redacted, SAMPLE_RATE_HZ};

use crate::AsrError;
use crate::compact::{self, CompactFile, compact};
use crate::config::Config;
use crate::decoder::Decoder;
use crate::encoder::{Encoder, FRAMES_PER_POSITION, POSITIONS};
use crate::greedy::{self, Suppression};
use crate::kernel::Level;
use crate::mel::LogMel;
use crate::phrase::{LOG_PROBABILITY_MIN, Phrase, Spot};
use crate::repetition::without_echo;
use crate::session::Session;
use crate::vocabulary::Vocabulary;
use crate::weights::Source;

/// Sound that is heard at once: Whisper's own window.
pub const SECONDS_MAX: u32 = 30;

/// Frames of the full window.
const FRAMES_MAX: usize = POSITIONS * FRAMES_PER_POSITION;

/// Frames after the sound in a cut window: the decoder wants to hear that it is over.
const FRAMES_AFTER: usize = 50;

/// No window is shorter than this.
const FRAMES_MIN: usize = 100;

/// Nothing was said where the decoder holds silence likelier than this and is as unsure of its words as that: Whisper's
/// own two thresholds.
const NO_SPEECH_MIN: f32 = 0.6;
const UNSURE_LOG_PROBABILITY: f32 = -1.0;

/// So much less likely than the best so far is not worth looking at: a thousandth of it.
const NEGLIGIBLE: f32 = 7.0;

/// The three files of a model, as CTranslate2 has them.
#[derive(Clone, Copy)]
pub struct ModelBytes<'a> {
    /// `model.bin`.
    pub model: &'a [u8],
    /// `config.json`.
    pub config: &'a [u8],
    /// `vocabulary.txt` or `vocabulary.json`.
    pub vocabulary: &'a [u8],
}

/// How much of Whisper's window of 30 s is computed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Window {
    /// As much as there is sound, and a little more: a fraction of the time, for the same words nearly always.
    Cut,
    /// All of it, as Whisper was trained.
    Full,
}

/// How to listen.
#[derive(Clone, Copy)]
pub struct Options<'a> {
    /// How much of the window is computed.
    pub window: Window,
    /// Asked between layers and between tokens; `true` ends the work with [`AsrError::Stopped`].
    pub stop: &'a dyn Fn() -> bool,
}

impl Options<'_> {
    /// A cut window, and no early end.
    #[must_use]
    pub fn to_the_end() -> Self {
        Self { window: Window::Cut, stop: &|| false }
    }
}

impl fmt::Debug for Options<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Options").field("window", &self.window).finish_non_exhaustive()
    }
}

/// What was heard.
#[derive(Clone, Debug)]
pub struct Transcript {
    /// The words; empty where nobody spoke.
    pub text: Redacted<String>,
    /// The tokens that the words were decoded from.
    pub tokens: Redacted<Vec<u32>>,
    /// The mean log-probability of a token, the end among them.
    pub avg_logprob: f32,
    /// How likely nobody spoke, in the decoder's opinion.
    pub no_speech: f32,
}

/// A loaded model. Shared by any number of threads; a call works on its caller's thread alone.
pub struct Whisper {
    pub(crate) level: Level,
    pub(crate) log_mel: LogMel,
    pub(crate) encoder: Encoder,
    pub(crate) decoder: Decoder,
    pub(crate) vocabulary: Vocabulary,
    pub(crate) suppression: Suppression,
}

impl fmt::Debug for Whisper {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (encoder, decoder) = (self.encoder.sizes(), self.decoder.sizes());
        f.debug_struct("Whisper").field("encoder", encoder).field("decoder", decoder).finish_non_exhaustive()
    }
}

impl Whisper {
    /// Reads a model's compact file (see [`compact`]) to its end. Its size, tiny or base or larger, is what the arrays say.
    ///
    /// # Errors
    ///
    /// Where the file cannot be read or is not what it should be, with the name of the array and the reason.
    pub fn read(from: &mut dyn Read) -> Result<Self, AsrError> {
        let file = CompactFile::read(from)?;
        let config = Config::parse(file.text(compact::CONFIG)?)?;
        let vocabulary = Vocabulary::parse(file.text(compact::VOCABULARY)?)?;
        let encoder = Encoder::read(&Source::new(&file, "encoder/"))?;
        let decoder = Decoder::read(&Source::new(&file, "decoder/"))?;
        if encoder.sizes().width != decoder.sizes().width {
            return Err(AsrError::NotAModel("its halves differ in width"));
        }
        // The rows may be padded to a round number, never fewer than the tokens.
        if decoder.n_tokens() < vocabulary.n_tokens() {
            return Err(AsrError::BadVocabulary("it has more tokens than the model"));
        }
        let suppression = Suppression::new(&config, &vocabulary);
        Ok(Self { level: Level::best(), log_mel: LogMel::new(), encoder, decoder, vocabulary, suppression })
    }

    /// Makes a recogniser from a model's three files as CTranslate2 has them, without a compact file in between.
    ///
    /// # Errors
    ///
    /// Where a file is not what it should be, with the name of the array and the reason.
    pub fn from_bytes(bytes: ModelBytes<'_>) -> Result<Self, AsrError> {
        Self::read(&mut compact(bytes)?.as_slice())
    }

    /// The model's tokens.
    #[must_use]
    pub const fn vocabulary(&self) -> &Vocabulary {
        &self.vocabulary
    }

    /// The words in `sound`, which is 16 kHz at a full scale of 1 and at most [`SECONDS_MAX`] long.
    ///
    /// # Errors
    ///
    /// Where the sound is too long, or the caller asked to stop.
    pub fn transcribe(&self, sound: &[f32], options: &Options<'_>) -> Result<Transcript, AsrError> {
        self.transcribe_in(&mut self.session(), sound, options)
    }

    /// The same in a session that is there already, which spares making room anew.
    ///
    /// # Errors
    ///
    /// As [`Whisper::transcribe`].
    pub fn transcribe_in(
        &self,
        session: &mut Session,
        sound: &[f32],
        options: &Options<'_>,
    ) -> Result<Transcript, AsrError> {
        if !self.hear(session, sound, options)? {
            return Ok(Transcript::nothing());
        }
        let tokens = greedy::follow(self, session, seconds(sound), options.stop, &mut |_, _, _, _| Ok(()))?;
        let is_nothing = NO_SPEECH_MIN < tokens.no_speech && tokens.log_probability < UNSURE_LOG_PROBABILITY;
        let kept = if is_nothing { Vec::new() } else { tokens.tokens };
        let text = Redacted::new(self.vocabulary.text(&kept));
        Ok(Transcript {
            text: Redacted::new(without_echo(text.expose()).to_owned()),
            tokens: Redacted::new(kept),
            avg_logprob: tokens.log_probability,
            no_speech: tokens.no_speech,
        })
    }

    /// The phrase of these spellings, such as "Alexa" or "okay computer", to be listened for with [`Whisper::spot`].
    /// Each is also tried in small letters and with a capital.
    ///
    /// # Errors
    ///
    /// Where there is no spelling, one is empty or too long, or the vocabulary cannot write it.
    pub fn phrase(&self, spellings: &[&str]) -> Result<Phrase, AsrError> {
        Phrase::new(&self.vocabulary, spellings)
    }

    /// How likely `phrase` was said anywhere in `sound` (16 kHz, full scale 1, at most [`SECONDS_MAX`], a few seconds
    /// as it is meant): wherever the decoder's best path has a next word, how likely that is the phrase.
    ///
    /// # Errors
    ///
    /// Where the sound is too long, or `stop`, asked between layers and tokens, says so.
    pub fn spot(&self, sound: &[f32], phrase: &Phrase, stop: &dyn Fn() -> bool) -> Result<Spot, AsrError> {
        self.spot_in(&mut self.session(), sound, phrase, stop)
    }

    /// The same in a session that is there already, which spares making room anew.
    ///
    /// # Errors
    ///
    /// As [`Whisper::spot`].
    pub fn spot_in(
        &self,
        session: &mut Session,
        sound: &[f32],
        phrase: &Phrase,
        stop: &dyn Fn() -> bool,
    ) -> Result<Spot, AsrError> {
        let mut log_probability = LOG_PROBABILITY_MIN;
        if self.hear(session, sound, &Options { window: Window::Cut, stop })? {
            greedy::follow(self, session, seconds(sound), stop, &mut |whisper, session, path, scores| {
                let least = (log_probability - NEGLIGIBLE).max(LOG_PROBABILITY_MIN);
                let here = phrase.comes_next(whisper, session, path, scores, least)?;
                log_probability = log_probability.max(here);
                Ok(())
            })?;
        }
        Ok(Spot { log_probability })
    }

    /// Frames of the spectrogram that are computed for so many of sound: zeros follow it, which is how Whisper's users
    /// fill the window.
    pub(crate) fn frames(n_frames: usize, window: Window) -> usize {
        let n_frames = match window {
            Window::Full => FRAMES_MAX,
            Window::Cut => (n_frames + FRAMES_AFTER).clamp(FRAMES_MIN, FRAMES_MAX),
        };
        n_frames.next_multiple_of(FRAMES_PER_POSITION)
    }
}

/// Seconds that have begun.
fn seconds(sound: &[f32]) -> usize {
    sound.len().div_ceil(SAMPLE_RATE_HZ as usize)
}

impl Transcript {
    fn nothing() -> Self {
        let (text, tokens) = (Redacted::new(String::new()), Redacted::new(Vec::new()));
        Self { text, tokens, avg_logprob: 0.0, no_speech: 1.0 }
    }
}

#[cfg(test)]
mod tests;
