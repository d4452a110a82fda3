//! Why a file cannot be heard.

use std::io;

/// Why a file cannot be heard. Each is one clear line that names the file and the reason.
#[derive(Debug, thiserror::Error)]
pub enum SoundError {
    /// The file cannot be opened or read.
    #[error("{name}: {source}")]
    Io {
        /// The file as it was named.
        name: String,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// The bytes are none of the formats that are read.
    #[error("{name}: not an audio file (WAV, FLAC and Ogg Opus are understood)")]
    NotAudio {
        /// The file as it was named.
        name: String,
    },
    /// A format that is read, in a variant that is not: a codec, a sample rate, a number of channels.
    #[error("{name}: cannot be played: {reason}")]
    Unsupported {
        /// The file as it was named.
        name: String,
        /// Which variant.
        reason: String,
    },
    /// There is nothing in it.
    #[error("{name}: empty, there is no sound in it")]
    Empty {
        /// The file as it was named.
        name: String,
    },
    /// It ends before its own header says.
    #[error("{name}: cut short, it ends before its header says")]
    Cut {
        /// The file as it was named.
        name: String,
    },
    /// It is damaged in the middle.
    #[error("{name}: damaged: {reason}")]
    Damaged {
        /// The file as it was named.
        name: String,
        /// What is wrong with it.
        reason: String,
    },
    /// Longer than what is read at once.
    #[error("{name}: longer than {seconds_max} seconds")]
    TooLong {
        /// The file as it was named.
        name: String,
        /// The limit.
        seconds_max: u32,
    },
}
