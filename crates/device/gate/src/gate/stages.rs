//! What each stage of a turn holds, and how one becomes the next.

use std::time::Duration;

use base::limits::{CHUNK, DRAIN_MAX, PREROLL, STREAM_MAX};
use base::{SampleCount, SampleIndex, TurnId};

use super::{Outlet, STALL_MAX, State, TURN_MAX};
use crate::permit::{Cause, CloseReason, Closing, Opening, Passed, Permit};
use crate::ring::Ring;

/// The panel is to light up.
#[derive(Debug)]
pub(super) struct Asking {
    pub(super) turn: TurnId,
    pub(super) cause: Cause,
    pub(super) deadline: Duration,
}

/// A stream is open.
#[derive(Debug)]
pub(super) struct Open {
    pub(super) permit: Permit,
    pub(super) start: SampleIndex,
    pub(super) passed: SampleCount,
    /// How long the stream becomes, and why it ends there.
    pub(super) length: SampleCount,
    pub(super) reason: CloseReason,
    pub(super) is_turn_over: bool,
    pub(super) deadline: Duration,
}

/// A stream is over; link sends or throws away what it has.
#[derive(Debug)]
pub(super) struct Draining {
    pub(super) permit: Permit,
    pub(super) is_turn_over: bool,
    pub(super) deadline: Duration,
}

/// The turn goes on without a permit.
#[derive(Debug)]
pub(super) struct Waiting {
    pub(super) turn: TurnId,
    pub(super) deadline: Duration,
}

impl Asking {
    /// The one place where a permit is made.
    pub(super) fn open(self, ring: &Ring, now: Duration) -> (Open, Opening) {
        let (onset, preroll) = match self.cause {
            Cause::Wake { onset } => (onset, PREROLL),
            Cause::Button { pressed } => (pressed, SampleCount(0)),
        };
        let onset = onset.clamp(ring.oldest(), ring.end());
        let start = onset.back(preroll).max(ring.oldest());
        let open = Open {
            permit: Permit::new(self.turn),
            start,
            passed: SampleCount(0),
            length: STREAM_MAX,
            reason: CloseReason::Limit,
            is_turn_over: false,
            deadline: now + STALL_MAX,
        };
        (open, Opening { turn: self.turn, start, onset })
    }
}

impl Open {
    /// Ends the stream at this length at the latest, but not before what has passed.
    pub(super) fn end_at(&mut self, length: SampleCount, reason: CloseReason) {
        let length = length.max(self.passed);
        if length < self.length {
            (self.length, self.reason) = (length, reason);
        }
    }

    /// The next chunk: a whole one, or what is left before the end of the stream.
    pub(super) fn pass<'gate>(&'gate self, ring: &'gate Ring) -> Option<Passed<'gate>> {
        let next = self.start + self.passed;
        let wanted = CHUNK.min(self.length - self.passed);
        if wanted.0 == 0 || next < ring.oldest() || (ring.end() - next) < wanted {
            return None;
        }
        Some(Passed::new(&self.permit, ring.from(next, wanted)))
    }

    pub(super) fn close(self, now: Duration, outlet: &mut dyn Outlet) -> State {
        outlet.close(Closing {
            turn: self.permit.turn(),
            start: self.start,
            end: self.start + self.passed,
            passed: self.passed,
            reason: self.reason,
        });
        State::Draining(Draining { permit: self.permit, is_turn_over: self.is_turn_over, deadline: now + DRAIN_MAX })
    }
}

impl Draining {
    pub(super) fn over(self, now: Duration, outlet: &mut dyn Outlet) -> State {
        let turn = self.permit.end();
        outlet.permit_over(turn);
        if self.is_turn_over {
            outlet.turn_over(turn);
            return State::Idle;
        }
        State::Waiting(Waiting { turn, deadline: now + TURN_MAX })
    }
}
