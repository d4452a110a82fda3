//! Number 8 of issue 17, and 11 (‡13, ‡14): the recordings that a command line names, in the shapes and from the places
//! that people have them in.

use std::io::Write;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use crate::home::{Home, Said};

const RATE_HZ: u32 = 16_000;
/// "What time is it", as files beside the tests of crate `sound` have it.
const OPUS: &[u8] = include_bytes!("../../../sound/tests/it/files/voice.opus");
const FLAC: &[u8] = include_bytes!("../../../sound/tests/it/files/voice.flac");

fn voice() -> Vec<i16> {
    sound::decode_bytes("voice", FLAC.to_vec()).expect("a FLAC")
}

/// A WAV file: the format's fields, the lengths in its header (of the samples, unless another is claimed) and the samples.
fn wav(tag: u16, channels: u16, frame_bytes: u16, bits: u16, claimed: Option<u32>, data: &[u8]) -> Vec<u8> {
    let bytes = claimed.unwrap_or(data.len() as u32);
    let mut file = b"RIFF".to_vec();
    file.extend(bytes.saturating_add(36).to_le_bytes());
    file.extend(b"WAVEfmt \x10\0\0\0");
    file.extend(tag.to_le_bytes());
    file.extend(channels.to_le_bytes());
    file.extend(RATE_HZ.to_le_bytes());
    file.extend((RATE_HZ * u32::from(frame_bytes)).to_le_bytes());
    file.extend(frame_bytes.to_le_bytes());
    file.extend(bits.to_le_bytes());
    file.extend(b"data");
    file.extend(bytes.to_le_bytes());
    file.extend(data);
    file
}

fn plain(claimed: Option<u32>) -> Vec<u8> {
    wav(1, 1, 2, 16, claimed, &voice().iter().flat_map(|sample| sample.to_le_bytes()).collect::<Vec<u8>>())
}

/// The same on two channels, the second of which holds what `second` makes of it.
fn stereo(second: impl Fn(i16) -> i16) -> Vec<u8> {
    let frame = |sample: i16| [sample.to_le_bytes(), second(sample).to_le_bytes()].concat();
    wav(1, 2, 4, 16, None, &voice().into_iter().flat_map(frame).collect::<Vec<u8>>())
}

fn rf64() -> Vec<u8> {
    let whole = plain(None);
    let mut file = b"RF64\xff\xff\xff\xffWAVEds64\x1c\0\0\0".to_vec();
    file.extend([0; 8]);
    file.extend((voice().len() as u64 * 2).to_le_bytes());
    file.extend([0; 12]);
    file.extend(&whole[12..40]);
    file.extend([0xff; 4]);
    file.extend(&whole[44..]);
    file
}

/// µ-law, by the search that needs no table of its own.
fn mu_law() -> Vec<u8> {
    let height = |code: u8| (((i32::from(code & 15) << 3) + 0x84) << (code >> 4)) - 0x84;
    let encoded = |sample: i16| {
        let wanted = i32::from(sample).abs();
        let code = (0..128_u8).min_by_key(|code| (height(*code) - wanted).abs()).unwrap_or(0);
        !(code | if sample < 0 { 0x80 } else { 0 })
    };
    wav(7, 1, 1, 8, None, &voice().into_iter().map(encoded).collect::<Vec<u8>>())
}

fn put(home: &Home, name: &str, bytes: &[u8]) -> String {
    let path: PathBuf = home.dir.path().join(name);
    std::fs::write(&path, bytes).expect("writes");
    path.to_str().expect("UTF-8").to_owned()
}

fn transcribe(home: &Home, files: &[&str]) -> Said {
    home.sotto(&[&["transcribe", "--json"][..], files].concat())
}

fn text(line: &serde_json::Value) -> String {
    line["text"].as_str().unwrap_or_default().to_lowercase()
}

#[test]
fn good_sound_is_written_down_in_whatever_shape_it_comes() {
    let home = Home::new();
    let wide = |sample: i16| (i32::from(sample) << 8).to_le_bytes();
    let wide: Vec<u8> = voice().into_iter().flat_map(wide).collect();
    let tag = [&b"ID3\x04\0\0\0\0\0\x14"[..], &[0; 20]].concat();
    let files = [
        ("unknown.wav", plain(Some(u32::MAX))),
        ("never-filled-in.wav", plain(Some(0))),
        ("killed.wav", plain(Some(10 * 60 * 32_000))),
        ("rf64.wav", rf64()),
        ("s24le.wav", wav(1, 1, 4, 24, None, &wide)),
        ("mu-law.wav", mu_law()),
        ("upside-down.wav", stereo(|sample| -sample)),
        ("nearly-upside-down.wav", stereo(|sample| -(sample / 10 * 9))),
        ("dead-channel.wav", stereo(|_| 0)),
        ("id3.flac", [&tag, FLAC].concat()),
        ("twice.opus", [OPUS, OPUS].concat()),
    ];
    let paths: Vec<String> = files.iter().map(|(name, bytes)| put(&home, name, bytes)).collect();
    let said = transcribe(&home, &paths.iter().map(String::as_str).collect::<Vec<_>>());
    assert_eq!((said.code, said.lines.len()), (Some(0), files.len()), "{said:?}");
    for (line, (name, _)) in said.lines.iter().zip(&files) {
        assert!(text(line).contains("what time is it"), "{name}: {line}");
        // The recogniser may write down once what is said twice; both are heard.
        let seconds = if *name == "twice.opus" { 2.88 } else { 1.44 };
        assert!((line["seconds"].as_f64().unwrap_or(0.0) - seconds).abs() < 0.05, "{name}: {line}");
    }
    let notes: Vec<&str> = said.stderr.lines().filter(|line| line.contains("heard as far as it goes")).collect();
    assert!(notes.len() == 1 && notes[0].contains("killed.wav"), "{said:?}");
}

#[test]
fn what_is_not_read_is_named_with_a_command_that_converts_it() {
    let home = Home::new();
    for (name, bytes, format) in [
        ("a.mp3", &b"ID3\x04\0\0\0\0\0\0\xff\xfb\x90\x64"[..], "MP3"),
        ("a.m4a", b"\0\0\0\x20ftypM4A \0\0\0\0", "M4A"),
        ("a.webm", b"\x1a\x45\xdf\xa3\x9f\x42\x86\x81", "WebM"),
        ("a.amr", b"#!AMR\n\x3c\x91", "AMR"),
    ] {
        let said = transcribe(&home, &[&put(&home, name, bytes)]);
        said.refuses(2, name);
        assert!(said.stderr.contains(format) && said.stderr.contains("ffmpeg -i "), "{said:?}");
    }
}

/// Runs with these bytes on a pipe as standard input.
fn with_input(home: &Home, args: &[&str], bytes: Vec<u8>) -> Said {
    let mut child = home
        .command(args)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("starts");
    let mut input = child.stdin.take().expect("piped");
    let writing = std::thread::spawn(move || input.write_all(&bytes));
    let said = Said::of(&child.wait_with_output().expect("ends"));
    let _ = writing.join().expect("joins");
    said
}

#[test]
fn pipes_and_a_dash_are_read() {
    let home = Home::new();
    for name in ["/dev/stdin", "-"] {
        let said = with_input(&home, &["transcribe", "--json", name], plain(Some(u32::MAX)));
        assert_eq!(said.code, Some(0), "{said:?}");
        assert_eq!((&said.line()["file"], text(said.line()).contains("what time is it")), (&name.into(), true));
        let said = with_input(&home, &["wake", "detect", "--stage", "1", "--json", name], plain(None));
        assert_eq!((said.code, &said.line()["file"]), (Some(0), &name.into()), "{said:?}");
    }
    let file = put(&home, "x.wav", &plain(None));
    let program = env!("CARGO_BIN_EXE_sotto");
    let shell = format!("'{program}' transcribe --json <(cat '{file}')");
    let said = Said::of(&Command::new("bash").args(["-c", &shell]).output().expect("bash is installed"));
    assert!(said.code == Some(0) && text(said.line()).contains("what time is it"), "{said:?}");
    with_input(&home, &["transcribe", "-"], Vec::new()).refuses(2, "-: empty");
    with_input(&home, &["transcribe", "-"], b"no sound\n".repeat(1_000)).refuses(2, "-: not an audio file");
}

#[test]
fn one_bad_file_does_not_end_the_list() {
    let home = Home::new();
    let good = put(&home, "1good.wav", &plain(None));
    let bad = put(&home, "2bad.wav", b"this is no sound\n");
    let missing = home.dir.path().join("3missing.wav").to_str().expect("UTF-8").to_owned();
    let files = [&*good, &*bad, &*missing, &*good];
    for command in [&["transcribe", "--json"][..], &["wake", "detect", "--stage", "1", "--json"]] {
        let said = home.sotto(&[command, &files].concat());
        assert_eq!((said.code, said.lines.len()), (Some(2), 2), "{said:?}");
        for reason in ["2bad.wav: not an audio file", "3missing.wav: No such file", "2 of 4 recordings"] {
            assert_eq!(said.stderr.matches(reason).count(), 1, "{reason}: {said:?}");
        }
    }
    let said = home.sotto(&[&["ask", "--fast", "--json"][..], &[&*bad, &*good]].concat());
    assert_eq!((said.code, said.lines.len()), (Some(2), 1), "{said:?}");
    assert!(said.stderr.contains("2bad.wav: not an audio file"), "{said:?}");
    let table = format!("path\tlabel\tsource\n{bad}\thello\tx\n{good}\twhat time is it\tx\n");
    let table = put(&home, "table.tsv", table.as_bytes());
    let said = home.sotto(&["wake", "eval", "--stage", "1", "--json", &table]);
    assert_eq!((said.code, said.lines.len()), (Some(2), 1), "{said:?}");
    assert!(said.stderr.contains("2bad.wav: not an audio file") && said.stderr.contains("1 of 2"), "{said:?}");
}
