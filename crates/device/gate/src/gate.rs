//! The ear's half: from a cause to a permit, to a stream, to the end of the turn.

use std::time::Duration;

use base::limits::REPLY_SECONDS_MAX;
use base::{SampleCount, SampleIndex, TurnId};

use crate::permit::{Cause, CloseReason, Closing, Opening, Passed};
use crate::ring::{CHUNK_SAMPLES, Ring};

mod stages;

use stages::{Asking, Draining, Open, Waiting};

/// How long the panel may take to light up. A person would not notice 100 ms; a busy machine may need more.
pub const LIT_MAX: Duration = Duration::from_secs(1);

/// How long a stream may stay open without one more sample: then the microphone is as good as gone.
pub const STALL_MAX: Duration = Duration::from_secs(20);

/// How long a turn may last after its stream: 20 s for an answer, then the longest reply, then what link may take beyond it
/// to silence a loudspeaker that is late. Link ends a turn sooner; whoever is later than this is ended, and falls silent so.
pub const TURN_MAX: Duration = Duration::from_secs(20 + REPLY_SECONDS_MAX as u64 + 10);

/// A word that begins so soon after a turn is taken for the turn's: the reply's last sound needs its time from the
/// loudspeaker through the room and the sound card to the ear. Whoever has just listened to a reply needs longer to speak.
pub const AFTER_TURN: SampleCount = SampleCount::from_ms(300);

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
    /// No word that begins before this is a cause: it may have been the reply's.
    after_turn: SampleIndex,
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
        if let Cause::Wake { onset } = cause
            && !self.takes_word_from(onset)
        {
            return false;
        }
        self.last_turn = self.last_turn.wrapping_add(1);
        let turn = TurnId(self.last_turn);
        self.state = State::Asking(Asking { turn, cause, deadline: now + LIT_MAX });
        outlet.ask(turn, cause);
        true
    }

    /// Whether a word that begins at `onset` may be a cause: not while a turn goes on, and not where it began before the
    /// last turn was over, since that was the reply's doing, which the network chooses.
    #[must_use]
    pub fn takes_word_from(&self, onset: SampleIndex) -> bool {
        matches!(self.state, State::Idle) && onset >= self.after_turn
    }

    /// What was heard last was captured before the last turn was over, and read late: no word in it is a cause either.
    pub fn is_behind(&mut self) {
        self.after_turn = self.after_turn.max(self.ring.end() + AFTER_TURN);
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
            State::Draining(draining) if draining.permit.turn() == turn => {
                // Where the turn is over too, so is what the loudspeaker said in it.
                self.after_turn = self.ring.end() + AFTER_TURN;
                draining.over(now, outlet)
            }
            other => other,
        };
    }

    /// The turn is over. With the stream still open it ends here, and its permit as ever once it is drained.
    pub fn turn_over(&mut self, turn: TurnId, now: Duration, outlet: &mut dyn Outlet) {
        self.state = match std::mem::take(&mut self.state) {
            State::Waiting(waiting) if waiting.turn == turn => {
                outlet.turn_over(turn);
                self.after_turn = self.ring.end() + AFTER_TURN;
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
                    let count = SampleCount::of(passed.samples());
                    outlet.pass(passed);
                    open.passed += count;
                    self.books.samples += count;
                }
                if open.passed == open.length { open.close(now, outlet) } else { State::Open(open) }
            }
            other => other,
        };
    }
}
