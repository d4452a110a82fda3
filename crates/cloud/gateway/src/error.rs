//! What can go wrong in the gateway. No variant holds a word that was said, a name, or an address.

use std::io;

use history::HistoryError;
use wire::SessionError;

/// Why the gateway, one of its connections or one of its turns came to an end.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum GatewayError {
    /// The cloud's certificate or key is not one that TLS can use.
    #[error("the cloud's certificate or key cannot be used: {0}")]
    Identity(#[source] rustls::Error),
    /// TLS did not come about in time.
    #[error("no TLS handshake within {} s", crate::limits::HANDSHAKE_WITHIN.as_secs())]
    HandshakeLate,
    /// The WebSocket did not come about in time.
    #[error("no WebSocket within {} s of the TLS handshake", crate::limits::WEBSOCKET_WITHIN.as_secs())]
    WebSocketLate,
    /// TLS did not come about.
    #[error("no TLS handshake: {0}")]
    Handshake(#[source] io::Error),
    /// TLS or the socket failed.
    #[error("the connection failed: {0}")]
    Connection(#[from] io::Error),
    /// The WebSocket failed.
    #[error("the WebSocket failed: {0}")]
    WebSocket(#[source] Box<tokio_tungstenite::tungstenite::Error>),
    /// A message is longer than any may be.
    #[error("a message of more than {} bytes", wire::limits::FRAME_BYTES_MAX)]
    Oversized,
    /// The device shows no certificate, or one that cannot be read.
    #[error("the device shows no certificate that can be read")]
    NoCertificate,
    /// There were too many like it, and it made room for another.
    #[error("it made room for another")]
    Crowded,
    /// The device does not read what it is sent.
    #[error("the device took nothing for {} s", crate::limits::SEND_WITHIN.as_secs())]
    NotReading,
    /// The session ended as the protocol has it.
    #[error(transparent)]
    Session(#[from] SessionError),
    /// A message of ours does not fit its frame.
    #[error("a message of the cloud's own does not fit a frame: {0}")]
    Frame(#[from] wire::FrameError),
    /// The history refuses.
    #[error(transparent)]
    History(#[from] HistoryError),
    /// The system gives no random numbers.
    #[error("the system gives no random numbers")]
    Random,
    /// The same device has connected anew.
    #[error("the device has connected anew")]
    Replaced,
    /// The device was revoked while it was connected.
    #[error("the device was revoked")]
    Revoked,
    /// The gateway is being stopped.
    #[error("the gateway is being stopped")]
    Ending,
}

impl From<tokio_tungstenite::tungstenite::Error> for GatewayError {
    fn from(error: tokio_tungstenite::tungstenite::Error) -> Self {
        use tokio_tungstenite::tungstenite::Error;
        match error {
            Error::Capacity(_) => Self::Oversized,
            Error::Io(error) => Self::Connection(error),
            other => Self::WebSocket(Box::new(other)),
        }
    }
}
