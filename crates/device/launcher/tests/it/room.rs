//! A room around the device: what is heard there, at the pace at which it is said.

use std::io::Write;
use std::process::{ChildStdin, Command};
use std::time::{Duration, Instant};

use crate::device::Device;

/// Samples in a piece of 80 ms.
const PIECE: usize = 1_280;

/// What the device's microphone hears, in real time.
pub(crate) struct Room {
    microphone: ChildStdin,
    began: Instant,
    n_heard: u64,
}

impl Room {
    pub(crate) fn around(device: &mut Device) -> Self {
        let microphone = device.launcher.stdin.take().expect("a pipe");
        Self { microphone, began: Instant::now(), n_heard: 0 }
    }

    /// Lets this be heard, and returns when it was.
    pub(crate) fn hear(&mut self, samples: &[i16]) {
        for piece in samples.chunks(PIECE) {
            let bytes: Vec<u8> = piece.iter().flat_map(|sample| sample.to_le_bytes()).collect();
            self.n_heard += piece.len() as u64;
            let lasts = Duration::from_micros(self.n_heard * 1_000_000 / 16_000);
            pause(lasts.saturating_sub(self.began.elapsed()));
            self.microphone.write_all(&bytes).expect("the microphone lives");
        }
    }

    /// Lets nothing but the room be heard until this is so.
    pub(crate) fn hear_silence_until(&mut self, what: &str, is_so: impl Fn() -> bool) {
        let began = Instant::now();
        while !is_so() {
            assert!(began.elapsed() < Duration::from_secs(60), "not {what}");
            self.hear(&quiet(PIECE));
        }
    }
}

/// A room in which nobody speaks: never digitally silent.
pub(crate) fn quiet(samples: usize) -> Vec<i16> {
    let mut state = 1_u64;
    let noise = std::iter::from_fn(move || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        Some((state >> 59) as i16 - 16)
    });
    noise.take(samples).collect()
}

/// This sentence in a synthetic voice, at 16 kHz.
pub(crate) fn said(sentence: &str) -> Vec<i16> {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("said.wav");
    let mut espeak = Command::new("espeak-ng");
    espeak.args(["-v", "en-us", "-s", "165", "-z", "-w"]).arg(&path).arg(sentence);
    assert!(espeak.status().expect("espeak-ng").success());
    sound::decode_file(&path).expect("speech")
}

#[expect(clippy::disallowed_methods, reason = "a room has no event to wait for: its pace is made here")]
fn pause(span: Duration) {
    std::thread::sleep(span);
}
