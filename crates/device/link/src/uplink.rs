//! The way to the cloud: when to connect, as what, and what the session over it says.
//!
//! A device without a pin connects for a pairing only, when a code is typed. One with a pin is always connected or about to
//! be. A pairing of a paired device replaces its pin only once the new cloud has proved the code.

use std::mem;
use std::sync::Arc;
use std::time::Duration;

use base::{DeviceId, Redacted, TurnId};
use pipe::Standing;
use tokio::sync::mpsc;
use wire::device::{Action, Session};
use wire::pairing::PairingCode;
use wire::{FromDevice, NotNow, RefusedReason, SessionError, StreamClose, StreamOpen};

use crate::connection::{Connection, FromNet, Target};
use crate::error::LinkError;
use crate::prompts::Prompt;
use crate::store::{Identity, Pin, Store};
use crate::tls;

mod cut;
mod standing;

use standing::back_off;

/// What comes of it, in order.
#[derive(Debug)]
pub(crate) enum Report {
    /// The link is in another state now.
    State { state: &'static str, reason: Option<String> },
    /// What of it a person at the device is shown.
    Standing(Standing),
    /// A cloud was pinned.
    Paired(DeviceId),
    /// A pairing came to nothing.
    PairingFailed(String),
    /// What was under way over the session is lost.
    Lost,
    /// So many frames of this connection were sent.
    Written(u64),
    /// What the session wants done for turns and settings.
    Act(Action),
}

/// The way to the cloud.
#[derive(Debug)]
pub(crate) struct Uplink {
    store: Store,
    identity: Identity,
    cloud: String,
    name: Redacted<String>,
    pin: Option<Pin>,
    state: State,
    reports: mpsc::Sender<(u32, FromNet)>,
    n_connections: u32,
    n_failures: u32,
    shown: &'static str,
}

#[derive(Debug)]
enum State {
    /// Nothing is connected until a code is typed.
    Unpaired,
    /// The next attempt is due then.
    Waiting {
        until: Duration,
        refused: Option<RefusedReason>,
    },
    Connecting {
        connection: Connection,
        purpose: Purpose,
    },
    Up {
        connection: Connection,
        session: Box<Session>,
        purpose: Purpose,
    },
}

#[derive(Debug)]
enum Purpose {
    Turns,
    Pairing(PairingCode),
}

impl Uplink {
    /// Reads the pin; nothing is connected yet.
    ///
    /// # Errors
    /// [`LinkError::File`], [`LinkError::Damaged`].
    pub(crate) fn new(
        store: Store,
        identity: Identity,
        cloud: String,
        name: &str,
        reports: mpsc::Sender<(u32, FromNet)>,
    ) -> Result<Self, LinkError> {
        let pin = store.pin()?;
        let state = match pin {
            Some(_) => State::Waiting { until: Duration::ZERO, refused: None },
            None => State::Unpaired,
        };
        let name = Redacted::new(name.to_owned());
        Ok(Self { store, identity, cloud, name, pin, state, reports, n_connections: 0, n_failures: 0, shown: "" })
    }

    /// Says how things stand at the start.
    pub(crate) fn begin(&mut self, out: &mut Vec<Report>) {
        if matches!(self.state, State::Unpaired) {
            self.show("unpaired", Standing::Unpaired, None, out);
        }
    }

    /// When to call [`Self::on_deadline`].
    pub(crate) fn deadline(&self) -> Option<Duration> {
        match &self.state {
            State::Waiting { until, .. } => Some(*until),
            State::Up { session, .. } => Some(session.deadline()),
            State::Unpaired | State::Connecting { .. } => None,
        }
    }

    /// Time has passed.
    pub(crate) fn on_deadline(&mut self, now: Duration, out: &mut Vec<Report>) {
        match &mut self.state {
            State::Waiting { until, .. } if *until <= now => self.connect(Purpose::Turns, now, out),
            State::Up { session, .. } => {
                let result = session.on_deadline(now);
                self.settle(result, now, out);
            }
            _ => {}
        }
    }

    /// A code was typed.
    pub(crate) fn pair(&mut self, code: PairingCode, now: Duration, out: &mut Vec<Report>) {
        let before = mem::replace(&mut self.state, State::Unpaired);
        match before {
            State::Up { purpose: Purpose::Turns, .. } => out.push(Report::Lost),
            State::Up { purpose: Purpose::Pairing(_), .. }
            | State::Connecting { purpose: Purpose::Pairing(_), .. } => {
                out.push(Report::PairingFailed("another code was typed".to_owned()));
            }
            _ => {}
        }
        self.connect(Purpose::Pairing(code), now, out);
    }

    /// The owner wants something: an attempt that waits is made now.
    pub(crate) fn hurry(&mut self, now: Duration) {
        if let State::Waiting { until, .. } = &mut self.state {
            *until = now;
        }
    }

    /// A connection reports.
    pub(crate) fn on_net(&mut self, number: u32, event: FromNet, now: Duration, out: &mut Vec<Report>) {
        let current = match &self.state {
            State::Connecting { connection, .. } | State::Up { connection, .. } => connection.number(),
            State::Unpaired | State::Waiting { .. } => return,
        };
        if number != current {
            return;
        }
        match event {
            FromNet::Down(error) => self.fail(error, now, out),
            FromNet::Written(count) => out.push(Report::Written(count)),
            FromNet::Frame(frame) => {
                if let State::Up { session, .. } = &mut self.state {
                    let result = session.on_frame(&frame, now);
                    self.settle(result, now, out);
                }
            }
            FromNet::Up { binding, socket } => {
                if let State::Connecting { mut connection, purpose } = mem::replace(&mut self.state, State::Unpaired)
                {
                    connection.attach(socket);
                    let (session, hello) = Session::new(matches!(purpose, Purpose::Turns), binding, now);
                    self.state = State::Up { connection, session: Box::new(session), purpose };
                    self.settle(Ok(vec![Action::Send(hello)]), now, out);
                }
            }
        }
    }

    /// What the device says by itself when it is asked something now; nothing where its cloud can be asked.
    pub(crate) fn excuse(&self) -> Option<Prompt> {
        match &self.state {
            State::Up { session, .. } if session.is_online() => None,
            State::Unpaired => Some(Prompt::NotPaired),
            State::Waiting { refused: Some(RefusedReason::UnknownDevice), .. } => Some(Prompt::Revoked),
            State::Waiting { refused: Some(RefusedReason::Version), .. } => Some(Prompt::WrongVersion),
            _ if self.pin.is_none() => Some(Prompt::NotPaired),
            _ => Some(Prompt::Offline),
        }
    }

    /// Opens a stream; `false` where there is no session to open it in.
    pub(crate) fn open(&mut self, open: StreamOpen, now: Duration, out: &mut Vec<Report>) -> bool {
        self.say(|session| session.open(open), now, out)
    }

    /// Sends sound; `false` where it was thrown away.
    pub(crate) fn audio(
        &mut self,
        turn: TurnId,
        samples: Redacted<Vec<i16>>,
        now: Duration,
        out: &mut Vec<Report>,
    ) -> bool {
        self.say(|session| session.audio(turn, samples), now, out)
    }

    /// Says that the reply was heard.
    pub(crate) fn played(&mut self, turn: TurnId, now: Duration, out: &mut Vec<Report>) {
        self.say(|session| session.played(turn), now, out);
    }

    /// Closes the stream; returns how many frames must be written until all of it was sent, or nothing where there is
    /// no session any more.
    pub(crate) fn close(&mut self, close: StreamClose, now: Duration, out: &mut Vec<Report>) -> Option<u64> {
        let State::Up { session, .. } = &mut self.state else { return None };
        let actions = session.close(close, now).ok()?;
        self.settle(Ok(actions), now, out);
        match &self.state {
            State::Up { connection, .. } => Some(connection.queued()),
            _ => None,
        }
    }

    fn say(
        &mut self,
        call: impl FnOnce(&mut Session) -> Result<FromDevice, NotNow>,
        now: Duration,
        out: &mut Vec<Report>,
    ) -> bool {
        let State::Up { session, .. } = &mut self.state else { return false };
        let Ok(message) = call(session) else { return false };
        self.settle(Ok(vec![Action::Send(message)]), now, out);
        matches!(self.state, State::Up { .. })
    }

    fn connect(&mut self, purpose: Purpose, now: Duration, out: &mut Vec<Report>) {
        let is_pairing = matches!(purpose, Purpose::Pairing(_));
        let pin = match purpose {
            Purpose::Turns => self.pin.map(|pin| pin.cloud_key),
            Purpose::Pairing(_) => None,
        };
        self.n_connections = self.n_connections.wrapping_add(1);
        let tls = match tls::client(&self.identity, pin) {
            Ok(tls) => Arc::new(tls),
            Err(error) => return self.fail(error, now, out),
        };
        let target = Target { cloud: self.cloud.clone(), tls, device_key: self.identity.fingerprint };
        let connection = Connection::start(self.n_connections, target, self.reports.clone());
        self.state = State::Connecting { connection, purpose };
        // Attempts after the first are not news: the state stays "offline" until one succeeds.
        let standing = if is_pairing { Standing::Pairing } else { Standing::Connecting };
        if !matches!(self.shown, "offline" | "refused") {
            self.show("connecting", standing, None, out);
        } else if is_pairing {
            out.push(Report::Standing(standing));
        }
    }

    /// Does what the session says, or ends it.
    fn settle(&mut self, result: Result<Vec<Action>, SessionError>, now: Duration, out: &mut Vec<Report>) {
        let done = result
            .map_err(LinkError::from)
            .and_then(|actions| actions.into_iter().try_for_each(|action| self.act(action, now, out)));
        if let Err(error) = done {
            self.fail(error, now, out);
        }
    }

    fn act(&mut self, action: Action, now: Duration, out: &mut Vec<Report>) -> Result<(), LinkError> {
        let State::Up { connection, session, purpose } = &mut self.state else { return Ok(()) };
        match action {
            Action::Send(message) => {
                let frame = message.encode().map_err(SessionError::from)?;
                if connection.send(frame) { Ok(()) } else { Err(LinkError::Stalled) }
            }
            Action::Unpaired => {
                let Purpose::Pairing(code) = purpose else { return Ok(()) };
                let entropy = tls::random()?.into();
                let Ok(message) = session.pair(code, self.name.clone(), &entropy, now) else { return Ok(()) };
                self.act(Action::Send(message), now, out)
            }
            Action::Pin { device, cloud_key } => {
                let pin = Pin { device, cloud_key };
                self.store.set_pin(&pin)?;
                self.pin = Some(pin);
                *purpose = Purpose::Turns;
                out.push(Report::Paired(device));
                Ok(())
            }
            Action::PairingFailed { reason, tries_left } => {
                out.push(Report::Standing(standing::of_failed_pairing(reason)));
                out.push(Report::PairingFailed(standing::why_not(reason, tries_left)));
                self.rest(now, out);
                Ok(())
            }
            Action::Online { settings, .. } => {
                self.n_failures = 0;
                self.show("online", Standing::Online, None, out);
                out.push(Report::Act(Action::Settings(settings)));
                Ok(())
            }
            other => {
                out.push(Report::Act(other));
                Ok(())
            }
        }
    }

    /// The connection is no more, for this reason.
    fn fail(&mut self, error: LinkError, now: Duration, out: &mut Vec<Report>) {
        let purpose = match mem::replace(&mut self.state, State::Unpaired) {
            State::Connecting { purpose, .. } | State::Up { purpose, .. } => purpose,
            State::Unpaired | State::Waiting { .. } => Purpose::Turns,
        };
        self.fail_as(purpose, error, now, out);
    }

    fn fail_as(&mut self, purpose: Purpose, error: LinkError, now: Duration, out: &mut Vec<Report>) {
        if let Purpose::Pairing(_) = purpose {
            out.push(Report::Standing(standing::of_broken_pairing(&error)));
            out.push(Report::PairingFailed(error.to_string()));
            return self.rest(now, out);
        }
        let refused = match &error {
            LinkError::Session(SessionError::Refused(reason)) => Some(*reason),
            _ => None,
        };
        self.n_failures = self.n_failures.saturating_add(1);
        self.state = State::Waiting { until: now.saturating_add(back_off(self.n_failures)), refused };
        let is_refused = refused.is_some() || matches!(error, LinkError::AnotherKey);
        let standing = standing::of_failure(&error);
        self.show(if is_refused { "refused" } else { "offline" }, standing, Some(error.to_string()), out);
        out.push(Report::Lost);
    }

    /// After a pairing that failed: what it was before.
    fn rest(&mut self, now: Duration, out: &mut Vec<Report>) {
        if self.pin.is_some() {
            self.state = State::Waiting { until: now, refused: None };
        } else {
            self.state = State::Unpaired;
            self.show("unpaired", Standing::Unpaired, None, out);
        }
    }

    fn show(&mut self, state: &'static str, standing: Standing, reason: Option<String>, out: &mut Vec<Report>) {
        // Two refusals are one state and may be two things to know.
        out.push(Report::Standing(standing));
        if self.shown != state {
            self.shown = state;
            out.push(Report::State { state, reason });
        }
    }
}
