//! Why a file cannot be heard.

use std::fmt;
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
    /// It is text.
    #[error("{name}: not an audio file: it is text ({READ} are read)")]
    NotAudio {
        /// The file as it was named.
        name: String,
    },
    /// The bytes are of no format that is known.
    #[error(
        "{name}: in no format that is known here ({READ} are read); if it is sound, this may convert it: {}",
        Convert(name)
    )]
    Unknown {
        /// The file as it was named.
        name: String,
    },
    /// A format that is known and not read.
    #[error("{name}: {format}, which is not read ({READ} are); this converts it: {}", Convert(name))]
    Foreign {
        /// The file as it was named.
        name: String,
        /// What people call the format.
        format: String,
    },
    /// A format that is read, in a variant that is not: a codec, a sample rate, a number of channels.
    #[error("{name}: {reason}, which is not read; this converts it: {}", Convert(name))]
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
    /// It ends before its sound begins, or in the middle of what cannot be heard in part.
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
    /// More than what is read of a pipe.
    #[error("{name}: more than {} MB, and a pipe is read into memory: a file may be longer", bytes_max / 1_000_000)]
    TooLarge {
        /// The pipe as it was named.
        name: String,
        /// The limit.
        bytes_max: u64,
    },
}

/// The formats that are read, for messages.
const READ: &str = "WAV, AIFF, AU, FLAC and Ogg Opus";

/// The command that makes a WAV of a file.
struct Convert<'n>(&'n str);

impl fmt::Display for Convert<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let is_plain = |letter: char| letter.is_alphanumeric() || "/._-+,=@%:".contains(letter);
        if self.0.chars().all(is_plain) {
            write!(f, "ffmpeg -i {} -ar 16000 -ac 1 out.wav", self.0)
        } else {
            write!(f, "ffmpeg -i '{}' -ar 16000 -ac 1 out.wav", self.0.replace('\'', r"'\''"))
        }
    }
}
