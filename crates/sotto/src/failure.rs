//! How a command ends when it does not end well: one line on standard error and an exit code.

use std::fmt;
use std::process::ExitCode;

/// A clear line for the person at the terminal, and the exit code of DESIGN's table: 1 the answer is no, 2 wrong
/// usage or bad input.
#[derive(Debug)]
pub(crate) struct Failure {
    message: String,
    code: u8,
}

impl Failure {
    /// The answer is no, or the machine would not let it be done.
    pub(crate) fn no(message: impl Into<String>) -> Self {
        Self { message: message.into(), code: 1 }
    }

    /// Wrong usage or bad input.
    pub(crate) fn usage(message: impl Into<String>) -> Self {
        Self { message: message.into(), code: 2 }
    }

    /// What the process exits with.
    pub(crate) fn exit_code(&self) -> ExitCode {
        ExitCode::from(self.code)
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}
