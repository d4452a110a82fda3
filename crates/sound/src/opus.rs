//! Ogg Opus (RFC 7845), one or two channels.

use ogg::OggReadError;
use ogg::reading::PacketReader;
use opus_decoder::OpusDecoder;

use crate::SoundError;
use crate::file::Source;

/// Granule positions and the decoder run at this rate whatever the sound's own was.
pub(crate) const OPUS_RATE_HZ: u32 = 48_000;

/// The longest packet: 120 ms.
const PACKET_FRAMES_MAX: usize = 5_760;

/// Length of the identification header without a mapping table.
const HEAD_BYTES: usize = 19;

/// An Ogg Opus file, decoded packet by packet.
pub(crate) struct OpusFile {
    name: String,
    packets: PacketReader<Box<dyn Source>>,
    decoder: OpusDecoder,
    pub(crate) channels: usize,
    gain: f32,
    /// Frames still to be thrown away at the start.
    skip: u64,
    /// Frames decoded, those thrown away included.
    frames: u64,
    is_over: bool,
    pcm: Vec<i16>,
}

impl OpusFile {
    pub(crate) fn open(name: &str, source: Box<dyn Source>) -> Result<Self, SoundError> {
        let unsupported = |reason: String| SoundError::Unsupported { name: name.to_owned(), reason };
        let mut packets = PacketReader::new(source);
        let head = next_packet(name, &mut packets)?.data;
        if head.len() < HEAD_BYTES || !head.starts_with(b"OpusHead") {
            return Err(unsupported("Ogg with another codec than Opus".to_owned()));
        }
        let (version, channels, mapping) = (head[8], usize::from(head[9]), head[18]);
        if version & 0xf0 != 0 || mapping != 0 || !(1..=2).contains(&channels) {
            return Err(unsupported(format!("Opus version {version} with {channels} channels in mapping {mapping}")));
        }
        let skip = u64::from(u16::from_le_bytes([head[10], head[11]]));
        let gain_db = f32::from(i16::from_le_bytes([head[16], head[17]])) / 256.0;
        next_packet(name, &mut packets)?; // the comments
        let decoder = OpusDecoder::new(OPUS_RATE_HZ, channels).map_err(|error| unsupported(error.to_string()))?;
        let pcm = vec![0; PACKET_FRAMES_MAX * channels];
        let gain = 10_f32.powf(gain_db / 20.0);
        let name = name.to_owned();
        Ok(Self { name, packets, decoder, channels, gain, skip, frames: 0, is_over: false, pcm })
    }

    /// The next packet's samples, interleaved; nothing at the end.
    pub(crate) fn read(&mut self, interleaved: &mut Vec<f32>) -> Result<bool, SoundError> {
        interleaved.clear();
        if self.is_over {
            return Ok(false);
        }
        let packet = next_packet(&self.name, &mut self.packets)?;
        self.is_over = packet.last_in_stream();
        // An empty packet would be taken for a lost one.
        let made =
            if packet.data.is_empty() { Ok(0) } else { self.decoder.decode(&packet.data, &mut self.pcm, false) };
        let made =
            made.map_err(|error| SoundError::Damaged { name: self.name.clone(), reason: error.to_string() })?;
        let mut made = (made as u64).min(PACKET_FRAMES_MAX as u64);
        if self.is_over {
            // The last page's position is where the sound ends; the packet's rest is padding.
            made = made.min(packet.absgp_page().saturating_sub(self.frames));
        }
        self.frames += made;
        let skipped = self.skip.min(made);
        self.skip -= skipped;
        let range = usize::try_from(skipped).unwrap_or(0)..usize::try_from(made).unwrap_or(0);
        let frames = &self.pcm[range.start * self.channels..range.end * self.channels];
        interleaved.extend(frames.iter().map(|&sample| f32::from(sample) / 32_768.0 * self.gain));
        Ok(true)
    }
}

fn next_packet(name: &str, packets: &mut PacketReader<Box<dyn Source>>) -> Result<ogg::Packet, SoundError> {
    let name = name.to_owned();
    match packets.read_packet() {
        Ok(Some(packet)) => Ok(packet),
        // Every stream says which of its packets is the last.
        Ok(None) => Err(SoundError::Cut { name }),
        Err(OggReadError::ReadError(source)) if source.kind() == std::io::ErrorKind::UnexpectedEof => {
            Err(SoundError::Cut { name })
        }
        Err(OggReadError::ReadError(source)) => Err(SoundError::Io { name, source }),
        Err(error) => Err(SoundError::Damaged { name, reason: error.to_string() }),
    }
}
