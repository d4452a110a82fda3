//! What the loudspeaker's thread has yet to do. Neither side ever waits for room: a voice takes the place of the one before
//! with all that was left of it, so that there is never more than one, and that one is bounded by [`VoiceLeft`].

use std::collections::VecDeque;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use base::Redacted;
use base::limits::REPLY_SECONDS_MAX;

use super::VoiceId;

/// What the thread is told next.
#[derive(Debug)]
pub(super) enum Command {
    Prepare,
    Start {
        voice: VoiceId,
        rate_hz: u32,
    },
    Samples(Redacted<Vec<i16>>),
    End,
    /// Silence; `last` is the latest voice there was.
    Stop {
        last: VoiceId,
    },
}

/// Why there is no command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Nothing {
    /// None came in time.
    Yet,
    /// None will come.
    Ever,
}

#[derive(Debug, Default)]
pub(super) struct Queue {
    pending: Mutex<Pending>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct Pending {
    prepare: bool,
    stop: Option<VoiceId>,
    start: Option<(VoiceId, u32)>,
    samples: VecDeque<Redacted<Vec<i16>>>,
    end: bool,
    is_closed: bool,
}

/// How much more of a voice there may be.
#[derive(Debug, Default)]
pub(super) struct VoiceLeft {
    samples: usize,
    pieces: usize,
}

/// Pieces of a voice that may wait, however small they are: many more than the 188 frames of the longest reply (60 s at
/// 48 kHz). Who sends more means no good.
const PIECES_MAX: usize = 4_096;

impl VoiceLeft {
    /// Of a voice at this rate: [`REPLY_SECONDS_MAX`].
    pub(super) const fn at(rate_hz: u32) -> Self {
        Self { samples: (rate_hz as usize).saturating_mul(REPLY_SECONDS_MAX as usize), pieces: PIECES_MAX }
    }

    /// How many of so many samples there may be.
    pub(super) fn take(&mut self, n_samples: usize) -> usize {
        if self.pieces == 0 {
            self.samples = 0;
        }
        let taken = n_samples.min(self.samples);
        self.samples -= taken;
        self.pieces = self.pieces.saturating_sub(1);
        taken
    }
}

impl Queue {
    pub(super) fn prepare(&self) {
        self.change(|pending| pending.prepare = true);
    }

    pub(super) fn start(&self, voice: VoiceId, rate_hz: u32) {
        self.change(|pending| {
            pending.drop_voice();
            pending.start = Some((voice, rate_hz));
        });
    }

    pub(super) fn samples(&self, samples: Redacted<Vec<i16>>) {
        self.change(|pending| pending.samples.push_back(samples));
    }

    pub(super) fn end(&self) {
        self.change(|pending| pending.end = true);
    }

    pub(super) fn stop(&self, last: VoiceId) {
        self.change(|pending| {
            pending.drop_voice();
            pending.stop = Some(last);
        });
    }

    /// Nothing more will come.
    pub(super) fn close(&self) {
        self.change(|pending| {
            pending.drop_voice();
            pending.is_closed = true;
        });
    }

    /// The next command; waits so long for one, or for as long as it takes.
    pub(super) fn next(&self, wait: Option<Duration>) -> Result<Command, Nothing> {
        let mut pending = self.lock();
        if let Some(command) = pending.take() {
            return Ok(command);
        }
        if pending.is_closed {
            return Err(Nothing::Ever);
        }
        pending = match wait {
            Some(wait) => self.changed.wait_timeout(pending, wait).unwrap_or_else(PoisonError::into_inner).0,
            None => self.changed.wait(pending).unwrap_or_else(PoisonError::into_inner),
        };
        match pending.take() {
            Some(command) => Ok(command),
            None if pending.is_closed => Err(Nothing::Ever),
            None => Err(Nothing::Yet),
        }
    }

    fn change(&self, change: impl FnOnce(&mut Pending)) {
        change(&mut self.lock());
        self.changed.notify_one();
    }

    fn lock(&self) -> MutexGuard<'_, Pending> {
        self.pending.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Pending {
    fn drop_voice(&mut self) {
        self.start = None;
        self.samples.clear();
        self.end = false;
    }

    /// In this order: nothing of an earlier voice is left behind a start or a stop.
    fn take(&mut self) -> Option<Command> {
        if let Some(last) = self.stop.take() {
            return Some(Command::Stop { last });
        }
        if std::mem::take(&mut self.prepare) {
            return Some(Command::Prepare);
        }
        if let Some((voice, rate_hz)) = self.start.take() {
            return Some(Command::Start { voice, rate_hz });
        }
        if let Some(samples) = self.samples.pop_front() {
            return Some(Command::Samples(samples));
        }
        std::mem::take(&mut self.end).then_some(Command::End)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_voice_is_as_long_as_a_reply_may_be_and_no_piece_longer() {
        let mut left = VoiceLeft::at(16_000);
        let whole = 16_000 * REPLY_SECONDS_MAX as usize;
        assert_eq!((left.take(whole - 1), left.take(2), left.take(1)), (whole - 1, 1, 0));
        let mut left = VoiceLeft::at(48_000);
        let taken: usize = (0..2 * PIECES_MAX).map(|_| left.take(1)).sum();
        assert_eq!(taken, PIECES_MAX);
    }

    #[test]
    fn a_stop_is_heard_before_anything_that_was_queued_and_leaves_nothing_of_it() {
        let queue = Queue::default();
        queue.start(1, 16_000);
        (0..10_000).for_each(|_| queue.samples(vec![1].into()));
        queue.end();
        queue.stop(1);
        assert!(matches!(queue.next(None), Ok(Command::Stop { last: 1 })));
        assert!(matches!(queue.next(Some(Duration::ZERO)), Err(Nothing::Yet)));
    }
}
