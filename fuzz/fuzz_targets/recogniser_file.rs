//! Any bytes as the recogniser's compact file, bare and behind a beginning that lets them through to its arrays: it is
//! refused with a reason or, were it whole, hears something within its limits, never with a panic.
#![no_main]

use asr::{Options, Whisper};
use libfuzzer_sys::fuzz_target;

/// Panels that the made-up beginning announces: a matrix or two of a few rows.
const PANEL_BYTES_MAX: usize = 4_096;

fuzz_target!(|parts: (u16, &[u8])| {
    let (panel_bytes, bytes) = parts;
    try_it(bytes);
    let panel_bytes = (usize::from(panel_bytes) % PANEL_BYTES_MAX / 64 * 64).min(bytes.len() / 64 * 64);
    let head_bytes = bytes.len() - panel_bytes;
    let Ok(head) = u32::try_from(head_bytes) else { return };
    let mut file =
        [&b"sotto.i8"[..], &1_u32.to_le_bytes(), &head.to_le_bytes(), &(panel_bytes as u64).to_le_bytes()].concat();
    file.resize(64, 0);
    file.extend_from_slice(bytes);
    try_it(&file);
});

fn try_it(bytes: &[u8]) {
    // A stated gigabyte of weights is room that is asked for in vain; the file's own length is the limit here.
    let stated = bytes.get(16..24).map_or(0, |size| u64::from_le_bytes(size.try_into().expect("eight bytes")));
    if (bytes.len() as u64) < stated {
        return;
    }
    if let Ok(whisper) = Whisper::read(&mut &*bytes) {
        let _ = whisper.transcribe(&[0.25; 4_000], &Options::to_the_end());
    }
}
