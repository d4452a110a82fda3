//! A file from its path to its samples.

use std::fs::File;
use std::io::{Cursor, ErrorKind, Read, Seek, SeekFrom};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

use base::SAMPLE_RATE_HZ;
use symphonia::core::io::MediaSource;

use crate::convert::Converter;
use crate::flac::FlacFile;
use crate::kind::{self, HEAD_BYTES, Kind};
use crate::opus::{OPUS_RATE_HZ, OpusFile};
use crate::pcm::PcmFile;
use crate::source::Rest;
use crate::{SoundError, aiff, wav_file};

/// What [`decode_file`] and [`decode_bytes`] hold in memory at most: an hour, 115 MB. [`SoundReader`] has no such limit.
pub const DECODE_SECONDS_MAX: u32 = 3_600;

/// What is read of a pipe, which is held in memory whole: an hour of a CD's sound, 635 MB, and a little.
pub const STREAM_BYTES_MAX: u64 = 640 << 20;

/// Tags (ID3v2) before the sound, at most; real files have one.
const TAGS_MAX: usize = 4;

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
    Pcm(Box<PcmFile>),
    Flac(Box<FlacFile>),
    Opus(Box<OpusFile>),
}

impl std::fmt::Debug for Decoder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Pcm(_) => "Pcm",
            Self::Flac(_) => "Flac",
            Self::Opus(_) => "Opus",
        })
    }
}

impl SoundReader {
    /// Opens a file and reads its header. A pipe (`/dev/stdin`, a shell's `<(…)`) is read whole.
    ///
    /// # Errors
    /// Any [`SoundError`] but [`SoundError::TooLong`].
    pub fn open(path: &Path) -> Result<Self, SoundError> {
        let name = path.display().to_string();
        let io = |source| SoundError::Io { name: name.clone(), source };
        let mut file = File::open(path).map_err(io)?;
        if file.metadata().map_err(io)?.is_dir() {
            return Err(io(ErrorKind::IsADirectory.into()));
        }
        match file.stream_position() {
            Err(error) if error.kind() == ErrorKind::NotSeekable => Self::from_stream(&name, file),
            _ => Self::from_source(&name, file),
        }
    }

    /// Reads a file that is in memory; `name` is what errors call it.
    ///
    /// # Errors
    /// Any [`SoundError`] but [`SoundError::TooLong`].
    pub fn from_bytes(name: &str, bytes: Vec<u8>) -> Result<Self, SoundError> {
        Self::from_source(name, Cursor::new(bytes))
    }

    /// Reads all of a stream into memory, up to [`STREAM_BYTES_MAX`]; what is no sound is refused by its first bytes.
    ///
    /// # Errors
    /// Any [`SoundError`] but [`SoundError::TooLong`].
    pub fn from_stream(name: &str, mut stream: impl Read) -> Result<Self, SoundError> {
        let io = |source| SoundError::Io { name: name.to_owned(), source };
        let mut bytes = Vec::new();
        stream.by_ref().take(HEAD_BYTES as u64).read_to_end(&mut bytes).map_err(io)?;
        if matches!(kind::of(&bytes), Kind::Foreign(_) | Kind::Text | Kind::Unknown) {
            return Self::from_bytes(name, bytes);
        }
        stream.take(STREAM_BYTES_MAX).read_to_end(&mut bytes).map_err(io)?;
        if bytes.len() as u64 > STREAM_BYTES_MAX {
            return Err(SoundError::TooLarge { name: name.to_owned(), bytes_max: STREAM_BYTES_MAX });
        }
        Self::from_bytes(name, bytes)
    }

    /// True where the file ended before its header said, as a recorder that was killed leaves it: what there is was heard.
    /// Known at the end.
    #[must_use]
    pub fn is_cut(&self) -> bool {
        match &self.decoder {
            Decoder::Pcm(file) => file.is_cut,
            Decoder::Opus(file) => file.is_cut(),
            Decoder::Flac(_) => false,
        }
    }

    fn from_source<S: Source>(name: &str, mut source: S) -> Result<Self, SoundError> {
        let io = |error| SoundError::Io { name: name.to_owned(), source: error };
        let (kind, start) = find_sound(&mut source).map_err(io)?;
        let source = Box::new(Rest::new(source, start).map_err(io)?);
        let name = name.to_owned();
        let decoder = guarded(&name, || match kind {
            Kind::Empty => Err(SoundError::Empty { name: name.clone() }),
            Kind::Cut => Err(SoundError::Cut { name: name.clone() }),
            Kind::Wav(family) => Ok(Decoder::Pcm(Box::new(wav_file::open(&name, source, family)?))),
            Kind::Aiff => Ok(Decoder::Pcm(Box::new(aiff::open_aiff(&name, source)?))),
            Kind::Au => Ok(Decoder::Pcm(Box::new(aiff::open_au(&name, source)?))),
            Kind::Flac => Ok(Decoder::Flac(Box::new(FlacFile::open(&name, source)?))),
            Kind::Ogg => Ok(Decoder::Opus(Box::new(OpusFile::open(&name, source)?))),
            Kind::Tagged(_) => {
                Err(SoundError::Foreign { name: name.clone(), format: "ID3 tags and no sound".into() })
            }
            Kind::Foreign(format) => Err(SoundError::Foreign { name: name.clone(), format: format.to_owned() }),
            Kind::Text => Err(SoundError::NotAudio { name: name.clone() }),
            Kind::Unknown => Err(SoundError::Unknown { name: name.clone() }),
        })?;
        let (rate_hz, channels) = match &decoder {
            Decoder::Pcm(file) => (file.layout.rate_hz, file.layout.channels),
            Decoder::Flac(file) => (file.rate_hz, file.channels),
            Decoder::Opus(file) => (OPUS_RATE_HZ, file.channels),
        };
        let converter = Converter::new(rate_hz, channels);
        let converter = converter.map_err(|reason| SoundError::Unsupported { name: name.clone(), reason })?;
        Ok(Self { name, decoder, converter, interleaved: Vec::new(), samples: 0, is_over: false })
    }

    /// Appends the next piece, at most some tenths of a second, to `out`; `false` once there is nothing left.
    ///
    /// # Errors
    /// [`SoundError::Cut`], [`SoundError::Damaged`], [`SoundError::Io`]; at the end [`SoundError::Empty`] (or
    /// [`SoundError::Cut`], where the header says that there was more) where there was not one sample. What was appended
    /// before an error is sound.
    pub fn read(&mut self, out: &mut Vec<i16>) -> Result<bool, SoundError> {
        if self.is_over {
            return Ok(false);
        }
        let before = out.len();
        let (decoder, interleaved) = (&mut self.decoder, &mut self.interleaved);
        let has_more = guarded(&self.name, || match decoder {
            Decoder::Pcm(file) => file.read(interleaved),
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
            let name = self.name.clone();
            return Err(if self.is_cut() { SoundError::Cut { name } } else { SoundError::Empty { name } });
        }
        Ok(has_more || out.len() > before)
    }

    /// All that is left, in memory.
    ///
    /// # Errors
    /// Those of [`SoundReader::read`]; [`SoundError::TooLong`] beyond [`DECODE_SECONDS_MAX`].
    pub fn read_all(&mut self) -> Result<Vec<i16>, SoundError> {
        let mut samples = Vec::new();
        while self.read(&mut samples)? {
            if self.samples > u64::from(DECODE_SECONDS_MAX) * u64::from(SAMPLE_RATE_HZ) {
                return Err(SoundError::TooLong { name: self.name.clone(), seconds_max: DECODE_SECONDS_MAX });
            }
        }
        Ok(samples)
    }
}

/// What the file is and where its sound begins: behind the tags, which some programs put before any format.
fn find_sound(source: &mut impl Source) -> std::io::Result<(Kind, u64)> {
    let (mut start, mut kind) = (0, Kind::Empty);
    for _ in 0..TAGS_MAX {
        source.seek(SeekFrom::Start(start))?;
        let mut head = Vec::with_capacity(HEAD_BYTES);
        source.by_ref().take(HEAD_BYTES as u64).read_to_end(&mut head)?;
        kind = match kind::of(&head) {
            // What follows a tag is MP3 by far the most often, and its first bytes may be padding.
            Kind::Unknown if start > 0 => Kind::Foreign("MP3"),
            kind => kind,
        };
        let Kind::Tagged(bytes) = kind else { break };
        start += bytes;
    }
    Ok((kind, start))
}

/// Runs a decoder that others wrote on bytes that others chose: were it to panic, the file is damaged, and that is all.
fn guarded<T>(name: &str, decode: impl FnOnce() -> Result<T, SoundError>) -> Result<T, SoundError> {
    catch_unwind(AssertUnwindSafe(decode)).unwrap_or_else(|_| {
        Err(SoundError::Damaged { name: name.to_owned(), reason: "the decoder gave up".to_owned() })
    })
}
