//! A file from its path to its samples.

use std::fs::File;
use std::io::{Cursor, Read, SeekFrom};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

use base::SAMPLE_RATE_HZ;
use symphonia::core::io::MediaSource;

use crate::SoundError;
use crate::convert::Converter;
use crate::flac::FlacFile;
use crate::opus::{OPUS_RATE_HZ, OpusFile};
use crate::wav_file::WavFile;

/// What [`decode_file`] and [`decode_bytes`] hold in memory at most: an hour, 115 MB. [`SoundReader`] has no such limit.
pub const DECODE_SECONDS_MAX: u32 = 3_600;

/// All of a file, at 16 kHz.
///
/// # Errors
/// Any [`SoundError`]; [`SoundError::TooLong`] beyond [`DECODE_SECONDS_MAX`].
pub fn decode_file(path: &Path) -> Result<Vec<i16>, SoundError> {
    SoundReader::open(path)?.read_all()
}

/// All of a file that is in memory, at 16 kHz; `name` is what errors call it.
///
/// # Errors
/// As [`decode_file`].
pub fn decode_bytes(name: &str, bytes: Vec<u8>) -> Result<Vec<i16>, SoundError> {
    SoundReader::from_bytes(name, bytes)?.read_all()
}

/// A file that is decoded as it is read, however long it is.
#[derive(Debug)]
pub struct SoundReader {
    name: String,
    decoder: Decoder,
    converter: Converter,
    interleaved: Vec<f32>,
    samples: u64,
    is_over: bool,
}

/// What a decoder reads from.
pub(crate) trait Source: MediaSource + 'static {}
impl<T: MediaSource + 'static> Source for T {}

enum Decoder {
    Wav(Box<WavFile>),
    Flac(Box<FlacFile>),
    Opus(Box<OpusFile>),
}

impl std::fmt::Debug for Decoder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Wav(_) => "Wav",
            Self::Flac(_) => "Flac",
            Self::Opus(_) => "Opus",
        })
    }
}

impl SoundReader {
    /// Opens a file and reads its header.
    ///
    /// # Errors
    /// Any [`SoundError`] but [`SoundError::TooLong`].
    pub fn open(path: &Path) -> Result<Self, SoundError> {
        let name = path.display().to_string();
        let io = |source| SoundError::Io { name: name.clone(), source };
        let file = File::open(path).map_err(io)?;
        if file.metadata().map_err(io)?.is_dir() {
            return Err(io(std::io::ErrorKind::IsADirectory.into()));
        }
        Self::from_source(&name, file)
    }

    /// Reads a file that is in memory; `name` is what errors call it.
    ///
    /// # Errors
    /// Any [`SoundError`] but [`SoundError::TooLong`].
    pub fn from_bytes(name: &str, bytes: Vec<u8>) -> Result<Self, SoundError> {
        Self::from_source(name, Cursor::new(bytes))
    }

    fn from_source<S: Source>(name: &str, mut source: S) -> Result<Self, SoundError> {
        let io = |error| SoundError::Io { name: name.to_owned(), source: error };
        let mut magic = Vec::with_capacity(MAGIC_BYTES);
        source.by_ref().take(MAGIC_BYTES as u64).read_to_end(&mut magic).map_err(io)?;
        source.seek(SeekFrom::Start(0)).map_err(io)?;
        let decoder = guarded(name, || match magic.as_slice() {
            [] => Err(SoundError::Empty { name: name.to_owned() }),
            [b'R', b'I', b'F', b'F', _, _, _, _, b'W', b'A', b'V', b'E'] => {
                Ok(Decoder::Wav(Box::new(WavFile::open(name, Box::new(source))?)))
            }
            // Not even a whole header.
            [b'R', b'I', b'F', b'F', rest @ ..] if rest.len() < 8 => Err(SoundError::Cut { name: name.to_owned() }),
            [b'f', b'L', b'a', b'C', ..] => Ok(Decoder::Flac(Box::new(FlacFile::open(name, Box::new(source))?))),
            [b'O', b'g', b'g', b'S', ..] => Ok(Decoder::Opus(Box::new(OpusFile::open(name, Box::new(source))?))),
            _ => Err(SoundError::NotAudio { name: name.to_owned() }),
        })?;
        let (rate_hz, channels) = match &decoder {
            Decoder::Wav(file) => (file.rate_hz, file.channels),
            Decoder::Flac(file) => (file.rate_hz, file.channels),
            Decoder::Opus(file) => (OPUS_RATE_HZ, file.channels),
        };
        let converter = Converter::new(rate_hz, channels);
        let converter = converter.map_err(|reason| SoundError::Unsupported { name: name.to_owned(), reason })?;
        Ok(Self { name: name.to_owned(), decoder, converter, interleaved: Vec::new(), samples: 0, is_over: false })
    }

    /// Appends the next piece, at most some tenths of a second, to `out`; `false` once there is nothing left.
    ///
    /// # Errors
    /// [`SoundError::Cut`], [`SoundError::Damaged`], [`SoundError::Io`]; at the end [`SoundError::Empty`] where there was
    /// not one sample. What was appended before an error is sound.
    pub fn read(&mut self, out: &mut Vec<i16>) -> Result<bool, SoundError> {
        if self.is_over {
            return Ok(false);
        }
        let before = out.len();
        let (decoder, interleaved) = (&mut self.decoder, &mut self.interleaved);
        let has_more = guarded(&self.name, || match decoder {
            Decoder::Wav(file) => file.read(interleaved),
            Decoder::Flac(file) => file.read(interleaved),
            Decoder::Opus(file) => file.read(interleaved),
        })?;
        if has_more {
            self.converter.push(&self.interleaved, out);
        } else {
            self.is_over = true;
            self.converter.finish(out);
        }
        self.samples += (out.len() - before) as u64;
        if self.is_over && self.samples == 0 {
            return Err(SoundError::Empty { name: self.name.clone() });
        }
        Ok(has_more || out.len() > before)
    }

    fn read_all(mut self) -> Result<Vec<i16>, SoundError> {
        let mut samples = Vec::new();
        while self.read(&mut samples)? {
            if self.samples > u64::from(DECODE_SECONDS_MAX) * u64::from(SAMPLE_RATE_HZ) {
                return Err(SoundError::TooLong { name: self.name, seconds_max: DECODE_SECONDS_MAX });
            }
        }
        Ok(samples)
    }
}

/// Bytes by which a file's kind is known.
const MAGIC_BYTES: usize = 12;

/// Runs a decoder that others wrote on bytes that others chose: were it to panic, the file is damaged, and that is all.
fn guarded<T>(name: &str, decode: impl FnOnce() -> Result<T, SoundError>) -> Result<T, SoundError> {
    catch_unwind(AssertUnwindSafe(decode)).unwrap_or_else(|_| {
        Err(SoundError::Damaged { name: name.to_owned(), reason: "the decoder gave up".to_owned() })
    })
}
