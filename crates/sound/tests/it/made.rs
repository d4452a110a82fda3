//! Files made for the tests.

use std::path::PathBuf;

/// "What time is it" by espeak-ng, 1.44 s in Ogg Opus (libsndfile).
pub(crate) const OPUS: &[u8] = include_bytes!("files/voice.opus");

/// The same in FLAC.
pub(crate) const FLAC: &[u8] = include_bytes!("files/voice.flac");

/// How the samples of a WAV file are stored.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Format {
    Unsigned8,
    Signed16,
    Signed24,
    Signed32,
    Float32,
}

/// A WAV file whose channels all hold `samples` (full scale being -1 to 1).
pub(crate) fn wav(format: Format, rate_hz: u32, channels: u16, samples: &[f64]) -> Vec<u8> {
    let (tag, bytes_each) = match format {
        Format::Unsigned8 => (1_u16, 1_u16),
        Format::Signed16 => (1, 2),
        Format::Signed24 => (1, 3),
        Format::Signed32 => (1, 4),
        Format::Float32 => (3, 4),
    };
    let mut data = Vec::new();
    for &sample in samples {
        for _ in 0..channels {
            match format {
                Format::Unsigned8 => data.push(((sample * 128.0).round() + 128.0).clamp(0.0, 255.0) as u8),
                Format::Signed16 => data.extend(((sample * 32_768.0).round() as i16).to_le_bytes()),
                Format::Signed24 => data.extend(&((sample * 8_388_608.0).round() as i32).to_le_bytes()[..3]),
                Format::Signed32 => data.extend(((sample * 2_147_483_648.0).round() as i32).to_le_bytes()),
                Format::Float32 => data.extend((sample as f32).to_le_bytes()),
            }
        }
    }
    let format = fmt(tag, channels, rate_hz, bytes_each * channels, bytes_each * 8);
    riff(&[(b"fmt ", &format), (b"data", &data)])
}

/// A WAV file at 16 kHz with these bytes as its samples.
pub(crate) fn wav_as(tag: u16, bits: u16, channels: u16, data: &[u8]) -> Vec<u8> {
    riff(&[(b"fmt ", &fmt(tag, channels, 16_000, (bits / 8).max(1) * channels, bits)), (b"data", data)])
}

/// The contents of a format chunk.
pub(crate) fn fmt(tag: u16, channels: u16, rate_hz: u32, frame_bytes: u16, bits: u16) -> Vec<u8> {
    let mut format = Vec::new();
    format.extend(tag.to_le_bytes());
    format.extend(channels.to_le_bytes());
    format.extend(rate_hz.to_le_bytes());
    format.extend(rate_hz.saturating_mul(u32::from(frame_bytes)).to_le_bytes());
    format.extend(frame_bytes.to_le_bytes());
    format.extend(bits.to_le_bytes());
    format
}

/// A RIFF file of those chunks, each padded to an even length.
pub(crate) fn riff(chunks: &[(&[u8; 4], &[u8])]) -> Vec<u8> {
    let mut file = b"RIFF....WAVE".to_vec();
    for (id, content) in chunks {
        file.extend(*id);
        file.extend((content.len() as u32).to_le_bytes());
        file.extend(*content);
        file.resize(file.len().next_multiple_of(2), 0);
    }
    let bytes = file.len() as u32 - 8;
    file[4..8].copy_from_slice(&bytes.to_le_bytes());
    file
}

/// One page of an Ogg stream that holds whole packets, each shorter than 255 bytes.
pub(crate) fn ogg_page(flags: u8, position: u64, stream: u32, number: u32, packets: &[&[u8]]) -> Vec<u8> {
    let mut page = b"OggS\0".to_vec();
    page.push(flags);
    page.extend(position.to_le_bytes());
    page.extend(stream.to_le_bytes());
    page.extend(number.to_le_bytes());
    page.extend([0; 4]);
    page.push(packets.len() as u8);
    page.extend(packets.iter().map(|packet| packet.len() as u8));
    packets.iter().for_each(|packet| page.extend(*packet));
    seal(&mut page);
    page
}

/// Writes a page's checksum.
pub(crate) fn seal(page: &mut [u8]) {
    page[22..26].fill(0);
    let step = |sum: u32, _| if sum & 0x8000_0000 == 0 { sum << 1 } else { (sum << 1) ^ 0x04c1_1db7 };
    let sum = page.iter().fold(0_u32, |sum, byte| (0..8).fold(sum ^ (u32::from(*byte) << 24), step));
    page[22..26].copy_from_slice(&sum.to_le_bytes());
}

/// A tone.
pub(crate) fn tone(rate_hz: u32, hz: f64, seconds: f64, height: f64) -> Vec<f64> {
    let step = std::f64::consts::TAU * hz / f64::from(rate_hz);
    (0..(seconds * f64::from(rate_hz)) as usize).map(|n| height * (step * n as f64).sin()).collect()
}

/// A development recording, or why the test is skipped.
pub(crate) fn data(path: &str) -> Option<PathBuf> {
    let found = test_speech::people::folder().map(|folder| folder.join(path)).filter(|path| path.exists());
    if found.is_none() {
        test_speech::skip(&format!("the development recording {path} is not here"));
    }
    found
}
