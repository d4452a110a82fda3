//! Reading AIFF and AIFF-C, and Sun's AU: the highest byte first.

use std::io::{BufReader, Read};

use crate::SoundError;
use crate::file::Source;
use crate::pcm::{Encoding, Layout, PcmFile, damaged, read_failure, remaining, skip};

/// Chunks looked at before the samples begin.
const CHUNKS_MAX: usize = 100;

/// Reads an AIFF up to the first sample.
pub(crate) fn open_aiff(name: &str, source: Box<dyn Source>) -> Result<PcmFile, SoundError> {
    let mut header = Header { name, source: BufReader::new(source) };
    let _form: [u8; 4] = header.read()?;
    let bytes = u64::from(header.number()?);
    let there = remaining(&mut header.source).map_err(|error| read_failure(name, error))?;
    let is_whole = there.abs_diff(bytes) <= 1;
    let [_, _, _, kind] = header.read()?;
    let mut layout = None;
    for _ in 0..CHUNKS_MAX {
        let id: [u8; 4] = header.read()?;
        let bytes = u64::from(header.number()?);
        match &id {
            b"COMM" => layout = Some(header.common(bytes, kind == b'C')?),
            b"SSND" => {
                let layout = layout.ok_or_else(|| SoundError::Unsupported {
                    name: name.to_owned(),
                    reason: "AIFF with its format behind its samples".to_owned(),
                })?;
                let offset = u64::from(header.number()?);
                let _block = header.number()?;
                skip(name, &mut header.source, offset)?;
                return PcmFile::new(name, header.source, layout, bytes.saturating_sub(8 + offset), is_whole);
            }
            _ => skip(name, &mut header.source, bytes + bytes % 2)?,
        }
    }
    Err(damaged(name, "no samples"))
}

/// Reads an AU up to the first sample.
pub(crate) fn open_au(name: &str, source: Box<dyn Source>) -> Result<PcmFile, SoundError> {
    const HEADER_BYTES: u64 = 24;
    let mut header = Header { name, source: BufReader::new(source) };
    let _magic: [u8; 4] = header.read()?;
    let (start, bytes) = (u64::from(header.number()?), u64::from(header.number()?));
    let (codec, rate_hz, channels) = (header.number()?, header.number()?, header.number()? as usize);
    let encoding = match codec {
        1 => Encoding::MuLaw,
        2..=5 => Encoding::signed(codec as usize - 1),
        6 => Encoding::Float32,
        7 => Encoding::Float64,
        27 => Encoding::ALaw,
        _ => {
            let reason = format!("AU with codec {codec}");
            return Err(SoundError::Unsupported { name: name.to_owned(), reason });
        }
    };
    let notes = start.checked_sub(HEADER_BYTES).ok_or_else(|| damaged(name, "its samples begin in its header"))?;
    skip(name, &mut header.source, notes)?;
    let layout = Layout { encoding, is_big_endian: true, channels, rate_hz };
    PcmFile::new(name, header.source, layout, bytes, false)
}

struct Header<'n> {
    name: &'n str,
    source: BufReader<Box<dyn Source>>,
}

impl Header<'_> {
    /// The chunk that says what the samples are.
    fn common(&mut self, bytes: u64, has_codec: bool) -> Result<Layout, SoundError> {
        let [a, b] = self.read()?;
        let channels = usize::from(u16::from_be_bytes([a, b]));
        let _frames = self.number()?;
        let [a, b] = self.read()?;
        let bits = usize::from(u16::from_be_bytes([a, b]));
        let rate_hz = extended(self.read()?);
        let codec = if has_codec { self.read()? } else { *b"NONE" };
        let read = if has_codec { 22 } else { 18 };
        let rest = bytes.checked_sub(read).ok_or_else(|| damaged(self.name, "its format is cut"))?;
        skip(self.name, &mut self.source, rest + bytes % 2)?;
        let (encoding, is_big_endian) = match (&codec, bits.div_ceil(8)) {
            (b"NONE" | b"twos" | b"in24" | b"in32", used @ 1..=4) => (Encoding::signed(used), true),
            (b"sowt" | b"42n1" | b"23ni", used @ 1..=4) => (Encoding::signed(used), false),
            (b"raw ", 1) => (Encoding::Unsigned8, true),
            (b"fl32" | b"FL32", _) => (Encoding::Float32, true),
            (b"fl64" | b"FL64", _) => (Encoding::Float64, true),
            (b"alaw" | b"ALAW", _) => (Encoding::ALaw, true),
            (b"ulaw" | b"ULAW", _) => (Encoding::MuLaw, true),
            _ => {
                let codec = String::from_utf8_lossy(&codec).escape_default().to_string();
                let reason = format!("AIFF-C with codec {codec} and {bits} bits");
                return Err(SoundError::Unsupported { name: self.name.to_owned(), reason });
            }
        };
        Ok(Layout { encoding, is_big_endian, channels, rate_hz })
    }

    fn read<const N: usize>(&mut self) -> Result<[u8; N], SoundError> {
        let mut bytes = [0; N];
        self.source.read_exact(&mut bytes).map_err(|error| read_failure(self.name, error))?;
        Ok(bytes)
    }

    fn number(&mut self) -> Result<u32, SoundError> {
        Ok(u32::from_be_bytes(self.read()?))
    }
}

/// A rate in the 80 bits of IEEE 754's extended format, to the nearest whole number; 0 for what is none.
fn extended(bytes: [u8; 10]) -> u32 {
    const BIAS: i32 = 16_383;
    let [a, b, mantissa @ ..] = bytes;
    let exponent = i32::from(u16::from_be_bytes([a, b]) & 0x7fff) - BIAS;
    let (mantissa, right) = (u64::from_be_bytes(mantissa), 63 - exponent);
    match (a & 0x80, right) {
        (0, 32..=63) => u32::try_from((u128::from(mantissa) + (1 << (right - 1))) >> right).unwrap_or(0),
        _ => 0,
    }
}
