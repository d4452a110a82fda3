//! A pipe's ends as queues of messages, for a process that waits with poll(2). Both ends must not block.

use std::fs::File;
use std::io::{ErrorKind, Read, Write};
use std::os::fd::{AsFd, BorrowedFd};

use crate::PipeError;
use crate::frame::{FRAME_BYTES_MAX, Message, Reader, encode};

/// What an [`Outbox`] holds beyond the pipe's own 64 KiB before its reader counts as stuck: two seconds of sound.
pub const UNSENT_BYTES_MAX: usize = 65_536;

/// What a look into an [`Inbox`] found.
#[derive(Debug, PartialEq, Eq)]
pub enum Received<M> {
    /// A message.
    Message(M),
    /// Nothing for now.
    Nothing,
    /// The other side is gone, and all it said was read.
    Gone,
}

/// The reading end.
#[derive(Debug)]
pub struct Inbox<M> {
    file: File,
    reader: Reader<M>,
    is_gone: bool,
}

impl<M: Message> Inbox<M> {
    /// Reads messages from `file`, which must not block.
    #[must_use]
    pub fn new(file: File) -> Self {
        Self { file, reader: Reader::new(), is_gone: false }
    }

    /// The next message.
    ///
    /// # Errors
    /// What [`Reader::next`] finds wrong, and [`PipeError::Io`].
    pub fn receive(&mut self) -> Result<Received<M>, PipeError> {
        let mut bytes = [0; FRAME_BYTES_MAX];
        loop {
            if let Some(message) = self.reader.next()? {
                return Ok(Received::Message(message));
            }
            if self.is_gone {
                return Ok(Received::Gone);
            }
            match self.file.read(&mut bytes) {
                Ok(0) => self.is_gone = true,
                Ok(length) => self.reader.push(&bytes[..length])?,
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(Received::Nothing),
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(error.into()),
            }
        }
    }
}

impl<M> AsFd for Inbox<M> {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.file.as_fd()
    }
}

/// The writing end, with a bounded queue for what the pipe does not take at once.
#[derive(Debug)]
pub struct Outbox<M> {
    file: File,
    unsent: Vec<u8>,
    message: std::marker::PhantomData<fn(M)>,
}

impl<M: Message> Outbox<M> {
    /// Writes messages to `file`, which must not block.
    #[must_use]
    pub fn new(file: File) -> Self {
        let unsent = Vec::with_capacity(UNSENT_BYTES_MAX + FRAME_BYTES_MAX);
        Self { file, unsent, message: std::marker::PhantomData }
    }

    /// Sends `message`, or queues it.
    ///
    /// # Errors
    /// [`PipeError::Stuck`] where the queue is full, [`PipeError::Io`] where the reader is gone.
    pub fn send(&mut self, message: &M) -> Result<(), PipeError> {
        encode(message, &mut self.unsent)?;
        self.flush()?;
        if self.unsent.len() > UNSENT_BYTES_MAX { Err(PipeError::Stuck) } else { Ok(()) }
    }

    /// Writes what the pipe takes of the queue, message by message: each goes in one piece or waits.
    ///
    /// # Errors
    /// [`PipeError::Io`].
    pub fn flush(&mut self) -> Result<(), PipeError> {
        let mut sent = 0;
        while let Some((&[_, _, low, high], _)) = self.unsent[sent..].split_first_chunk() {
            let frame_bytes = crate::frame::HEADER_BYTES + usize::from(u16::from_le_bytes([low, high]));
            let frame = &self.unsent[sent..][..frame_bytes];
            match self.file.write(frame) {
                Ok(_) => sent += frame_bytes,
                Err(error) if error.kind() == ErrorKind::WouldBlock => break,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(error.into()),
            }
        }
        let left = self.unsent.len() - sent;
        self.unsent.copy_within(sent.., 0);
        // Nothing of what was said stays behind in the queue's memory.
        self.unsent[left..].fill(0);
        self.unsent.truncate(left);
        Ok(())
    }

    /// Whether something waits for the pipe to become writable.
    #[must_use]
    pub fn is_waiting(&self) -> bool {
        !self.unsent.is_empty()
    }
}

impl<M> AsFd for Outbox<M> {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.file.as_fd()
    }
}
