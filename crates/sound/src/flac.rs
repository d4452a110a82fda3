//! FLAC, by symphonia.

use std::io::ErrorKind;

use symphonia::core::codecs::audio::{AudioDecoder, AudioDecoderOptions};
use symphonia::core::errors::Error;
use symphonia::core::formats::{FormatOptions, FormatReader, TrackType};
use symphonia::core::io::{MediaSource, MediaSourceStream};
use symphonia::default::codecs::FlacDecoder;
use symphonia::default::formats::FlacReader;

use crate::SoundError;

/// A FLAC file, decoded packet by packet.
pub(crate) struct FlacFile {
    name: String,
    format: FlacReader<'static>,
    decoder: FlacDecoder,
    track: u32,
    pub(crate) rate_hz: u32,
    pub(crate) channels: usize,
    frames_left: Option<u64>,
}

impl FlacFile {
    pub(crate) fn open(name: &str, source: Box<dyn MediaSource>) -> Result<Self, SoundError> {
        let fail = |error| failure(name, error);
        let stream = MediaSourceStream::new(source, Default::default());
        let format = FlacReader::try_new(stream, FormatOptions::default()).map_err(fail)?;
        let unsupported = |reason: &str| SoundError::Unsupported { name: name.to_owned(), reason: reason.to_owned() };
        let track = format.default_track(TrackType::Audio).ok_or_else(|| unsupported("it has no sound track"))?;
        let params = track.codec_params.as_ref().and_then(|params| params.audio());
        let params = params.ok_or_else(|| unsupported("its codec is not known"))?;
        let decoder = FlacDecoder::try_new(params, &AudioDecoderOptions::default()).map_err(fail)?;
        let rate_hz = params.sample_rate.ok_or_else(|| unsupported("its sample rate is not known"))?;
        let channels = params.channels.as_ref().map_or(0, |channels| channels.count());
        // A length of zero is how FLAC says that it was not known.
        let frames_left = track.num_frames.filter(|frames| *frames > 0);
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
