//! What can go wrong in link. Each is one clear line; none holds anything that was said.

use std::io;
use std::path::PathBuf;

use pipe::options::exit;

/// Why link cannot go on, or why a connection could not be had.
#[derive(Debug, thiserror::Error)]
pub(crate) enum LinkError {
    /// A file of the device's own cannot be read or written.
    #[error("{}: {source}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// A file of the device's own holds what it must not.
    #[error("{}: {what}", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        what: &'static str,
    },
    /// A pipe to another process of the device.
    #[error(transparent)]
    Pipe(#[from] pipe::PipeError),
    /// The system's own: the runtime, a thread.
    #[error("cannot start: {0}")]
    Start(#[source] io::Error),
    /// A key or certificate cannot be made or used.
    #[error("cannot use the device's key: {0}")]
    Key(String),
    /// The cloud's address leads nowhere. Which address it was stands in no error (invariant I9).
    #[error("the cloud cannot be reached: {}", io_words(.0))]
    Unreachable(#[source] io::Error),
    /// The one who answers is not the cloud that this device was paired with.
    #[error("who answers shows another key than the cloud this device is paired with")]
    AnotherKey,
    /// TLS did not come up.
    #[error("no secure connection to the cloud: {}", io_words(.0))]
    Tls(#[source] io::Error),
    /// What answers does not speak WebSocket, or stopped to.
    #[error("no session with the cloud: {0}")]
    WebSocket(#[source] Box<tokio_tungstenite::tungstenite::Error>),
    /// The connection did not come up, or did not take what was written, in time.
    #[error("the cloud did not answer in time")]
    Slow,
    /// The cloud closed the connection.
    #[error("the cloud closed the connection")]
    Closed,
    /// The session ended.
    #[error(transparent)]
    Session(#[from] wire::SessionError),
    /// The loudspeaker sounds on although it was told not to: only the end of the process ends it.
    #[error("the loudspeaker does not fall silent")]
    Loud,
    /// A connection whose sound must not leave any more cannot be ended.
    #[error("the connection cannot be reset: {0}")]
    Reset(#[source] io::Error),
    /// What passed the gate could not be sent within the permit's time, and was thrown away.
    #[error("the network did not take the stream in time")]
    Stalled,
}

impl LinkError {
    /// What the launcher is told by link's end.
    pub(crate) const fn exit_code(&self) -> u8 {
        match self {
            Self::File { .. } | Self::Damaged { .. } | Self::Key(_) => exit::BAD_INPUT,
            Self::Pipe(_) => exit::PEER_GONE,
            _ => exit::FAILED,
        }
    }
}

/// What the system says of a failed connection. A resolver may put the name into its own words: then ours stand for them.
fn io_words(error: &io::Error) -> String {
    match error.get_ref() {
        Some(inner) if inner.is::<rustls::Error>() => inner.to_string(),
        Some(_) => error.kind().to_string(),
        None => error.to_string(),
    }
}
