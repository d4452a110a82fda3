//! The TCP socket below a connection, as only the kernel knows it: what of it has not left this machine, and how to throw
//! that away at once (invariant I2).
//!
//! `unsafe` is here for two questions to the kernel (SIOCOUTQ, SIOCOUTQNSD), which nobody wraps: each fills in one integer.
#![expect(unsafe_code, reason = "two ioctls that nobody wraps; see the module's words")]

use std::ffi::c_int;
use std::io;
use std::os::fd::{AsFd, OwnedFd};

use rustix::ioctl::{Getter, Opcode, ioctl};
use rustix::net::connect_unspec;

/// `SIOCOUTQNSD` (linux/sockios.h): bytes that were written and never sent.
const UNSENT: Opcode = 0x894b;

/// `SIOCOUTQ`, the same number as `TIOCOUTQ`: bytes that were written and are not acknowledged.
const UNACKNOWLEDGED: Opcode = 0x5411;

/// A second handle of a connection's socket. While it is held, what the kernel holds of the connection can be asked for
/// and thrown away, whatever the task is doing that writes to it.
#[derive(Debug)]
pub(crate) struct Socket(OwnedFd);

impl Socket {
    /// A second handle of `tcp`.
    ///
    /// # Errors
    /// Where there are no descriptors left.
    pub(crate) fn of(tcp: impl AsFd) -> io::Result<Self> {
        Ok(Self(tcp.as_fd().try_clone_to_owned()?))
    }

    /// Bytes that were written and have not left this machine.
    ///
    /// # Errors
    /// What the kernel says.
    pub(crate) fn unsent(&self) -> io::Result<u64> {
        self.ask::<UNSENT>()
    }

    /// Bytes that were written and that the other side has not confirmed: they may be sent once more.
    ///
    /// # Errors
    /// What the kernel says.
    pub(crate) fn unacknowledged(&self) -> io::Result<u64> {
        self.ask::<UNACKNOWLEDGED>()
    }

    /// Ends the connection this instant: what it holds is thrown away, nothing is ever sent again, and what is written to
    /// it later goes nowhere. The other side learns of it by a reset, if it can be reached.
    ///
    /// # Errors
    /// What the kernel says; the connection must then be taken for one that still sends.
    pub(crate) fn reset(&self) -> io::Result<()> {
        // tcp(7): a connect to AF_UNSPEC dissolves the association. It drops the queue before it returns, which closing
        // does only for the last of all handles.
        Ok(connect_unspec(&self.0)?)
    }

    fn ask<const OPCODE: Opcode>(&self) -> io::Result<u64> {
        // SAFETY: for both opcodes the kernel writes one `int` at the address it is given, and the getter holds one.
        let answer = unsafe { ioctl(&self.0, Getter::<OPCODE, c_int>::new()) }?;
        Ok(u64::try_from(answer).unwrap_or(0))
    }
}

#[cfg(test)]
mod tests {
    use std::io::{Read as _, Write as _};
    use std::net::{TcpListener, TcpStream};

    use super::*;

    /// A connection whose other side does not read, written full.
    fn stalled() -> (TcpStream, TcpStream, usize) {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let near = TcpStream::connect(listener.local_addr().expect("bound")).expect("connects");
        let (far, _) = listener.accept().expect("accepted");
        near.set_nonblocking(true).expect("a flag");
        let mut written = 0;
        while let Ok(count) = (&near).write(&[7; 65_536]) {
            written += count;
        }
        (near, far, written)
    }

    #[test]
    fn i2_after_a_reset_nothing_that_was_not_sent_arrives() {
        let (near, mut far, written) = stalled();
        let socket = Socket::of(&near).expect("a handle");
        let unsent = socket.unsent().expect("asked");
        assert!(unsent > 0 && socket.unacknowledged().expect("asked") >= unsent);
        socket.reset().expect("reset");
        assert!((&near).write(&[7]).is_err(), "i2: it still takes bytes");
        let mut arrived = 0;
        let mut bytes = [0; 65_536];
        while let Ok(count @ 1..) = far.read(&mut bytes) {
            arrived += count;
        }
        assert!(
            arrived as u64 <= written as u64 - unsent,
            "i2: {arrived} of {written} arrived, {unsent} were unsent"
        );
    }

    #[test]
    fn what_was_taken_is_not_unsent() {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let mut near = TcpStream::connect(listener.local_addr().expect("bound")).expect("connects");
        let (mut far, _) = listener.accept().expect("accepted");
        let socket = Socket::of(&near).expect("a handle");
        near.write_all(b"heard").expect("written");
        far.read_exact(&mut [0; 5]).expect("arrived");
        assert_eq!(socket.unsent().expect("asked"), 0);
    }
}
