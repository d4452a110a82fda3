//! The rest of a file, as a file of its own.

use std::io::{self, Read, Seek, SeekFrom};

use symphonia::core::io::MediaSource;

use crate::file::Source;

/// A source without its first bytes.
pub(crate) struct Rest<S> {
    source: S,
    start: u64,
}

impl<S: Source> Rest<S> {
    /// The source from `start` on, at its beginning.
    pub(crate) fn new(mut source: S, start: u64) -> io::Result<Self> {
        source.seek(SeekFrom::Start(start))?;
        Ok(Self { source, start })
    }
}

impl<S: Source> Read for Rest<S> {
    fn read(&mut self, bytes: &mut [u8]) -> io::Result<usize> {
        self.source.read(bytes)
    }
}

impl<S: Source> Seek for Rest<S> {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let to = match to {
            SeekFrom::Start(at) => SeekFrom::Start(at.saturating_add(self.start)),
            other => other,
        };
        Ok(self.source.seek(to)?.saturating_sub(self.start))
    }
}

impl<S: Source> MediaSource for Rest<S> {
    fn is_seekable(&self) -> bool {
        self.source.is_seekable()
    }

    fn byte_len(&self) -> Option<u64> {
        self.source.byte_len().map(|bytes| bytes.saturating_sub(self.start))
    }
}
