use proptest::prelude::*;
use sound::{SoundError, decode_bytes, decode_file};

use crate::made::{Format, data, tone, wav};

fn complaint(bytes: &[u8]) -> String {
    decode_bytes("x.wav", bytes.to_vec()).expect_err("a bad file").to_string()
}

#[test]
fn a_missing_file_and_a_folder_say_so() {
    let folder = tempfile::tempdir().expect("a folder");
    let missing = decode_file(&folder.path().join("none.wav")).expect_err("nothing there").to_string();
    assert!(missing.ends_with("none.wav: No such file or directory (os error 2)"), "{missing}");
    let is_folder = decode_file(folder.path()).expect_err("a folder").to_string();
    assert!(is_folder.contains("is a directory"), "{is_folder}");
}

#[test]
fn what_is_not_audio_says_so() {
    let want = "x.wav: not an audio file (WAV, FLAC and Ogg Opus are understood)";
    for bytes in [&b"hello"[..], b"\0", b"#!/bin/sh\necho RIFF\n", b"RIFF\x10\0\0\0AVI LIST", &[0xff; 500]] {
        assert_eq!(complaint(bytes), want, "{bytes:?}");
    }
}

#[test]
fn an_empty_file_says_so() {
    assert_eq!(complaint(b""), "x.wav: empty, there is no sound in it");
    assert_eq!(complaint(&wav(Format::Signed16, 16_000, 1, &[])), "x.wav: empty, there is no sound in it");
}

#[test]
fn a_file_cut_anywhere_says_so() {
    let whole = wav(Format::Signed16, 44_100, 2, &tone(44_100, 300.0, 0.2, 0.3));
    for length in (1..whole.len()).filter(|length| *length < 60 || length % 997 == 0) {
        let error = decode_bytes("x.wav", whole[..length].to_vec()).expect_err("a cut file");
        let is_told = match length {
            0..4 => matches!(error, SoundError::NotAudio { .. }),
            _ => matches!(error, SoundError::Cut { .. }),
        };
        assert!(is_told, "{length} bytes: {error}");
    }
}

#[test]
fn a_cut_flac_says_so() {
    let Some(path) = data("speech/richtier-alexa/ecb572c012_alexa_what_time_is_it.flac") else { return };
    let whole = std::fs::read(path).expect("readable");
    for part in [3, 10, 50, 90, 99] {
        let error = decode_bytes("x.flac", whole[..whole.len() * part / 100].to_vec()).expect_err("a cut file");
        assert!(matches!(error, SoundError::Cut { .. }), "{part} %: {error}");
    }
}

#[test]
fn a_cut_opus_says_so() {
    let Some(path) = data("background/wuw-corpus-ii.0.opus") else { return };
    let whole = std::fs::read(path).expect("readable");
    for bytes in [100, 20_000, 100_001] {
        let error = decode_bytes("x.opus", whole[..bytes].to_vec()).expect_err("a cut file");
        assert!(matches!(error, SoundError::Cut { .. }), "{bytes}: {error}");
    }
}

#[test]
fn rates_and_channels_beyond_sense_say_so() {
    for (rate_hz, channels) in [(0, 1), (1, 1), (3_999, 1), (192_001, 1), (16_000, 0), (16_000, 40)] {
        let error = decode_bytes("x.wav", wav(Format::Signed16, rate_hz, channels, &[0.0; 100]));
        assert!(error.is_err(), "{rate_hz} {channels}");
    }
}

#[test]
fn floats_that_are_no_numbers_are_silence_and_loud_ones_are_held() {
    for rate_hz in [16_000, 44_100] {
        let file = wav(Format::Float32, rate_hz, 1, &[f64::NAN, f64::INFINITY, f64::NEG_INFINITY, 1e30, -1e30, 0.0]);
        assert!(decode_bytes("x.wav", file).is_ok());
    }
}

/// Bytes that begin like a file, and files with bytes changed.
fn hostile() -> impl Strategy<Value = Vec<u8>> {
    let good = prop_oneof![
        Just(wav(Format::Signed24, 44_100, 2, &tone(44_100, 300.0, 0.02, 0.3))),
        Just(wav(Format::Float32, 8_000, 1, &tone(8_000, 300.0, 0.1, 0.3))),
        Just(sample("speech/richtier-alexa/ecb572c012_alexa_what_time_is_it.flac", 30_000)),
        Just(sample("background/wuw-corpus-ii.0.opus", 30_000)),
    ];
    let changes = prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..12);
    let at_the_head = prop::collection::vec((0_usize..64, any::<u8>()), 0..6);
    let changed = (good, changes, at_the_head).prop_map(|(mut bytes, changes, at_the_head)| {
        for (place, byte) in changes {
            let place = place.index(bytes.len());
            bytes[place] = byte;
        }
        for (place, byte) in at_the_head {
            if let Some(place) = bytes.get_mut(place) {
                *place = byte;
            }
        }
        bytes
    });
    let magic = prop::sample::select(vec![&b"RIFF....WAVEfmt "[..], b"fLaC", b"OggS\0\x02", b""]);
    let random =
        (magic, prop::collection::vec(any::<u8>(), 0..600)).prop_map(|(magic, rest)| [magic, &rest].concat());
    prop_oneof![3 => changed, 1 => random]
}

/// The beginning of a development recording; a WAV where there is none.
fn sample(path: &str, bytes: usize) -> Vec<u8> {
    let mut file = data(path).and_then(|path| std::fs::read(path).ok());
    let file = file.get_or_insert_with(|| wav(Format::Unsigned8, 8_000, 1, &[0.5; 100]));
    file.truncate(bytes);
    std::mem::take(file)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: ProptestConfig::default().cases.max(400), failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_bytes_make_it_panic(bytes in hostile()) {
        // An error is as good as sound; the decoders' own panics would be caught, and are not wanted either.
        if let Err(error) = decode_bytes("x", bytes) {
            prop_assert!(!error.to_string().contains("gave up"), "{}", error);
        }
    }
}
