//! Until when an answer is wanted.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use base::Clock;

/// Until when somebody waits for an answer. Long work asks it between its steps and ends early once it has passed.
#[derive(Clone)]
pub struct Deadline {
    clock: Arc<dyn Clock>,
    at: Duration,
    within: Duration,
    is_given_up: Arc<AtomicBool>,
}

impl Deadline {
    /// A deadline `within` from now, by `clock`.
    #[must_use]
    pub fn within(clock: Arc<dyn Clock>, within: Duration) -> Self {
        let at = clock.elapsed().saturating_add(within);
        Self { clock, at, within, is_given_up: Arc::default() }
    }

    /// Whether nobody waits any longer: the time is over, or whoever asked has gone.
    #[must_use]
    pub fn has_passed(&self) -> bool {
        self.is_given_up.load(Ordering::Relaxed) || self.at <= self.clock.elapsed()
    }

    /// The time that was given in all.
    #[must_use]
    pub const fn given(&self) -> Duration {
        self.within
    }

    /// What, set to true, makes the deadline pass at once.
    pub(crate) fn give_up(&self) -> Arc<AtomicBool> {
        Arc::clone(&self.is_given_up)
    }
}

impl fmt::Debug for Deadline {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Deadline").field("at", &self.at).field("within", &self.within).finish_non_exhaustive()
    }
}
