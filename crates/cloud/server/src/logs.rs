//! Logs: to standard error and to a file that is rotated daily. Ids, counts and durations only (invariant I9).

use std::io;
use std::os::unix::fs::DirBuilderExt;
use std::path::Path;

use tracing_appender::rolling::{Builder, Rotation};
use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt::writer::MakeWriterExt;

use crate::ServerError;

/// Where they lie in the data directory.
const FOLDER: &str = "logs";

/// Days of logs that are kept.
pub const LOG_FILES_MAX: usize = 7;

/// Starts logging for this process, once, in the folder `logs` of the data directory. `also_stderr` shows the lines at the
/// terminal too.
///
/// The level is `info` unless the environment variable `SOTTO_LOG` says otherwise.
///
/// # Errors
/// When the data directory is somebody else's, or the folder cannot be made or written.
pub fn start(data: &Path, also_stderr: bool) -> Result<(), ServerError> {
    // The data directory may be made here for the first time: it is its owner's alone.
    history::History::claim(data)?;
    let dir = data.join(FOLDER);
    open(&dir, also_stderr).map_err(|why| ServerError::File { path: dir, why })
}

fn open(dir: &Path, also_stderr: bool) -> io::Result<()> {
    std::fs::DirBuilder::new().recursive(true).mode(0o700).create(dir)?;
    let file = Builder::new()
        .rotation(Rotation::DAILY)
        .filename_prefix("sotto")
        .filename_suffix("log")
        .max_log_files(LOG_FILES_MAX)
        .build(dir)
        .map_err(io::Error::other)?;
    let filter = EnvFilter::try_from_env("SOTTO_LOG").unwrap_or_else(|_| EnvFilter::new("info"));
    let lines = tracing_subscriber::fmt().with_env_filter(filter).with_target(false).with_ansi(false);
    // A second start in one process (tests do it) keeps the first.
    let _ = if also_stderr {
        lines.with_writer(io::stderr.and(std::sync::Mutex::new(file))).try_init()
    } else {
        lines.with_writer(std::sync::Mutex::new(file)).try_init()
    };
    Ok(())
}

/// Replaces the panic message, which could quote what was being worked on, by the place alone (invariant I9).
pub fn quiet_panics() {
    std::panic::set_hook(Box::new(|panic| {
        let place = panic.location().map_or_else(|| "an unknown place".into(), ToString::to_string);
        tracing::error!(place, "internal.panic");
    }));
}
