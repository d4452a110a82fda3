//! Every change that must survive a crash is announced before it is made.

use std::io;

/// Is told of each durable step before it is taken.
///
/// A test looks at the disk there (what it sees is what a process killed at that moment leaves), or fails the step as
/// a full disk would. An error is passed on as that step's own; nothing of the step has happened then. May be called
/// from any thread; must not call back into the vault.
pub trait Steps: Send + Sync {
    /// `step` names what comes next.
    ///
    /// # Errors
    /// Whatever the step itself is to fail with.
    fn before(&self, step: &'static str) -> io::Result<()>;
}

/// What is used outside tests: lets every step pass.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoSteps;

impl Steps for NoSteps {
    fn before(&self, _step: &'static str) -> io::Result<()> {
        Ok(())
    }
}
