//! One message as bytes: version u8 · kind u8 · length of the body u16, little-endian · body.

use crate::PipeError;

/// The version of every format in this crate. Both ends are installed together, so there is never a second one to read.
pub const VERSION: u8 = 1;

/// Bytes before the body.
pub const HEADER_BYTES: usize = 4;

/// The longest message with its header: what POSIX writes to a pipe in one piece (`PIPE_BUF` on Linux), so that a
/// process killed in the middle of a write never leaves half a message behind.
pub const FRAME_BYTES_MAX: usize = 4_096;

/// How much a [`Reader`] holds before it refuses: a whole pipe (64 KiB on Linux) and one message.
const UNREAD_BYTES_MAX: usize = 65_536 + FRAME_BYTES_MAX;

/// One of the tables in [`crate::messages`].
pub trait Message: Sized {
    /// Which line of the table this is.
    fn kind(&self) -> u8;

    /// Appends the body.
    fn write_body(&self, body: &mut BodyWriter<'_>);

    /// Reads a body back. Every byte must be used, every value in range: else [`PipeError::Malformed`], or
    /// [`PipeError::Kind`] for a line that this table does not have.
    fn read_body(kind: u8, body: &mut BodyReader<'_>) -> Result<Self, PipeError>;
}

/// Appends `message` to `out`.
///
/// # Errors
/// [`PipeError::TooLong`] where it does not fit [`FRAME_BYTES_MAX`]; `out` is then as it was.
pub fn encode<M: Message>(message: &M, out: &mut Vec<u8>) -> Result<(), PipeError> {
    let start = out.len();
    out.extend_from_slice(&[VERSION, message.kind(), 0, 0]);
    message.write_body(&mut BodyWriter { out });
    let frame_bytes = out.len() - start;
    let body_bytes = u16::try_from(frame_bytes - HEADER_BYTES).ok().filter(|_| frame_bytes <= FRAME_BYTES_MAX);
    let Some(body_bytes) = body_bytes else {
        out.truncate(start);
        return Err(PipeError::TooLong(frame_bytes));
    };
    out[start + 2..start + HEADER_BYTES].copy_from_slice(&body_bytes.to_le_bytes());
    Ok(())
}

/// Puts a stream of bytes together into messages. After an error the pipe is of no further use.
#[derive(Debug)]
pub struct Reader<M> {
    unread: Vec<u8>,
    start: usize,
    message: std::marker::PhantomData<fn() -> M>,
}

impl<M> Default for Reader<M> {
    fn default() -> Self {
        Self { unread: Vec::with_capacity(UNREAD_BYTES_MAX), start: 0, message: std::marker::PhantomData }
    }
}

impl<M: Message> Reader<M> {
    /// A reader that has seen nothing yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes what was read from the pipe.
    ///
    /// # Errors
    /// [`PipeError::TooLong`] where more is waiting than a pipe holds: call [`Self::next`] until it is empty first.
    pub fn push(&mut self, bytes: &[u8]) -> Result<(), PipeError> {
        let left = self.unread.len() - self.start;
        self.unread.copy_within(self.start.., 0);
        // What was read is not left behind: it may have been said.
        self.unread[left..].fill(0);
        self.unread.truncate(left);
        self.start = 0;
        let waiting = self.unread.len() + bytes.len();
        if waiting > UNREAD_BYTES_MAX {
            return Err(PipeError::TooLong(waiting));
        }
        self.unread.extend_from_slice(bytes);
        Ok(())
    }

    /// The next whole message, if there is one.
    ///
    /// # Errors
    /// [`PipeError::Version`], [`PipeError::TooLong`], [`PipeError::Kind`] or [`PipeError::Malformed`].
    #[expect(clippy::should_implement_trait, reason = "an iterator would end at the first gap; this goes on")]
    pub fn next(&mut self) -> Result<Option<M>, PipeError> {
        let unread = &self.unread[self.start..];
        let Some((&[version, kind, low, high], rest)) = unread.split_first_chunk::<HEADER_BYTES>() else {
            return Ok(None);
        };
        if version != VERSION {
            return Err(PipeError::Version { got: version });
        }
        let body_bytes = usize::from(u16::from_le_bytes([low, high]));
        if HEADER_BYTES + body_bytes > FRAME_BYTES_MAX {
            return Err(PipeError::TooLong(HEADER_BYTES + body_bytes));
        }
        let Some(body) = rest.get(..body_bytes) else {
            return Ok(None);
        };
        let mut body = BodyReader { kind, rest: body };
        let message = M::read_body(kind, &mut body)?;
        if !body.rest.is_empty() {
            return Err(PipeError::Malformed(kind));
        }
        self.start += HEADER_BYTES + body_bytes;
        Ok(Some(message))
    }

    /// Whether the bytes so far end in the middle of a message.
    #[must_use]
    pub fn is_cut(&self) -> bool {
        self.start < self.unread.len()
    }
}

/// Where a message writes its body.
#[derive(Debug)]
pub struct BodyWriter<'a> {
    out: &'a mut Vec<u8>,
}

impl BodyWriter<'_> {
    /// One byte.
    pub fn u8(&mut self, value: u8) {
        self.out.push(value);
    }

    /// Four bytes, little-endian.
    pub fn u32(&mut self, value: u32) {
        self.out.extend_from_slice(&value.to_le_bytes());
    }

    /// Eight bytes, little-endian.
    pub fn u64(&mut self, value: u64) {
        self.out.extend_from_slice(&value.to_le_bytes());
    }

    /// Four bytes, IEEE 754, little-endian.
    pub fn f32(&mut self, value: f32) {
        self.out.extend_from_slice(&value.to_le_bytes());
    }

    /// A length byte and that many bytes; what is beyond 255 is left out.
    pub fn short_text(&mut self, text: &str) {
        let length = u8::try_from(text.len()).unwrap_or(u8::MAX);
        self.out.push(length);
        self.out.extend_from_slice(&text.as_bytes()[..usize::from(length)]);
    }

    /// Samples up to the end of the body, two bytes each, little-endian.
    pub fn samples(&mut self, samples: &[i16]) {
        self.out.extend(samples.iter().flat_map(|sample| sample.to_le_bytes()));
    }
}

/// Where a message reads its body from. Each call takes what it returns; too little is [`PipeError::Malformed`].
#[derive(Debug)]
pub struct BodyReader<'a> {
    kind: u8,
    rest: &'a [u8],
}

impl<'a> BodyReader<'a> {
    fn take<const N: usize>(&mut self) -> Result<[u8; N], PipeError> {
        let (&bytes, rest) = self.rest.split_first_chunk::<N>().ok_or(PipeError::Malformed(self.kind))?;
        self.rest = rest;
        Ok(bytes)
    }

    /// A value that is not in range.
    #[must_use]
    pub fn malformed(&self) -> PipeError {
        PipeError::Malformed(self.kind)
    }

    /// One byte.
    ///
    /// # Errors
    /// [`PipeError::Malformed`] at the end of the body.
    pub fn u8(&mut self) -> Result<u8, PipeError> {
        Ok(u8::from_le_bytes(self.take()?))
    }

    /// Four bytes.
    ///
    /// # Errors
    /// [`PipeError::Malformed`] at the end of the body.
    pub fn u32(&mut self) -> Result<u32, PipeError> {
        Ok(u32::from_le_bytes(self.take()?))
    }

    /// Eight bytes.
    ///
    /// # Errors
    /// [`PipeError::Malformed`] at the end of the body.
    pub fn u64(&mut self) -> Result<u64, PipeError> {
        Ok(u64::from_le_bytes(self.take()?))
    }

    /// A finite number of four bytes.
    ///
    /// # Errors
    /// [`PipeError::Malformed`] at the end of the body, for an infinity and for what is no number.
    pub fn f32(&mut self) -> Result<f32, PipeError> {
        let value = f32::from_le_bytes(self.take()?);
        if value.is_finite() { Ok(value) } else { Err(self.malformed()) }
    }

    /// A text of at most 255 bytes.
    ///
    /// # Errors
    /// [`PipeError::Malformed`] where it is cut or not UTF-8.
    pub fn short_text(&mut self) -> Result<&'a str, PipeError> {
        let length = usize::from(self.u8()?);
        let (text, rest) = self.rest.split_at_checked(length).ok_or(PipeError::Malformed(self.kind))?;
        self.rest = rest;
        std::str::from_utf8(text).map_err(|_| self.malformed())
    }

    /// All samples up to the end of the body.
    ///
    /// # Errors
    /// [`PipeError::Malformed`] where half a sample is left.
    pub fn samples(&mut self) -> Result<Vec<i16>, PipeError> {
        let (pairs, odd) = self.rest.as_chunks::<2>();
        if !odd.is_empty() {
            return Err(self.malformed());
        }
        let samples = pairs.iter().map(|&pair| i16::from_le_bytes(pair)).collect();
        self.rest = &[];
        Ok(samples)
    }
}
