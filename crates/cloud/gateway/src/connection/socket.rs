//! The WebSocket under a session: whole binary messages in and out, each with a limit and a deadline.

use futures_util::{SinkExt, StreamExt};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;
use tokio_tungstenite::tungstenite::{Bytes, Message};
use wire::limits::FRAME_BYTES_MAX;
use wire::{FrameError, FromCloud, RefusedReason};

use crate::error::GatewayError;
use crate::limits::{READ_BUFFER_BYTES, SEND_WITHIN};

/// What comes from the other side.
pub(crate) enum Came {
    /// A message.
    Frame(Bytes),
    /// Nothing more.
    Ended(GatewayError),
}

pub(crate) struct Socket<S> {
    stream: WebSocketStream<S>,
}

impl<S: AsyncRead + AsyncWrite + Unpin> Socket<S> {
    /// Answers the WebSocket handshake on a TLS stream.
    pub(crate) async fn accept(stream: S) -> Result<Self, GatewayError> {
        let config = WebSocketConfig::default()
            .read_buffer_size(READ_BUFFER_BYTES)
            .write_buffer_size(0)
            .max_message_size(Some(FRAME_BYTES_MAX))
            .max_frame_size(Some(FRAME_BYTES_MAX));
        Ok(Self { stream: tokio_tungstenite::accept_async_with_config(stream, Some(config)).await? })
    }

    /// The next message. Cancel-safe.
    pub(crate) async fn receive(&mut self) -> Came {
        loop {
            match self.stream.next().await {
                Some(Ok(Message::Binary(frame))) => return Came::Frame(frame),
                Some(Ok(Message::Text(_))) => {
                    return Came::Ended(GatewayError::Session(FrameError::NotBinary.into()));
                }
                Some(Ok(Message::Ping(_) | Message::Pong(_) | Message::Frame(_))) => {}
                Some(Ok(Message::Close(_))) | None => {
                    return Came::Ended(GatewayError::Connection(std::io::ErrorKind::ConnectionAborted.into()));
                }
                Some(Err(error)) => return Came::Ended(error.into()),
            }
        }
    }

    pub(crate) async fn send(&mut self, message: &FromCloud) -> Result<(), GatewayError> {
        let frame = match (message.encode(), message) {
            (Ok(frame), _) => frame,
            // A caption that does not fit is lost, its turn is not.
            (Err(error), FromCloud::Caption(caption)) => {
                tracing::debug!(turn = %caption.turn, %error, "caption.not_sent");
                return Ok(());
            }
            (Err(error), _) => return Err(error.into()),
        };
        let sent = self.stream.send(Message::Binary(frame.into()));
        tokio::time::timeout(SEND_WITHIN, sent).await.map_err(|_| GatewayError::NotReading)??;
        Ok(())
    }

    /// Says why, if there is something to say, and closes. Whether it arrives does not matter any more.
    pub(crate) async fn close(mut self, reason: Option<RefusedReason>) {
        let goodbye = async {
            if let Some(reason) = reason {
                self.send(&FromCloud::Refused { reason }).await?;
            }
            self.stream.close(None).await?;
            // The device may have sent more: reading it lets the last word through before the connection is reset.
            while let Some(Ok(_)) = self.stream.next().await {}
            Ok::<_, GatewayError>(())
        };
        let _ = tokio::time::timeout(crate::limits::GOODBYE_WITHIN, goodbye).await;
    }
}
