//! Log lines that somebody can cause without end: so many of a kind a minute, and then a count.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::clock::Clock;

/// How long the lines of a kind are counted together.
const WINDOW: Duration = Duration::from_secs(60);

/// Says which log lines may be written. A kind is a word of the program's own, so that there are only so many.
pub struct LineLimit {
    clock: Arc<dyn Clock>,
    a_minute: u32,
    kinds: Mutex<HashMap<&'static str, Window>>,
}

#[derive(Clone, Copy, Debug)]
struct Window {
    since: Duration,
    written: u32,
    left_out: u64,
}

impl LineLimit {
    /// At most `a_minute` lines of each kind a minute.
    #[must_use]
    pub fn new(clock: Arc<dyn Clock>, a_minute: u32) -> Self {
        Self { clock, a_minute, kinds: Mutex::default() }
    }

    /// Whether a line of that kind may be written now; one that may not is counted.
    #[must_use]
    pub fn admits(&self, kind: &'static str) -> bool {
        let now = self.clock.elapsed();
        let mut kinds = self.lock();
        let window = kinds.entry(kind).or_insert(Window { since: now, written: 0, left_out: 0 });
        if WINDOW <= now.saturating_sub(window.since) {
            (window.since, window.written) = (now, 0);
        }
        let admitted = window.written < self.a_minute;
        if admitted {
            window.written += 1;
        } else {
            window.left_out += 1;
        }
        admitted
    }

    /// The kinds of which lines were left out since this was last asked, and how many. To be asked every minute or so,
    /// and written down.
    pub fn left_out(&self) -> Vec<(&'static str, u64)> {
        let mut kinds = self.lock();
        let counted = kinds.iter_mut().filter(|(_, window)| window.left_out > 0);
        counted.map(|(kind, window)| (*kind, std::mem::take(&mut window.left_out))).collect()
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<&'static str, Window>> {
        self.kinds.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for LineLimit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LineLimit").field("a_minute", &self.a_minute).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{SetClock, Timestamp};

    #[test]
    fn lines_without_end_are_so_many_a_minute_and_a_count() {
        let clock = Arc::new(SetClock::new(Timestamp::from_unix_ms(0)));
        let lines = LineLimit::new(Arc::<SetClock>::clone(&clock), 3);
        let written = (0..1_000).filter(|_| lines.admits("refused")).count();
        assert_eq!((written, lines.admits("online")), (3, true), "one kind does not silence another");
        assert_eq!(lines.left_out(), [("refused", 997)]);
        assert_eq!(lines.left_out(), [], "told once");
        clock.advance(WINDOW);
        assert!(lines.admits("refused"), "the next minute has lines of its own");
    }
}
