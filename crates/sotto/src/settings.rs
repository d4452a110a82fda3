//! What is told to a program without its command line, which every user of the machine can read.

use std::ffi::OsString;
use std::fs::File;
use std::io::{Read, Write};
use std::os::fd::{AsRawFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::process::Command;

use crate::failure::Failure;

/// What a file that is named in the place of a value may hold, in bytes.
const VALUE_BYTES_MAX: u64 = 4_096;

/// A value as it was typed, or the first line of a file: `@FILE`.
pub(crate) fn typed_or_read(option: &str, text: String) -> Result<String, Failure> {
    let Some(path) = text.strip_prefix('@') else { return Ok(text) };
    let mut said = String::new();
    let read = File::open(path).and_then(|file| file.take(VALUE_BYTES_MAX).read_to_string(&mut said));
    read.map_err(|why| Failure::usage(format!("--{option} {text}: {why}")))?;
    let line = said.lines().next().unwrap_or_default().trim();
    if line.is_empty() {
        Err(Failure::usage(format!("--{option} {text}: nothing in it")))
    } else {
        Ok(line.to_owned())
    }
}

/// Options for `sotto-device`.
#[derive(Debug, Default)]
pub(crate) struct Settings {
    bytes: Vec<u8>,
}

impl Settings {
    /// An option with its value.
    pub(crate) fn option(mut self, name: &str, value: impl Into<OsString>) -> Self {
        for word in [name.as_bytes(), value.into().as_bytes()] {
            self.bytes.extend_from_slice(word);
            self.bytes.push(0);
        }
        self
    }

    /// Puts them behind a descriptor of the program's: to be kept until it has been started.
    pub(crate) fn hand_to(&self, program: &mut Command) -> Result<OwnedFd, Failure> {
        let failed = |why: std::io::Error| Failure::no(format!("the device cannot be told its settings: {why}"));
        let (read_end, write_end) = rustix::pipe::pipe().map_err(|why| failed(why.into()))?;
        for (end, blocks) in [(&read_end, true), (&write_end, false)] {
            rustix::io::ioctl_fionbio(end, !blocks).map_err(|why| failed(why.into()))?;
        }
        File::from(write_end).write_all(&self.bytes).map_err(failed)?;
        program.arg("--settings-fd").arg(read_end.as_raw_fd().to_string());
        Ok(read_end)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_is_typed_or_stands_in_a_file() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("name");
        std::fs::write(&path, "  Front room \nmore\n").expect("written");
        let read = |text: &str| typed_or_read("name", text.to_owned()).map_err(|failure| failure.to_string());
        assert_eq!(read("Kitchen"), Ok("Kitchen".to_owned()));
        assert_eq!(read(&format!("@{}", path.display())), Ok("Front room".to_owned()));
        assert!(read("@/none/at/all").is_err_and(|why| why.starts_with("--name @/none/at/all: No such file")));
        std::fs::write(&path, "\n").expect("written");
        assert!(read(&format!("@{}", path.display())).is_err_and(|why| why.ends_with("nothing in it")));
    }
}
