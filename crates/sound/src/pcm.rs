//! Samples that lie in a file one after the other, as WAV, AIFF and AU have them.

use std::io::{BufReader, ErrorKind, Read, Seek, SeekFrom};

use crate::SoundError;
use crate::file::Source;

/// Lengths from here on are what programs write into a header before they know the real one (sox, espeak-ng, ffmpeg).
const STREAMED_BYTES: u64 = 0x7fff_0000;

/// Frames decoded at a time.
const FRAMES_AT_ONCE: usize = 4_096;

/// Bytes looked at to see which bytes of a wide sample are used: some seconds.
const LOOKED_AT_BYTES: u64 = 4 << 20;

/// How a sample is stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Encoding {
    Unsigned8,
    /// A whole number in so many bytes, of which the lowest `used` hold it.
    Signed {
        bytes: usize,
        used: usize,
    },
    Float32,
    Float64,
    /// ITU-T G.711.
    ALaw,
    MuLaw,
}

impl Encoding {
    /// A whole number that fills its bytes.
    pub(crate) const fn signed(bytes: usize) -> Self {
        Self::Signed { bytes, used: bytes }
    }

    pub(crate) const fn bytes(self) -> usize {
        match self {
            Self::Unsigned8 | Self::ALaw | Self::MuLaw => 1,
            Self::Signed { bytes, .. } => bytes,
            Self::Float32 => 4,
            Self::Float64 => 8,
        }
    }
}

/// What the samples are.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Layout {
    pub(crate) encoding: Encoding,
    pub(crate) is_big_endian: bool,
    pub(crate) channels: usize,
    pub(crate) rate_hz: u32,
}

/// A file that stands at its first sample; decoded some thousand frames at a time.
pub(crate) struct PcmFile {
    name: String,
    source: BufReader<Box<dyn Source>>,
    pub(crate) layout: Layout,
    /// Bytes of samples still to come, where that is known.
    bytes_left: Option<u64>,
    bytes: Vec<u8>,
    /// There is less than the header says.
    pub(crate) is_cut: bool,
}

impl PcmFile {
    /// `claimed` is how many bytes of samples there are by the header, and `is_sure` says that an empty one means it.
    ///
    /// Programs that write to a pipe, and recorders that were killed, leave a length that was never filled in: none, the
    /// largest there is, or what was planned. Then the sound goes on to the end of the file.
    pub(crate) fn new(
        name: &str,
        mut source: BufReader<Box<dyn Source>>,
        layout: Layout,
        claimed: u64,
        is_sure: bool,
    ) -> Result<Self, SoundError> {
        let there = remaining(&mut source).map_err(|error| read_failure(name, error))?;
        let is_known = if claimed == 0 { is_sure } else { claimed <= there };
        let bytes_left = is_known.then_some(claimed);
        let is_cut = claimed > there && claimed < STREAMED_BYTES;
        Ok(Self { name: name.to_owned(), source, layout, bytes_left, bytes: Vec::new(), is_cut })
    }

    /// The next frames' samples, interleaved; nothing at the end.
    pub(crate) fn read(&mut self, interleaved: &mut Vec<f32>) -> Result<bool, SoundError> {
        interleaved.clear();
        let Layout { encoding, is_big_endian, channels, .. } = self.layout;
        let frame_bytes = encoding.bytes() * channels;
        let most = (FRAMES_AT_ONCE * frame_bytes) as u64;
        let wanted = self.bytes_left.map_or(most, |left| left.min(most));
        self.bytes.clear();
        let read = self.source.by_ref().take(wanted).read_to_end(&mut self.bytes);
        let read = read.map_err(|error| read_failure(&self.name, error))?;
        if let Some(left) = &mut self.bytes_left {
            self.is_cut |= (read as u64) < wanted;
            *left -= read as u64;
        }
        let whole_frames = &self.bytes[..read - read % frame_bytes];
        let samples = whole_frames.chunks_exact(encoding.bytes());
        interleaved.extend(samples.map(|bytes| decoded(encoding, is_big_endian, bytes)));
        Ok(read > 0)
    }
}

/// Which bytes hold a number that does not fill its own: the highest, as Microsoft says, or the lowest, as ALSA's S24_LE
/// has them. Looks at the samples, and puts `source` back where it was.
pub(crate) fn padded(
    source: &mut BufReader<Box<dyn Source>>,
    bytes: usize,
    used: usize,
    is_big_endian: bool,
) -> std::io::Result<Encoding> {
    let here = source.stream_position()?;
    let mut seen = Vec::new();
    source.by_ref().take(LOOKED_AT_BYTES).read_to_end(&mut seen)?;
    source.seek(SeekFrom::Start(here))?;
    let (mut low_is_zero, mut top_is_sign) = (true, true);
    for sample in seen.chunks_exact(bytes) {
        let sample = little_endian(sample, is_big_endian);
        low_is_zero &= sample[..bytes - used].iter().all(|byte| *byte == 0);
        let sign = if sample[used - 1] & 0x80 == 0 { 0 } else { 0xff };
        let top = &sample[used..bytes];
        top_is_sign &= top.iter().all(|byte| *byte == sign) || top.iter().all(|byte| *byte == 0);
    }
    Ok(if low_is_zero && !top_is_sign { Encoding::signed(bytes) } else { Encoding::Signed { bytes, used } })
}

/// How many bytes follow.
pub(crate) fn remaining(source: &mut BufReader<Box<dyn Source>>) -> std::io::Result<u64> {
    let here = source.stream_position()?;
    let end = source.seek(SeekFrom::End(0))?;
    source.seek(SeekFrom::Start(here))?;
    Ok(end.saturating_sub(here))
}

pub(crate) fn skip(name: &str, source: &mut BufReader<Box<dyn Source>>, bytes: u64) -> Result<(), SoundError> {
    let fail = |error| read_failure(name, error);
    // A seek goes beyond the end without complaint.
    if remaining(source).map_err(fail)? < bytes {
        return Err(SoundError::Cut { name: name.to_owned() });
    }
    let Ok(offset) = i64::try_from(bytes) else { return Err(damaged(name, "a part too long")) };
    source.seek_relative(offset).map_err(fail)
}

pub(crate) fn damaged(name: &str, reason: &str) -> SoundError {
    SoundError::Damaged { name: name.to_owned(), reason: reason.to_owned() }
}

pub(crate) fn read_failure(name: &str, source: std::io::Error) -> SoundError {
    let name = name.to_owned();
    if source.kind() == ErrorKind::UnexpectedEof { SoundError::Cut { name } } else { SoundError::Io { name, source } }
}

/// The bytes of a sample, lowest first, and zeros.
fn little_endian(sample: &[u8], is_big_endian: bool) -> [u8; 8] {
    let mut bytes = [0; 8];
    bytes[..sample.len()].copy_from_slice(sample);
    if is_big_endian {
        bytes[..sample.len()].reverse();
    }
    bytes
}

/// One sample at full scale 1. 24 bits and fewer are exact; of 32 the lowest ones go, far below what 16 can hold.
#[expect(clippy::cast_precision_loss, clippy::cast_possible_truncation, reason = "16 bits are kept in the end")]
fn decoded(encoding: Encoding, is_big_endian: bool, sample: &[u8]) -> f32 {
    let bytes = little_endian(sample, is_big_endian);
    let [a, b, c, d, ..] = bytes;
    match encoding {
        Encoding::Unsigned8 => (f32::from(a) - 128.0) / 128.0,
        Encoding::Signed { used, .. } => {
            // To the top of 32 bits, whatever lies above them.
            let shift = 8 * (4 - used.min(4)) as u32;
            (i32::from_le_bytes([a, b, c, d]) << shift) as f32 / 2_147_483_648.0
        }
        Encoding::Float32 => f32::from_le_bytes([a, b, c, d]),
        Encoding::Float64 => f64::from_le_bytes(bytes) as f32,
        Encoding::ALaw => f32::from(a_law(a)) / 32_768.0,
        Encoding::MuLaw => f32::from(mu_law(a)) / 32_768.0,
    }
}

/// ITU-T G.711, table 1: 13 bits, here at the top of 16.
fn a_law(code: u8) -> i16 {
    let code = code ^ 0x55;
    let (exponent, mantissa) = ((code >> 4) & 7, i16::from(code & 15) << 4);
    let height = if exponent == 0 { mantissa + 8 } else { (mantissa + 0x108) << (exponent - 1) };
    if code & 0x80 == 0 { -height } else { height }
}

/// ITU-T G.711, table 2: 14 bits, here at the top of 16.
fn mu_law(code: u8) -> i16 {
    let code = !code;
    let height = (((i16::from(code & 15) << 3) + 0x84) << ((code >> 4) & 7)) - 0x84;
    if code & 0x80 == 0 { height } else { -height }
}
