//! What the gate decides, put into pipes, events and books.

use base::{Redacted, SampleCount, TurnId};
use gate::{Closing, Opening, Outlet, Passed};
use pipe::{Cause, CloseReason, EarToLink, EarToPanel, Events, Line, Outbox, PipeError, StreamClose, StreamOpen};

use crate::error::EarStop;

/// The gate's outlet. What goes wrong is kept for [`Doors::outcome`].
pub(crate) struct Doors<'a> {
    pub(crate) to_panel: Outbox<EarToPanel>,
    pub(crate) to_link: Outbox<EarToLink>,
    pub(crate) events: &'a mut Events,
    /// What a turn would be wanted for.
    cause: Cause,
    /// What the running turn was asked for.
    asked: Cause,
    /// Samples written to link's pipe in this stream, counted here and nowhere else (invariant I10).
    sent: SampleCount,
    failure: Option<EarStop>,
}

impl<'a> Doors<'a> {
    pub(crate) const fn new(
        to_panel: Outbox<EarToPanel>,
        to_link: Outbox<EarToLink>,
        events: &'a mut Events,
    ) -> Self {
        Self {
            to_panel,
            to_link,
            events,
            cause: Cause::Button,
            asked: Cause::Button,
            sent: SampleCount(0),
            failure: None,
        }
    }

    /// Sets what a turn would be wanted for, should the gate ask for one.
    pub(crate) const fn because(&mut self, cause: Cause) -> &mut Self {
        self.cause = cause;
        self
    }

    /// Tells the panel something that is not the gate's.
    pub(crate) fn tell_panel(&mut self, message: &EarToPanel) {
        let outcome = self.to_panel.send(message);
        self.keep("panel", outcome);
    }

    /// Sends what is queued.
    pub(crate) fn flush(&mut self) {
        let outcome = self.to_panel.flush();
        self.keep("panel", outcome);
        let outcome = self.to_link.flush();
        self.keep("link", outcome);
    }

    /// Whether everything was told so far.
    pub(crate) fn outcome(&mut self) -> Result<(), EarStop> {
        self.failure.take().map_or(Ok(()), Err)
    }

    /// Whether something waits for a pipe.
    pub(crate) fn is_waiting(&self) -> bool {
        self.to_panel.is_waiting() || self.to_link.is_waiting()
    }

    /// Tells link something, in its place among what passes the gate.
    pub(crate) fn tell_link(&mut self, message: &EarToLink) {
        let outcome = self.to_link.send(message);
        self.keep("link", outcome);
    }

    fn keep(&mut self, peer: &'static str, outcome: Result<(), PipeError>) {
        if let Err(source) = outcome {
            self.failure.get_or_insert(EarStop::Pipe { peer, source });
        }
    }
}

impl Outlet for Doors<'_> {
    fn ask(&mut self, turn: TurnId, _: gate::Cause) {
        self.asked = self.cause;
        self.tell_panel(&EarToPanel::Ask { turn, cause: self.asked });
    }

    fn open(&mut self, opening: Opening) {
        let Opening { turn, start, onset } = opening;
        let name = self.asked.name();
        self.events.send(Line::new("permit").whole("turn", turn.0.into()).text("cause", name));
        self.events.send(Line::new("gate_open").whole("turn", turn.0.into()).whole("start", start.0));
        self.sent = SampleCount(0);
        self.tell_link(&EarToLink::Open(StreamOpen { turn, cause: self.asked, start, onset }));
    }

    fn pass(&mut self, passed: Passed<'_>) {
        let (turn, samples) = (passed.permit().turn(), passed.samples());
        self.sent += SampleCount::of(samples);
        self.tell_link(&EarToLink::Pcm { turn, pcm: Redacted::new(samples.to_vec()) });
    }

    fn close(&mut self, closing: Closing) {
        let Closing { turn, start, end, passed, .. } = closing;
        if passed != self.sent {
            self.failure.get_or_insert(EarStop::Books(turn));
        }
        let reason = match closing.reason {
            gate::CloseReason::StopCapture => CloseReason::StopCapture,
            gate::CloseReason::Limit => CloseReason::Limit,
            gate::CloseReason::MicOff => CloseReason::MicOff,
            gate::CloseReason::MicGone => CloseReason::MicGone,
        };
        let line = Line::new("gate_close").whole("turn", turn.0.into()).whole("start", start.0).whole("end", end.0);
        self.events.send(line.whole("bytes", self.sent.bytes()).text("reason", reason.name()));
        self.tell_link(&EarToLink::Close(StreamClose { turn, end, samples_total: self.sent, reason }));
    }

    fn permit_over(&mut self, turn: TurnId) {
        self.events.send(Line::new("permit_over").whole("turn", turn.0.into()));
        self.tell_panel(&EarToPanel::ListeningOver { turn });
    }

    fn turn_over(&mut self, turn: TurnId) {
        self.tell_panel(&EarToPanel::TurnOver { turn });
    }
}
