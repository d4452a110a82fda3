//! The cloud's side of one device's session.
//!
//! [`Session`] is given each frame that comes and the time, and returns what to do, in order: [`Action`]. What only the
//! caller can know (a pairing code, whether a try is left, a device's new id) it asks for by an action, and is told by
//! [`Session::offer_code`], [`Session::try_counted`] and [`Session::registered`]. An error ends the session: send
//! [`SessionError::refusal`] where there is one, and close.
//!
//! Time is [`base::Clock::elapsed`]. After each call, wait for the next frame until [`Session::deadline`]; when that
//! passes, call [`Session::on_deadline`].

use std::mem;
use std::time::Duration;

use base::{DeviceId, Redacted, SampleCount, TurnId};

use crate::error::{NotNow, SessionError};
use crate::frame::{
    Caption, FromCloud, FromDevice, Outcome, RefusedReason, Settings, StopReason, StreamClose, StreamOpen,
};
use crate::limits::{GREETING_WITHIN, IDLE_MAX, UNPAIRED_WITHIN};
use crate::pairing::{Binding, CountedTry, Entropy, PairingCode};

mod enrol;
mod turn;

use enrol::Pairing;
use turn::Turns;

/// Whose key the TLS session showed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Peer {
    /// A device that was paired.
    Known {
        /// Which.
        device: DeviceId,
        /// What holds for it.
        settings: Settings,
    },
    /// Nobody's: only pairing is spoken.
    Unknown,
}

/// What the caller shall do, in the order given.
#[derive(Clone, Debug, PartialEq)]
pub enum Action {
    /// Send this.
    Send(FromCloud),
    /// A device wants to be paired: answer with [`Session::offer_code`].
    CodeWanted,
    /// Count a try against the code that was offered, and only then answer with [`Session::try_counted`].
    CountTry,
    /// The device proved the code. The code is used up; store the device, and answer with [`Session::registered`].
    Register {
        /// What the app shall call it.
        name: Redacted<String>,
        /// SHA-256 of its certificate's subject public key info.
        key: [u8; 32],
    },
    /// The device may open streams from now on.
    Online {
        /// Which.
        device: DeviceId,
    },
    /// A stream was opened. A turn that still was being answered is [`Action::Abandoned`] first.
    StreamOpened(StreamOpen),
    /// Sound of the open stream.
    Audio {
        /// The turn.
        turn: TurnId,
        /// The next samples; nothing is missing before them.
        samples: Redacted<Vec<i16>>,
    },
    /// The stream is over. Books were sent.
    StreamClosed {
        /// What the device says of it.
        close: StreamClose,
        /// What arrived.
        received: SampleCount,
    },
    /// The device has turned to another request: nobody waits for this turn any more.
    Abandoned {
        /// The turn.
        turn: TurnId,
    },
    /// The answer did not come in time; the device was told so. Later calls for the turn are [`NotNow`].
    TimedOut {
        /// The turn.
        turn: TurnId,
    },
    /// The reply was heard to its end.
    Played {
        /// The turn.
        turn: TurnId,
    },
}

/// One device's session.
#[derive(Debug)]
pub struct Session {
    state: State,
    binding: Binding,
    last_heard: Duration,
}

#[derive(Debug)]
enum State {
    Greeting { peer: Peer, until: Duration },
    Unpaired { until: Duration },
    Pairing { pairing: Pairing, until: Duration },
    Ready(Turns),
    Over,
}

impl State {
    const fn name(&self) -> &'static str {
        match self {
            Self::Greeting { .. } => "waiting for Hello",
            Self::Unpaired { .. } => "unpaired",
            Self::Pairing { .. } => "pairing",
            Self::Ready(turns) => turns.state_name(),
            Self::Over => "over",
        }
    }
}

impl Session {
    /// A session on a connection that has just come up.
    #[must_use]
    pub const fn new(peer: Peer, binding: Binding, now: Duration) -> Self {
        let until = now.saturating_add(GREETING_WITHIN);
        Self { state: State::Greeting { peer, until }, binding, last_heard: now }
    }

    /// Takes a frame.
    ///
    /// # Errors
    /// Any [`SessionError`]; the session is then over.
    pub fn on_frame(&mut self, frame: &[u8], now: Duration) -> Result<Vec<Action>, SessionError> {
        if matches!(self.state, State::Over) {
            return Err(SessionError::Over);
        }
        self.last_heard = now;
        let message = FromDevice::decode(frame).inspect_err(|_| self.state = State::Over)?;
        if matches!(
            (&message, &self.state),
            (FromDevice::Ping, State::Unpaired { .. } | State::Pairing { .. } | State::Ready(_))
        ) {
            return Ok(vec![Action::Send(FromCloud::Pong)]);
        }
        // A transition consumes its state; where it fails, what stays behind is Over.
        let (state, actions) = match (mem::replace(&mut self.state, State::Over), message) {
            (State::Greeting { peer, .. }, FromDevice::Hello { paired }) => greet(peer, paired, now)?,
            (State::Unpaired { .. }, FromDevice::PairStart { name, message }) => enrol::begin(&name, message, now),
            (State::Pairing { pairing, .. }, FromDevice::PairConfirm { mac }) => {
                (pairing.confirm(mac)?.state(now), vec![Action::CountTry])
            }
            (State::Ready(turns), message) => {
                let (turns, actions) = turns.on_message(message, now)?;
                (State::Ready(turns), actions)
            }
            (state, message) => {
                return Err(SessionError::OutOfOrder { message: message.name(), state: state.name() });
            }
        };
        self.state = state;
        Ok(actions)
    }

    /// When to call [`Self::on_deadline`] unless a frame comes before; always a time, always to come or just past.
    #[must_use]
    pub fn deadline(&self) -> Duration {
        let idle = self.last_heard.saturating_add(IDLE_MAX);
        match &self.state {
            State::Greeting { until, .. } | State::Unpaired { until } | State::Pairing { until, .. } => {
                idle.min(*until)
            }
            State::Ready(turns) => turns.deadline().map_or(idle, |until| idle.min(until)),
            State::Over => self.last_heard,
        }
    }

    /// Time has passed.
    ///
    /// # Errors
    /// [`SessionError::Silent`] where the device should have spoken by now; the session is then over.
    pub fn on_deadline(&mut self, now: Duration) -> Result<Vec<Action>, SessionError> {
        if now < self.deadline() {
            return Ok(Vec::new());
        }
        let idle = self.last_heard.saturating_add(IDLE_MAX) <= now;
        let (state, actions) = match mem::replace(&mut self.state, State::Over) {
            State::Over => return Err(SessionError::Over),
            _ if idle => return Err(SessionError::Silent { awaited: "Ping" }),
            State::Greeting { .. } => return Err(SessionError::Silent { awaited: "Hello" }),
            State::Unpaired { .. } => return Err(SessionError::Silent { awaited: "pairing" }),
            State::Pairing { pairing, .. } => return Err(SessionError::Silent { awaited: pairing.awaited() }),
            State::Ready(turns) => {
                let (turns, actions) = turns.on_deadline(now)?;
                (State::Ready(turns), actions)
            }
        };
        self.state = state;
        Ok(actions)
    }

    /// The answer to [`Action::CodeWanted`]: the code that the app shows now, if one is good. `entropy` is fresh.
    ///
    /// # Errors
    /// [`SessionError::Frame`] where the device's half of the exchange is none; [`SessionError::OutOfOrder`] where no code
    /// was asked for.
    pub fn offer_code(
        &mut self,
        code: Option<&PairingCode>,
        entropy: &Entropy,
        now: Duration,
    ) -> Result<Vec<Action>, SessionError> {
        let pairing = self.take_pairing("offer_code")?;
        let (state, actions) = pairing.offer(code, self.binding, entropy, now)?;
        self.state = state;
        Ok(actions)
    }

    /// The answer to [`Action::CountTry`]: the try, or nothing where the code is void, used up or replaced by now.
    ///
    /// # Errors
    /// [`SessionError::OutOfOrder`] where no try was asked for.
    pub fn try_counted(&mut self, counted: Option<CountedTry>, now: Duration) -> Result<Vec<Action>, SessionError> {
        let pairing = self.take_pairing("try_counted")?;
        let (state, actions) = pairing.counted(counted, self.binding.device_key, now)?;
        self.state = state;
        Ok(actions)
    }

    /// The answer to [`Action::Register`]: the device as it was stored, or nothing where that failed.
    ///
    /// # Errors
    /// [`SessionError::OutOfOrder`] where nothing was to be registered.
    pub fn registered(
        &mut self,
        stored: Option<(DeviceId, Settings)>,
        now: Duration,
    ) -> Result<Vec<Action>, SessionError> {
        let pairing = self.take_pairing("registered")?;
        let (state, actions) = pairing.registered(stored, now)?;
        self.state = state;
        Ok(actions)
    }

    /// The turn that is being heard or answered.
    #[must_use]
    pub fn turn(&self) -> Option<TurnId> {
        match &self.state {
            State::Ready(turns) => turns.current(),
            _ => None,
        }
    }

    /// Other settings, once the device is online.
    ///
    /// # Errors
    /// [`NotNow`] before that.
    pub fn settings(&self, settings: Settings) -> Result<FromCloud, NotNow> {
        match self.state {
            State::Ready(_) => Ok(FromCloud::Settings(settings)),
            _ => Err(NotNow { what: "settings" }),
        }
    }

    /// So much of the stream has been processed.
    ///
    /// # Errors
    /// [`NotNow`] where the turn is over, or so much has not arrived.
    pub fn heard(&mut self, turn: TurnId, through: SampleCount) -> Result<FromCloud, NotNow> {
        self.turns("heard")?.heard(turn, through)
    }

    /// The request is processed: the microphone shall close. Once a turn, before its reply.
    ///
    /// # Errors
    /// [`NotNow`] where the stream is closed, or was told to.
    pub fn stop_capture(&mut self, turn: TurnId, at: SampleCount, reason: StopReason) -> Result<FromCloud, NotNow> {
        self.turns("stop_capture")?.stop_capture(turn, at, reason)
    }

    /// What was understood.
    ///
    /// # Errors
    /// [`NotNow`] where the turn is over.
    pub fn caption(&mut self, caption: Caption) -> Result<FromCloud, NotNow> {
        self.turns("caption")?.caption(caption)
    }

    /// A spoken reply begins, once the stream is closed or was told to.
    ///
    /// # Errors
    /// [`NotNow`] where the turn is over, still listening, or has had its reply.
    pub fn reply_start(&mut self, turn: TurnId, rate_hz: u32, now: Duration) -> Result<FromCloud, NotNow> {
        self.turns("reply_start")?.reply_start(turn, rate_hz, now)
    }

    /// Sound of the reply, of any length: as many frames as it takes.
    ///
    /// # Errors
    /// [`NotNow`] where no reply has begun.
    pub fn reply_audio(&mut self, turn: TurnId, samples: &[i16]) -> Result<Vec<FromCloud>, NotNow> {
        self.turns("reply_audio")?.reply_audio(turn, samples)
    }

    /// The reply is whole.
    ///
    /// # Errors
    /// [`NotNow`] where no reply has begun.
    pub fn reply_end(&mut self, turn: TurnId, now: Duration) -> Result<FromCloud, NotNow> {
        self.turns("reply_end")?.reply_end(turn, now)
    }

    /// The last word on a turn; a reply that has begun must have ended.
    ///
    /// # Errors
    /// [`NotNow`] where the turn is over or still replying.
    pub fn turn_end(&mut self, turn: TurnId, outcome: Outcome) -> Result<FromCloud, NotNow> {
        self.turns("turn_end")?.turn_end(turn, outcome)
    }

    fn turns(&mut self, what: &'static str) -> Result<&mut Turns, NotNow> {
        match &mut self.state {
            State::Ready(turns) => Ok(turns),
            _ => Err(NotNow { what }),
        }
    }

    fn take_pairing(&mut self, call: &'static str) -> Result<Pairing, SessionError> {
        match mem::replace(&mut self.state, State::Over) {
            State::Pairing { pairing, .. } => Ok(pairing),
            state => Err(SessionError::OutOfOrder { message: call, state: state.name() }),
        }
    }
}

fn greet(peer: Peer, paired: bool, now: Duration) -> Result<(State, Vec<Action>), SessionError> {
    match (peer, paired) {
        (Peer::Known { device, settings }, true) => {
            let actions = vec![Action::Send(FromCloud::Welcome { device, settings }), Action::Online { device }];
            Ok((State::Ready(Turns::new()), actions))
        }
        (Peer::Unknown, true) => Err(SessionError::Refused(RefusedReason::UnknownDevice)),
        // Also a device whose key is known but which lost its pin, as when it was switched off between the two writes.
        (_, false) => Ok((unpaired(now), vec![Action::Send(FromCloud::Unpaired)])),
    }
}

const fn unpaired(now: Duration) -> State {
    State::Unpaired { until: now.saturating_add(UNPAIRED_WITHIN) }
}
