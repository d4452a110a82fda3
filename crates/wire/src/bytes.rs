//! Fields in bytes: little-endian numbers, texts and lists after a u16 of their length. Nothing here panics on any input.

use base::Redacted;

use crate::error::FrameError;
use crate::limits::{FRAME_BYTES_MAX, FRAME_SAMPLES_MAX};

/// A frame being written.
pub(crate) struct Writer {
    out: Vec<u8>,
    refused: Option<FrameError>,
}

impl Writer {
    pub(crate) fn new(kind: u8) -> Self {
        Self { out: vec![crate::VERSION, kind], refused: None }
    }

    /// The frame, or the first field that did not fit.
    pub(crate) fn finish(self) -> Result<Vec<u8>, FrameError> {
        match self.refused {
            Some(error) => Err(error),
            None if self.out.len() > FRAME_BYTES_MAX => Err(FrameError::Oversized(self.out.len())),
            None => Ok(self.out),
        }
    }

    pub(crate) fn refuse(&mut self, field: &'static str) {
        self.refused.get_or_insert(FrameError::Range { field });
    }

    pub(crate) fn u8(&mut self, value: u8) {
        self.out.push(value);
    }

    pub(crate) fn u16(&mut self, value: u16) {
        self.out.extend_from_slice(&value.to_le_bytes());
    }

    pub(crate) fn u32(&mut self, value: u32) {
        self.out.extend_from_slice(&value.to_le_bytes());
    }

    pub(crate) fn u64(&mut self, value: u64) {
        self.out.extend_from_slice(&value.to_le_bytes());
    }

    pub(crate) fn f32(&mut self, value: f32) {
        self.out.extend_from_slice(&value.to_le_bytes());
    }

    pub(crate) fn raw(&mut self, bytes: &[u8]) {
        self.out.extend_from_slice(bytes);
    }

    pub(crate) fn text(&mut self, field: &'static str, text: &str, bytes_max: usize) {
        self.count(field, text.len(), bytes_max);
        self.raw(text.as_bytes());
    }

    /// The number of a list's items, or of a text's bytes.
    pub(crate) fn count(&mut self, field: &'static str, n_items: usize, items_max: usize) {
        match u16::try_from(n_items) {
            Ok(count) if n_items <= items_max => self.u16(count),
            _ => self.refuse(field),
        }
    }

    /// Samples up to the frame's end.
    pub(crate) fn samples(&mut self, samples: &[i16]) {
        if samples.is_empty() || samples.len() > FRAME_SAMPLES_MAX {
            self.refuse("samples");
        }
        self.out.extend(samples.iter().flat_map(|sample| sample.to_le_bytes()));
    }
}

/// A frame's body being read. Each call takes what it returns.
pub(crate) struct Reader<'a> {
    rest: &'a [u8],
}

impl<'a> Reader<'a> {
    /// Splits a frame into its kind and its body.
    pub(crate) fn open(frame: &'a [u8]) -> Result<(u8, Self), FrameError> {
        if frame.len() > FRAME_BYTES_MAX {
            return Err(FrameError::Oversized(frame.len()));
        }
        match frame {
            [] => Err(FrameError::Cut { field: "version" }),
            [version, ..] if *version != crate::VERSION => Err(FrameError::Version { got: *version }),
            [_] => Err(FrameError::Cut { field: "kind" }),
            [_, kind, rest @ ..] => Ok((*kind, Self { rest })),
        }
    }

    /// Every byte of a frame means something: none may be left.
    pub(crate) const fn finish(self) -> Result<(), FrameError> {
        if self.rest.is_empty() { Ok(()) } else { Err(FrameError::Trailing(self.rest.len())) }
    }

    pub(crate) fn array<const N: usize>(&mut self, field: &'static str) -> Result<[u8; N], FrameError> {
        let (bytes, rest) = self.rest.split_first_chunk::<N>().ok_or(FrameError::Cut { field })?;
        self.rest = rest;
        Ok(*bytes)
    }

    pub(crate) fn u8(&mut self, field: &'static str) -> Result<u8, FrameError> {
        Ok(u8::from_le_bytes(self.array(field)?))
    }

    pub(crate) fn u16(&mut self, field: &'static str) -> Result<u16, FrameError> {
        Ok(u16::from_le_bytes(self.array(field)?))
    }

    pub(crate) fn u32(&mut self, field: &'static str) -> Result<u32, FrameError> {
        Ok(u32::from_le_bytes(self.array(field)?))
    }

    pub(crate) fn u64(&mut self, field: &'static str) -> Result<u64, FrameError> {
        Ok(u64::from_le_bytes(self.array(field)?))
    }

    /// A finite number.
    pub(crate) fn f32(&mut self, field: &'static str) -> Result<f32, FrameError> {
        let value = f32::from_le_bytes(self.array(field)?);
        if value.is_finite() { Ok(value) } else { Err(FrameError::Range { field }) }
    }

    pub(crate) fn count(&mut self, field: &'static str, items_max: usize) -> Result<usize, FrameError> {
        let n_items = usize::from(self.u16(field)?);
        if n_items <= items_max { Ok(n_items) } else { Err(FrameError::Range { field }) }
    }

    pub(crate) fn text(&mut self, field: &'static str, bytes_max: usize) -> Result<String, FrameError> {
        let n_bytes = self.count(field, bytes_max)?;
        let (text, rest) = self.rest.split_at_checked(n_bytes).ok_or(FrameError::Cut { field })?;
        self.rest = rest;
        std::str::from_utf8(text).map(str::to_owned).map_err(|_| FrameError::Range { field })
    }

    /// All samples up to the frame's end; at least one.
    pub(crate) fn samples(&mut self) -> Result<Redacted<Vec<i16>>, FrameError> {
        let (pairs, odd) = self.rest.as_chunks::<2>();
        if !odd.is_empty() {
            return Err(FrameError::Cut { field: "samples" });
        }
        if pairs.is_empty() || pairs.len() > FRAME_SAMPLES_MAX {
            return Err(FrameError::Range { field: "samples" });
        }
        self.rest = &[];
        Ok(Redacted::new(pairs.iter().map(|&pair| i16::from_le_bytes(pair)).collect()))
    }
}
