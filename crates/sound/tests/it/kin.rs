//! Number 8 of issue 17: good sound in the shapes that recorders and other programs give it.

use std::io::{Read, Write};

use sound::{SoundReader, decode_bytes, decode_file};

use crate::made::{FLAC, Format, fmt, riff, tone, wav, wav_as};

const RATE: u32 = 16_000;

fn decoded(bytes: Vec<u8>) -> Vec<i16> {
    decode_bytes("x", bytes).unwrap_or_else(|error| panic!("{error}"))
}

/// A tone of 16 bits, for formats that must give it back to the bit.
fn samples() -> Vec<i16> {
    tone(RATE, 440.0, 0.1, 0.5).iter().map(|sample| (sample * 32_768.0) as i16).collect()
}

fn le(samples: &[i16]) -> Vec<u8> {
    samples.iter().flat_map(|sample| sample.to_le_bytes()).collect()
}

fn be(samples: &[i16]) -> Vec<u8> {
    samples.iter().flat_map(|sample| sample.to_be_bytes()).collect()
}

#[test]
fn chunks_before_and_behind_the_samples_are_passed_over() {
    let (want, format) = (samples(), fmt(1, 1, RATE, 2, 16));
    let data = le(&want);
    let junk = [7; 28];
    let before: [(&[u8; 4], &[u8]); 3] = [(b"JUNK", &junk), (b"bext", &[0; 602]), (b"LIST", b"INFOISFT\x01\0\0\0x")];
    for odd in [&b"abc"[..], b"abcd"] {
        let chunks: Vec<(&[u8; 4], &[u8])> = before
            .into_iter()
            .chain([
                (b"fmt ", &format[..]),
                (b"fact", &[0; 4]),
                (b"iXML", odd),
                (b"data", &data),
                (b"id3 ", b"ID3...."),
            ])
            .collect();
        assert_eq!(decoded(riff(&chunks)), want);
    }
    // Not padded, as some programs have it.
    let mut file = riff(&[(b"fmt ", &format), (b"LIST", b"abc"), (b"data", &data)]);
    let pad = 12 + 8 + 16 + 8 + 3;
    file.remove(pad);
    assert_eq!(decoded(file), want);
}

#[test]
fn samples_of_no_bytes_are_empty_only_where_the_file_says_so() {
    let format = fmt(1, 1, RATE, 2, 16);
    let error = decode_bytes("x", riff(&[(b"fmt ", &format), (b"data", b""), (b"LIST", b"INFO")]));
    assert_eq!(error.expect_err("no sound").to_string(), "x: empty, there is no sound in it");
}

#[test]
fn rf64_bw64_rifx_and_wave64_are_read() {
    let want = samples();
    let data = le(&want);
    for magic in [b"RF64", b"BW64"] {
        for bytes in [data.len() as u64, 0, u64::MAX] {
            let mut lengths = vec![0; 28];
            lengths[8..16].copy_from_slice(&bytes.to_le_bytes());
            let format = fmt(1, 1, RATE, 2, 16);
            let mut file = riff(&[(b"ds64", &lengths), (b"fmt ", &format), (b"data", &data)]);
            file[..4].copy_from_slice(magic);
            file[4..8].fill(0xff);
            let length = file.len() - data.len() - 4;
            file[length..length + 4].fill(0xff);
            assert_eq!(decoded(file), want, "{bytes}");
        }
    }
    assert_eq!(decoded(rifx(&be(&want))), want);
    assert_eq!(decoded(wave64(&data)), want);
}

fn rifx(data: &[u8]) -> Vec<u8> {
    let mut file = b"RIFX\0\0\0\0WAVEfmt \0\0\0\x10\0\x01\0\x01".to_vec();
    file.extend(RATE.to_be_bytes());
    file.extend((RATE * 2).to_be_bytes());
    file.extend(b"\0\x02\0\x10data");
    file.extend((data.len() as u32).to_be_bytes());
    file.extend(data);
    file
}

fn wave64(data: &[u8]) -> Vec<u8> {
    let name = |letters: &[u8; 4]| [&letters[..], b"\xf3\xac\xd3\x11\x8c\xd1\x00\xc0\x4f\x8e\xdb\x8a"].concat();
    let mut file = b"riff\x2e\x91\xcf\x11\xa5\xd6\x28\xdb\x04\xc1\x00\x00".to_vec();
    file.extend([0; 8]);
    file.extend(name(b"wave"));
    // A chunk of odd length, padded to eight bytes.
    for (letters, content) in [(b"fact", &[1, 2, 3][..]), (b"fmt ", &fmt(1, 1, RATE, 2, 16)), (b"data", data)] {
        file.extend(name(letters));
        file.extend((content.len() as u64 + 24).to_le_bytes());
        file.extend(content);
        file.resize(file.len().next_multiple_of(8), 0);
    }
    let bytes = file.len() as u64;
    file[16..24].copy_from_slice(&bytes.to_le_bytes());
    file
}

#[test]
fn numbers_in_more_bytes_than_they_need_are_read_wherever_they_lie() {
    let want = samples();
    let format = fmt(1, 1, RATE, 4, 24);
    // ALSA's S24_LE: below, with the sign above or nothing; Microsoft's: above.
    let low = |sample: &i16| (i32::from(*sample) << 8).to_le_bytes();
    let bare = |sample: &i16| ((i32::from(*sample) << 8) & 0xff_ffff).to_le_bytes();
    let high = |sample: &i16| (i32::from(*sample) << 16).to_le_bytes();
    for store in [&low as &dyn Fn(&i16) -> [u8; 4], &bare, &high] {
        let data: Vec<u8> = want.iter().flat_map(store).collect();
        assert_eq!(decoded(riff(&[(b"fmt ", &format), (b"data", &data)])), want);
        // The same by the format that says how many bits are used.
        let mut extensible = fmt(0xfffe, 1, RATE, 4, 24);
        extensible.extend(b"\x16\0\x18\0\0\0\0\0\x01\0\0\0\0\0\x10\0\x80\0\0\xaa\0\x38\x9b\x71");
        assert_eq!(decoded(riff(&[(b"fmt ", &extensible), (b"data", &data)])), want);
    }
    // 12 bits at the top of 16, and 20 at the top of 24.
    assert_eq!(decoded(riff(&[(b"fmt ", &fmt(1, 1, RATE, 2, 12)), (b"data", &le(&want))])), want);
    let data: Vec<u8> =
        want.iter().flat_map(|sample| (i32::from(*sample) << 8).to_le_bytes()[..3].to_vec()).collect();
    assert_eq!(decoded(riff(&[(b"fmt ", &fmt(1, 1, RATE, 3, 20)), (b"data", &data)])), want);
}

#[test]
fn a_law_and_mu_law_are_what_g_711_says() {
    // The table's ends and middle (ITU-T G.711, tables 1a and 2a), at the top of 16 bits.
    let a_law = [(0xd5, 8), (0x55, -8), (0xd4, 24), (0xaa, 32_256), (0x2a, -32_256)];
    for (code, want) in &a_law {
        assert_eq!(decoded(wav_as(6, 8, 1, &[*code])), [*want], "{code:x}");
    }
    for (code, want) in [(0xff, 0), (0x7f, 0), (0xfe, 8), (0x7e, -8), (0x80, 32_124), (0x00, -32_124)] {
        assert_eq!(decoded(wav_as(7, 8, 1, &[code])), [want], "{code:x}");
    }
}

#[test]
fn aiff_and_au_are_read() {
    let want = samples();
    assert_eq!(decoded(aiff(b"AIFF", b"", &be(&want))), want);
    assert_eq!(decoded(aiff(b"AIFC", b"sowt", &le(&want))), want);
    assert_eq!(decoded(aiff(b"AIFC", b"NONE", &be(&want))), want);
    let error = decode_bytes("x.aifc", aiff(b"AIFC", b"ima4", &be(&want))).expect_err("not read").to_string();
    assert!(error.contains("ima4") && error.contains("ffmpeg"), "{error}");
    for bytes in [want.len() as u32 * 2, u32::MAX, 0, 1 << 20] {
        let mut file = b".snd\0\0\0\x1c".to_vec();
        file.extend(bytes.to_be_bytes());
        file.extend(3_u32.to_be_bytes());
        file.extend(RATE.to_be_bytes());
        file.extend(b"\0\0\0\x01note");
        file.extend(be(&want));
        assert_eq!(decoded(file), want, "{bytes}");
    }
}

fn aiff(kind: &[u8; 4], codec: &[u8], data: &[u8]) -> Vec<u8> {
    let mut common = b"\0\x01\0\0\0\0\0\x10\x40\x0c\xfa\0\0\0\0\0\0\0".to_vec();
    common.extend(codec);
    let mut file = b"FORM....".to_vec();
    file.extend(kind);
    for (id, content) in [(b"NAME", b"abc".to_vec()), (b"COMM", common), (b"SSND", [&[0; 8], data].concat())] {
        file.extend(id);
        file.extend((content.len() as u32).to_be_bytes());
        file.extend(&content);
        file.resize(file.len().next_multiple_of(2), 0);
    }
    let bytes = file.len() as u32 - 8;
    file[4..8].copy_from_slice(&bytes.to_be_bytes());
    file
}

#[test]
fn sound_behind_tags_is_found() {
    let want = decoded(FLAC.to_vec());
    let tag = |words: u8| [&b"ID3\x04\0\0\0\0\x01"[..], &[words], &vec![0; 128 + usize::from(words)]].concat();
    assert_eq!(decoded([tag(20), FLAC.to_vec()].concat()), want);
    assert_eq!(decoded([tag(0), tag(3), FLAC.to_vec()].concat()), want);
    let samples = samples();
    assert_eq!(decoded([tag(1), wav_as(1, 16, 1, &le(&samples))].concat()), samples);
}

#[test]
fn a_recording_that_ends_before_its_header_says_is_heard_and_told() {
    let whole = wav(Format::Signed16, RATE, 1, &tone(RATE, 300.0, 0.2, 0.3));
    for (bytes, is_cut) in [(whole.len(), false), (whole.len() / 2, true), (whole.len() / 2 + 1, true)] {
        let mut reader = SoundReader::from_bytes("x.wav", whole[..bytes].to_vec()).expect("a good file");
        let mut samples = Vec::new();
        while reader.read(&mut samples).expect("a good file") {}
        assert_eq!((samples.len(), reader.is_cut()), ((bytes - 44) / 2, is_cut));
    }
}

#[test]
fn a_pipe_is_read_whole() {
    let want = samples();
    let file = wav_as(1, 16, 1, &le(&want));
    for refused in [false, true] {
        let (reader, mut writer) = std::io::pipe().expect("a pipe");
        let bytes = if refused { vec![0xfe; 1 << 20] } else { file.clone() };
        let writing = std::thread::spawn(move || writer.write_all(&bytes));
        let path = format!("/proc/self/fd/{}", std::os::fd::AsRawFd::as_raw_fd(&reader));
        let read = decode_file(path.as_ref());
        drop(reader);
        let written = writing.join().expect("joins");
        match read {
            Ok(samples) => assert!(!refused && samples == want && written.is_ok()),
            // By its first bytes: no pipe is read to its end for nothing.
            Err(error) => {
                assert!(refused && error.to_string().contains("in no format") && written.is_err(), "{error}")
            }
        }
    }
}

#[test]
fn a_pipe_without_end_is_refused_at_the_limit() {
    let head = wav_as(1, 16, 1, &[]);
    let error = SoundReader::from_stream("-", head.chain(std::io::repeat(0))).expect_err("endless").to_string();
    assert!(error.starts_with("-: more than 671 MB"), "{error}");
}
