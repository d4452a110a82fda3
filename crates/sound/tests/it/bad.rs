use proptest::prelude::*;
use sound::{SoundError, decode_bytes, decode_file};

use crate::made::{FLAC, Format, OPUS, ogg_page, tone, wav, wav_as};

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
    let want = "x.wav: not an audio file: it is text (WAV, AIFF, AU, FLAC and Ogg Opus are read)";
    for bytes in [&b"hello"[..], b"#!/bin/sh\necho RIFF\n", "grüße".repeat(20).as_bytes()] {
        assert_eq!(complaint(bytes), want, "{bytes:?}");
    }
    for bytes in [&b"\0"[..], &[0xff; 500]] {
        let complaint = complaint(bytes);
        assert!(complaint.starts_with("x.wav: in no format that is known here (WAV, "), "{complaint}");
    }
}

#[test]
fn sound_in_a_format_that_is_not_read_is_called_by_its_name_with_a_command_that_converts_it() {
    let ogg = |head: &[u8]| ogg_page(2, 0, 1, 0, &[head]);
    for (bytes, name) in [
        (b"ID3\x04\0\0\0\0\0\x02xx\xff\xfb\x90\x64\0".to_vec(), "MP3"),
        (b"ID3\x04\0\0\0\0\0\x02xx\0\0\0\xff\xfb".to_vec(), "MP3"),
        (b"\xff\xf3\x44\xc4\0".to_vec(), "MP3"),
        (b"\xff\xf1\x50\x80\0".to_vec(), "AAC"),
        (b"\0\0\0\x20ftypM4A \0\0\0\0".to_vec(), "M4A"),
        (b"\0\0\0\x18ftyp3gp4".to_vec(), "3GP"),
        (b"\x1a\x45\xdf\xa3\x9fB\x86".to_vec(), "WebM"),
        (b"#!AMR\n\x3c".to_vec(), "AMR"),
        (b"#!AMR-WB\n\x3c".to_vec(), "AMR"),
        (b"caff\0\x01\0\0desc".to_vec(), "CAF"),
        (b"RIFF\x10\0\0\0AVI LIST".to_vec(), "AVI"),
        (ogg(b"\x01vorbis\0\0\0\0\x02"), "Vorbis"),
        (ogg(b"Speex   1.2"), "Speex"),
        (ogg(b"\x7fFLAC\x01\0"), "FLAC in Ogg"),
        (wav_as(2, 4, 1, &[0; 64]), "Microsoft's ADPCM"),
        (wav_as(0x55, 0, 1, &[0; 64]), "MP3"),
        (wav(Format::Signed16, 400_000, 1, &[0.5; 100]), "a sample rate of 400000 Hz"),
        (wav(Format::Signed16, 16_000, 40, &[0.5; 100]), "40 channels"),
    ] {
        let complaint = complaint(&bytes);
        assert!(complaint.contains(name), "{name}: {complaint}");
        assert!(complaint.ends_with("ffmpeg -i x.wav -ar 16000 -ac 1 out.wav"), "{complaint}");
        assert!(!complaint.contains("not an audio file") && !complaint.contains("damaged"), "{complaint}");
    }
    let quoted = decode_bytes("it's mine.amr", b"#!AMR\n".to_vec()).expect_err("not read").to_string();
    assert!(quoted.ends_with(r"ffmpeg -i 'it'\''s mine.amr' -ar 16000 -ac 1 out.wav"), "{quoted}");
}

#[test]
fn an_empty_file_says_so() {
    assert_eq!(complaint(b""), "x.wav: empty, there is no sound in it");
    assert_eq!(complaint(&wav(Format::Signed16, 16_000, 1, &[])), "x.wav: empty, there is no sound in it");
}

#[test]
fn a_wav_without_any_sound_says_that_it_is_cut() {
    let whole = wav(Format::Signed16, 44_100, 2, &tone(44_100, 300.0, 0.2, 0.3));
    for length in 4..=44 {
        let error = decode_bytes("x.wav", whole[..length].to_vec()).expect_err("a cut file");
        assert!(matches!(error, SoundError::Cut { .. }), "{length} bytes: {error}");
    }
}

#[test]
fn a_cut_flac_says_so() {
    let whole = FLAC;
    for part in [3, 10, 50, 90, 99] {
        let error = decode_bytes("x.flac", whole[..whole.len() * part / 100].to_vec()).expect_err("a cut file");
        assert!(matches!(error, SoundError::Cut { .. }), "{part} %: {error}");
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
        Just(FLAC.to_vec()),
        Just([b"ID3\x04\0\0\0\0\0\x02xx", FLAC].concat()),
        Just(OPUS.to_vec()),
        Just([OPUS, OPUS].concat()),
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
    let magic = prop::sample::select(vec![
        &b"RIFF....WAVEfmt "[..],
        b"RIFX....WAVEfmt ",
        b"RF64....WAVEds64",
        b"riff\x2e\x91\xcf\x11\xa5\xd6\x28\xdb",
        b"FORM....AIFCCOMM",
        b"FORM....AIFFSSND",
        b".snd\0\0\0\x18",
        b"ID3\x04\0\0\0\0\0\0",
        b"fLaC",
        b"OggS\0\x02",
        b"",
    ]);
    let random =
        (magic, prop::collection::vec(any::<u8>(), 0..600)).prop_map(|(magic, rest)| [magic, &rest].concat());
    prop_oneof![3 => changed, 1 => random]
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
