//! The end of a stream: when nothing of it is left here, and how it is made sure of (invariants I2 and I3).
//!
//! Bytes that were written are still the kernel's for as long as the network does not take them. What was sent and is not
//! yet confirmed does not count at an ordinary end, or every turn on a slow network would be torn off.

use std::time::Duration;

use base::limits::DRAIN_MAX;
use pipe::LinkToEar;

use super::{Engine, Gate, Turn, Voice};
use crate::error::LinkError;
use crate::uplink::Report;

/// What of [`DRAIN_MAX`] is spent here; the rest is for the pipe to the ear.
const DRAIN_WITHIN: Duration = DRAIN_MAX.saturating_sub(Duration::from_millis(50));

/// How often the kernel is asked whether it has sent what was written: it tells nobody by itself.
const LOOK_EVERY: Duration = Duration::from_millis(5);

impl Engine {
    pub(super) fn drain_deadline(&self) -> Option<Duration> {
        match self.turn.as_ref()?.gate {
            Gate::Draining { is_written: true, look_at, until, .. } => Some(look_at.min(until)),
            Gate::Draining { until, .. } => Some(until),
            Gate::Open { .. } | Gate::Drained => None,
        }
    }

    /// The stream is closed; so many frames are to be written until all of it is sent, or none where there is no session.
    pub(super) fn drain(&mut self, frames: Option<u64>, now: Duration) -> Result<(), LinkError> {
        let Some(turn) = &mut self.turn else { return Ok(()) };
        match frames {
            Some(frames) => {
                let until = now.saturating_add(DRAIN_WITHIN);
                turn.gate = Gate::Draining { frames, is_written: false, look_at: now, until };
                Ok(())
            }
            None => self.drained(),
        }
    }

    /// The microphones were turned off in the stream: its owner takes it back, and nothing more of it leaves.
    pub(super) fn take_back(
        &mut self,
        to_cloud: bool,
        now: Duration,
        reports: &mut Vec<Report>,
    ) -> Result<(), LinkError> {
        if let Some(turn) = self.turn.as_mut().filter(|_| to_cloud) {
            // Nobody is sorry for it either: it was no failure.
            if matches!(turn.voice, Voice::Awaited) {
                turn.voice = Voice::Over;
            }
            turn.outcome.get_or_insert("nothing_heard");
            self.uplink.silence(true, now, reports)?;
        }
        self.drained()
    }

    pub(super) fn on_written(&mut self, written: u64, now: Duration) -> Result<(), LinkError> {
        match &mut self.turn {
            Some(Turn { gate: Gate::Draining { frames, is_written, .. }, .. }) if written >= *frames => {
                *is_written = true;
            }
            _ => return Ok(()),
        }
        self.drained_if_sent(now)
    }

    /// Time has passed: what could not be sent within the permit's time is thrown away, with its connection.
    pub(super) fn look_at_drain(&mut self, now: Duration, reports: &mut Vec<Report>) -> Result<(), LinkError> {
        self.drained_if_sent(now)?;
        match self.turn {
            Some(Turn { gate: Gate::Draining { until, .. }, .. }) if until <= now => {
                self.uplink.abandon(now, reports)
            }
            _ => Ok(()),
        }
    }

    fn drained_if_sent(&mut self, now: Duration) -> Result<(), LinkError> {
        match &mut self.turn {
            Some(Turn { gate: Gate::Draining { is_written: true, look_at, .. }, .. }) if *look_at <= now => {
                if !self.uplink.is_sent() {
                    *look_at = now.saturating_add(LOOK_EVERY);
                    return Ok(());
                }
            }
            _ => return Ok(()),
        }
        self.drained()
    }

    fn drained(&mut self) -> Result<(), LinkError> {
        let Some(turn) = &mut self.turn else { return Ok(()) };
        turn.gate = Gate::Drained;
        let turn = turn.id;
        self.tell_ear(LinkToEar::Drained { turn })
    }
}
