//! A Python environment of our own, for pip alone: pip knows the user's registry, proxy and certificates, and checks
//! hashes. A system's Python may not be installed into (PEP 668), so the environment lies in the cache.

use std::collections::VecDeque;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus, Stdio};
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::time::{Duration, Instant};

use crate::models::error::{ModelError, PackageFault};

/// How often the progress is looked at.
const LOOK_EVERY: Duration = Duration::from_millis(100);
/// Longer without a byte, and the attempt is given up. pip's own retries take a minute and a half.
const STALLED_AFTER: Duration = Duration::from_secs(300);
/// How much of the end of a program's words is kept.
const WORDS_BYTES_MAX: usize = 16 * 1024;

/// The environment: made when it is first needed.
#[derive(Debug)]
pub(crate) struct Python {
    home: PathBuf,
    settings: Vec<(&'static str, String)>,
}

impl Python {
    /// An environment in `home`. `settings` are variables for pip beside the user's own.
    pub(crate) fn new(home: PathBuf, settings: Vec<(&'static str, String)>) -> Self {
        Self { home, settings }
    }

    /// Makes the environment where it is missing, or was left half made.
    pub(crate) fn prepare(&self) -> Result<(), ModelError> {
        let works =
            self.command().args(["-m", "pip", "--version"]).stdout(Stdio::null()).stderr(Stdio::null()).status();
        if works.is_ok_and(|status| status.success()) {
            return Ok(());
        }
        crate::say("making a Python environment for the fetching of models");
        let _ = std::fs::remove_dir_all(&self.home);
        let parent = self.home.parent().unwrap_or(&self.home);
        std::fs::create_dir_all(parent).map_err(ModelError::write(parent))?;
        let made = Command::new("python3").args(["-m", "venv"]).arg(&self.home).stdin(Stdio::null()).output();
        match made {
            Ok(output) if output.status.success() => Ok(()),
            Ok(output) => {
                let _ = std::fs::remove_dir_all(&self.home);
                let words = [output.stdout, output.stderr].concat();
                let text = String::from_utf8_lossy(&words);
                let reason = text.lines().map(str::trim).find(|line| !line.is_empty());
                Err(ModelError::Python(reason.unwrap_or("python3 -m venv failed").to_owned()))
            }
            Err(why) => Err(ModelError::Python(format!("python3: {why}"))),
        }
    }

    /// The environment's Python. Nothing of a downloaded package is ever run by it.
    pub(crate) fn command(&self) -> Command {
        let mut command = Command::new(self.home.join("bin/python3"));
        command.envs(self.settings.iter().map(|(name, value)| (name, value))).stdin(Stdio::null());
        command
    }
}

/// Runs `command` to its end. `come` is asked ten times a second how many bytes have come, which it also shows.
///
/// Returns how it ended and the end of what it said.
pub(crate) fn run_watched(
    command: &mut Command,
    mut come: impl FnMut() -> u64,
) -> Result<(ExitStatus, String), PackageFault> {
    let cannot = |why: std::io::Error| PackageFault::Pip(why.to_string());
    let mut child = command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().map_err(cannot)?;
    let Some(mut stderr) = child.stderr.take() else {
        return Err(PackageFault::Pip("its words cannot be read".into()));
    };
    let (sender, words) = channel();
    std::thread::spawn(move || {
        let (mut last, mut buffer) = (VecDeque::new(), [0; 4096]);
        while let Ok(read @ 1..) = stderr.read(&mut buffer) {
            last.extend(&buffer[..read]);
            let over = last.len().saturating_sub(WORDS_BYTES_MAX);
            last.drain(..over);
        }
        let _ = sender.send(String::from_utf8_lossy(last.make_contiguous()).into_owned());
    });
    let (mut bytes, mut since) = (0, Instant::now());
    loop {
        match words.recv_timeout(LOOK_EVERY) {
            Ok(words) => return Ok((child.wait().map_err(cannot)?, words)),
            Err(RecvTimeoutError::Disconnected) => return Err(PackageFault::Pip("its words cannot be read".into())),
            Err(RecvTimeoutError::Timeout) => {}
        }
        let now = come();
        if now != bytes {
            (bytes, since) = (now, Instant::now());
        }
        if since.elapsed() > STALLED_AFTER {
            let _ = child.kill();
            let _ = child.wait();
            return Err(PackageFault::Stalled(STALLED_AFTER.as_secs()));
        }
    }
}

/// The bytes of all files below `dir`.
pub(crate) fn bytes_below(dir: &Path) -> u64 {
    let Ok(entries) = std::fs::read_dir(dir) else { return 0 };
    entries
        .flatten()
        .map(|entry| match entry.metadata() {
            Ok(found) if found.is_dir() => bytes_below(&entry.path()),
            Ok(found) => found.len(),
            Err(_) => 0,
        })
        .sum()
}
