//! The descriptors that the launcher hands down, by the numbers it names on the command line.
//!
//! They are opened once more through `/proc/self/fd`, which takes no `unsafe` and gives a file description of one's own
//! (whether it blocks is then nobody else's business). The number itself stays open beside it until the process ends.

use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::OpenOptionsExt;

use rustix::fs::OFlags;

use crate::PipeError;

/// The reading end with this number. Reads do not block.
///
/// # Errors
/// [`PipeError::NotInherited`].
pub fn reader(fd: i32) -> Result<File, PipeError> {
    open(fd, OpenOptions::new().read(true))
}

/// The writing end with this number, appending where it is a file. Writes do not block.
///
/// # Errors
/// [`PipeError::NotInherited`], also where the reader is gone.
pub fn writer(fd: i32) -> Result<File, PipeError> {
    open(fd, OpenOptions::new().append(true))
}

/// Makes reads and writes wait.
///
/// # Errors
/// What fcntl(2) says.
pub fn set_blocking(file: &File) -> io::Result<()> {
    let flags = rustix::fs::fcntl_getfl(file)?;
    Ok(rustix::fs::fcntl_setfl(file, flags - OFlags::NONBLOCK)?)
}

fn open(fd: i32, options: &mut OpenOptions) -> Result<File, PipeError> {
    // Without O_NONBLOCK, opening an end whose other one is gone would wait for ever.
    let nonblock = i32::try_from(OFlags::NONBLOCK.bits()).unwrap_or(0);
    options
        .custom_flags(nonblock)
        .open(format!("/proc/self/fd/{fd}"))
        .map_err(|source| PipeError::NotInherited { fd, source })
}
