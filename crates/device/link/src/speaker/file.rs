//! Replies into files, or into nothing, at the pace a loudspeaker would have.

use std::fs::{self, OpenOptions};
use std::io::{self, BufWriter};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use super::Sink;

/// A loudspeaker that is a file for each reply, or none.
pub(super) struct Replies {
    path: Option<PathBuf>,
    is_paced: bool,
    n_written: u32,
    rate_hz: u32,
    samples: Vec<i16>,
    n_pushed: u64,
    /// When the last of what was pushed is over, at the pace of a loudspeaker.
    heard_until: Option<Instant>,
}

impl Replies {
    pub(super) const fn new(path: Option<PathBuf>, is_paced: bool) -> Self {
        Self { path, is_paced, n_written: 0, rate_hz: 0, samples: Vec::new(), n_pushed: 0, heard_until: None }
    }
}

impl Replies {
    /// Takes samples that came at this moment: after a pause they are heard from then on, not from where they would have
    /// been without it.
    pub(super) fn push_at(&mut self, samples: &[i16], now: Instant) {
        let count = samples.len() as u64;
        let lasts = Duration::from_micros(count.saturating_mul(1_000_000) / u64::from(self.rate_hz.max(1)));
        self.heard_until = Some(self.heard_until.map_or(now, |until| until.max(now)) + lasts);
        self.n_pushed = self.n_pushed.saturating_add(count);
        if self.path.is_some() {
            self.samples.extend_from_slice(samples);
        }
    }
}

impl Sink for Replies {
    fn start(&mut self, rate_hz: u32) -> Result<(), String> {
        self.stop();
        self.rate_hz = rate_hz;
        Ok(())
    }

    fn push(&mut self, samples: &[i16]) {
        self.push_at(samples, Instant::now());
    }

    fn finish(&mut self) -> Result<(), String> {
        let Some(path) = self.path.as_ref().filter(|_| self.n_pushed > 0) else { return Ok(()) };
        self.n_written = self.n_written.saturating_add(1);
        let path = numbered(path, self.n_written);
        write_whole(&path, self.rate_hz, &self.samples).map_err(|error| format!("{}: {error}", path.display()))
    }

    fn left(&self) -> Duration {
        match self.heard_until {
            Some(until) if self.is_paced => until.saturating_duration_since(Instant::now()),
            _ => Duration::ZERO,
        }
    }

    fn stop(&mut self) {
        // A reply's sound is not left behind in memory.
        self.samples.fill(0);
        self.samples.clear();
        self.n_pushed = 0;
        self.heard_until = None;
    }
}

/// `reply.wav`, `reply-2.wav`, `reply-3.wav`, …
fn numbered(path: &Path, number: u32) -> PathBuf {
    if number < 2 {
        return path.to_owned();
    }
    let stem = path.file_stem().unwrap_or_default().to_string_lossy();
    let extension = path.extension().map(|extension| format!(".{}", extension.to_string_lossy())).unwrap_or_default();
    path.with_file_name(format!("{stem}-{number}{extension}"))
}

/// Nobody finds half a reply: it is written beside its place and then put there.
fn write_whole(path: &Path, rate_hz: u32, samples: &[i16]) -> io::Result<()> {
    let mut partial = path.as_os_str().to_owned();
    partial.push(".part");
    let partial = PathBuf::from(partial);
    let file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&partial)?;
    let written = sound::write_wav(BufWriter::new(file), rate_hz, samples).and_then(|()| fs::rename(&partial, path));
    if written.is_err() {
        // What cannot be written whole is not left behind in part; the first error is the one to tell.
        let _ = fs::remove_file(&partial);
    }
    written
}
