//! A terminal for a device to be started from.

use std::fs::{File, OpenOptions};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::OpenOptionsExt;
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, poll};
use rustix::fs::OFlags;
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::time::Timespec;

/// Both ends of it, and what was seen on it.
pub(crate) struct Terminal {
    pub(crate) keyboard: File,
    pub(crate) screen: File,
    pub(crate) seen: String,
}

impl Terminal {
    pub(crate) fn open() -> Self {
        let keyboard = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC).expect("a terminal");
        grantpt(&keyboard).expect("ours");
        unlockpt(&keyboard).expect("ours");
        let name = ptsname(&keyboard, Vec::new()).expect("a name");
        let flags = i32::try_from(OFlags::NOCTTY.bits()).expect("a flag");
        let path = std::ffi::OsStr::from_bytes(name.as_bytes());
        let screen = OpenOptions::new().read(true).write(true).custom_flags(flags).open(path).expect("a terminal");
        Self { keyboard: keyboard.into(), screen, seen: String::new() }
    }

    /// Whether there is more to see within this time.
    pub(crate) fn wait(&self, span: Duration) -> bool {
        let span = Timespec::try_from(span).expect("short");
        poll(&mut [PollFd::new(&self.keyboard, PollFlags::IN)], Some(&span)).expect("poll") == 1
    }
}
