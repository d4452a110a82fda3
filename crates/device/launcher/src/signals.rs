//! Being asked to end.

use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, poll};
use rustix::pipe::{PipeFlags, pipe_with};
use rustix::time::Timespec;
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};

/// Becomes readable when somebody asks us to end, and stays so.
#[derive(Debug)]
pub(crate) struct Signals {
    asked: OwnedFd,
}

impl Signals {
    /// From now on, an interrupt, a hang-up and a request to terminate are heard here.
    pub(crate) fn catch() -> io::Result<Self> {
        let (asked, ask) = pipe_with(PipeFlags::CLOEXEC | PipeFlags::NONBLOCK)?;
        for signal in [SIGINT, SIGTERM, SIGHUP] {
            signal_hook::low_level::pipe::register(signal, ask.try_clone()?)?;
        }
        Ok(Self { asked })
    }

    /// Waits so long; `true` as soon as somebody asks.
    pub(crate) fn wait(&self, span: Duration) -> bool {
        let mut ends = [PollFd::from_borrowed_fd(self.as_fd(), PollFlags::IN)];
        loop {
            match poll(&mut ends, Timespec::try_from(span).ok().as_ref()) {
                // The signal itself interrupts; the pipe then says which of the two it was.
                Err(rustix::io::Errno::INTR) => {}
                outcome => return outcome.is_ok_and(|ready| ready > 0),
            }
        }
    }
}

impl AsFd for Signals {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.asked.as_fd()
    }
}
