//! One try at pairing, seen from the cloud.

use std::time::Duration;

use base::{DeviceId, Redacted};

use super::turn::Turns;
use super::{Action, State, unpaired};
use crate::error::{FrameError, SessionError};
use crate::frame::{FromCloud, PairFailure, Settings};
use crate::limits::PAIRING_STEP_WITHIN;
use crate::name::device_name;
use crate::pairing::{Binding, CloudStart, CountedTry, Entropy, Mac, PairingCode, PairingMessage};

/// What is awaited.
#[derive(Debug)]
pub(super) enum Pairing {
    /// The caller is to say which code is good.
    Code { name: Redacted<String>, message: PairingMessage },
    /// The device is to prove that it knows it.
    Proof { name: Redacted<String>, start: CloudStart },
    /// The caller is to count the try before the proof is looked at.
    Count { name: Redacted<String>, start: CloudStart, mac: Mac },
    /// The caller is to store the device before it sees the cloud's proof.
    Device { mac: Mac },
}

/// A device wants to be paired. One without a name is told so before it costs anybody a try.
pub(super) fn begin(name: &Redacted<String>, message: PairingMessage, now: Duration) -> (State, Vec<Action>) {
    match device_name(name.expose()) {
        Ok(name) => {
            let name = Redacted::new(name.to_owned());
            (Pairing::Code { name, message }.state(now), vec![Action::CodeWanted])
        }
        Err(_) => failed(PairFailure::Name, 0, now),
    }
}

impl Pairing {
    pub(super) const fn state(self, now: Duration) -> State {
        State::Pairing { pairing: self, until: now.saturating_add(PAIRING_STEP_WITHIN) }
    }

    pub(super) const fn awaited(&self) -> &'static str {
        match self {
            Self::Code { .. } => "pairing code",
            Self::Proof { .. } => "PairConfirm",
            Self::Count { .. } => "count of the try",
            Self::Device { .. } => "stored device",
        }
    }

    pub(super) fn offer(
        self,
        code: Option<&PairingCode>,
        binding: Binding,
        entropy: &Entropy,
        now: Duration,
    ) -> Result<(State, Vec<Action>), SessionError> {
        let Self::Code { name, message } = self else {
            return Err(self.out_of_order("offer_code"));
        };
        let Some(code) = code else {
            return Ok(failed(PairFailure::NoCode, 0, now));
        };
        let (start, reply) = CloudStart::new(code, binding, entropy, &message)
            .map_err(|_| FrameError::Range { field: "pairing message" })?;
        let actions = vec![Action::Send(FromCloud::PairReply { message: reply })];
        Ok((Self::Proof { name, start }.state(now), actions))
    }

    pub(super) fn confirm(self, mac: Mac) -> Result<Self, SessionError> {
        match self {
            Self::Proof { name, start } => Ok(Self::Count { name, start, mac }),
            other => Err(other.out_of_order("PairConfirm")),
        }
    }

    pub(super) fn counted(
        self,
        counted: Option<CountedTry>,
        key: [u8; 32],
        now: Duration,
    ) -> Result<(State, Vec<Action>), SessionError> {
        let Self::Count { name, start, mac } = self else {
            return Err(self.out_of_order("try_counted"));
        };
        let Some(counted) = counted else {
            return Ok(failed(PairFailure::Void, 0, now));
        };
        let tries_left = counted.tries_left;
        match start.verify(&mac, counted) {
            Ok(mac) => Ok((Self::Device { mac }.state(now), vec![Action::Register { name, key }])),
            Err(_) if tries_left == 0 => Ok(failed(PairFailure::Void, 0, now)),
            Err(_) => Ok(failed(PairFailure::WrongCode, tries_left, now)),
        }
    }

    pub(super) fn registered(
        self,
        stored: Option<(DeviceId, Settings)>,
        now: Duration,
    ) -> Result<(State, Vec<Action>), SessionError> {
        let Self::Device { mac } = self else {
            return Err(self.out_of_order("registered"));
        };
        let Some((device, settings)) = stored else {
            return Ok(failed(PairFailure::Failed, 0, now));
        };
        let actions = vec![
            Action::Send(FromCloud::PairDone { device, mac }),
            Action::Send(FromCloud::Welcome { device, settings }),
            Action::Online { device },
        ];
        Ok((State::Ready(Turns::new()), actions))
    }

    fn out_of_order(&self, message: &'static str) -> SessionError {
        SessionError::OutOfOrder { message, state: "pairing" }
    }
}

fn failed(reason: PairFailure, tries_left: u8, now: Duration) -> (State, Vec<Action>) {
    (unpaired(now), vec![Action::Send(FromCloud::PairFailed { reason, tries_left })])
}
