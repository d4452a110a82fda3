//! Text to audio.

use base::Redacted;

use crate::SpeechError;

/// Characters of a text that are spoken; a minute of speech holds about 900.
pub const TEXT_CHARS_MAX: usize = 1_200;

/// Spoken sound: one channel, signed 16 bit.
#[derive(Clone, Debug)]
pub struct Pcm {
    /// Samples a second.
    pub rate_hz: u32,
    /// The samples, levelled and without silence at either end.
    pub samples: Redacted<Vec<i16>>,
}

/// Something that can speak.
///
/// A call blocks its thread until the sound is there, at most for the engine's own deadline, and may be made from any
/// number of threads: run it on a [`Pool`](crate::SpeakerPool), which bounds them.
pub trait Synthesizer: Send + Sync {
    /// Speaks `text`, which is plain text: nothing in it is taken as markup.
    ///
    /// # Errors
    ///
    /// Where there is nothing to say, too much of it, or the engine fails or is late.
    fn speak(&self, text: &Redacted<String>) -> Result<Pcm, SpeechError>;
}
