//! What link does: turns from the gate to the cloud and back to the loudspeaker. It waits for nothing; `main` does.

use std::time::Duration;

use base::limits::DRAIN_MAX;
use base::{Redacted, SampleCount, TurnId};
use pipe::{EarToLink, Events, Line, LinkToEar};

use crate::connection::FromNet;
use crate::control::Control;
use crate::ends::Ear;
use crate::error::LinkError;
use crate::prompts::Prompt;
use crate::speaker::{self, Speaker, VoiceId};
use crate::translate;
use crate::uplink::{Report, Uplink, count};

mod answer;

/// What of [`DRAIN_MAX`] is spent here; the rest is for the pipe to the ear.
const DRAIN_WITHIN: Duration = DRAIN_MAX.saturating_sub(Duration::from_millis(50));

/// From Close to TurnOver. A reply that is still heard then goes on, but the ear no longer waits for it.
const TURN_OVER_WITHIN: Duration = Duration::from_millis(19_500);

/// Link's state.
pub(crate) struct Engine {
    pub(crate) uplink: Uplink,
    pub(crate) speaker: Speaker,
    pub(crate) ear: Ear,
    pub(crate) events: Events,
    pub(crate) turn: Option<Turn>,
}

/// The turn that is under way.
#[derive(Debug)]
pub(crate) struct Turn {
    id: TurnId,
    gate: Gate,
    voice: Voice,
    /// What came of it, once that is known.
    outcome: Option<&'static str>,
    /// Since its stream is closed: when the ear is told that it is over, whatever else.
    over_by: Option<Duration>,
}

#[derive(Debug)]
enum Gate {
    /// Sound passes; to nowhere where there is no session.
    Open { to_cloud: bool, passed: SampleCount },
    /// It is closed; what passed is sent once so many frames are written.
    Draining { frames: u64, until: Duration },
    /// The ear was told that nothing of it is left here.
    Drained,
}

#[derive(Debug)]
enum Voice {
    /// Nothing yet.
    Awaited,
    /// This is said once the gate is closed.
    Excuse(Prompt),
    /// A reply is coming in, and is heard meanwhile.
    Reply(VoiceId),
    /// All of it is with the loudspeaker.
    Whole { voice: VoiceId, is_reply: bool },
    /// Nothing more is heard.
    Over,
}

impl Engine {
    /// When to call [`Self::on_deadline`].
    pub(crate) fn deadline(&self) -> Option<Duration> {
        let turn = self.turn.as_ref();
        let drained_by = turn.and_then(|turn| match turn.gate {
            Gate::Draining { until, .. } => Some(until),
            Gate::Open { .. } | Gate::Drained => None,
        });
        [self.uplink.deadline(), drained_by, turn.and_then(|turn| turn.over_by)].into_iter().flatten().min()
    }

    /// Link has started.
    pub(crate) fn begin(&mut self) -> Result<(), LinkError> {
        let mut reports = Vec::new();
        self.uplink.begin(&mut reports);
        self.take(reports)
    }

    /// Time has passed.
    pub(crate) fn on_deadline(&mut self, now: Duration) -> Result<(), LinkError> {
        let mut reports = Vec::new();
        self.uplink.on_deadline(now, &mut reports);
        let is_late = matches!(&self.turn, Some(Turn { gate: Gate::Draining { until, .. }, .. }) if *until <= now);
        if is_late {
            self.uplink.abandon(now, &mut reports);
        }
        self.take(reports)?;
        if self.turn.as_ref().is_some_and(|turn| turn.over_by.is_some_and(|by| by <= now)) {
            self.end_turn()?;
        }
        Ok(())
    }

    /// The ear let something through its gate.
    pub(crate) fn on_gate(&mut self, message: EarToLink, now: Duration) -> Result<(), LinkError> {
        let mut reports = Vec::new();
        match message {
            EarToLink::Open(open) => self.open(&open, now, &mut reports)?,
            EarToLink::Pcm { turn, pcm } => self.pass(turn, pcm, now, &mut reports)?,
            EarToLink::Close(close) => self.close(&close, now, &mut reports)?,
        }
        self.take(reports)
    }

    /// A line of the control file.
    pub(crate) fn on_control(&mut self, line: Control, now: Duration) -> Result<(), LinkError> {
        let mut reports = Vec::new();
        match line {
            Control::Pair(code) => self.uplink.pair(code, now, &mut reports),
            Control::Unknown(what) => self.events.error(what),
        }
        self.take(reports)
    }

    /// A connection reports.
    pub(crate) fn on_net(&mut self, number: u32, event: FromNet, now: Duration) -> Result<(), LinkError> {
        let mut reports = Vec::new();
        self.uplink.on_net(number, event, now, &mut reports);
        self.take(reports)
    }

    /// The loudspeaker reports.
    pub(crate) fn on_speaker(&mut self, report: speaker::Report, now: Duration) -> Result<(), LinkError> {
        let mut reports = Vec::new();
        match report {
            speaker::Report::Failed(what) => self.events.error(&what),
            speaker::Report::Started(started) => {
                if let Some(Turn { id, voice: Voice::Reply(voice) | Voice::Whole { voice, is_reply: true }, .. }) =
                    &self.turn
                    && *voice == started
                {
                    self.events.send(Line::new("speaking").whole("turn", id.0.into()));
                }
            }
            speaker::Report::Done(done) => {
                if let Some(turn) = &mut self.turn
                    && let Voice::Whole { voice, is_reply } = turn.voice
                    && voice == done
                {
                    turn.voice = Voice::Over;
                    if is_reply {
                        self.uplink.played(turn.id, now, &mut reports);
                    }
                }
            }
        }
        self.take(reports)
    }

    fn open(&mut self, open: &pipe::StreamOpen, now: Duration, reports: &mut Vec<Report>) -> Result<(), LinkError> {
        // A turn that was not over is: its owner has asked for something else.
        if self.turn.is_some() {
            self.speaker.stop();
            self.end_turn()?;
        }
        self.speaker.prepare();
        let excuse = match self.uplink.excuse() {
            None if self.uplink.open(translate::open(open), now, reports) => None,
            None => Some(Prompt::Offline),
            some => some,
        };
        let to_cloud = excuse.is_none();
        self.turn = Some(Turn {
            id: open.turn,
            gate: Gate::Open { to_cloud, passed: SampleCount(0) },
            voice: excuse.map_or(Voice::Awaited, Voice::Excuse),
            outcome: excuse.map(|_| "offline"),
            over_by: None,
        });
        if to_cloud {
            return Ok(());
        }
        self.uplink.hurry(now);
        self.tell_ear(LinkToEar::StopCapture { turn: open.turn, at: SampleCount(0) })
    }

    fn pass(
        &mut self,
        turn: TurnId,
        pcm: Redacted<Vec<i16>>,
        now: Duration,
        reports: &mut Vec<Report>,
    ) -> Result<(), LinkError> {
        let Some(Turn { id, gate: Gate::Open { to_cloud, passed }, .. }) = &mut self.turn else { return Ok(()) };
        if *id != turn {
            return Ok(());
        }
        *passed = SampleCount(passed.0 + count(&pcm).0);
        let through = *passed;
        if *to_cloud && self.uplink.audio(turn, pcm, now, reports) {
            return Ok(());
        }
        // It is thrown away, and fast playback goes on.
        self.tell_ear(LinkToEar::Heard { turn, through })
    }

    fn close(
        &mut self,
        close: &pipe::StreamClose,
        now: Duration,
        reports: &mut Vec<Report>,
    ) -> Result<(), LinkError> {
        let Some(turn) = self.turn.as_mut().filter(|turn| turn.id == close.turn) else { return Ok(()) };
        let Gate::Open { to_cloud, passed } = turn.gate else { return Ok(()) };
        turn.over_by = Some(now.saturating_add(TURN_OVER_WITHIN));
        let frames = if to_cloud { self.uplink.close(translate::close(close), now, reports) } else { None };
        turn.gate = match frames {
            Some(frames) => Gate::Draining { frames, until: now.saturating_add(DRAIN_WITHIN) },
            None => Gate::Drained,
        };
        let is_drained = frames.is_none();
        if passed != close.samples_total {
            self.events.error("the gate's books do not balance: samples were lost between ear and link");
        }
        if is_drained {
            self.tell_ear(LinkToEar::Drained { turn: close.turn })?;
        }
        Ok(())
    }

    /// Does what the uplink says, and then whatever of the turn has become due.
    fn take(&mut self, reports: Vec<Report>) -> Result<(), LinkError> {
        for report in reports {
            match report {
                Report::State { state, reason } => {
                    let line = Line::new("link").text("state", state);
                    self.events.send(match reason {
                        Some(reason) => line.text("reason", &reason),
                        None => line,
                    });
                }
                Report::Paired(device) => {
                    self.events.send(Line::new("paired").text("device", &device.to_string()));
                    self.say_aside(Prompt::Paired)?;
                }
                Report::PairingFailed(reason) => {
                    self.events.send(Line::new("pairing_failed").text("reason", &reason));
                    self.say_aside(Prompt::PairingFailed)?;
                }
                Report::Lost => self.on_lost()?,
                Report::Written(count) => self.on_written(count)?,
                Report::Act(action) => self.act(action)?,
            }
        }
        self.advance_turn()
    }

    fn on_written(&mut self, written: u64) -> Result<(), LinkError> {
        match &mut self.turn {
            Some(Turn { id, gate: gate @ Gate::Draining { .. }, .. }) => {
                let Gate::Draining { frames, .. } = gate else { return Ok(()) };
                if written < *frames {
                    return Ok(());
                }
                *gate = Gate::Drained;
                let turn = *id;
                self.tell_ear(LinkToEar::Drained { turn })
            }
            _ => Ok(()),
        }
    }
}
