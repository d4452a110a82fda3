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

    /// Whoever read standard output has gone: as usual then, the exit code says so and nothing else.
    pub(crate) const fn reader_gone() -> Self {
        Self { message: String::new(), code: 1 }
    }

    /// Nothing is to be said about it.
    pub(crate) fn is_silent(&self) -> bool {
        self.message.is_empty()
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
