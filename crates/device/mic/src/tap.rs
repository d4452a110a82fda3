//! The pipe to the ear.

use std::fs::File;
use std::io::{ErrorKind, Write};

use crate::error::MicStop;

/// Samples written at a time: 20 ms, and far less than what a pipe takes in one piece, so that a sample is never cut in
/// two when this process is ended.
pub(crate) const PIECE_SAMPLES: usize = 320;

/// Writes samples as bytes.
#[derive(Debug)]
pub(crate) struct Tap {
    pipe: File,
    bytes: Vec<u8>,
}

impl Tap {
    pub(crate) fn new(pipe: File) -> Self {
        Self { pipe, bytes: Vec::with_capacity(2 * PIECE_SAMPLES) }
    }

    /// Writes samples, waiting for the ear to take them.
    pub(crate) fn write(&mut self, samples: &[i16]) -> Result<(), MicStop> {
        for piece in samples.chunks(PIECE_SAMPLES) {
            self.bytes.clear();
            self.bytes.extend(piece.iter().flat_map(|sample| sample.to_le_bytes()));
            self.pipe.write_all(&self.bytes).map_err(|error| match error.kind() {
                ErrorKind::BrokenPipe => MicStop::EarGone,
                _ => MicStop::Write(error),
            })?;
        }
        Ok(())
    }
}
