//! Logs: to standard error and to files that are bounded in size. Ids, counts and durations only (invariant I9).
//!
//! Logging never stops the program: who logs puts a line into a bounded queue and goes on. A reader of standard error that
//! has gone, or that no longer reads, and a disk that is full, cost lines, which are counted, and nothing else.

mod files;
mod lane;

use std::io::{self, Write};
use std::os::fd::AsFd;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt::MakeWriter;

pub use files::{LOG_BYTES_MAX, LOG_FILE_BYTES_MAX, LOG_FILES_MAX};

use crate::ServerError;
use crate::logs::files::LogFiles;
use crate::logs::lane::Lane;

/// Where they lie in the data directory.
const FOLDER: &str = "logs";

/// How long the end of the program waits for lines that are not written yet.
const FLUSH_MAX: Duration = Duration::from_millis(500);

/// Logging that has begun. Dropping it lets the last lines out, for half a second at most.
#[derive(Debug)]
#[must_use = "the last lines are lost without it"]
pub struct Logs {
    lanes: Lanes,
}

/// Starts logging for this process, once, in the folder `logs` of the data directory. `also_stderr` shows the lines at the
/// terminal too.
///
/// The level is `info` unless the environment variable `SOTTO_LOG` says otherwise.
///
/// # Errors
/// When the data directory is somebody else's, or the folder cannot be made. A file that cannot be written is no error: it
/// is tried again with each line.
pub fn start(data: &Path, also_stderr: bool) -> Result<Logs, ServerError> {
    // The data directory may be made here for the first time: it is its owner's alone.
    history::History::claim(data)?;
    let dir = data.join(FOLDER);
    let lanes = lanes(&dir, also_stderr).map_err(|why| ServerError::File { path: dir, why })?;
    let filter = EnvFilter::try_from_env("SOTTO_LOG").unwrap_or_else(|_| EnvFilter::new("info"));
    let lines = tracing_subscriber::fmt().with_env_filter(filter).with_target(false).with_ansi(false);
    // What cannot be logged is not told on standard error either: that is where it came from. A second start in one
    // process (tests do it) keeps the first.
    let _ = lines.log_internal_errors(false).with_writer(lanes.clone()).try_init();
    Ok(Logs { lanes })
}

/// Replaces the panic message, which could quote what was being worked on, by the place alone (invariant I9).
pub fn quiet_panics() {
    std::panic::set_hook(Box::new(|panic| {
        let place = panic.location().map_or_else(|| "an unknown place".into(), ToString::to_string);
        tracing::error!(place, "internal.panic");
    }));
}

impl Drop for Logs {
    fn drop(&mut self) {
        let deadline = Instant::now() + FLUSH_MAX;
        for lane in self.lanes.0.iter() {
            lane.flush(deadline);
        }
    }
}

fn lanes(dir: &Path, also_stderr: bool) -> io::Result<Lanes> {
    std::fs::DirBuilder::new().recursive(true).mode(0o700).create(dir)?;
    let mut lanes = vec![Lane::start("log-file", to_files(dir.to_owned()))?];
    if also_stderr {
        // A number of its own: whoever waits in a write to it holds no lock that others need.
        let terminal = std::fs::File::from(io::stderr().as_fd().try_clone_to_owned()?);
        lanes.push(Lane::start("log-terminal", move |line: &[u8]| (&terminal).write_all(line))?);
    }
    Ok(Lanes(lanes.into()))
}

fn to_files(dir: PathBuf) -> impl FnMut(&[u8]) -> io::Result<()> {
    let mut files = LogFiles::new(dir);
    files.close_to_others();
    // The day is the machine's own, in UTC, as in the lines: `--now` sets the cloud's clock, not the log's.
    move |line| files.write(line, jiff::tz::TimeZone::UTC.to_datetime(jiff::Timestamp::now()).date())
}

/// All places where lines go.
#[derive(Clone, Debug)]
struct Lanes(Arc<[Lane]>);

impl<'a> MakeWriter<'a> for Lanes {
    type Writer = &'a Lanes;

    fn make_writer(&'a self) -> Self::Writer {
        self
    }
}

impl Write for &Lanes {
    /// Takes a whole line and never fails.
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        for lane in self.0.iter() {
            lane.send(line);
        }
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
