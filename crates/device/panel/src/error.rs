//! Why the panel ends before it is asked to.

use pipe::{PipeError, exit};

/// Why the panel ends before it is asked to. The light is out by then.
#[derive(Debug, thiserror::Error)]
pub(crate) enum PanelStop {
    /// The command line is wrong.
    #[error("{0}")]
    Usage(String),
    /// The state file or the control pipe cannot be used.
    #[error("{path}: {source}")]
    File {
        /// Which.
        path: String,
        /// What the system said.
        #[source]
        source: std::io::Error,
    },
    /// The ear is gone.
    #[error("the ear is gone")]
    EarGone,
    /// A pipe failed, or what came through it is nonsense.
    #[error("the pipe to the {peer} failed: {source}")]
    Pipe {
        /// Whose pipe.
        peer: &'static str,
        /// How.
        #[source]
        source: PipeError,
    },
    /// Waiting failed.
    #[error("waiting failed: {0}")]
    Wait(#[source] std::io::Error),
    /// The light was to stay on for longer than any stream lasts.
    #[error("the ear has not given the light back")]
    LightKept,
}

impl PanelStop {
    /// Whether it is only that another process has ended: whoever ends it says why, and the launcher what comes of it.
    pub(crate) fn is_follower(&self) -> bool {
        match self {
            Self::EarGone => true,
            Self::Pipe { source, .. } => source.is_peer_gone(),
            _ => false,
        }
    }

    /// What the launcher is told.
    pub(crate) const fn exit_code(&self) -> u8 {
        match self {
            Self::Usage(_) | Self::File { .. } => exit::BAD_INPUT,
            Self::EarGone | Self::Pipe { .. } => exit::PEER_GONE,
            Self::Wait(_) | Self::LightKept => exit::FAILED,
        }
    }
}
