//! The ear's journal: so far, how often its word woke and how often something only came near it, by score. It is opened
//! before the sandbox and is the one thing besides its pipes that the ear writes to.

use std::fs::{File, OpenOptions};
use std::io::Read;
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::path::Path;

use ear::{FILE_BYTES, Tally};
use pipe::Events;

use crate::error::EarStop;

/// The journal, or nothing where none is kept.
pub(crate) struct Journal {
    file: Option<File>,
    tally: Tally,
    is_failing: bool,
}

impl Journal {
    /// Opens the journal at `path`, makes it if it is missing, and reads what was counted before. One that is damaged is
    /// begun anew, with a warning.
    pub(crate) fn open(path: Option<&Path>, events: &mut Events) -> Result<Self, EarStop> {
        let Some(path) = path else { return Ok(Self { file: None, tally: Tally::default(), is_failing: false }) };
        let failed = |source| EarStop::Read { path: path.display().to_string(), source };
        let mut options = OpenOptions::new();
        options.read(true).write(true).create(true).truncate(false).mode(0o600);
        let file = options.open(path).map_err(failed)?;
        let mut bytes = Vec::with_capacity(FILE_BYTES);
        (&file).take(FILE_BYTES as u64).read_to_end(&mut bytes).map_err(failed)?;
        let tally = Tally::read(&bytes).unwrap_or_else(|error| {
            events.warning(&format!("{}: {error}; they begin anew", path.display()));
            Tally::default()
        });
        Ok(Self { file: Some(file), tally, is_failing: false })
    }

    /// Counts a wake of `word`.
    pub(crate) fn wake(&mut self, word: &str, score: f32, events: &mut Events) {
        self.tally.wake(word, score);
        self.write(events);
    }

    /// Counts a near miss of `word`.
    pub(crate) fn near_miss(&mut self, word: &str, score: f32, events: &mut Events) {
        self.tally.near_miss(word, score);
        self.write(events);
    }

    /// A full disk costs counts and nothing else, and is told once.
    fn write(&mut self, events: &mut Events) {
        let Some(file) = &self.file else { return };
        let (slot, at) = self.tally.write();
        let outcome = file.write_all_at(&slot, at as u64);
        if let (Err(error), false) = (&outcome, self.is_failing) {
            events.warning(&format!("wakes and near misses are not counted: {error}"));
        }
        self.is_failing = outcome.is_err();
    }
}
