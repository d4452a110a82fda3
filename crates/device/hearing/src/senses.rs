//! The reading ends of the ear's pipes.

use std::fs::File;
use std::io::{ErrorKind, Read};
use std::os::fd::{AsFd, BorrowedFd};

use base::units::BYTES_PER_SAMPLE;
use pipe::{EarToLink, EarToPanel, Inbox, LinkToEar, Outbox, PanelToEar, PipeError, inherit};

use crate::args::Args;
use crate::error::EarStop;

/// Samples taken from the microphone's pipe at a time: one chunk of the gate's.
pub(crate) const PIECE_SAMPLES: usize = 1_280;

/// What the pipe holds at most, in pieces: what is thrown away before the microphones are on again.
pub(crate) const PIECES_MAX: usize = 32;

/// All that reaches the ear.
pub(crate) struct Senses {
    pub(crate) microphone: Microphone,
    pub(crate) from_panel: Inbox<PanelToEar>,
    pub(crate) from_link: Inbox<LinkToEar>,
}

/// All that the ear reaches.
pub(crate) struct Voices {
    pub(crate) to_panel: Outbox<EarToPanel>,
    pub(crate) to_link: Outbox<EarToLink>,
}

/// Opens the ends that the launcher handed down.
pub(crate) fn open(args: &Args) -> Result<(Senses, Voices), EarStop> {
    let failed = |peer| move |source: PipeError| EarStop::Pipe { peer, source };
    let senses = Senses {
        microphone: Microphone::new(inherit::reader(args.pcm_fd).map_err(failed("microphone"))?),
        from_panel: Inbox::new(inherit::reader(args.from_panel_fd).map_err(failed("panel"))?),
        from_link: Inbox::new(inherit::reader(args.from_link_fd).map_err(failed("link"))?),
    };
    let voices = Voices {
        to_panel: Outbox::new(inherit::writer(args.to_panel_fd).map_err(failed("panel"))?),
        to_link: Outbox::new(inherit::writer(args.to_link_fd).map_err(failed("link"))?),
    };
    Ok((senses, voices))
}

/// The end of the microphone's pipe: bare samples.
pub(crate) struct Microphone {
    file: File,
    bytes: [u8; PIECE_SAMPLES * BYTES_PER_SAMPLE],
    filled: usize,
    pub(crate) is_gone: bool,
}

impl Microphone {
    const fn new(file: File) -> Self {
        Self { file, bytes: [0; PIECE_SAMPLES * BYTES_PER_SAMPLE], filled: 0, is_gone: false }
    }

    /// Puts the samples that are there, a piece at most, into `samples`: none where there are none now, or none any more.
    pub(crate) fn read(&mut self, samples: &mut Vec<i16>) -> Result<(), EarStop> {
        samples.clear();
        match self.file.read(&mut self.bytes[self.filled..]) {
            Ok(0) => self.is_gone = true,
            Ok(count) => self.filled += count,
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted) => return Ok(()),
            Err(source) => return Err(EarStop::Pipe { peer: "microphone", source: source.into() }),
        }
        let (pairs, odd) = self.bytes[..self.filled].as_chunks::<BYTES_PER_SAMPLE>();
        samples.extend(pairs.iter().map(|&pair| i16::from_le_bytes(pair)));
        let left = odd.len();
        self.bytes.copy_within(self.filled - left..self.filled, 0);
        // What was heard stays in the ring alone.
        self.bytes[left..].fill(0);
        self.filled = left;
        Ok(())
    }
}

impl AsFd for Microphone {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.file.as_fd()
    }
}
