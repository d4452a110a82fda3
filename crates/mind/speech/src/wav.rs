//! The few chunks of a WAV file that a speaking program writes to a pipe.

/// What a WAV stream held.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Wav {
    pub(crate) rate_hz: u32,
    pub(crate) samples: Vec<i16>,
}

/// The rates that our players and recordings know.
const RATE_HZ: std::ops::RangeInclusive<u32> = 8_000..=48_000;

/// Reads one channel of 16-bit PCM. A program that writes to a pipe cannot know the length beforehand and states an
/// absurd one: what there is counts.
pub(crate) fn read(bytes: &[u8]) -> Result<Wav, &'static str> {
    let Some(mut rest) = bytes.strip_prefix(b"RIFF").and_then(|rest| rest.get(4..)?.strip_prefix(b"WAVE")) else {
        return Err("it is not a WAV file");
    };
    let mut rate_hz = None;
    while let Some((id, after)) = rest.split_first_chunk::<4>() {
        let Some((length, body)) = after.split_first_chunk::<4>() else { break };
        let length = usize::try_from(u32::from_le_bytes(*length)).unwrap_or(usize::MAX);
        match id {
            b"fmt " => rate_hz = Some(read_format(body)?),
            b"data" => {
                let rate_hz = rate_hz.ok_or("its data come before their format")?;
                let data = &body[..length.min(body.len())];
                let samples = data.chunks_exact(2).map(|pair| i16::from_le_bytes([pair[0], pair[1]])).collect();
                return Ok(Wav { rate_hz, samples });
            }
            _ => {}
        }
        // Chunks are padded to an even length.
        rest = body.get(length.saturating_add(length % 2)..).unwrap_or_default();
    }
    Err("it holds no samples")
}

fn read_format(body: &[u8]) -> Result<u32, &'static str> {
    let field = |at: usize| body.get(at..at + 2).map(|pair| u16::from_le_bytes([pair[0], pair[1]]));
    let (Some(1), Some(1), Some(16)) = (field(0), field(2), field(14)) else {
        return Err("it is not one channel of 16-bit PCM");
    };
    let rate_hz = body.get(4..8).and_then(|four| four.try_into().ok()).map(u32::from_le_bytes).unwrap_or_default();
    if RATE_HZ.contains(&rate_hz) { Ok(rate_hz) } else { Err("its sample rate is out of range") }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(rate_hz: u32, stated_bytes: u32, samples: &[i16]) -> Vec<u8> {
        let mut bytes = b"RIFF\x24\xf0\xff\x7fWAVEfmt \x10\0\0\0\x01\0\x01\0".to_vec();
        bytes.extend(rate_hz.to_le_bytes());
        bytes.extend((rate_hz * 2).to_le_bytes());
        bytes.extend(b"\x02\0\x10\0data");
        bytes.extend(stated_bytes.to_le_bytes());
        bytes.extend(samples.iter().flat_map(|sample| sample.to_le_bytes()));
        bytes
    }

    #[test]
    fn a_stream_of_unknown_length_is_read_to_its_end() {
        let wav = read(&file(22_050, 0x7fff_f000, &[1, -2, 3])).expect("it is a WAV file");
        assert_eq!(wav, Wav { rate_hz: 22_050, samples: vec![1, -2, 3] });
    }

    #[test]
    fn what_is_not_one_channel_of_16_bit_pcm_is_refused() {
        let good = file(16_000, 4, &[5, 6]);
        for cut in 0..44 {
            assert!(read(&good[..cut]).is_err(), "cut at {cut}");
        }
        for (at, byte) in [(20, 3), (22, 2), (34, 24), (26, 0xff)] {
            let mut bad = good.clone();
            bad[at] = byte;
            assert!(read(&bad).is_err(), "byte {at}");
        }
        let stretched = [&good[..36], b"LIST\xff\xff\xff\xff", &good[36..]].concat();
        assert_eq!(read(&stretched), Err("it holds no samples"));
    }
}
