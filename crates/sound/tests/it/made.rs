//! Files made for the tests.

use std::path::PathBuf;

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
    let frame = bytes_each * channels;
    let mut file = b"RIFF".to_vec();
    file.extend((data.len() as u32 + 36).to_le_bytes());
    file.extend(b"WAVEfmt ");
    file.extend(16_u32.to_le_bytes());
    file.extend(tag.to_le_bytes());
    file.extend(channels.to_le_bytes());
    file.extend(rate_hz.to_le_bytes());
    file.extend((rate_hz * u32::from(frame)).to_le_bytes());
    file.extend(frame.to_le_bytes());
    file.extend((bytes_each * 8).to_le_bytes());
    file.extend(b"data");
    file.extend((data.len() as u32).to_le_bytes());
    file.extend(data);
    file
}

/// A tone.
pub(crate) fn tone(rate_hz: u32, hz: f64, seconds: f64, height: f64) -> Vec<f64> {
    let step = std::f64::consts::TAU * hz / f64::from(rate_hz);
    (0..(seconds * f64::from(rate_hz)) as usize).map(|n| height * (step * n as f64).sin()).collect()
}

/// The development recordings, or why the test is skipped.
pub(crate) fn data(path: &str) -> Option<PathBuf> {
    let root = std::env::var_os("SOTTO_DEV_DATA")
        .map_or_else(|| PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/data")), PathBuf::from);
    let path = root.join(path);
    if path.exists() {
        return Some(path);
    }
    #[expect(clippy::print_stderr, reason = "how a test says that it was skipped")]
    {
        eprintln!("SKIPPED: {} is not there", path.display());
    }
    None
}
