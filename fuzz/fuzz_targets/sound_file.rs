//! Any bytes as a recording (WAV and its kin, AIFF, AU, FLAC, Ogg Opus): samples or one error, in bounded memory.
#![no_main]

use std::sync::Once;

use libfuzzer_sys::fuzz_target;
use sound::SoundReader;

/// Pieces of one file that are decoded; a few seconds each.
const READS_MAX: usize = 1_000;

/// A decoder's own panic is caught and told as a damaged file: libFuzzer's hook must not end the process before that.
static QUIET: Once = Once::new();

fuzz_target!(|bytes: &[u8]| {
    QUIET.call_once(|| std::panic::set_hook(Box::new(|_| {})));
    let Ok(mut reader) = SoundReader::from_bytes("fuzz", bytes.to_vec()) else { return };
    let mut samples = Vec::new();
    for _ in 0..READS_MAX {
        samples.clear();
        if !matches!(reader.read(&mut samples), Ok(true)) {
            break;
        }
    }
});
