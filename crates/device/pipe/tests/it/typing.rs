//! What types into a terminal, or takes it over.
//!
//! `unsafe`, as a request to a terminal is a number and what it points to: the library knows those for decent use alone.
#![expect(unsafe_code, reason = "see above; the requests below read one number each, and it is there")]

use std::os::fd::{AsFd, OwnedFd};

use rustix::io::Errno;
use rustix::ioctl::{Opcode, Setter, ioctl};
use rustix::pty::{OpenptFlags, grantpt, ioctl_tiocgptpeer, openpt, unlockpt};

/// A terminal's two ends: where keys come from, and where programs write.
pub(crate) fn terminal() -> (OwnedFd, OwnedFd) {
    let flags = OpenptFlags::RDWR | OpenptFlags::NOCTTY;
    let keyboard = openpt(flags).expect("a terminal");
    grantpt(&keyboard).expect("ours");
    unlockpt(&keyboard).expect("ours");
    let screen = ioctl_tiocgptpeer(&keyboard, flags).expect("its other end");
    (keyboard, screen)
}

/// What each attempt comes to.
pub(crate) fn attempts(screen: &OwnedFd) -> Vec<(&'static str, Result<(), Errno>)> {
    vec![
        ("TIOCSTI", request::<{ libc::TIOCSTI as Opcode }>(screen, u64::from(b' '))),
        // Paste what is selected.
        ("TIOCLINUX", request::<{ libc::TIOCLINUX as Opcode }>(screen, 3)),
        ("TIOCSETD", request::<{ libc::TIOCSETD as Opcode }>(screen, 0)),
        ("TIOCSCTTY", request::<{ libc::TIOCSCTTY as Opcode }>(screen, 0)),
        ("TIOCCONS", request::<{ libc::TIOCCONS as Opcode }>(screen, 0)),
        ("TIOCSPGRP", request::<{ libc::TIOCSPGRP as Opcode }>(screen, 1)),
        ("TIOCSWINSZ", request::<{ libc::TIOCSWINSZ as Opcode }>(screen, 0)),
        // The keyboard's table of a console.
        ("KDSKBENT", request::<0x4b47>(screen, 0)),
    ]
}

fn request<const NUMBER: Opcode>(screen: &OwnedFd, value: u64) -> Result<(), Errno> {
    // SAFETY: each of the requests reads eight bytes or fewer where its argument points.
    unsafe { ioctl(screen.as_fd(), Setter::<NUMBER, u64>::new(value)) }
}
