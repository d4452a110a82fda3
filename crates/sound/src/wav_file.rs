//! Reading WAV: PCM of 8, 16, 24 and 32 bits, floats of 32 and 64.

use std::io::{BufReader, ErrorKind, Read, Seek, SeekFrom};

use crate::SoundError;
use crate::file::Source;

/// Lengths from here on are what programs write into a header before they know the real one (sox, espeak-ng, ffmpeg).
const STREAMED_BYTES: u32 = 0x7fff_0000;

/// Chunks looked at before the samples begin; real files have three or four.
const CHUNKS_MAX: usize = 100;

/// Frames decoded at a time.
const FRAMES_AT_ONCE: usize = 4_096;

/// How a sample is stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Encoding {
    Unsigned8,
    Signed16,
    Signed24,
    Signed32,
    Float32,
    Float64,
}

impl Encoding {
    const fn bytes(self) -> usize {
        match self {
            Self::Unsigned8 => 1,
            Self::Signed16 => 2,
            Self::Signed24 => 3,
            Self::Signed32 | Self::Float32 => 4,
            Self::Float64 => 8,
        }
    }
}

/// The format chunk.
struct Format {
    encoding: Encoding,
    channels: usize,
    rate_hz: u32,
}

/// A WAV file, decoded some thousand frames at a time.
pub(crate) struct WavFile {
    name: String,
    source: BufReader<Box<dyn Source>>,
    encoding: Encoding,
    pub(crate) rate_hz: u32,
    pub(crate) channels: usize,
    /// Bytes of samples still to come, where the header says.
    bytes_left: Option<usize>,
    bytes: Vec<u8>,
}

impl WavFile {
    /// Reads up to the first sample.
    pub(crate) fn open(name: &str, source: Box<dyn Source>) -> Result<Self, SoundError> {
        let mut source = BufReader::new(source);
        let fail = |error| read_failure(name, error);
        let mut riff = [0; 12];
        source.read_exact(&mut riff).map_err(fail)?;
        let mut format = None;
        for _ in 0..CHUNKS_MAX {
            let mut header = [0; 8];
            source.read_exact(&mut header).map_err(fail)?;
            let [id @ .., a, b, c, d] = header;
            let length = u32::from_le_bytes([a, b, c, d]);
            match &id {
                b"fmt " => format = Some(read_format(name, &mut source, length)?),
                b"data" => {
                    let Format { encoding, channels, rate_hz } = format.ok_or_else(|| damaged(name, "no format"))?;
                    let bytes_left = Some(length).filter(|length| *length < STREAMED_BYTES);
                    // Told at once rather than after all of it was played.
                    if bytes_left
                        .is_some_and(|length| remaining(&mut source).is_ok_and(|there| there < length.into()))
                    {
                        return Err(SoundError::Cut { name: name.to_owned() });
                    }
                    let bytes_left = bytes_left.and_then(|length| usize::try_from(length).ok());
                    let bytes = Vec::new();
                    return Ok(Self {
                        name: name.to_owned(),
                        source,
                        encoding,
                        rate_hz,
                        channels,
                        bytes_left,
                        bytes,
                    });
                }
                // Chunks are padded to an even length.
                _ => skip(name, &mut source, u64::from(length) + u64::from(length % 2))?,
            }
        }
        Err(damaged(name, "no samples"))
    }

    /// The next frames' samples, interleaved; nothing at the end.
    pub(crate) fn read(&mut self, interleaved: &mut Vec<f32>) -> Result<bool, SoundError> {
        interleaved.clear();
        let frame_bytes = self.encoding.bytes() * self.channels;
        let wanted = self.bytes_left.unwrap_or(usize::MAX).min(FRAMES_AT_ONCE * frame_bytes);
        self.bytes.clear();
        let read = self.source.by_ref().take(wanted as u64).read_to_end(&mut self.bytes);
        let read = read.map_err(|error| read_failure(&self.name, error))?;
        if let Some(left) = &mut self.bytes_left {
            if read < wanted {
                return Err(SoundError::Cut { name: self.name.clone() });
            }
            *left -= read;
        }
        let whole_frames = &self.bytes[..read - read % frame_bytes];
        let samples = whole_frames.chunks_exact(self.encoding.bytes());
        interleaved.extend(samples.map(|bytes| decoded(self.encoding, bytes)));
        Ok(read > 0)
    }
}

/// One sample at full scale 1. 24 bits and fewer are exact; of 32 the lowest ones go, far below what 16 can hold.
#[expect(clippy::cast_precision_loss, clippy::cast_possible_truncation, reason = "16 bits are kept in the end")]
fn decoded(encoding: Encoding, bytes: &[u8]) -> f32 {
    match (encoding, bytes) {
        (Encoding::Unsigned8, &[a]) => (f32::from(a) - 128.0) / 128.0,
        (Encoding::Signed16, &[a, b]) => f32::from(i16::from_le_bytes([a, b])) / 32_768.0,
        (Encoding::Signed24, &[a, b, c]) => (i32::from_le_bytes([0, a, b, c]) >> 8) as f32 / 8_388_608.0,
        (Encoding::Signed32, &[a, b, c, d]) => i32::from_le_bytes([a, b, c, d]) as f32 / 2_147_483_648.0,
        (Encoding::Float32, &[a, b, c, d]) => f32::from_le_bytes([a, b, c, d]),
        (Encoding::Float64, bytes) => bytes.try_into().map_or(0.0, |bytes| f64::from_le_bytes(bytes) as f32),
        _ => 0.0,
    }
}

fn read_format(name: &str, source: &mut BufReader<Box<dyn Source>>, length: u32) -> Result<Format, SoundError> {
    const FORMAT_BYTES: usize = 40;
    let mut bytes = [0; FORMAT_BYTES];
    let kept = (length as usize).min(FORMAT_BYTES);
    if kept < 16 {
        return Err(damaged(name, "its format is cut"));
    }
    source.read_exact(&mut bytes[..kept]).map_err(|error| read_failure(name, error))?;
    skip(name, source, u64::from(length) - kept as u64 + u64::from(length % 2))?;
    let half = |at: usize| u16::from_le_bytes([bytes[at], bytes[at + 1]]);
    let rate_hz = u32::from_le_bytes([bytes[4], bytes[5], bytes[6], bytes[7]]);
    let (channels, frame_bytes, bits) = (usize::from(half(2)), usize::from(half(12)), half(14));
    // An extensible format has the real tag at the head of its sub-format.
    let tag = if half(0) == 0xfffe { half(24) } else { half(0) };
    let encoding = match (tag, bits) {
        (1, 8) => Encoding::Unsigned8,
        (1, 16) => Encoding::Signed16,
        (1, 24) => Encoding::Signed24,
        (1, 32) => Encoding::Signed32,
        (3, 32) => Encoding::Float32,
        (3, 64) => Encoding::Float64,
        _ => {
            let reason = format!("WAV codec {tag} with {bits} bits");
            return Err(SoundError::Unsupported { name: name.to_owned(), reason });
        }
    };
    if channels == 0 || frame_bytes != channels * encoding.bytes() {
        return Err(damaged(name, "its format contradicts itself"));
    }
    Ok(Format { encoding, channels, rate_hz })
}

fn skip(name: &str, source: &mut BufReader<Box<dyn Source>>, bytes: u64) -> Result<(), SoundError> {
    let fail = |error| read_failure(name, error);
    // A seek goes beyond the end without complaint.
    if remaining(source).map_err(fail)? < bytes {
        return Err(SoundError::Cut { name: name.to_owned() });
    }
    let Ok(offset) = i64::try_from(bytes) else { return Err(damaged(name, "a part too long")) };
    source.seek_relative(offset).map_err(fail)
}

/// How many bytes follow.
fn remaining(source: &mut BufReader<Box<dyn Source>>) -> std::io::Result<u64> {
    let here = source.stream_position()?;
    let end = source.seek(SeekFrom::End(0))?;
    source.seek(SeekFrom::Start(here))?;
    Ok(end.saturating_sub(here))
}

fn damaged(name: &str, reason: &str) -> SoundError {
    SoundError::Damaged { name: name.to_owned(), reason: reason.to_owned() }
}

fn read_failure(name: &str, source: std::io::Error) -> SoundError {
    let name = name.to_owned();
    if source.kind() == ErrorKind::UnexpectedEof { SoundError::Cut { name } } else { SoundError::Io { name, source } }
}
