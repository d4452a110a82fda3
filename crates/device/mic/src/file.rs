//! A file, or standard input, in the place of a microphone.

use std::io::{IsTerminal, Read};
use std::path::Path;
use std::time::{Duration, Instant};

use base::SampleCount;
use base::units::BYTES_PER_SAMPLE;
use pipe::{Events, Line, sandbox};
use sound::SoundReader;

use crate::error::MicStop;
use crate::tap::{PIECE_SAMPLES, Tap};

/// Plays a file to its end.
pub(crate) fn play(
    path: &Path,
    is_fast: bool,
    mut tap: Tap,
    events: &mut Events,
    started: impl Fn() -> Line,
) -> Result<(), MicStop> {
    let mut reader = SoundReader::open(path)?;
    sandbox::mic_file().announce(events);
    events.send(started());
    let start = Instant::now();
    let mut played = SampleCount(0);
    let mut samples = Vec::new();
    while reader.read(&mut samples)? {
        for piece in samples.chunks(PIECE_SAMPLES) {
            played = SampleCount(played.0 + piece.len() as u64);
            // As a microphone would: a sample is there once its time is over.
            if !is_fast {
                sleep(played.duration().saturating_sub(start.elapsed()));
            }
            tap.write(piece)?;
        }
        samples.clear();
    }
    Ok(())
}

#[expect(clippy::disallowed_methods, reason = "a file has no event to wait for: its pace is made here")]
fn sleep(span: Duration) {
    std::thread::sleep(span);
}

/// Copies samples from standard input to its end. Half a sample at the end is none.
pub(crate) fn copy_stdin(mut tap: Tap, events: &mut Events, started: impl Fn() -> Line) -> Result<(), MicStop> {
    let mut input = std::io::stdin().lock();
    // Whoever has a terminal can write to it.
    if input.is_terminal() {
        return Err(MicStop::Usage("standard input is a terminal: samples are piped into it".to_owned()));
    }
    sandbox::mic_file().announce(events);
    events.send(started());
    let mut bytes = [0; PIECE_SAMPLES * BYTES_PER_SAMPLE];
    let mut filled = 0;
    let mut samples = Vec::with_capacity(PIECE_SAMPLES);
    loop {
        match input.read(&mut bytes[filled..]) {
            Ok(0) => return Ok(()),
            Ok(count) => filled += count,
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
            Err(error) => return Err(MicStop::Stdin(error)),
        }
        let (pairs, odd) = bytes[..filled].as_chunks::<BYTES_PER_SAMPLE>();
        samples.clear();
        samples.extend(pairs.iter().map(|&pair| i16::from_le_bytes(pair)));
        let left = odd.len();
        bytes.copy_within(filled - left..filled, 0);
        filled = left;
        tap.write(&samples)?;
    }
}
