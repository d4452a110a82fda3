//! Descriptors that whoever started us left open: a terminal's, another program's. None of the four may get them.
//!
//! The one `unsafe` of the launcher: a descriptor that we have as a number and nothing else can be marked in no other way.
#![expect(unsafe_code, reason = "see above; the flag that is set closes nothing and frees nothing")]

use std::os::fd::BorrowedFd;

use rustix::io::{FdFlags, fcntl_setfd};

/// Marks everything but the three standard ones to be closed in the processes that we start.
pub(crate) fn keep_to_ourselves() -> std::io::Result<()> {
    let names = std::fs::read_dir("/proc/self/fd")?.flatten().map(|entry| entry.file_name());
    let numbers: Vec<i32> =
        names.filter_map(|name| name.to_str()?.parse().ok()).filter(|number| *number > 2).collect();
    for number in numbers {
        // SAFETY: it was open a moment ago and nothing in this one thread has closed it since, but for the listing's own:
        // the call then fails, and there is nothing to mark.
        let descriptor = unsafe { BorrowedFd::borrow_raw(number) };
        let _ = fcntl_setfd(descriptor, FdFlags::CLOEXEC);
    }
    Ok(())
}
