//! Ogg Opus (RFC 7845), one or two channels, one stream or several one after the other.

use opus_decoder::OpusDecoder;

use crate::SoundError;
use crate::file::Source;
use crate::mix::Mixer;
use crate::ogg::{NO_POSITION, Packet, Packets};

/// Granule positions and the decoder run at this rate whatever the sound's own was.
pub(crate) const OPUS_RATE_HZ: u32 = 48_000;

/// The longest packet: 120 ms.
const PACKET_FRAMES_MAX: usize = 5_760;

/// Length of the identification header without a mapping table.
const HEAD_BYTES: usize = 19;

/// Streams that lie beside each other in one file, at most; real ones have two or three.
const STREAMS_MAX: usize = 32;

/// An Ogg Opus file, decoded packet by packet.
pub(crate) struct OpusFile {
    name: String,
    packets: Packets,
    /// How many the first stream has: those that follow are brought to as many.
    pub(crate) channels: usize,
    stream: Stream,
    /// The stream said that it is over; another may follow.
    is_over: bool,
    pcm: Vec<i16>,
}

/// One stream of sound.
struct Stream {
    number: u32,
    decoder: OpusDecoder,
    channels: usize,
    gain: f32,
    /// Frames still to be thrown away at the start.
    skip: u64,
    /// Frames decoded, those thrown away included.
    frames: u64,
    /// The next packet holds the comments.
    is_at_comments: bool,
    mixer: Mixer,
}

impl OpusFile {
    pub(crate) fn open(name: &str, source: Box<dyn Source>) -> Result<Self, SoundError> {
        let mut packets = Packets::new(name, source);
        let mut other = None;
        // Streams begin before any of them goes on.
        for _ in 0..STREAMS_MAX {
            let Some(packet) = packets.next()? else { break };
            if !packet.is_first {
                break;
            }
            if packet.data.starts_with(b"OpusHead") {
                let stream = Stream::new(name, &packet)?;
                let (channels, name) = (stream.channels, name.to_owned());
                return Ok(Self { name, packets, channels, stream, is_over: false, pcm: Vec::new() });
            }
            other.get_or_insert(codec(&packet.data));
        }
        Err(match other {
            Some(format) => SoundError::Foreign { name: name.to_owned(), format: format.to_owned() },
            None => SoundError::Cut { name: name.to_owned() },
        })
    }

    /// The next packet's samples, interleaved; nothing at the end.
    pub(crate) fn read(&mut self, interleaved: &mut Vec<f32>) -> Result<bool, SoundError> {
        interleaved.clear();
        let packet = match self.packets.next() {
            Ok(Some(packet)) => packet,
            // Nothing of sound came: not even its headers are whole.
            Ok(None) if self.stream.is_at_comments => return Err(SoundError::Cut { name: self.name.clone() }),
            Ok(None) => return Ok(false),
            // What follows the end of the sound is none.
            Err(SoundError::Damaged { .. }) if self.is_over => return Ok(false),
            Err(error) => return Err(error),
        };
        if packet.is_first {
            if packet.data.starts_with(b"OpusHead") {
                (self.stream, self.is_over) = (Stream::new(&self.name, &packet)?, false);
            }
        } else if packet.stream == self.stream.number && !self.is_over {
            self.is_over = packet.is_last;
            self.decode(&packet, interleaved)?;
        }
        Ok(true)
    }

    /// The file ends within a page: some of the sound is missing.
    pub(crate) const fn is_cut(&self) -> bool {
        self.packets.is_cut
    }

    fn decode(&mut self, packet: &Packet, interleaved: &mut Vec<f32>) -> Result<(), SoundError> {
        let stream = &mut self.stream;
        if std::mem::take(&mut stream.is_at_comments) {
            return Ok(());
        }
        self.pcm.resize(PACKET_FRAMES_MAX * stream.channels, 0);
        // An empty packet would be taken for a lost one.
        let made =
            if packet.data.is_empty() { Ok(0) } else { stream.decoder.decode(&packet.data, &mut self.pcm, false) };
        let made =
            made.map_err(|error| SoundError::Damaged { name: self.name.clone(), reason: error.to_string() })?;
        let mut made = (made as u64).min(PACKET_FRAMES_MAX as u64);
        if packet.is_last && packet.position != NO_POSITION {
            // The last page's position is where the sound ends; the packet's rest is padding.
            made = made.min(packet.position.saturating_sub(stream.frames));
        }
        stream.frames += made;
        let skipped = stream.skip.min(made);
        stream.skip -= skipped;
        let range = usize::try_from(skipped).unwrap_or(0)..usize::try_from(made).unwrap_or(0);
        let frames = &self.pcm[range.start * stream.channels..range.end * stream.channels];
        let frames = frames.iter().map(|&sample| f32::from(sample) / 32_768.0 * stream.gain);
        if stream.channels == self.channels {
            interleaved.extend(frames);
            return Ok(());
        }
        let mut mono = Vec::new();
        stream.mixer.push(&frames.collect::<Vec<_>>(), &mut mono);
        interleaved.extend(mono.iter().flat_map(|sample| std::iter::repeat_n(*sample, self.channels)));
        Ok(())
    }
}

impl Stream {
    fn new(name: &str, packet: &Packet) -> Result<Self, SoundError> {
        let unsupported = |reason: String| SoundError::Unsupported { name: name.to_owned(), reason };
        let head = &packet.data;
        if head.len() < HEAD_BYTES {
            return Err(unsupported("Opus with a header that is cut".to_owned()));
        }
        let (version, channels, mapping) = (head[8], usize::from(head[9]), head[18]);
        // Mapping 1 with one stream is mapping 0 with a table.
        let is_plain = mapping == 0 || (mapping == 1 && head.get(19) == Some(&1));
        if version & 0xf0 != 0 || !is_plain || !(1..=2).contains(&channels) {
            return Err(unsupported(format!("Opus version {version} with {channels} channels in mapping {mapping}")));
        }
        let gain_db = f32::from(i16::from_le_bytes([head[16], head[17]])) / 256.0;
        Ok(Self {
            number: packet.stream,
            decoder: OpusDecoder::new(OPUS_RATE_HZ, channels).map_err(|error| unsupported(error.to_string()))?,
            channels,
            gain: 10_f32.powf(gain_db / 20.0),
            skip: u64::from(u16::from_le_bytes([head[10], head[11]])),
            frames: 0,
            is_at_comments: true,
            mixer: Mixer::new(channels, OPUS_RATE_HZ),
        })
    }
}

/// What a stream that is not Opus holds, by its first packet.
fn codec(head: &[u8]) -> &'static str {
    match head {
        [1, b'v', b'o', b'r', b'b', b'i', b's', ..] => "Ogg Vorbis",
        [b'S', b'p', b'e', b'e', b'x', ..] => "Ogg Speex",
        [0x7f, b'F', b'L', b'A', b'C', ..] => "FLAC in Ogg",
        [0x80, b't', b'h', b'e', b'o', b'r', b'a', ..] => "Ogg Theora video",
        _ => "Ogg with another codec than Opus",
    }
}
