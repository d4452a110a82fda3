//! The buttons: keys of a terminal, or lines from a script.

use std::fs::{File, OpenOptions};
use std::io::{ErrorKind, Read};
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::fs::{FileTypeExt, OpenOptionsExt};
use std::path::Path;

use rustix::fs::OFlags;
use rustix::process::getpgrp;
use rustix::termios::{
    InputModes, LocalModes, OptionalActions, SpecialCodeIndex, Termios, tcgetattr, tcgetpgrp, tcsetattr,
};

use crate::error::PanelStop;

/// A line of a script at most; what is longer is none.
const LINE_BYTES_MAX: usize = 64;

/// What a person asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Press {
    /// The action button.
    Action,
    /// The microphones' button.
    Microphones,
    /// Microphones off, or on.
    Set(bool),
    /// End the device.
    Quit,
    /// A line that means nothing.
    Unknown,
}

/// Where presses come from.
#[derive(Debug)]
pub(crate) enum Buttons {
    /// A terminal's keys, and how the terminal was before.
    Keys(File, Box<Termios>),
    /// A named pipe with a line for each press.
    Script(File),
    /// Nowhere.
    None,
}

impl Buttons {
    /// The script's pipe if one is named, else the terminal's keys if there is one and we have it.
    pub(crate) fn open(control: Option<&Path>) -> Result<Self, PanelStop> {
        let nonblock = i32::try_from(OFlags::NONBLOCK.bits()).unwrap_or(0);
        let Some(path) = control else { return Ok(Self::keys(nonblock).unwrap_or(Self::None)) };
        let fail = |source| PanelStop::File { path: path.display().to_string(), source };
        if !std::fs::metadata(path).map_err(fail)?.file_type().is_fifo() {
            return Err(fail(std::io::Error::new(ErrorKind::InvalidInput, "not a named pipe (mkfifo makes one)")));
        }
        // Open for writing too, so that it does not end with its first writer.
        let file = OpenOptions::new().read(true).write(true).custom_flags(nonblock).open(path).map_err(fail)?;
        Ok(Self::Script(file))
    }

    fn keys(nonblock: i32) -> Option<Self> {
        let terminal = OpenOptions::new().read(true).custom_flags(nonblock).open("/dev/tty").ok()?;
        // Somebody else's terminal is left alone: changing it from the background would stop us.
        (tcgetpgrp(&terminal).ok()? == getpgrp()).then_some(())?;
        let before = tcgetattr(&terminal).ok()?;
        let mut keys = before.clone();
        keys.local_modes -= LocalModes::ICANON | LocalModes::ECHO;
        // A terminal that Ctrl-S holds up would hold up the light.
        keys.input_modes -= InputModes::IXON;
        keys.special_codes[SpecialCodeIndex::VMIN] = 1;
        keys.special_codes[SpecialCodeIndex::VTIME] = 0;
        tcsetattr(&terminal, OptionalActions::Now, &keys).ok()?;
        Some(Self::Keys(terminal, Box::new(before)))
    }

    pub(crate) const fn are_keys(&self) -> bool {
        matches!(self, Self::Keys(..))
    }

    /// What to wait for.
    pub(crate) fn end(&self) -> Option<BorrowedFd<'_>> {
        match self {
            Self::Keys(file, _) | Self::Script(file) => Some(file.as_fd()),
            Self::None => None,
        }
    }

    /// The presses since the last call. `line` keeps what is not a whole line yet.
    pub(crate) fn presses(&mut self, line: &mut Vec<u8>) -> Vec<Press> {
        let mut bytes = [0; 256];
        let (file, are_keys) = match self {
            Self::Keys(file, _) => (file, true),
            Self::Script(file) => (file, false),
            Self::None => return Vec::new(),
        };
        let count = match file.read(&mut bytes) {
            Ok(count @ 1..) => count,
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted) => 0,
            // The terminal is gone; the device goes on without keys.
            Ok(_) | Err(_) => {
                *self = Self::None;
                0
            }
        };
        if are_keys {
            return bytes[..count].iter().filter_map(|key| key_press(*key)).collect();
        }
        let mut presses = Vec::new();
        for &byte in &bytes[..count] {
            if byte == b'\n' {
                presses.extend(line_press(line));
                line.clear();
            } else if line.len() <= LINE_BYTES_MAX {
                line.push(byte);
            }
        }
        presses
    }

    /// Leaves the terminal as it was.
    pub(crate) fn restore(&self) {
        if let Self::Keys(file, before) = self {
            // If the terminal is gone, it needs no restoring.
            let _ = tcsetattr(file, OptionalActions::Now, before);
        }
    }
}

const fn key_press(key: u8) -> Option<Press> {
    match key {
        b' ' => Some(Press::Action),
        b'm' | b'M' => Some(Press::Microphones),
        b'q' | b'Q' => Some(Press::Quit),
        _ => None,
    }
}

fn line_press(line: &[u8]) -> Option<Press> {
    match line.trim_ascii() {
        b"" => None,
        b"press" => Some(Press::Action),
        b"mic off" => Some(Press::Set(false)),
        b"mic on" => Some(Press::Set(true)),
        b"quit" => Some(Press::Quit),
        _ => Some(Press::Unknown),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    #[test]
    fn a_script_speaks_in_lines_however_they_arrive() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("control");
        rustix::fs::mknodat(
            rustix::fs::CWD,
            &path,
            rustix::fs::FileType::Fifo,
            rustix::fs::Mode::RUSR | rustix::fs::Mode::WUSR,
            0,
        )
        .expect("a pipe");
        let mut buttons = Buttons::open(Some(&path)).expect("opened");
        let mut script = OpenOptions::new().write(true).open(&path).expect("opened");
        let mut line = Vec::new();
        let mut said = |text: &str| {
            script.write_all(text.as_bytes()).expect("written");
            buttons.presses(&mut line)
        };
        assert_eq!(said("press\nmic o"), [Press::Action]);
        assert_eq!(said("ff\n\nmic on\n"), [Press::Set(false), Press::Set(true)]);
        assert_eq!(said(&format!("{}\nquit\n", "x".repeat(200))), [Press::Unknown, Press::Quit]);
        assert_eq!(said("mic\n"), [Press::Unknown]);
    }

    #[test]
    fn a_control_that_is_no_pipe_is_refused_in_words() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("control");
        std::fs::write(&path, "press\n").expect("written");
        let error = Buttons::open(Some(&path)).expect_err("a file").to_string();
        assert!(error.ends_with("control: not a named pipe (mkfifo makes one)"), "{error}");
    }
}
