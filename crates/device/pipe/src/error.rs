//! What can go wrong between two processes of the device.

use std::io;

/// Why a pipe between two processes cannot be used any further.
#[derive(Debug, thiserror::Error)]
pub enum PipeError {
    /// The other side speaks another version of the format; a half-replaced installation.
    #[error("the other process speaks version {got} of the pipe format, this one {want}", want = crate::frame::VERSION)]
    Version {
        /// The version byte that came.
        got: u8,
    },
    /// A kind that this pipe does not carry.
    #[error("message kind {0} does not belong on this pipe")]
    Kind(u8),
    /// A message longer than any may be.
    #[error("a message of {0} bytes is longer than any may be")]
    TooLong(usize),
    /// A body that is too short, too long, or holds a value out of range.
    #[error("a malformed message of kind {0}")]
    Malformed(u8),
    /// The other side has not read for so long that its queue is full.
    #[error("the other process has stopped reading")]
    Stuck,
    /// A descriptor given on the command line is not one that was handed down.
    #[error("descriptor {fd} was not handed down: {source}")]
    NotInherited {
        /// Its number.
        fd: i32,
        /// What opening it said.
        #[source]
        source: io::Error,
    },
    /// Reading or writing failed.
    #[error("a pipe failed: {0}")]
    Io(#[from] io::Error),
}

impl PipeError {
    /// Whether it means no more than that the other process has ended. Whoever ended it says why.
    #[must_use]
    pub fn is_peer_gone(&self) -> bool {
        matches!(self, Self::Io(error) if error.kind() == io::ErrorKind::BrokenPipe)
    }
}
