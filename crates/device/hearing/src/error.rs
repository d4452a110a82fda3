//! Why the ear ends before its microphone does.

use base::TurnId;
use gate::Late;
use pipe::{PipeError, exit};

/// Why the ear ends before its microphone does. The launcher starts all afresh, unless the input is bad.
#[derive(Debug, thiserror::Error)]
pub(crate) enum EarStop {
    /// The models are missing or are others.
    #[error("{0}")]
    Models(#[from] ear::EarError),
    /// A model's file cannot be read.
    #[error("{path}: {source}")]
    Read {
        /// Where it should be.
        path: String,
        /// What the system said.
        #[source]
        source: std::io::Error,
    },
    /// The other end of a pipe is gone.
    #[error("the {0} is gone")]
    PeerGone(&'static str),
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
    /// Somebody kept the gate waiting.
    #[error("{}", late(*.0))]
    Late(Late),
    /// What was sent is not what passed the gate (invariant I10).
    #[error("the books of turn {0} do not balance")]
    Books(TurnId),
}

const fn late(late: Late) -> &'static str {
    match late {
        Late::Panel => "the panel did not light up in time",
        Late::Drain => "link did not finish the stream in time",
        Late::Turn => "link did not finish the turn in time",
    }
}

impl EarStop {
    /// Whether it is only that another process has ended: whoever ends it says why, and the launcher what comes of it.
    pub(crate) fn is_follower(&self) -> bool {
        match self {
            Self::PeerGone(_) => true,
            Self::Pipe { source, .. } => source.is_peer_gone(),
            _ => false,
        }
    }

    /// What the launcher is told.
    pub(crate) const fn exit_code(&self) -> u8 {
        match self {
            Self::Models(_) | Self::Read { .. } => exit::BAD_INPUT,
            Self::PeerGone(_) | Self::Pipe { .. } => exit::PEER_GONE,
            Self::Wait(_) => exit::FAILED,
            Self::Late(Late::Panel) => exit::PANEL_LATE,
            Self::Late(Late::Drain) => exit::DRAIN_LATE,
            Self::Late(Late::Turn) => exit::TURN_LATE,
            Self::Books(_) => exit::BOOKS_DIFFER,
        }
    }
}
