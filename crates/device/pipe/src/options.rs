//! The command lines that the launcher writes and the processes read: `--name value` pairs and bare `--flags`.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::PathBuf;
use std::str::FromStr;

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
        let mut arguments = arguments.into_iter();
        while let Some(argument) = arguments.next() {
            let name = argument.to_str().and_then(|argument| argument.strip_prefix("--"));
            let name = name.filter(|name| names.contains(name) || flags.contains(name));
            let Some(name) = name else { return Err(format!("unknown option {}", argument.display())) };
            let value = if flags.contains(&name) { Some(OsString::new()) } else { arguments.next() };
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
