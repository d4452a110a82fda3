//! Standard output. What cannot be written there is a failure of the command: whoever asked would take silence for done.

use std::io::IsTerminal;
use std::os::fd::{AsFd, BorrowedFd};

use rustix::event::{PollFd, PollFlags};
use rustix::io::Errno;

use crate::failure::Failure;

/// Major and minor number of `/dev/null` (Linux, `admin-guide/devices.txt`).
const NULL_DEVICE: (u32, u32) = (1, 3);

/// What was asked for, in a line on standard output.
///
/// # Errors
/// Where it cannot be written. A reader that has gone is told by the exit code alone.
pub(crate) fn print_line(line: &str) -> Result<(), Failure> {
    let mut text = String::with_capacity(line.len() + 1);
    text.push_str(line);
    text.push('\n');
    write(std::io::stdout().as_fd(), text.as_bytes())
}

/// A line with a password, which nobody can be told a second time: refused where standard output leads nowhere.
///
/// # Errors
/// As [`print_line`].
pub(crate) fn print_secret(line: &str) -> Result<(), Failure> {
    // Also what Rust puts in place of a standard output that was closed.
    if leads_nowhere() {
        return Err(Failure::no("standard output leads nowhere (/dev/null), where a password would be lost"));
    }
    print_line(line)
}

/// What clap has to say: help and version on standard output, complaints on standard error.
pub(crate) fn print_help(said: &clap::Error) -> Result<(), Failure> {
    let text = said.render();
    let text = if std::io::stdout().is_terminal() { text.ansi().to_string() } else { text.to_string() };
    write(std::io::stdout().as_fd(), text.as_bytes())
}

fn leads_nowhere() -> bool {
    rustix::fs::fstat(std::io::stdout().as_fd()).is_ok_and(|stat| {
        let device = (rustix::fs::major(stat.st_rdev), rustix::fs::minor(stat.st_rdev));
        rustix::fs::FileType::from_raw_mode(stat.st_mode).is_char_device() && device == NULL_DEVICE
    })
}

/// Past std, whose standard output takes one that cannot be written to for one that was written to.
fn write(out: BorrowedFd<'_>, mut rest: &[u8]) -> Result<(), Failure> {
    while !rest.is_empty() {
        match rustix::io::write(out, rest) {
            Ok(0) => return Err(Failure::no("standard output takes nothing more")),
            Ok(written) => rest = &rest[written..],
            Err(Errno::INTR) => {}
            // Somebody else made it so; a reader that is slow is waited for as ever.
            Err(Errno::AGAIN) => {
                let _ = rustix::event::poll(&mut [PollFd::new(&out, PollFlags::OUT)], None);
            }
            Err(Errno::PIPE) => return Err(Failure::reader_gone()),
            Err(why) => return Err(Failure::no(format!("standard output cannot be written: {why}"))),
        }
    }
    Ok(())
}
