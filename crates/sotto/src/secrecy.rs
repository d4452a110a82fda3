//! What a process that holds speech does first: its memory is nobody else's to read and never reaches a disk.

use rustix::process::{DumpableBehavior, Resource, Rlimit, set_dumpable_behavior, setrlimit};

use crate::failure::Failure;

/// Forbids core dumps, also those that go through a pipe (core(5): a process that is not dumpable gives none), and attaching
/// by other processes of the same user.
pub(crate) fn keep_memory_private() -> Result<(), Failure> {
    let failed = |why: rustix::io::Errno| Failure::no(format!("cannot keep this process from being dumped: {why}"));
    setrlimit(Resource::Core, Rlimit { current: Some(0), maximum: Some(0) }).map_err(failed)?;
    set_dumpable_behavior(DumpableBehavior::NotDumpable).map_err(failed)
}

#[cfg(test)]
mod tests {
    use rustix::process::{dumpable_behavior, getrlimit};

    use super::*;

    #[test]
    fn a_process_that_holds_speech_cannot_be_dumped() {
        keep_memory_private().expect("forbidden");
        assert_eq!(dumpable_behavior().expect("asked"), DumpableBehavior::NotDumpable);
        let limit = getrlimit(Resource::Core);
        assert_eq!((limit.current, limit.maximum), (Some(0), Some(0)));
    }
}
