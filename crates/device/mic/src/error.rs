//! Why there is nothing to hear any more.

use pipe::exit;
use sound::SoundError;

/// Why there is nothing to hear any more.
#[derive(Debug, thiserror::Error)]
pub(crate) enum MicStop {
    /// The command line is wrong.
    #[error("{0}")]
    Usage(String),
    /// The file cannot be heard, or not to its end.
    #[error("{0}")]
    Sound(#[from] SoundError),
    /// Standard input failed.
    #[error("standard input failed: {0}")]
    Stdin(#[source] std::io::Error),
    /// There is no such sound card, or it failed, or was pulled out.
    #[error("the sound card: {0}")]
    Card(String),
    /// The ear takes no more samples.
    #[error("the ear is gone")]
    EarGone,
    /// Writing samples failed.
    #[error("the pipe to the ear failed: {0}")]
    Write(#[source] std::io::Error),
}

impl MicStop {
    /// What the launcher is told. A file that is bad stays bad; a card may come back.
    pub(crate) const fn exit_code(&self) -> u8 {
        match self {
            Self::Usage(_) | Self::Sound(_) => exit::BAD_INPUT,
            Self::Stdin(_) | Self::Card(_) | Self::Write(_) => exit::FAILED,
            Self::EarGone => exit::PEER_GONE,
        }
    }
}
