//! How many files and connections this process may have open.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// What is asked for: devices may open 4,096 connections, and systems begin at 1,024 descriptors.
const WANTED: u64 = 16_384;

/// Raises the limit as far as it is needed and the system lets it be raised; answers with what it then is.
pub(crate) fn raise() -> usize {
    let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
    let target = maximum.map_or(WANTED, |maximum| maximum.min(WANTED));
    if current.is_some_and(|current| current < target) {
        // Where it is refused, what there was is what there is.
        let _ = setrlimit(Resource::Nofile, Rlimit { current: Some(target), maximum });
    }
    getrlimit(Resource::Nofile).current.map_or(usize::MAX, |now| usize::try_from(now).unwrap_or(usize::MAX))
}
