//! What was said lies nowhere in the clear, at no time, whoever looks at the disk.

use std::path::Path;
use std::process::Stdio;

use crate::home::{Home, Said, requests};

/// Bytes of the recording that are looked for: 4 ms of speech, which no other sound repeats.
const NEEDLE_SAMPLES: usize = 64;

#[test]
fn i9_nothing_said_lies_in_any_file_in_the_clear_at_any_time() {
    requests().iter().for_each(|path| check_in_the_clear(path));
}

fn check_in_the_clear(path: &Path) {
    let home = Home::new();
    let temporary = home.dir.path().join("tmp");
    std::fs::create_dir_all(&temporary).expect("a directory");
    let samples = sound::decode_file(path).expect("decodes");
    let loudest = (0..samples.len()).max_by_key(|at| samples[*at].unsigned_abs()).expect("not empty");
    let needle: Vec<u8> =
        samples[loudest..].iter().take(NEEDLE_SAMPLES).flat_map(|sample| sample.to_le_bytes()).collect();
    let up = home.up();
    let mut asking = home
        .command(&["ask", "--json", path.to_str().expect("UTF-8")])
        .env("TMPDIR", &temporary)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("starts");
    // Files come and go while it runs: look as often as can be.
    while asking.try_wait().expect("waits").is_none() {
        assert!(home.files_holding(&needle).is_empty(), "the recording lies on the disk in the clear");
        assert!(home.files_holding(b"time is it").is_empty(), "the transcript lies on the disk in the clear");
    }
    let said = Said::of(&asking.wait_with_output().expect("ends"));
    let transcript = said.line()["transcript"].as_str().expect("text").to_owned();
    let reply = said.line()["reply"].as_str().expect("text").to_owned();
    drop(up);
    for words in [transcript.as_bytes(), b"time is it", reply.as_bytes(), &needle] {
        assert!(home.files_holding(words).is_empty(), "on the disk in the clear");
    }
    drop(home.up());
    for words in [transcript.as_bytes(), reply.as_bytes(), &needle] {
        assert!(home.files_holding(words).is_empty(), "on the disk in the clear after a restart");
    }
}
