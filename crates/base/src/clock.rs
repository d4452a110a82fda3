//! Time is injected: nothing below the binaries asks the system for it.

use std::sync::Mutex;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// Milliseconds since 1970-01-01T00:00:00Z, without leap seconds; negative before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp {
    unix_ms: i64,
}

impl Timestamp {
    /// A moment given in milliseconds since 1970.
    #[must_use]
    pub const fn from_unix_ms(unix_ms: i64) -> Self {
        Self { unix_ms }
    }

    /// The moment in milliseconds since 1970.
    #[must_use]
    pub const fn unix_ms(self) -> i64 {
        self.unix_ms
    }

    /// The moment `span` later; stays at the end of the range rather than wrapping.
    #[must_use]
    pub fn after(self, span: Duration) -> Self {
        let span_ms = i64::try_from(span.as_millis()).unwrap_or(i64::MAX);
        Self { unix_ms: self.unix_ms.saturating_add(span_ms) }
    }
}

/// Where the time comes from.
///
/// `now` may jump in either direction (a clock that is set); `elapsed` never goes back and is what every wait and
/// deadline counts with. Both are cheap and may be called from any thread.
pub trait Clock: Send + Sync {
    /// The time of day, as the machine believes it to be.
    fn now(&self) -> Timestamp;

    /// Time since some fixed moment in the life of this clock. Never decreases.
    fn elapsed(&self) -> Duration;
}

/// The machine's own clocks.
#[derive(Debug)]
pub struct SystemClock {
    start: Instant,
}

impl SystemClock {
    /// A clock whose `elapsed` starts now.
    #[must_use]
    pub fn new() -> Self {
        Self { start: Instant::now() }
    }
}

impl Default for SystemClock {
    fn default() -> Self {
        Self::new()
    }
}

impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        // A machine whose clock stands before 1970 reads as 1970: wrong, and harmless.
        let since_1970 = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Timestamp::from_unix_ms(0).after(since_1970)
    }

    fn elapsed(&self) -> Duration {
        self.start.elapsed()
    }
}

/// A clock that stands where it is put, for tests and for `--now`.
#[derive(Debug)]
pub struct SetClock {
    state: Mutex<(Timestamp, Duration)>,
}

impl SetClock {
    /// A clock that stands at `now` until it is moved.
    #[must_use]
    pub fn new(now: Timestamp) -> Self {
        Self { state: Mutex::new((now, Duration::ZERO)) }
    }

    /// Lets time pass: both readings advance.
    pub fn advance(&self, span: Duration) {
        let mut state = self.state.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        state.0 = state.0.after(span);
        state.1 = state.1.saturating_add(span);
    }

    /// Sets the time of day alone, as somebody at the machine might, in either direction.
    pub fn jump_to(&self, now: Timestamp) {
        self.state.lock().unwrap_or_else(std::sync::PoisonError::into_inner).0 = now;
    }
}

impl Clock for SetClock {
    fn now(&self) -> Timestamp {
        self.state.lock().unwrap_or_else(std::sync::PoisonError::into_inner).0
    }

    fn elapsed(&self) -> Duration {
        self.state.lock().unwrap_or_else(std::sync::PoisonError::into_inner).1
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_jump_moves_the_time_of_day_and_not_the_deadlines() {
        let clock = SetClock::new(Timestamp::from_unix_ms(5_000));
        clock.advance(Duration::from_secs(2));
        clock.jump_to(Timestamp::from_unix_ms(-10));
        assert_eq!(clock.now().unix_ms(), -10);
        assert_eq!(clock.elapsed(), Duration::from_secs(2));
    }

    #[test]
    fn the_end_of_time_does_not_wrap() {
        assert_eq!(Timestamp::from_unix_ms(i64::MAX).after(Duration::MAX).unix_ms(), i64::MAX);
    }
}
