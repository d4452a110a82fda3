//! The device's side of its session with the cloud.
//!
//! [`Session`] is given each frame that comes and the time, and returns what to do, in order: [`Action`]. What the device
//! itself wants to say goes through a call ([`Session::open`], [`Session::audio`], …), which returns the message to send, or
//! [`NotNow`] where it has no place. An error ends the session: close the connection; a turn that was under way has failed.
//!
//! A Ping is due every [`PING_EVERY`] from the welcome on, whatever else is said: with no permit it is all that is said
//! (invariant I6).
//!
//! Time is [`base::Clock::elapsed`]. After each call, wait for the next frame until [`Session::deadline`]; when that
//! passes, call [`Session::on_deadline`].

use std::mem;
use std::time::Duration;

use base::{DeviceId, Redacted, SampleCount, TurnId};

use crate::error::{FrameError, NotNow, SessionError};
use crate::frame::{
    Caption, FromCloud, FromDevice, Outcome, PairFailure, Settings, StopReason, StreamClose, StreamOpen,
};
use crate::limits::{GREETING_WITHIN, PAIRING_STEP_WITHIN, PING_EVERY, PONG_WITHIN};
use crate::pairing::{Binding, DeviceConfirm, DeviceStart, Entropy, PairingCode};

mod turn;

use turn::Turns;

/// What the caller shall do, in the order given.
#[derive(Clone, Debug, PartialEq)]
pub enum Action {
    /// Send this.
    Send(FromDevice),
    /// The cloud waits for a pairing: [`Session::pair`] once a code is typed.
    Unpaired,
    /// The cloud has proved the code: pin its key, durably, before anything else is done.
    Pin {
        /// What the cloud calls this device.
        device: DeviceId,
        /// SHA-256 of the cloud certificate's subject public key info.
        cloud_key: [u8; 32],
    },
    /// Pairing did not come about; another code may be tried.
    PairingFailed {
        /// Why.
        reason: PairFailure,
        /// How many wrong codes are left.
        tries_left: u8,
    },
    /// Streams may be opened from now on.
    Online {
        /// What the cloud calls this device.
        device: DeviceId,
        /// What it sets.
        settings: Settings,
    },
    /// Other settings from now on.
    Settings(Settings),
    /// So much of the stream has been processed.
    Heard {
        /// The turn.
        turn: TurnId,
        /// Samples since the stream's first.
        through: SampleCount,
    },
    /// The cloud needs no more of the stream that is open.
    StopCapture {
        /// The turn.
        turn: TurnId,
        /// Where the request ended.
        at: SampleCount,
        /// Why.
        reason: StopReason,
    },
    /// What the cloud says it received (invariant I10).
    Books {
        /// The turn.
        turn: TurnId,
        /// Samples that this side sent.
        sent: SampleCount,
        /// Samples that the other received.
        received: SampleCount,
    },
    /// What was understood.
    Caption(Caption),
    /// A spoken reply begins.
    ReplyStart {
        /// The turn.
        turn: TurnId,
        /// Its sample rate.
        rate_hz: u32,
    },
    /// Sound of the reply.
    ReplyAudio {
        /// The turn.
        turn: TurnId,
        /// The next samples.
        samples: Redacted<Vec<i16>>,
    },
    /// The reply is whole.
    ReplyEnd {
        /// The turn.
        turn: TurnId,
    },
    /// The cloud has said its last word on the turn, and its stream is closed.
    TurnEnd {
        /// The turn.
        turn: TurnId,
        /// What came of it.
        outcome: Outcome,
    },
}

/// The session with the cloud.
#[derive(Debug)]
pub struct Session {
    state: State,
    binding: Binding,
    pings: Pings,
}

#[derive(Debug)]
enum State {
    /// Hello was sent.
    Greeting {
        paired: bool,
        until: Duration,
    },
    /// The cloud waits for a pairing.
    Unpaired,
    /// PairStart was sent.
    Starting {
        start: Box<DeviceStart>,
        until: Duration,
    },
    /// PairConfirm was sent.
    Confirming {
        confirm: DeviceConfirm,
        until: Duration,
    },
    /// The pairing is done; Welcome is due.
    Paired {
        until: Duration,
    },
    /// Turns are taken.
    Ready(Turns),
    Over,
}

impl State {
    const fn name(&self) -> &'static str {
        match self {
            Self::Greeting { .. } => "waiting for Welcome",
            Self::Unpaired => "unpaired",
            Self::Starting { .. } | Self::Confirming { .. } | Self::Paired { .. } => "pairing",
            Self::Ready(turns) => turns.state_name(),
            Self::Over => "over",
        }
    }
}

/// The schedule of Pings, which depends on nothing but when the session began.
#[derive(Debug)]
struct Pings {
    next_at: Duration,
    unanswered_since: Option<Duration>,
}

impl Session {
    /// A session on a connection that has just come up; send the first message at once.
    #[must_use]
    pub const fn new(paired: bool, binding: Binding, now: Duration) -> (Self, FromDevice) {
        let state = State::Greeting { paired, until: now.saturating_add(GREETING_WITHIN) };
        let pings = Pings { next_at: now.saturating_add(PING_EVERY), unanswered_since: None };
        (Self { state, binding, pings }, FromDevice::Hello { paired })
    }

    /// Takes a frame.
    ///
    /// # Errors
    /// Any [`SessionError`]; the session is then over.
    pub fn on_frame(&mut self, frame: &[u8], now: Duration) -> Result<Vec<Action>, SessionError> {
        // A transition consumes its state; where it fails, what stays behind is Over.
        let state = match mem::replace(&mut self.state, State::Over) {
            State::Over => return Err(SessionError::Over),
            state => state,
        };
        let (state, actions) = match (state, FromCloud::decode(frame)?) {
            (_, FromCloud::Refused { reason }) => return Err(SessionError::Refused(reason)),
            (state @ (State::Greeting { .. } | State::Over), FromCloud::Pong) => {
                return Err(out_of_order("Pong", &state));
            }
            (state, FromCloud::Pong) if self.pings.unanswered_since.take().is_some() => (state, Vec::new()),
            (
                State::Greeting { paired: true, .. } | State::Paired { .. },
                FromCloud::Welcome { device, settings },
            ) => (State::Ready(Turns::new()), vec![Action::Online { device, settings }]),
            (State::Greeting { paired: false, .. }, FromCloud::Unpaired) => (State::Unpaired, vec![Action::Unpaired]),
            (State::Starting { .. } | State::Confirming { .. }, FromCloud::PairFailed { reason, tries_left }) => {
                (State::Unpaired, vec![Action::PairingFailed { reason, tries_left }])
            }
            (State::Starting { start, .. }, FromCloud::PairReply { message }) => {
                let (confirm, mac) =
                    start.confirm(&message).map_err(|_| FrameError::Range { field: "pairing message" })?;
                let until = now.saturating_add(PAIRING_STEP_WITHIN);
                (State::Confirming { confirm, until }, vec![Action::Send(FromDevice::PairConfirm { mac })])
            }
            (State::Confirming { confirm, .. }, FromCloud::PairDone { device, mac }) => {
                confirm.verify(&mac).map_err(|_| SessionError::Unproven)?;
                let until = now.saturating_add(PAIRING_STEP_WITHIN);
                (State::Paired { until }, vec![Action::Pin { device, cloud_key: self.binding.cloud_key }])
            }
            (State::Ready(turns), FromCloud::Settings(settings)) => {
                (State::Ready(turns), vec![Action::Settings(settings)])
            }
            (State::Ready(turns), message) => {
                let (turns, actions) = turns.on_message(message, now)?;
                (State::Ready(turns), actions)
            }
            (state, message) => return Err(out_of_order(message.name(), &state)),
        };
        self.state = state;
        Ok(actions)
    }

    /// When to call [`Self::on_deadline`] unless a frame comes before.
    #[must_use]
    pub fn deadline(&self) -> Duration {
        let step = match &self.state {
            State::Greeting { until, .. } => return *until,
            State::Over => return self.pings.next_at,
            State::Unpaired => None,
            State::Starting { until, .. } | State::Confirming { until, .. } | State::Paired { until } => Some(*until),
            State::Ready(turns) => turns.deadline(),
        };
        let pong = self.pings.unanswered_since.map(|since| since.saturating_add(PONG_WITHIN));
        step.into_iter().chain(pong).fold(self.pings.next_at, Duration::min)
    }

    /// Time has passed.
    ///
    /// # Errors
    /// [`SessionError::Silent`] where the cloud should have spoken by now; the session is then over.
    pub fn on_deadline(&mut self, now: Duration) -> Result<Vec<Action>, SessionError> {
        let awaited = match &self.state {
            State::Over => return Err(SessionError::Over),
            State::Greeting { until, .. } => (now >= *until).then_some("Welcome"),
            State::Starting { until, .. } | State::Confirming { until, .. } | State::Paired { until } => {
                (now >= *until).then_some("answer to the pairing")
            }
            State::Ready(turns) => turns.deadline().filter(|until| now >= *until).map(|_| "answer"),
            State::Unpaired => None,
        };
        let pong =
            self.pings.unanswered_since.filter(|since| now >= since.saturating_add(PONG_WITHIN)).map(|_| "Pong");
        if let Some(awaited) = awaited.or(pong) {
            self.state = State::Over;
            return Err(SessionError::Silent { awaited });
        }
        if matches!(self.state, State::Greeting { .. }) || now < self.pings.next_at {
            return Ok(Vec::new());
        }
        // After a machine has slept, one Ping stands for all that were missed.
        while self.pings.next_at <= now {
            self.pings.next_at = self.pings.next_at.saturating_add(PING_EVERY);
        }
        self.pings.unanswered_since = Some(now);
        Ok(vec![Action::Send(FromDevice::Ping)])
    }

    /// A code was typed. `entropy` is fresh; `name` is what the app shall call the device.
    ///
    /// # Errors
    /// [`NotNow`] unless the cloud waits for a pairing.
    pub fn pair(
        &mut self,
        code: &PairingCode,
        name: Redacted<String>,
        entropy: &Entropy,
        now: Duration,
    ) -> Result<FromDevice, NotNow> {
        if !matches!(self.state, State::Unpaired) {
            return Err(NotNow { what: "pair" });
        }
        let (start, message) = DeviceStart::new(code, self.binding, entropy);
        self.state = State::Starting { start: Box::new(start), until: now.saturating_add(PAIRING_STEP_WITHIN) };
        Ok(FromDevice::PairStart { name, message })
    }

    /// Whether a stream may be opened.
    #[must_use]
    pub const fn is_online(&self) -> bool {
        matches!(self.state, State::Ready(_))
    }

    /// A permit was given. A turn that was still being answered is given up.
    ///
    /// # Errors
    /// [`NotNow`] where the session is not online, a stream is open, or the turn is not a new one.
    pub fn open(&mut self, open: StreamOpen) -> Result<FromDevice, NotNow> {
        self.turns("open")?.open(open)
    }

    /// Sound of the open stream, at most [`crate::limits::FRAME_SAMPLES_MAX`] of it.
    ///
    /// # Errors
    /// [`NotNow`] where the turn has no open stream, or it would hold more than a stream may.
    pub fn audio(&mut self, turn: TurnId, samples: Redacted<Vec<i16>>) -> Result<FromDevice, NotNow> {
        self.turns("audio")?.audio(turn, samples)
    }

    /// The stream is over. Where the last word on its turn has come already, [`Action::TurnEnd`] follows here.
    ///
    /// # Errors
    /// [`NotNow`] where the turn has no open stream.
    pub fn close(&mut self, close: StreamClose, now: Duration) -> Result<Vec<Action>, NotNow> {
        self.turns("close")?.close(close, now)
    }

    /// The reply was played to its end.
    ///
    /// # Errors
    /// [`NotNow`] where there was no such turn in this session.
    pub fn played(&mut self, turn: TurnId) -> Result<FromDevice, NotNow> {
        self.turns("played")?.played(turn)
    }

    fn turns(&mut self, what: &'static str) -> Result<&mut Turns, NotNow> {
        match &mut self.state {
            State::Ready(turns) => Ok(turns),
            _ => Err(NotNow { what }),
        }
    }
}

const fn out_of_order(message: &'static str, state: &State) -> SessionError {
    SessionError::OutOfOrder { message, state: state.name() }
}
