//! A connection's stream and the turn that follows from it: at most one of each at a time.

use std::sync::Arc;

use base::units::BYTES_PER_SAMPLE;
use base::{Redacted, SampleCount, TurnId};
use tokio::sync::{mpsc, oneshot};
use wire::cloud::Session;
use wire::{CloseReason, FromCloud, Outcome, StopReason, StreamClose, StreamOpen};

use crate::door::Known;
use crate::gateway::Gateway;
use crate::hearing::{Hearing, stop_reason};
use crate::lines::log_line;
use crate::places::TurnPlace;
use crate::turn::{Turn, TurnEvent, count};

pub(crate) struct Streams {
    gateway: Arc<Gateway>,
    events: mpsc::Sender<(TurnId, TurnEvent)>,
    stream: Option<Stream>,
}

/// The stream that is open.
enum Stream {
    /// Its request has not ended.
    Heard { hearing: Box<Hearing>, known: Box<Known>, place: TurnPlace },
    /// Its request is being answered; the turn waits for the rest of the sound.
    Ended { hearing: Box<Hearing>, rest: oneshot::Sender<Redacted<Vec<i16>>> },
    /// Nothing of it is kept.
    Refused { received: SampleCount },
}

impl Streams {
    pub(crate) const fn new(gateway: Arc<Gateway>, events: mpsc::Sender<(TurnId, TurnEvent)>) -> Self {
        Self { gateway, events, stream: None }
    }

    pub(crate) fn open(&mut self, session: &mut Session, known: Known, open: StreamOpen) -> Vec<FromCloud> {
        self.gateway.counters.streams_opened(1);
        let turn = open.turn;
        let Some(place) = self.gateway.turns.take(known.device.id) else {
            log_line!(self.gateway.lines, warn, "turn.refused: too many at once", %turn, device = %known.device.id);
            return self.refuse(session, turn, SampleCount(0));
        };
        let at = self.gateway.clock.now();
        let hearing = Hearing::new(&self.gateway.vad, self.gateway.config.endpoint, open, at);
        self.stream = Some(Stream::Heard { hearing: Box::new(hearing), known: Box::new(known), place });
        Vec::new()
    }

    /// Sound of the open stream, judged as it comes: first whether it is enough, then how much was heard, so that a
    /// device which waits for the second has been told the first.
    pub(crate) fn audio(&mut self, session: &mut Session, turn: TurnId, samples: &[i16]) -> Vec<FromCloud> {
        self.gateway.counters.audio_bytes_received((samples.len() * BYTES_PER_SAMPLE) as u64);
        let mut said = Vec::new();
        let through = match &mut self.stream {
            None => return said,
            Some(Stream::Refused { received }) => {
                *received += SampleCount::of(samples);
                *received
            }
            Some(Stream::Heard { hearing, .. } | Stream::Ended { hearing, .. }) => {
                let found = hearing.push(samples);
                let received = hearing.received();
                if let Some(end) = found {
                    said.extend(session.stop_capture(turn, end.decided_at.min(received), stop_reason(end.reason)));
                    self.end_request();
                }
                received
            }
        };
        said.extend(session.heard(turn, through));
        said
    }

    pub(crate) fn close(
        &mut self,
        session: &mut Session,
        close: StreamClose,
        received: SampleCount,
    ) -> Vec<FromCloud> {
        let lost = close.samples_total - received;
        if lost > SampleCount(0) {
            log_line!(self.gateway.lines, warn, "stream.lost", turn = %close.turn, samples = lost.0);
            self.gateway.counters.audio_bytes_lost(lost.bytes());
        }
        if matches!(self.stream, Some(Stream::Heard { .. })) {
            // Whoever turns the microphones off in the middle of a request takes it back.
            if close.reason == CloseReason::MicOff {
                self.stream = None;
                count(&self.gateway.counters, Outcome::NothingHeard);
                return session.turn_end(close.turn, Outcome::NothingHeard).into_iter().collect();
            }
            self.end_request();
        }
        if let Some(Stream::Ended { hearing, rest }) = self.stream.take() {
            // A turn that is not there any more has said so itself.
            let _ = rest.send(hearing.into_pcm());
        }
        Vec::new()
    }

    /// The connection is gone. A request that was heard to its end is kept as far as it came; half a one is not.
    pub(crate) fn cut_off(&mut self) {
        match self.stream.take() {
            Some(Stream::Ended { hearing, rest }) => {
                let _ = rest.send(hearing.into_pcm());
            }
            other => {
                self.stream = other;
                self.forget();
            }
        }
    }

    /// The connection is gone, and so is its device: nothing of the stream is kept.
    pub(crate) fn forget(&mut self) {
        if let Some(Stream::Heard { hearing, known, .. }) = self.stream.take() {
            let (turn, device) = (hearing.open.turn, known.device.id);
            log_line!(self.gateway.lines, warn, "stream.cut_off: nothing of it is kept", %turn, %device);
            self.gateway.counters.utterances_not_kept(1);
            count(&self.gateway.counters, Outcome::Failed);
        }
    }

    /// The request is heard: its turn begins, and the stream goes on until the device closes it.
    fn end_request(&mut self) {
        let Some(Stream::Heard { hearing, known, place }) = self.stream.take() else { return };
        let (rest, stream) = oneshot::channel();
        let turn = Turn {
            known: *known,
            open: hearing.open.clone(),
            at: hearing.at,
            ended: self.gateway.clock.elapsed(),
            request: hearing.request(),
            stream,
            events: self.events.clone(),
            place,
        };
        tokio::spawn(turn.run(self.gateway.turn_parts()));
        self.stream = Some(Stream::Ended { hearing, rest });
    }

    fn refuse(&mut self, session: &mut Session, turn: TurnId, received: SampleCount) -> Vec<FromCloud> {
        self.stream = Some(Stream::Refused { received });
        count(&self.gateway.counters, Outcome::Failed);
        let stop = session.stop_capture(turn, received, StopReason::Failed);
        stop.into_iter().chain(session.turn_end(turn, Outcome::Failed)).collect()
    }
}
