//! The command lines that the launcher writes and the processes read: `--name value` pairs and bare `--flags`.

use std::collections::{BTreeMap, VecDeque};
use std::ffi::OsString;
use std::fs::File;
use std::io::{self, Read, Write};
use std::os::fd::OwnedFd;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::PathBuf;
use std::str::FromStr;

use rustix::pipe::{PipeFlags, pipe_with};

use crate::inherit;

/// The exit codes that mean something to the launcher. Any other end of a process is a crash.
pub mod exit {
    /// Done: the microphone's file is over, somebody pressed quit.
    pub const DONE: u8 = 0;
    /// Something failed that may go better next time.
    pub const FAILED: u8 = 1;
    /// Wrong usage or bad input: trying again is of no use.
    pub const BAD_INPUT: u8 = 2;
    /// The panel did not light up in time.
    pub const PANEL_LATE: u8 = 10;
    /// Link did not say in time that the stream was sent or thrown away.
    pub const DRAIN_LATE: u8 = 11;
    /// Link did not say in time that the turn was over.
    pub const TURN_LATE: u8 = 12;
    /// The process at the other end of a pipe is gone, or speaks nonsense.
    pub const PEER_GONE: u8 = 13;
    /// What was sent and what passed the gate are not the same (invariant I10).
    pub const BOOKS_DIFFER: u8 = 14;
}

/// The option that names a descriptor with more options: other users of the machine can read command lines.
pub const SETTINGS: &str = "--settings-fd";

/// What is read from it at most: what a pipe holds.
const SETTINGS_BYTES_MAX: u64 = 65_536;

/// A pipe that holds `arguments`, for [`SETTINGS`]. It is closed in programs that are started, unless it is told otherwise.
///
/// # Errors
/// What pipe(2) or write(2) says; also where they are longer than what a pipe holds.
pub fn in_a_pipe(arguments: &[OsString]) -> io::Result<OwnedFd> {
    let (read_end, write_end) = pipe_with(PipeFlags::CLOEXEC | PipeFlags::NONBLOCK)?;
    let bytes: Vec<u8> =
        arguments.iter().flat_map(|argument| argument.as_bytes().iter().chain(&[0])).copied().collect();
    File::from(write_end).write_all(&bytes)?;
    Ok(read_end)
}

fn from_a_pipe(fd: i32) -> Result<Vec<OsString>, String> {
    let mut bytes = Vec::new();
    let file = inherit::reader(fd).map_err(|error| error.to_string())?;
    // Whole when it is handed down: there is nothing to wait for.
    file.take(SETTINGS_BYTES_MAX).read_to_end(&mut bytes).map_err(|error| format!("{SETTINGS} {fd}: {error}"))?;
    let Some((0, bytes)) = bytes.split_last() else { return Ok(Vec::new()) };
    Ok(bytes.split(|byte| *byte == 0).map(|word| OsString::from_vec(word.to_vec())).collect())
}

/// A command line, read.
#[derive(Debug)]
pub struct Options {
    values: BTreeMap<String, OsString>,
}

impl Options {
    /// Reads `arguments` (without the program's name). `names` take a value, `flags` do not.
    ///
    /// # Errors
    /// A line that says what is wrong.
    pub fn read(
        arguments: impl IntoIterator<Item = OsString>,
        names: &[&str],
        flags: &[&str],
    ) -> Result<Self, String> {
        let mut values = BTreeMap::new();
        let mut arguments: VecDeque<OsString> = arguments.into_iter().collect();
        let mut has_settings = false;
        while let Some(argument) = arguments.pop_front() {
            if argument == SETTINGS && !has_settings {
                let fd = arguments.pop_front().and_then(|fd| fd.to_str()?.parse().ok());
                arguments.extend(from_a_pipe(fd.ok_or_else(|| format!("{SETTINGS} needs a number"))?)?);
                has_settings = true;
                continue;
            }
            let name = argument.to_str().and_then(|argument| argument.strip_prefix("--"));
            let name = name.filter(|name| names.contains(name) || flags.contains(name));
            let Some(name) = name else { return Err(format!("unknown option {}", argument.display())) };
            let value = if flags.contains(&name) { Some(OsString::new()) } else { arguments.pop_front() };
            let value = value.ok_or_else(|| format!("--{name} needs a value"))?;
            if values.insert(name.to_owned(), value).is_some() {
                return Err(format!("--{name} is given twice"));
            }
        }
        Ok(Self { values })
    }

    /// Whether a flag is there.
    #[must_use]
    pub fn has(&self, flag: &str) -> bool {
        self.values.contains_key(flag)
    }

    /// A value as it was given.
    #[must_use]
    pub fn text(&self, name: &str) -> Option<&str> {
        self.values.get(name).and_then(|value| value.to_str())
    }

    /// A path.
    #[must_use]
    pub fn path(&self, name: &str) -> Option<PathBuf> {
        self.values.get(name).map(PathBuf::from)
    }

    /// A value that can be read as `T`, if it was given.
    ///
    /// # Errors
    /// A line that names the option.
    pub fn parsed<T: FromStr>(&self, name: &str) -> Result<Option<T>, String> {
        let Some(value) = self.values.get(name) else { return Ok(None) };
        let parsed = value.to_str().and_then(|text| text.parse().ok());
        parsed.map(Some).ok_or_else(|| format!("--{name} {}: not a value it can have", value.display()))
    }

    /// A value that must be there.
    ///
    /// # Errors
    /// A line that names the option.
    pub fn required<T: FromStr>(&self, name: &str) -> Result<T, String> {
        self.parsed(name)?.ok_or_else(|| format!("--{name} is needed"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(line: &str) -> Result<Options, String> {
        Options::read(line.split_whitespace().map(OsString::from), &["models", "fd"], &["lockstep"])
    }

    #[test]
    fn options_in_a_pipe_are_as_good_as_those_on_the_command_line() {
        use std::os::fd::AsRawFd;
        let settings = ["--models", "a b\nc", "--lockstep"].map(OsString::from);
        let pipe = in_a_pipe(&settings).expect("short");
        let options = read(&format!("--settings-fd {} --fd 3", pipe.as_raw_fd())).expect("good");
        assert_eq!(options.path("models"), Some(PathBuf::from("a b\nc")));
        assert_eq!((options.required("fd"), options.has("lockstep")), (Ok(3), true));
        let pipe = in_a_pipe(&[]).expect("short");
        assert!(read(&format!("--settings-fd {}", pipe.as_raw_fd())).is_ok());
        assert_eq!(read("--settings-fd x").expect_err("bad"), "--settings-fd needs a number");
        assert!(in_a_pipe(&["x".repeat(100_000).into()]).is_err());
    }

    #[test]
    fn options_are_read_or_refused_in_words() {
        let options = read("--fd 7 --lockstep --models /m").expect("good");
        assert_eq!((options.required("fd"), options.has("lockstep")), (Ok(7), true));
        assert_eq!(options.path("models"), Some(PathBuf::from("/m")));
        let complaint = |line: &str| read(line).expect_err("bad");
        assert_eq!(complaint("--what 1"), "unknown option --what");
        assert_eq!(complaint("stray"), "unknown option stray");
        assert_eq!(complaint("--fd"), "--fd needs a value");
        assert_eq!(complaint("--fd 1 --fd 2"), "--fd is given twice");
        assert_eq!(
            read("--fd x").expect("read").required::<i32>("fd"),
            Err("--fd x: not a value it can have".into())
        );
        assert_eq!(read("").expect("read").required::<i32>("fd"), Err("--fd is needed".into()));
    }
}
