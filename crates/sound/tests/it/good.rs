use sound::{SoundReader, decode_bytes, decode_file, write_wav};

use crate::made::{FLAC, Format, OPUS, data, tone, wav};

const FORMATS: [Format; 5] =
    [Format::Unsigned8, Format::Signed16, Format::Signed24, Format::Signed32, Format::Float32];

/// Root of the mean square.
fn level(samples: impl Iterator<Item = f64>) -> f64 {
    let (sum, count) = samples.fold((0.0, 0_u32), |(sum, count), sample| (sum + sample * sample, count + 1));
    (sum / f64::from(count.max(1))).sqrt()
}

#[test]
fn what_is_16_khz_mono_already_is_not_touched() {
    let samples: Vec<i16> = (0..=u16::MAX).map(|n| n.wrapping_mul(40_503).cast_signed()).collect();
    let mut file = Vec::new();
    write_wav(&mut file, 16_000, &samples).expect("memory does not fail");
    assert_eq!(decode_bytes("all.wav", file).expect("a good file"), samples);
}

#[test]
fn every_depth_rate_and_channel_count_is_the_same_sound() {
    let want = tone(16_000, 440.0, 0.5, 0.5);
    for format in FORMATS {
        for rate_hz in [8_000, 11_025, 16_000, 22_050, 24_000, 32_000, 44_100, 44_101, 48_000, 96_000] {
            for channels in [1, 2, 6] {
                let file = wav(format, rate_hz, channels, &tone(rate_hz, 440.0, 0.5, 0.5));
                let got = decode_bytes("tone.wav", file).expect("a good file");
                let what = format!("{format:?} {rate_hz} Hz, {channels} channels");
                assert!(got.len().abs_diff(8_000) <= 1, "{what}: {} samples", got.len());
                // Away from the ends, where the filter sees silence: the same tone, at the same place.
                let difference = got.iter().zip(&want).skip(800).take(6_400);
                let noise = level(difference.map(|(got, want)| f64::from(*got) / 32_768.0 - want));
                let allowed = if matches!(format, Format::Unsigned8) { 0.01 } else { 0.001 };
                assert!(noise < allowed, "{what}: {noise}");
            }
        }
    }
}

#[test]
fn speech_passes_the_resampler_and_what_would_fold_back_does_not() {
    for (hz, passes) in [(100.0, true), (6_500.0, true), (9_000.0, false), (15_000.0, false)] {
        let file = wav(Format::Signed16, 48_000, 1, &tone(48_000, hz, 0.5, 0.5));
        let got = decode_bytes("tone.wav", file).expect("a good file");
        let height = level(got[800..7_200].iter().map(|sample| f64::from(*sample) / 32_768.0)) * 2_f64.sqrt();
        if passes {
            assert!((height - 0.5).abs() < 0.01, "{hz} Hz comes out at {height}");
        } else {
            assert!(height < 0.5e-3, "{hz} Hz comes out at {height}");
        }
    }
}

#[test]
fn ten_minutes_are_simply_heard() {
    let quiet = vec![0.01; 48_000 * 600];
    let got = decode_bytes("long.wav", wav(Format::Signed16, 48_000, 2, &quiet)).expect("a good file");
    assert_eq!(got.len(), 16_000 * 600);
}

#[test]
fn a_length_that_was_not_known_when_writing_began_or_never_filled_in_means_to_the_end() {
    for length in [0xffff_ffff_u32, 0x7fff_f000, 0x7fff_ff00, 0x8000_0000, 0, 2_002, 48_000] {
        let mut file = wav(Format::Signed16, 16_000, 1, &[0.25; 1_000]);
        file[4..8].copy_from_slice(&length.saturating_add(36).to_le_bytes());
        file[40..44].copy_from_slice(&length.to_le_bytes());
        let got = decode_bytes("piped.wav", file);
        assert_eq!(got.expect("a good file").len(), 1_000, "{length:x}");
    }
    // The length of the samples alone, or of the file alone.
    for at in [4, 40] {
        for length in [0_u32, 36, 0xffff_ffff, 0x7fff_ffff, 5_000] {
            let mut file = wav(Format::Signed16, 16_000, 1, &[0.25; 1_000]);
            file[at..at + 4].copy_from_slice(&length.to_le_bytes());
            if at == 40 && length < 2_000 {
                file[4..8].fill(0);
            }
            let got = decode_bytes("killed.wav", file).expect("a good file").len();
            let want = if (at, length) == (40, 36) { 18 } else { 1_000 };
            assert_eq!(got, want, "{length:x} at {at}");
        }
    }
}

#[test]
fn flac_is_read_whole_or_in_pieces() {
    let whole = decode_bytes("x.flac", FLAC.to_vec()).expect("a good file");
    assert_eq!(whole.len(), 23_041);
    let mut reader = SoundReader::from_bytes("x.flac", FLAC.to_vec()).expect("a good file");
    let mut pieces = Vec::new();
    while reader.read(&mut pieces).expect("a good file") {}
    assert_eq!(whole, pieces);
}

#[test]
fn ogg_opus_is_read() {
    let heard = |mut reader: SoundReader, seconds: usize| {
        let mut samples = Vec::new();
        while samples.len() < seconds * 16_000 && reader.read(&mut samples).expect("a good file") {}
        let loudness = level(samples.iter().map(|sample| f64::from(*sample)));
        assert!(samples.len() >= seconds * 16_000 && loudness > 50.0, "{} samples at {loudness}", samples.len());
    };
    heard(SoundReader::from_bytes("x.opus", OPUS.to_vec()).expect("a good file"), 1);
    let recorded = test_speech::people::folder().map(|folder| folder.join("background/wuw-corpus-ii.0.opus"));
    if let Some(path) = recorded.filter(|path| path.exists()) {
        heard(SoundReader::open(&path).expect("a good file"), 60);
    }
}

#[test]
fn every_packet_of_half_an_hour_of_opus_speech_is_read() {
    // Some of its packets have more short blocks than the decoder's own masks have bits.
    let Some(path) = data("background/watson-stt.0.opus") else { return };
    let samples = decode_file(&path).expect("a good file");
    assert!(samples.len() > 20 * 60 * 16_000, "{}", samples.len());
}
