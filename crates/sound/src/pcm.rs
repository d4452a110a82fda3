//! WAV and FLAC, by symphonia.

use std::io::ErrorKind;

use symphonia::core::codecs::audio::{AudioDecoder, AudioDecoderOptions};
use symphonia::core::errors::Error;
use symphonia::core::formats::{FormatOptions, FormatReader, TrackType};
use symphonia::core::io::{MediaSource, MediaSourceStream};
use symphonia::default::codecs::{FlacDecoder, PcmDecoder};
use symphonia::default::formats::{FlacReader, WavReader};

use crate::SoundError;

/// Lengths from here on are what programs write into a header before they know the real one (sox, espeak-ng, ffmpeg).
const STREAMED_BYTES: u64 = 0x7fff_0000;

/// A WAV or FLAC file, decoded packet by packet.
pub(crate) struct PcmFile {
    name: String,
    format: Box<dyn FormatReader>,
    decoder: Box<dyn AudioDecoder>,
    track: u32,
    pub(crate) rate_hz: u32,
    pub(crate) channels: usize,
    frames_left: Option<u64>,
}

/// The two containers.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Container {
    Wav,
    Flac,
}

impl PcmFile {
    pub(crate) fn open(name: &str, container: Container, source: Box<dyn MediaSource>) -> Result<Self, SoundError> {
        let fail = |error| failure(name, error);
        let stream = MediaSourceStream::new(source, Default::default());
        let format: Box<dyn FormatReader> = match container {
            Container::Wav => Box::new(WavReader::try_new(stream, FormatOptions::default()).map_err(fail)?),
            Container::Flac => Box::new(FlacReader::try_new(stream, FormatOptions::default()).map_err(fail)?),
        };
        let unsupported = |reason: &str| SoundError::Unsupported { name: name.to_owned(), reason: reason.to_owned() };
        let track = format.default_track(TrackType::Audio).ok_or_else(|| unsupported("it has no sound track"))?;
        let params = track.codec_params.as_ref().and_then(|params| params.audio());
        let params = params.ok_or_else(|| unsupported("its codec is not known"))?;
        let options = AudioDecoderOptions::default();
        let decoder: Box<dyn AudioDecoder> = match container {
            Container::Wav => Box::new(PcmDecoder::try_new(params, &options).map_err(fail)?),
            Container::Flac => Box::new(FlacDecoder::try_new(params, &options).map_err(fail)?),
        };
        let rate_hz = params.sample_rate.ok_or_else(|| unsupported("its sample rate is not known"))?;
        let channels = params.channels.as_ref().map_or(0, |channels| channels.count());
        let frame_bytes_min = channels.max(1) as u64;
        let frames_left = track.num_frames.filter(|frames| match container {
            Container::Wav => frames.saturating_mul(frame_bytes_min * 4) < STREAMED_BYTES,
            Container::Flac => *frames > 0,
        });
        let track = track.id;
        Ok(Self { name: name.to_owned(), format, decoder, track, rate_hz, channels, frames_left })
    }

    /// The next packet's samples, interleaved; nothing at the end.
    pub(crate) fn read(&mut self, interleaved: &mut Vec<f32>) -> Result<bool, SoundError> {
        loop {
            let packet = match self.format.next_packet() {
                Ok(Some(packet)) => packet,
                Ok(None) => return self.end(),
                Err(Error::IoError(error)) if error.kind() == ErrorKind::UnexpectedEof => return self.end(),
                Err(error) => return Err(failure(&self.name, error)),
            };
            if packet.track_id != self.track {
                continue;
            }
            let decoded = self.decoder.decode(&packet).map_err(|error| failure(&self.name, error))?;
            if decoded.num_planes() != self.channels {
                return Err(failure(&self.name, Error::DecodeError("the number of channels changes")));
            }
            decoded.copy_to_vec_interleaved(interleaved);
            let frames = decoded.frames() as u64;
            self.frames_left = self.frames_left.map(|left| left.saturating_sub(frames));
            return Ok(true);
        }
    }

    fn end(&self) -> Result<bool, SoundError> {
        match self.frames_left {
            Some(1..) => Err(SoundError::Cut { name: self.name.clone() }),
            _ => Ok(false),
        }
    }
}

fn failure(name: &str, error: Error) -> SoundError {
    let name = name.to_owned();
    match error {
        Error::IoError(error) if error.kind() == ErrorKind::UnexpectedEof => SoundError::Cut { name },
        Error::IoError(source) => SoundError::Io { name, source },
        Error::Unsupported(reason) => SoundError::Unsupported { name, reason: reason.to_owned() },
        error => SoundError::Damaged { name, reason: error.to_string() },
    }
}
