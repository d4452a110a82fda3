//! Number 18 of the cases: channels are mixed so that nothing that was said is lost.

use sound::{Converter, decode_bytes};

use crate::made::{tone, wav_as};

/// A file whose frames are made of a sample each.
fn file(channels: u16, samples: &[f64], frame: impl Fn(usize, f64) -> Vec<f64>) -> Vec<u8> {
    let sample = |sample: f64| ((sample * 32_768.0).round() as i16).to_le_bytes();
    let data = samples.iter().enumerate().flat_map(|(at, value)| frame(at, *value)).flat_map(sample);
    wav_as(1, 16, channels, &data.collect::<Vec<u8>>())
}

/// Height of the tone in the middle half of the sound.
fn height(bytes: Vec<u8>) -> f64 {
    let samples = decode_bytes("x.wav", bytes).expect("a good file");
    let middle = &samples[samples.len() / 4..samples.len() * 3 / 4];
    let sum: f64 = middle.iter().map(|sample| (f64::from(*sample) / 32_768.0).powi(2)).sum();
    (2.0 * sum / middle.len() as f64).sqrt()
}

/// Faint noise that differs from channel to channel.
fn noise(at: usize, channel: u32) -> f64 {
    let word = (at as u32)
        .wrapping_mul(2_654_435_761)
        .wrapping_add(channel.wrapping_mul(40_503))
        .wrapping_mul(2_246_822_519);
    (f64::from(word >> 8) / f64::from(1 << 24) - 0.5) * 0.002
}

#[test]
fn left_that_is_right_upside_down_is_as_loud_as_each() {
    let tone = tone(16_000, 440.0, 2.0, 0.4);
    for part in [-1.0, -0.9, -0.7, -1.1, -2.0] {
        let exact = height(file(2, &tone, |_, sample| vec![sample, sample * part]));
        let noisy = height(file(2, &tone, |at, sample| vec![sample + noise(at, 1), sample * part + noise(at, 2)]));
        let late = [vec![0.0; 16_000], tone.clone()].concat();
        let late = height(file(2, &late, |at, sample| vec![sample + noise(at, 1), sample * part + noise(at, 2)]));
        assert!(exact > 0.33 && noisy > 0.33, "{part}: {exact} {noisy}");
        assert!(late > 0.2, "{part}: {late}");
    }
}

#[test]
fn beside_a_dead_channel_the_other_is_as_loud_as_ever() {
    let tone = tone(16_000, 440.0, 2.0, 0.4);
    let silent = height(file(2, &tone, |_, sample| vec![0.0, sample]));
    let noisy = height(file(2, &tone, |at, sample| vec![sample, noise(at, 1)]));
    let offset = height(file(2, &tone, |_, sample| vec![sample, 0.3]));
    let six = height(file(6, &tone, |_, sample| vec![0.0, 0.0, sample, 0.0, 0.0, 0.0]));
    for height in [silent, noisy, offset, six] {
        assert!((height - 0.4).abs() < 0.01, "{silent} {noisy} {offset} {six}");
    }
}

#[test]
fn two_who_take_turns_on_a_channel_each_are_both_heard_from_their_first_word() {
    let one = tone(16_000, 440.0, 1.0, 0.4);
    // The second is 20 dB quieter, and each is silent while the other speaks.
    let both = [one.clone(), one.iter().map(|sample| sample / 10.0).collect()].concat();
    let bytes = file(2, &both, |at, sample| if at < 16_000 { vec![sample, 0.0] } else { vec![0.0, sample] });
    let samples = decode_bytes("x.wav", bytes).expect("a good file");
    let loudest = |range: std::ops::Range<usize>| samples[range].iter().map(|sample| sample.unsigned_abs()).max();
    assert!(loudest(16_000..16_400) > Some(500), "{:?}", loudest(16_000..16_400));
    assert!(loudest(20_000..32_000) > Some(600), "{:?}", loudest(20_000..32_000));
}

#[test]
fn equal_channels_are_each_of_them_to_the_bit() {
    let tone = tone(16_000, 440.0, 0.5, 0.4);
    let want = decode_bytes("x.wav", file(1, &tone, |_, sample| vec![sample])).expect("a good file");
    for channels in [2, 3, 6, 32] {
        let bytes = file(channels, &tone, |_, sample| vec![sample; usize::from(channels)]);
        assert!(decode_bytes("x.wav", bytes).expect("a good file") == want, "{channels} channels");
    }
}

#[test]
fn what_is_no_number_is_silence_on_its_channel_alone() {
    let mut converter = Converter::new(16_000, 2).expect("a usual rate");
    let mut out = Vec::new();
    let frames = (0..2_048).flat_map(|_| [f32::NAN, 0.5, f32::NEG_INFINITY, -0.5]);
    converter.push(&frames.collect::<Vec<_>>(), &mut out);
    assert!(out == [16_384, -16_384].repeat(2_048), "{:?}", &out[..4]);
}
