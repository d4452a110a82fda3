//! One child process, and the terminal it may leave in disorder.

use std::ffi::OsString;
use std::fs::File;
use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, poll};
use rustix::io::{FdFlags, fcntl_setfd};
use rustix::pipe::{PipeFlags, pipe_with};
use rustix::process::{Pid, PidfdFlags, Signal, getpgrp, pidfd_open, pidfd_send_signal};
use rustix::termios::{OptionalActions, Termios, tcgetattr, tcgetpgrp, tcsetattr};
use rustix::time::Timespec;

use crate::said::Said;

/// How a process is to be started.
#[derive(Debug, Default)]
pub(crate) struct Plan<'a> {
    /// What other users of the machine may read: numbers and flags.
    arguments: Vec<OsString>,
    /// What they may not: names, addresses, paths.
    settings: Vec<OsString>,
    handed_down: Vec<BorrowedFd<'a>>,
    has_stdin: bool,
    has_terminal: bool,
}

impl<'a> Plan<'a> {
    /// An option with a value. It goes through a pipe: command lines are for all to see.
    pub(crate) fn option(mut self, name: &str, value: impl Into<OsString>) -> Self {
        self.settings.extend([name.into(), value.into()]);
        self
    }

    /// An option with a value, if there is one.
    pub(crate) fn maybe(self, name: &str, value: Option<impl Into<OsString>>) -> Self {
        match value {
            Some(value) => self.option(name, value),
            None => self,
        }
    }

    /// An option without a value.
    pub(crate) fn flag(mut self, name: &str, is_set: bool) -> Self {
        self.arguments.extend(is_set.then(|| name.into()));
        self
    }

    /// A descriptor that the process shall have, named by its number.
    pub(crate) fn hand_down(mut self, name: &str, fd: &'a OwnedFd) -> Self {
        self.handed_down.push(fd.as_fd());
        self.arguments.extend([name.into(), fd.as_raw_fd().to_string().into()]);
        self
    }

    /// A descriptor that the process shall have, if there is one.
    pub(crate) fn maybe_hand_down(self, name: &str, fd: Option<&'a OwnedFd>) -> Self {
        match fd {
            Some(fd) => self.hand_down(name, fd),
            None => self,
        }
    }

    /// Our standard input; the others have none.
    pub(crate) const fn with_stdin(mut self, has_stdin: bool) -> Self {
        self.has_stdin = has_stdin;
        self
    }

    /// Leaves the process the terminal: its keys, and standard error to draw on. The others say what they have to say to us,
    /// and leave our session as the first thing they do.
    pub(crate) const fn with_terminal(mut self) -> Self {
        self.has_terminal = true;
        self
    }

    /// Starts it. Descriptors are inheritable only while it starts; we have one thread, so no other child gets them.
    pub(crate) fn start(self, binaries: &Path, name: &'static str) -> io::Result<Process> {
        let path = binaries.join(name);
        let settings = pipe::options::in_a_pipe(&self.settings)?;
        let mut command = Command::new(&path);
        command.args(&self.arguments).arg(pipe::options::SETTINGS).arg(settings.as_raw_fd().to_string());
        command.stdin(if self.has_stdin { Stdio::inherit() } else { Stdio::null() }).stdout(Stdio::null());
        let mut said = None;
        if !self.has_terminal {
            let (read_end, write_end) = pipe_with(PipeFlags::CLOEXEC)?;
            rustix::io::ioctl_fionbio(&read_end, true)?;
            command.stderr(write_end);
            said = Some(Said::new(name, File::from(read_end)));
        }
        let handed_down = self.handed_down.iter().copied().chain([settings.as_fd()]);
        let set_all = |flags: FdFlags| handed_down.clone().try_for_each(|fd| fcntl_setfd(fd, flags));
        set_all(FdFlags::empty())?;
        let child = command.spawn();
        set_all(FdFlags::CLOEXEC)?;
        let child = child.map_err(|error| io::Error::new(error.kind(), format!("{}: {error}", path.display())))?;
        let ended = pidfd_open(Pid::from_child(&child), PidfdFlags::empty())?;
        Ok(Process { name, said, child, ended })
    }
}

/// A process that was started; it is ended when this goes.
#[derive(Debug)]
pub(crate) struct Process {
    pub(crate) name: &'static str,
    /// What it says on standard error, unless it has the terminal.
    pub(crate) said: Option<Said>,
    child: Child,
    ended: OwnedFd,
}

impl Process {
    /// How it ended, if it has.
    pub(crate) fn outcome(&mut self) -> Option<ExitStatus> {
        self.child.try_wait().ok().flatten()
    }

    /// Asks it to end.
    pub(crate) fn ask_to_end(&self) {
        // One that is gone needs no asking.
        let _ = pidfd_send_signal(&self.ended, Signal::TERM);
    }

    /// Waits for it to end.
    pub(crate) fn wait(&mut self, span: Duration) {
        let mut ends = [PollFd::from_borrowed_fd(self.as_fd(), PollFlags::IN)];
        // Interrupted or late: it is ended by force next.
        if matches!(poll(&mut ends, Timespec::try_from(span).ok().as_ref()), Ok(1)) {
            // It has ended; but where a debugger looks on, how it did comes to us a moment later.
            let _ = self.child.wait();
        }
    }

    /// Ends it, whatever it does; it is gone when this returns.
    pub(crate) fn end(&mut self) {
        // Both fail only where it is gone already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.end();
    }
}

impl AsFd for Process {
    /// Readable once the process has ended.
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.ended.as_fd()
    }
}

/// The terminal as it was: a panel that is killed leaves it without echo.
#[derive(Debug)]
pub(crate) struct Terminal(Option<(File, Termios)>);

impl Terminal {
    /// Remembers it, if there is one and it is ours.
    pub(crate) fn remember() -> Self {
        let ours = || {
            let file = File::open("/dev/tty").ok()?;
            (tcgetpgrp(&file).ok()? == getpgrp()).then_some(())?;
            let modes = tcgetattr(&file).ok()?;
            Some((file, modes))
        };
        Self(ours())
    }

    /// Leaves it as it was.
    pub(crate) fn restore(&self) {
        if let Some((file, modes)) = &self.0 {
            // If it is gone, it needs no restoring.
            let _ = tcsetattr(file, OptionalActions::Now, modes);
        }
    }
}
