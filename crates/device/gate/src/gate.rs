//! The ear's half: from a cause to a permit, to a stream, to the end of the turn.

use std::time::Duration;

use base::limits::{CHUNK, DRAIN_MAX, PREROLL, REPLY_SECONDS_MAX, STREAM_MAX};
use base::{SampleCount, SampleIndex, TurnId};

use crate::permit::{Cause, CloseReason, Closing, Opening, Passed, Permit};
use crate::ring::{CHUNK_SAMPLES, Ring};

/// How long the panel may take to light up. A person would not notice 100 ms; a busy machine may need more.
pub const LIT_MAX: Duration = Duration::from_secs(1);

/// How long a stream may stay open without one more sample: then the microphone is as good as gone.
pub const STALL_MAX: Duration = Duration::from_secs(20);

/// How long a turn may last after its stream: 20 s for an answer, then the longest reply.
pub const TURN_MAX: Duration = Duration::from_secs(20 + REPLY_SECONDS_MAX as u64);

/// Where what the gate decides goes. Each call is made at the moment it is true, in this order for each turn: `ask`,
/// `open`, `pass`…, `close`, `permit_over`, `turn_over`. One who cannot do it keeps the reason and ends the process.
pub trait Outlet {
    /// The panel shall light up and say so.
    fn ask(&mut self, turn: TurnId, cause: Cause);
    /// The light is on; a stream begins.
    fn open(&mut self, opening: Opening);
    /// The stream's next samples.
    fn pass(&mut self, passed: Passed<'_>);
    /// The stream is over. Link shall send or throw away what it has, and say so.
    fn close(&mut self, closing: Closing);
    /// The permit is gone: the listening light may go out.
    fn permit_over(&mut self, turn: TurnId);
    /// The turn is over.
    fn turn_over(&mut self, turn: TurnId);
}

/// Who kept the gate waiting too long. There is no way on from any of them but starting afresh.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Late {
    /// The panel did not light up.
    Panel,
    /// Link did not say that the stream was sent or thrown away.
    Drain,
    /// Link did not say that the turn was over.
    Turn,
}

/// Where the gate stands, for those who must know how far they may go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// Nothing goes on.
    Idle,
    /// The panel is to light up. No samples are wanted meanwhile, so that none can be overwritten.
    Asking,
    /// A stream is open and this much of it has passed.
    Open(SampleCount),
    /// A stream has ended and its permit still lives.
    Draining,
    /// The turn goes on without a permit.
    Waiting,
}

/// What has passed since the start (invariant I10).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Books {
    /// Streams opened.
    pub streams: u64,
    /// Samples passed.
    pub samples: SampleCount,
}

/// The gate.
#[derive(Debug, Default)]
pub struct Gate {
    ring: Ring,
    books: Books,
    last_turn: u32,
    is_shut: bool,
    state: State,
}

#[derive(Debug, Default)]
enum State {
    #[default]
    Idle,
    Asking(Asking),
    Open(Open),
    Draining(Draining),
    Waiting(Waiting),
}

#[derive(Debug)]
struct Asking {
    turn: TurnId,
    cause: Cause,
    deadline: Duration,
}

#[derive(Debug)]
struct Open {
    permit: Permit,
    start: SampleIndex,
    passed: SampleCount,
    /// How long the stream becomes, and why it ends there.
    length: SampleCount,
    reason: CloseReason,
    is_turn_over: bool,
    deadline: Duration,
}

#[derive(Debug)]
struct Draining {
    permit: Permit,
    is_turn_over: bool,
    deadline: Duration,
}

#[derive(Debug)]
struct Waiting {
    turn: TurnId,
    deadline: Duration,
}

impl Gate {
    /// A gate that has heard nothing.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// A cause: asks for a permit. `false` where the microphones are off or a turn is going on.
    pub fn cause(&mut self, cause: Cause, now: Duration, outlet: &mut dyn Outlet) -> bool {
        if self.is_shut || !matches!(self.state, State::Idle) {
            return false;
        }
        self.last_turn = self.last_turn.wrapping_add(1);
        let turn = TurnId(self.last_turn);
        self.state = State::Asking(Asking { turn, cause, deadline: now + LIT_MAX });
        outlet.ask(turn, cause);
        true
    }

    /// The panel's word that the light is on: the permit begins, and with it the stream.
    pub fn lit(&mut self, turn: TurnId, now: Duration, outlet: &mut dyn Outlet) {
        self.state = match std::mem::take(&mut self.state) {
            State::Asking(asking) if asking.turn == turn => {
                let (open, opening) = asking.open(&self.ring, now);
                self.books.streams += 1;
                outlet.open(opening);
                State::Open(open)
            }
            other => other,
        };
        self.run(now, outlet);
    }

    /// What the microphone heard; lets it pass where a permit lives.
    pub fn samples(&mut self, pcm: &[i16], now: Duration, outlet: &mut dyn Outlet) {
        if self.is_shut {
            self.ring.skip(SampleCount(pcm.len() as u64));
            return;
        }
        if let State::Open(open) = &mut self.state {
            open.deadline = now + STALL_MAX;
        }
        // Piece by piece, so that the ring never runs over what has yet to pass.
        for piece in pcm.chunks(CHUNK_SAMPLES) {
            self.ring.push(piece);
            self.run(now, outlet);
        }
    }

    /// The cloud has what it needs: the stream ends `at` samples from its start, or now where more have passed.
    pub fn stop(&mut self, turn: TurnId, at: SampleCount, now: Duration, outlet: &mut dyn Outlet) {
        if let State::Open(open) = &mut self.state
            && open.permit.turn() == turn
        {
            open.end_at(at, CloseReason::StopCapture);
        }
        self.run(now, outlet);
    }

    /// Link has sent or thrown away what passed: the permit is over.
    pub fn drained(&mut self, turn: TurnId, now: Duration, outlet: &mut dyn Outlet) {
        self.state = match std::mem::take(&mut self.state) {
            State::Draining(draining) if draining.permit.turn() == turn => draining.over(now, outlet),
            other => other,
        };
    }

    /// The turn is over. With the stream still open it ends here, and its permit as ever once it is drained.
    pub fn turn_over(&mut self, turn: TurnId, now: Duration, outlet: &mut dyn Outlet) {
        self.state = match std::mem::take(&mut self.state) {
            State::Waiting(waiting) if waiting.turn == turn => {
                outlet.turn_over(turn);
                State::Idle
            }
            State::Draining(draining) if draining.permit.turn() == turn => {
                State::Draining(Draining { is_turn_over: true, ..draining })
            }
            State::Open(mut open) if open.permit.turn() == turn => {
                open.end_at(SampleCount(0), CloseReason::StopCapture);
                open.is_turn_over = true;
                State::Open(open)
            }
            other => other,
        };
        self.run(now, outlet);
    }

    /// Microphones off: an open stream ends at once, the ring is wiped, and nothing that comes is kept.
    pub fn shut(&mut self, now: Duration, outlet: &mut dyn Outlet) {
        if let State::Open(open) = &mut self.state {
            open.end_at(SampleCount(0), CloseReason::MicOff);
        }
        self.run(now, outlet);
        if let State::Asking(asking) = &self.state {
            // No permit was given and none will be.
            let turn = asking.turn;
            self.state = State::Idle;
            outlet.permit_over(turn);
            outlet.turn_over(turn);
        }
        self.is_shut = true;
        self.ring.wipe();
    }

    /// Microphones on again.
    pub fn reopen(&mut self) {
        self.is_shut = false;
    }

    /// The microphone went away: an open stream ends with the last sample there is.
    pub fn mic_gone(&mut self, now: Duration, outlet: &mut dyn Outlet) {
        if let State::Open(open) = &mut self.state {
            open.end_at(self.ring.end() - open.start, CloseReason::MicGone);
        }
        self.run(now, outlet);
    }

    /// Whether samples are wanted now.
    #[must_use]
    pub const fn wants_samples(&self) -> bool {
        !matches!(self.state, State::Asking(_))
    }

    /// Where the gate stands.
    #[must_use]
    pub const fn phase(&self) -> Phase {
        match &self.state {
            State::Idle => Phase::Idle,
            State::Asking(_) => Phase::Asking,
            State::Open(open) => Phase::Open(open.passed),
            State::Draining(_) => Phase::Draining,
            State::Waiting(_) => Phase::Waiting,
        }
    }

    /// The turn that goes on.
    #[must_use]
    pub const fn turn(&self) -> Option<TurnId> {
        match &self.state {
            State::Idle => None,
            State::Asking(Asking { turn, .. }) | State::Waiting(Waiting { turn, .. }) => Some(*turn),
            State::Open(Open { permit, .. }) | State::Draining(Draining { permit, .. }) => Some(permit.turn()),
        }
    }

    /// What has passed so far.
    #[must_use]
    pub const fn books(&self) -> Books {
        self.books
    }

    /// The position after the newest sample.
    #[must_use]
    pub const fn position(&self) -> SampleIndex {
        self.ring.end()
    }

    /// When [`Self::check`] is to be called.
    #[must_use]
    pub const fn deadline(&self) -> Option<Duration> {
        match &self.state {
            State::Idle => None,
            State::Asking(Asking { deadline, .. })
            | State::Open(Open { deadline, .. })
            | State::Draining(Draining { deadline, .. })
            | State::Waiting(Waiting { deadline, .. }) => Some(*deadline),
        }
    }

    /// Looks at the clock: ends a stream whose microphone has stalled.
    ///
    /// # Errors
    /// Who is late; the process must end, and the light with it.
    pub fn check(&mut self, now: Duration, outlet: &mut dyn Outlet) -> Result<(), Late> {
        if self.deadline().is_none_or(|deadline| now < deadline) {
            return Ok(());
        }
        match &self.state {
            State::Idle => Ok(()),
            State::Asking(_) => Err(Late::Panel),
            State::Draining(_) => Err(Late::Drain),
            State::Waiting(_) => Err(Late::Turn),
            State::Open(_) => {
                self.mic_gone(now, outlet);
                Ok(())
            }
        }
    }

    /// Lets pass what may pass, and closes a stream that has reached its end.
    fn run(&mut self, now: Duration, outlet: &mut dyn Outlet) {
        self.state = match std::mem::take(&mut self.state) {
            State::Open(mut open) => {
                while let Some(passed) = open.pass(&self.ring) {
                    let count = SampleCount(passed.samples().len() as u64);
                    outlet.pass(passed);
                    open.passed = SampleCount(open.passed.0 + count.0);
                    self.books.samples = SampleCount(self.books.samples.0 + count.0);
                }
                if open.passed == open.length { open.close(now, outlet) } else { State::Open(open) }
            }
            other => other,
        };
    }
}

impl Asking {
    /// The one place where a permit is made.
    fn open(self, ring: &Ring, now: Duration) -> (Open, Opening) {
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
    fn end_at(&mut self, length: SampleCount, reason: CloseReason) {
        let length = length.max(self.passed);
        if length < self.length {
            (self.length, self.reason) = (length, reason);
        }
    }

    /// The next chunk: a whole one, or what is left before the end of the stream.
    fn pass<'gate>(&'gate self, ring: &'gate Ring) -> Option<Passed<'gate>> {
        let next = self.start + self.passed;
        let wanted = SampleCount(CHUNK.0.min(self.length.0 - self.passed.0));
        if wanted.0 == 0 || next < ring.oldest() || (ring.end() - next) < wanted {
            return None;
        }
        Some(Passed::new(&self.permit, ring.from(next, wanted)))
    }

    fn close(self, now: Duration, outlet: &mut dyn Outlet) -> State {
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
    fn over(self, now: Duration, outlet: &mut dyn Outlet) -> State {
        let turn = self.permit.end();
        outlet.permit_over(turn);
        if self.is_turn_over {
            outlet.turn_over(turn);
            return State::Idle;
        }
        State::Waiting(Waiting { turn, deadline: now + TURN_MAX })
    }
}
