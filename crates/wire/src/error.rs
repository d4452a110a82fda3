//! Why a frame cannot be read, and why a session ended.

use base::TurnId;

use crate::frame::RefusedReason;
use crate::limits::FRAME_BYTES_MAX;

/// Why bytes are not a frame, or a message does not fit one. Never holds anything of the message's content.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FrameError {
    /// The other side speaks another version.
    #[error("version {got} of the protocol instead of {want}", want = crate::VERSION)]
    Version {
        /// The version byte that came.
        got: u8,
    },
    /// Longer than [`FRAME_BYTES_MAX`].
    #[error("{0} bytes where {FRAME_BYTES_MAX} are the most")]
    Oversized(usize),
    /// A kind that this side never receives.
    #[error("an unknown kind of message, {0:#04x}")]
    Kind(u8),
    /// The frame ends inside a field.
    #[error("cut inside {field}")]
    Cut {
        /// The field.
        field: &'static str,
    },
    /// There is more after the last field.
    #[error("{0} bytes too many")]
    Trailing(usize),
    /// A field that is out of range, too long, or not UTF-8.
    #[error("{field} is out of range")]
    Range {
        /// The field.
        field: &'static str,
    },
    /// A WebSocket message of text, where only binary ones are spoken.
    #[error("a message that is not binary")]
    NotBinary,
}

/// Why a session ended. One clear line; the session is of no further use.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SessionError {
    /// The other side sent what is not a frame.
    #[error("malformed frame: {0}")]
    Frame(#[from] FrameError),
    /// A message that has no place in the present state.
    #[error("{message} out of order while {state}")]
    OutOfOrder {
        /// The message.
        message: &'static str,
        /// The state.
        state: &'static str,
    },
    /// Sound with a number other than the next.
    #[error("turn {turn}: sound frame {got} where {want} was due")]
    Sequence {
        /// The turn.
        turn: TurnId,
        /// The number that came.
        got: u32,
        /// The number that was due.
        want: u32,
    },
    /// More sound than a stream may hold.
    #[error("turn {turn}: the stream is longer than any may be")]
    StreamTooLong {
        /// The turn.
        turn: TurnId,
    },
    /// A position beyond what was sent.
    #[error("turn {turn}: {message} names a sample that was never sent")]
    BeyondSent {
        /// The turn.
        turn: TurnId,
        /// The message.
        message: &'static str,
    },
    /// The other side was silent past a deadline.
    #[error("no {awaited} in time")]
    Silent {
        /// What should have come.
        awaited: &'static str,
    },
    /// The cloud ends the session, and says why.
    #[error("the cloud refuses: {0}")]
    Refused(RefusedReason),
    /// The cloud could not prove that it knows the code.
    #[error("the cloud did not prove the code: somebody may be between it and the device")]
    Unproven,
    /// The session had ended before.
    #[error("the session is over")]
    Over,
}

impl SessionError {
    /// What a cloud says to the device before it closes, where saying something helps.
    #[must_use]
    pub const fn refusal(&self) -> Option<RefusedReason> {
        match self {
            Self::Frame(FrameError::Version { .. }) => Some(RefusedReason::Version),
            Self::Frame(_)
            | Self::OutOfOrder { .. }
            | Self::Sequence { .. }
            | Self::StreamTooLong { .. }
            | Self::BeyondSent { .. } => Some(RefusedReason::Protocol),
            Self::Refused(reason) => Some(*reason),
            Self::Silent { .. } | Self::Unproven | Self::Over => None,
        }
    }
}

/// A call that has no place in the session's present state: the turn is over or was never there, or that step of it is
/// behind. Nothing was changed, and the session goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{what} has no place now")]
pub struct NotNow {
    /// The call.
    pub what: &'static str,
}
