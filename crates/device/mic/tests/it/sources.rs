use std::io::{Read, Write};
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

/// The microphone's process, writing where its output can be read.
pub(crate) fn mic(source: &str) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_sotto-mic"));
    command.args(["--pcm-fd", "1", "--source", source]);
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

pub(crate) fn samples(bytes: &[u8]) -> Vec<i16> {
    bytes.as_chunks::<2>().0.iter().map(|&pair| i16::from_le_bytes(pair)).collect()
}

/// A sound that is never twice the same.
fn noise(count: usize) -> Vec<i16> {
    (0..count as u64).map(|n| (n.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 48) as u16 as i16).collect()
}

fn wav(rate_hz: u32, samples: &[i16]) -> tempfile::NamedTempFile {
    let file = tempfile::Builder::new().suffix(".wav").tempfile().expect("a file");
    sound::write_wav(&file, rate_hz, samples).expect("written");
    file
}

fn complaint(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[test]
fn a_file_comes_out_as_it_is_and_the_process_ends_well() {
    let played = noise(50_001);
    let file = wav(16_000, &played);
    let output = mic(&format!("file:{},fast", file.path().display())).output().expect("started");
    assert!(output.status.success(), "{}", complaint(&output));
    assert_eq!(samples(&output.stdout), played);
}

#[test]
fn another_rate_comes_out_as_the_decoder_says() {
    let file = wav(48_000, &noise(96_000));
    let output = mic(&format!("file:{},fast", file.path().display())).output().expect("started");
    let decoded = sound::decode_file(file.path()).expect("a good file");
    assert_eq!((samples(&output.stdout), decoded.len()), (decoded, 32_000));
}

#[test]
fn a_file_at_its_own_pace_takes_its_own_time() {
    let file = wav(16_000, &noise(16_000));
    let start = Instant::now();
    let output = mic(&format!("file:{}", file.path().display())).output().expect("started");
    assert!(start.elapsed() >= Duration::from_secs(1), "{:?}", start.elapsed());
    assert_eq!(samples(&output.stdout).len(), 16_000);
}

#[test]
fn standard_input_comes_out_as_it_is_but_for_half_a_sample() {
    let played: Vec<u8> = noise(40_000).iter().flat_map(|sample| sample.to_le_bytes()).collect();
    let mut child = mic("stdin").stdin(Stdio::piped()).spawn().expect("started");
    let mut input = child.stdin.take().expect("a pipe");
    let said = [&played[..], &[7]].concat();
    let writer = std::thread::spawn(move || {
        for piece in said.chunks(1_001) {
            input.write_all(piece).expect("taken");
        }
    });
    let output = child.wait_with_output().expect("ended");
    writer.join().expect("all was taken");
    assert!(output.status.success() && output.stdout == played, "{}", complaint(&output));
}

#[test]
fn an_ear_that_goes_ends_the_microphone_without_a_word() {
    let file = wav(16_000, &noise(1_600_000));
    let mut child = mic(&format!("file:{},fast", file.path().display())).spawn().expect("started");
    let mut ear = child.stdout.take().expect("a pipe");
    ear.read_exact(&mut [0; 1_000]).expect("samples");
    drop(ear);
    let output = child.wait_with_output().expect("ended");
    assert_eq!((output.status.code(), complaint(&output)), (Some(i32::from(pipe::exit::PEER_GONE)), String::new()));
}

#[test]
fn bad_files_are_one_line_and_leave_no_sample() {
    let folder = tempfile::tempdir().expect("a folder");
    for (bytes, reason) in [(&b""[..], "empty"), (b"hello, world", "not an audio file"), (b"RIFF", "cut short")] {
        let path = folder.path().join("x.wav");
        std::fs::write(&path, bytes).expect("written");
        let output = mic(&format!("file:{}", path.display())).output().expect("started");
        assert_eq!((output.status.code(), output.stdout.len()), (Some(2), 0));
        let complaint = complaint(&output);
        assert!(complaint.lines().count() == 1 && complaint.contains(reason), "{complaint}");
    }
}
