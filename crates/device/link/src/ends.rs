//! The two pipes between ear and link, for those who wait with tokio.

use std::fs::File;
use std::io::ErrorKind;

use pipe::frame::FRAME_BYTES_MAX;
use pipe::{EarToLink, LinkToEar, PipeError, Reader, encode};
use tokio::io::AsyncWriteExt as _;
use tokio::net::unix::pipe as unix;
use tokio::sync::mpsc;

/// Messages that wait for the ear, beyond what the pipe holds. An ear that has read none of so many has died.
const UNREAD_MAX: usize = 256;

/// The gate's pipe.
pub(crate) struct Gate {
    end: unix::Receiver,
    reader: Reader<EarToLink>,
}

impl Gate {
    /// Reads from `file`, which does not block.
    ///
    /// # Errors
    /// [`PipeError::Io`] where it is no pipe.
    pub(crate) fn new(file: File) -> Result<Self, PipeError> {
        Ok(Self { end: unix::Receiver::from_file(file)?, reader: Reader::new() })
    }

    /// The next message; nothing once the ear is gone. May be dropped and called again at any time.
    ///
    /// # Errors
    /// What [`Reader::next`] finds wrong, and [`PipeError::Io`].
    pub(crate) async fn receive(&mut self) -> Result<Option<EarToLink>, PipeError> {
        let mut bytes = [0; FRAME_BYTES_MAX];
        loop {
            if let Some(message) = self.reader.next()? {
                return Ok(Some(message));
            }
            self.end.readable().await?;
            match self.end.try_read(&mut bytes) {
                Ok(0) => return Ok(None),
                Ok(length) => self.reader.push(&bytes[..length])?,
                Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted) => {}
                Err(error) => return Err(error.into()),
            }
        }
    }
}

/// The pipe to the ear, with a queue and a task that empties it.
#[derive(Debug)]
pub(crate) struct Ear {
    queue: mpsc::Sender<Vec<u8>>,
}

impl Ear {
    /// Writes to `file`, which does not block. To be called within the runtime.
    ///
    /// # Errors
    /// [`PipeError::Io`] where it is no pipe.
    pub(crate) fn new(file: File) -> Result<Self, PipeError> {
        let mut end = unix::Sender::from_file(file)?;
        let (queue, mut queued) = mpsc::channel::<Vec<u8>>(UNREAD_MAX);
        tokio::spawn(async move {
            // A message is shorter than what a pipe takes in one piece. Where the ear is gone, so is the queue.
            while let Some(message) = queued.recv().await {
                if end.write_all(&message).await.is_err() {
                    break;
                }
            }
        });
        Ok(Self { queue })
    }

    /// Queues a message.
    ///
    /// # Errors
    /// [`PipeError::Stuck`] where the ear is gone or does not read.
    pub(crate) fn send(&self, message: &LinkToEar) -> Result<(), PipeError> {
        let mut bytes = Vec::new();
        encode(message, &mut bytes)?;
        self.queue.try_send(bytes).map_err(|_| PipeError::Stuck)
    }
}
