//! The whole of it: a model in, sound in, text out.

use std::fmt;
use std::io::Read;

use base::{Redacted, SAMPLE_RATE_HZ};

use crate::AsrError;
use crate::compact::{self, CompactFile, compact};
use crate::config::Config;
use crate::decoder::Decoder;
use crate::encoder::{Encoder, FRAMES_PER_POSITION, POSITIONS};
use crate::greedy::{self, Reach, Suppression, Tokens};
use crate::kernel::Level;
use crate::mel::LogMel;
use crate::phrase::{LOG_PROBABILITY_MIN, Phrase, Spot};
use crate::session::Session;
use crate::vocabulary::Vocabulary;
use crate::weights::Source;

/// Sound that is heard at once: Whisper's own window.
pub const SECONDS_MAX: u32 = 30;

/// Frames of the full window.
const FRAMES_MAX: usize = POSITIONS * FRAMES_PER_POSITION;

/// Frames after the sound in a cut window: the decoder wants to hear that it is over.
const FRAMES_AFTER: usize = 50;

/// ... and in a wide one: at four the decoder still loops where words are repeated, at eight it rarely does.
const FRAMES_AFTER_WIDE: usize = 800;

/// No window is shorter than this.
const FRAMES_MIN: usize = 100;

/// Nothing was said where the decoder holds silence likelier than this and is as unsure of its words as that: Whisper's
/// own two thresholds.
const NO_SPEECH_MIN: f32 = 0.6;
const UNSURE_LOG_PROBABILITY: f32 = -1.0;

/// A cut window makes silence less likely than the full one does. What is heard there is in doubt where silence is likelier
/// than this, or than the second where the words are unsure as well; the full window then decides. Of 58 recordings that
/// is one with tiny.en; of 29 noises that tiny.en took for words, all but one.
const DOUBTFUL_NO_SPEECH: f32 = 0.5;
const DOUBTFUL_NO_SPEECH_UNSURE: f32 = 0.35;

/// Words that are as sure as this are in doubt only above that: an ordinary request is not heard twice.
const SURE_LOG_PROBABILITY: f32 = -0.25;
const DOUBTFUL_NO_SPEECH_SURE: f32 = 0.8;

/// A decoder that loops may go on so often with another token.
const RESUMES_MAX: usize = 3;

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
    /// As much as there is sound, and eight seconds more, which loops less: where somebody repeats a word.
    Wide,
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
        let mut decoder = Decoder::read(&Source::new(&file, "decoder/"))?;
        decoder.set_telling_heads(&config.alignment_heads);
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
        let mut cut = self.listen(session, sound, options)?;
        for window in [Window::Wide, Window::Full] {
            if options.window != Window::Cut || !cut.is_torn {
                break;
            }
            let wider = self.listen(session, sound, &Options { window, stop: options.stop })?;
            if !wider.is_torn || cut.tokens.len() < wider.tokens.len() {
                cut = wider;
            }
        }
        if options.window == Window::Full || !cut.is_doubtful(&self.vocabulary) {
            return Ok(self.transcript(cut));
        }
        let full = self.listen(session, sound, &Options { window: Window::Full, stop: options.stop })?;
        let is_nothing = full.is_unsure() && DOUBTFUL_NO_SPEECH_UNSURE < full.no_speech;
        Ok(self.transcript(if is_nothing { Tokens { tokens: Vec::new(), ..full } } else { full }))
    }

    /// The tokens of what is heard in one window; none for digital silence.
    fn listen(&self, session: &mut Session, sound: &[f32], options: &Options<'_>) -> Result<Tokens, AsrError> {
        if !self.hear(session, sound, options)? {
            return Ok(Tokens { tokens: Vec::new(), log_probability: 0.0, no_speech: 1.0, is_torn: false });
        }
        let reach = Reach { seconds: seconds(sound), resumes: RESUMES_MAX, stop: options.stop };
        greedy::follow(self, session, reach, &mut |_, _, _, _| Ok(()))
    }

    fn transcript(&self, heard: Tokens) -> Transcript {
        let is_nothing = heard.is_unsure() && NO_SPEECH_MIN < heard.no_speech || !heard.has_words(&self.vocabulary);
        let tokens = if is_nothing { Vec::new() } else { heard.tokens };
        Transcript {
            text: Redacted::new(self.vocabulary.text(&tokens)),
            tokens: Redacted::new(tokens),
            avg_logprob: heard.log_probability,
            no_speech: heard.no_speech,
        }
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
            let reach = Reach { seconds: seconds(sound), resumes: 0, stop };
            greedy::follow(self, session, reach, &mut |whisper, session, path, scores| {
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
            Window::Wide => (n_frames + FRAMES_AFTER_WIDE).min(FRAMES_MAX),
        };
        n_frames.next_multiple_of(FRAMES_PER_POSITION)
    }
}

/// Seconds that have begun.
fn seconds(sound: &[f32]) -> usize {
    sound.len().div_ceil(SAMPLE_RATE_HZ as usize)
}

impl Tokens {
    fn is_unsure(&self) -> bool {
        self.log_probability < UNSURE_LOG_PROBABILITY
    }

    fn is_doubtful(&self, vocabulary: &Vocabulary) -> bool {
        let least = if self.is_unsure() {
            DOUBTFUL_NO_SPEECH_UNSURE
        } else if SURE_LOG_PROBABILITY < self.log_probability {
            DOUBTFUL_NO_SPEECH_SURE
        } else {
            DOUBTFUL_NO_SPEECH
        };
        let is_nothing = self.is_unsure() && NO_SPEECH_MIN < self.no_speech;
        least < self.no_speech && !is_nothing && self.has_words(vocabulary)
    }

    /// Anything but punctuation.
    fn has_words(&self, vocabulary: &Vocabulary) -> bool {
        Redacted::new(vocabulary.text(&self.tokens)).expose().contains(char::is_alphanumeric)
    }
}

#[cfg(test)]
mod tests;
