//! Reading WAV and its kin: RIFF and RIFX, RF64 and BW64 (EBU Tech 3306), and Sony's Wave64.

use std::io::{BufReader, Read, Seek};

use crate::SoundError;
use crate::file::Source;
use crate::pcm::{Encoding, Layout, PcmFile, damaged, padded, read_failure, remaining, skip};

/// Chunks looked at before the samples begin; real files have three or four.
const CHUNKS_MAX: usize = 100;

/// Chunks that real files have. After one of odd length some programs forget the byte that pads it.
const KNOWN_CHUNKS: [&[u8; 4]; 16] = [
    b"fmt ", b"data", b"fact", b"LIST", b"JUNK", b"junk", b"bext", b"cue ", b"PEAK", b"iXML", b"id3 ", b"ID3 ",
    b"FLLR", b"PAD ", b"smpl", b"cart",
];

/// How Wave64 goes on after the four letters of a chunk's name.
const WAVE64_NAME: [u8; 12] = [0xf3, 0xac, 0xd3, 0x11, 0x8c, 0xd1, 0x00, 0xc0, 0x4f, 0x8e, 0xdb, 0x8a];

/// Which of the family.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Family {
    Riff,
    /// RIFF with the highest byte first.
    Rifx,
    /// RF64 and BW64: lengths of 64 bits in a chunk of their own.
    Rf64,
    Wave64,
}

struct Chunk {
    id: [u8; 4],
    bytes: u64,
}

/// Reads up to the first sample.
pub(crate) fn open(name: &str, source: Box<dyn Source>, family: Family) -> Result<PcmFile, SoundError> {
    let mut header = Header { name, family, source: BufReader::new(source) };
    let is_whole = header.is_whole()?;
    let (mut layout, mut long_bytes) = (None, None);
    for _ in 0..CHUNKS_MAX {
        let chunk = header.next()?;
        match &chunk.id {
            b"ds64" => long_bytes = Some(header.long_bytes(&chunk)?),
            b"fmt " => layout = Some(header.format(&chunk)?),
            b"data" => {
                let (mut layout, padding): (Layout, _) = layout.ok_or_else(|| damaged(name, "no format"))?;
                if let Some(used) = padding {
                    let bytes = layout.encoding.bytes();
                    layout.encoding = padded(&mut header.source, bytes, used, layout.is_big_endian)
                        .map_err(|error| read_failure(name, error))?;
                }
                let claimed = match long_bytes {
                    Some(bytes) if chunk.bytes == u64::from(u32::MAX) => bytes,
                    _ => chunk.bytes,
                };
                return PcmFile::new(name, header.source, layout, claimed, is_whole);
            }
            _ => header.skip(&chunk)?,
        }
    }
    Err(damaged(name, "no samples"))
}

struct Header<'n> {
    name: &'n str,
    family: Family,
    source: BufReader<Box<dyn Source>>,
}

impl Header<'_> {
    /// Passes over the file's own head; `true` where the length in it is the file's.
    fn is_whole(&mut self) -> Result<bool, SoundError> {
        let bytes = if self.family == Family::Wave64 {
            let _name: [u8; 16] = self.read()?;
            let bytes = u64::from_le_bytes(self.read()?);
            let _wave: [u8; 16] = self.read()?;
            bytes.saturating_sub(40)
        } else {
            let _riff: [u8; 4] = self.read()?;
            let bytes = self.number(4)?;
            let _wave: [u8; 4] = self.read()?;
            bytes.saturating_sub(4)
        };
        let there = remaining(&mut self.source).map_err(|error| read_failure(self.name, error))?;
        // With or without the last byte of padding.
        Ok(there.abs_diff(bytes) <= 1)
    }

    fn next(&mut self) -> Result<Chunk, SoundError> {
        if self.family == Family::Wave64 {
            let id: [u8; 16] = self.read()?;
            let bytes = u64::from_le_bytes(self.read()?).saturating_sub(24);
            let [a, b, c, d, rest @ ..] = id;
            return Ok(Chunk { id: if rest == WAVE64_NAME { [a, b, c, d] } else { [0; 4] }, bytes });
        }
        Ok(Chunk { id: self.read()?, bytes: self.number(4)? })
    }

    fn skip(&mut self, chunk: &Chunk) -> Result<(), SoundError> {
        skip(self.name, &mut self.source, chunk.bytes)?;
        self.padding(chunk)
    }

    /// Chunks are padded to an even length, those of Wave64 to one of eight bytes.
    fn padding(&mut self, chunk: &Chunk) -> Result<(), SoundError> {
        if self.family == Family::Wave64 {
            return skip(self.name, &mut self.source, chunk.bytes.next_multiple_of(8) - chunk.bytes);
        }
        if chunk.bytes.is_multiple_of(2) {
            return Ok(());
        }
        let fail = |error| read_failure(self.name, error);
        let here = self.source.stream_position().map_err(fail)?;
        let mut next = [0; 5];
        let read = self.source.read_exact(&mut next);
        self.source.seek(std::io::SeekFrom::Start(here)).map_err(fail)?;
        read.map_err(fail)?;
        let is_known = |id: &[u8]| KNOWN_CHUNKS.iter().any(|known| known.as_slice() == id);
        let is_forgotten = is_known(&next[..4]) && !is_known(&next[1..]);
        skip(self.name, &mut self.source, u64::from(!is_forgotten))
    }

    /// The length of the samples out of RF64's own chunk.
    fn long_bytes(&mut self, chunk: &Chunk) -> Result<u64, SoundError> {
        const FIELDS_BYTES: u64 = 16;
        let rest = chunk.bytes.checked_sub(FIELDS_BYTES).ok_or_else(|| damaged(self.name, "its lengths are cut"))?;
        let _riff = self.number(8)?;
        let bytes = self.number(8)?;
        skip(self.name, &mut self.source, rest)?;
        self.padding(chunk)?;
        Ok(bytes)
    }

    /// What the samples are, and of how many bytes each is where it does not fill its own.
    fn format(&mut self, chunk: &Chunk) -> Result<(Layout, Option<usize>), SoundError> {
        const FORMAT_BYTES: usize = 40;
        let mut bytes = [0; FORMAT_BYTES];
        let kept = usize::try_from(chunk.bytes).unwrap_or(FORMAT_BYTES).min(FORMAT_BYTES);
        if kept < 16 {
            return Err(damaged(self.name, "its format is cut"));
        }
        self.source.read_exact(&mut bytes[..kept]).map_err(|error| read_failure(self.name, error))?;
        skip(self.name, &mut self.source, chunk.bytes - kept as u64)?;
        self.padding(chunk)?;
        let is_big_endian = self.family == Family::Rifx;
        let half = |at: usize| {
            let half = [bytes[at], bytes[at + 1]];
            if is_big_endian { u16::from_be_bytes(half) } else { u16::from_le_bytes(half) }
        };
        let [low, high] = if is_big_endian { [half(6), half(4)] } else { [half(4), half(6)] };
        let rate_hz = u32::from(high) << 16 | u32::from(low);
        let (channels, frame_bytes, bits) = (usize::from(half(2)), usize::from(half(12)), usize::from(half(14)));
        // An extensible format has the real tag at the head of its sub-format.
        let tag = if half(0) == 0xfffe { half(24) } else { half(0) };
        if channels == 0 {
            return Err(damaged(self.name, "its format has no channels"));
        }
        // Some programs leave the frame's length out.
        let frame_bytes = if frame_bytes == 0 { channels * bits.div_ceil(8) } else { frame_bytes };
        let (bytes, used) = (frame_bytes / channels, bits.div_ceil(8));
        let encoding = match (tag, bytes) {
            (1, 1) => Some(Encoding::Unsigned8),
            (1, 2..=4) => Some(Encoding::signed(bytes)),
            (3, 4) => Some(Encoding::Float32),
            (3, 8) => Some(Encoding::Float64),
            (6, 1) => Some(Encoding::ALaw),
            (7, 1) => Some(Encoding::MuLaw),
            _ => None,
        };
        let Some(encoding) = encoding else {
            let reason = format!("WAV with {} and {bits} bits", codec(tag));
            return Err(SoundError::Unsupported { name: self.name.to_owned(), reason });
        };
        if frame_bytes % channels != 0 || used > bytes || bits == 0 {
            return Err(damaged(self.name, "its format contradicts itself"));
        }
        let padding = (tag == 1 && used < bytes).then_some(used);
        Ok((Layout { encoding, is_big_endian, channels, rate_hz }, padding))
    }

    fn read<const N: usize>(&mut self) -> Result<[u8; N], SoundError> {
        let mut bytes = [0; N];
        self.source.read_exact(&mut bytes).map_err(|error| read_failure(self.name, error))?;
        Ok(bytes)
    }

    /// A number of so many bytes, in the file's own order.
    fn number(&mut self, bytes: usize) -> Result<u64, SoundError> {
        let mut number = [0; 8];
        self.source.read_exact(&mut number[..bytes]).map_err(|error| read_failure(self.name, error))?;
        if self.family == Family::Rifx {
            number[..bytes].reverse();
        }
        Ok(u64::from_le_bytes(number))
    }
}

/// The codecs that WAV files are met with (RFC 2361).
fn codec(tag: u16) -> String {
    let name = match tag {
        1 => "whole numbers",
        3 => "floats",
        2 => "Microsoft's ADPCM",
        6 => "A-law",
        7 => "µ-law",
        0x11 => "IMA's ADPCM",
        0x31 => "GSM 6.10",
        0x50 | 0x55 => "MP3",
        0x38 => "NMS's ADPCM",
        0x40 => "G.721",
        0x45 | 0x64 => "G.726",
        0x161..=0x163 => "Windows Media Audio",
        0xff | 0x1600..=0x1610 => "AAC",
        0x2000 => "AC-3",
        _ => return format!("codec {tag}"),
    };
    name.to_owned()
}
