//! Writing WAV: 16-bit PCM, one channel.

use std::io::{self, Write};

/// Length of what [`wav_header`] returns.
pub const WAV_HEADER_BYTES: usize = 44;

/// The bytes before the samples of a 16-bit mono WAV file of `samples` samples. A file that does not fit the format's
/// 32-bit lengths is marked as endless, which players understand.
#[must_use]
pub fn wav_header(rate_hz: u32, samples: u64) -> [u8; WAV_HEADER_BYTES] {
    let data_bytes = samples.saturating_mul(2);
    let data_bytes = u32::try_from(data_bytes).ok().filter(|bytes| *bytes <= u32::MAX - 36);
    let riff_bytes = data_bytes.map_or(u32::MAX, |bytes| bytes + 36);
    let mut header = [0; WAV_HEADER_BYTES];
    let fields: [&[u8]; 13] = [
        b"RIFF",
        &riff_bytes.to_le_bytes(),
        b"WAVE",
        b"fmt ",
        &16_u32.to_le_bytes(),
        &1_u16.to_le_bytes(), // PCM
        &1_u16.to_le_bytes(), // channels
        &rate_hz.to_le_bytes(),
        &rate_hz.saturating_mul(2).to_le_bytes(),
        &2_u16.to_le_bytes(),  // bytes per frame
        &16_u16.to_le_bytes(), // bits per sample
        b"data",
        &data_bytes.unwrap_or(u32::MAX).to_le_bytes(),
    ];
    let mut rest = &mut header[..];
    for field in fields {
        let (place, after) = rest.split_at_mut(field.len());
        place.copy_from_slice(field);
        rest = after;
    }
    header
}

/// Writes a whole 16-bit mono WAV file.
///
/// # Errors
/// Whatever `out` says.
pub fn write_wav<W: Write>(mut out: W, rate_hz: u32, samples: &[i16]) -> io::Result<()> {
    out.write_all(&wav_header(rate_hz, samples.len() as u64))?;
    let mut bytes = Vec::with_capacity(2 * PIECE_SAMPLES);
    for piece in samples.chunks(PIECE_SAMPLES) {
        bytes.clear();
        bytes.extend(piece.iter().flat_map(|sample| sample.to_le_bytes()));
        out.write_all(&bytes)?;
    }
    out.flush()
}

/// Samples that are put into bytes at a time.
const PIECE_SAMPLES: usize = 8_192;
