//! What link does: turns from the gate to the cloud and back to the loudspeaker. It waits for nothing; `main` does.

use std::time::Duration;

use base::{Redacted, SampleCount, TurnId};
use pipe::{EarToLink, Events, Line, LinkToEar};

use crate::connection::FromNet;
use crate::control::Control;
use crate::ends::Ear;
use crate::error::LinkError;
use crate::prompts::Prompt;
use crate::speaker::{self, Speaker, VoiceId};
use crate::translate;
use crate::uplink::{Report, Uplink};

mod answer;
mod drain;
mod over;

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
    /// Since its stream is closed: when what it waits for must have come, see [`over`].
    over_by: Option<Duration>,
}

#[derive(Debug)]
enum Gate {
    /// Sound passes; to nowhere where there is no session.
    Open { to_cloud: bool, passed: SampleCount },
    /// It is closed; what passed is sent once so many frames are written and the kernel has none of them unsent.
    Draining { frames: u64, is_written: bool, look_at: Duration, until: Duration },
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
    /// It lasts too long, and the loudspeaker was told to fall silent.
    Cut(VoiceId),
    /// Nothing more is heard.
    Over,
}

impl Engine {
    /// When to call [`Self::on_deadline`].
    pub(crate) fn deadline(&self) -> Option<Duration> {
        let over_by = self.turn.as_ref().and_then(|turn| turn.over_by);
        [self.uplink.deadline(), self.drain_deadline(), over_by].into_iter().flatten().min()
    }

    /// Link has started.
    pub(crate) fn begin(&mut self) -> Result<(), LinkError> {
        let mut reports = Vec::new();
        self.uplink.begin(&mut reports);
        self.take(reports, Duration::ZERO)
    }

    /// Time has passed.
    pub(crate) fn on_deadline(&mut self, now: Duration) -> Result<(), LinkError> {
        let mut reports = Vec::new();
        self.uplink.on_deadline(now, &mut reports);
        self.look_at_drain(now, &mut reports)?;
        self.take(reports, now)?;
        self.end_late_turn(now)
    }

    /// The ear let something through its gate.
    pub(crate) fn on_gate(&mut self, message: EarToLink, now: Duration) -> Result<(), LinkError> {
        let mut reports = Vec::new();
        match message {
            EarToLink::Open(open) => self.open(&open, now, &mut reports)?,
            EarToLink::Pcm { turn, pcm } => self.pass(turn, pcm, now, &mut reports)?,
            EarToLink::Close(close) => self.close(&close, now, &mut reports)?,
            EarToLink::MicOff => {
                let is_streaming = matches!(&self.turn, Some(turn) if !matches!(turn.gate, Gate::Drained));
                self.uplink.silence(is_streaming, now, &mut reports)?;
                self.tell_ear(LinkToEar::Silenced)?;
            }
        }
        self.take(reports, now)
    }

    /// A line of the control file.
    pub(crate) fn on_control(&mut self, line: Control, now: Duration) -> Result<(), LinkError> {
        let mut reports = Vec::new();
        match line {
            Control::Pair(code) => self.uplink.pair(code, now, &mut reports),
            Control::Unknown(what) => self.events.error(what),
        }
        self.take(reports, now)
    }

    /// A connection reports.
    pub(crate) fn on_net(&mut self, number: u32, event: FromNet, now: Duration) -> Result<(), LinkError> {
        let mut reports = Vec::new();
        self.uplink.on_net(number, event, now, &mut reports);
        self.take(reports, now)
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
                    && let Voice::Whole { voice, .. } | Voice::Cut(voice) = turn.voice
                    && voice == done
                {
                    let is_heard = matches!(turn.voice, Voice::Whole { is_reply: true, .. });
                    turn.voice = Voice::Over;
                    if is_heard {
                        self.uplink.played(turn.id, now, &mut reports);
                    }
                }
            }
        }
        self.take(reports, now)
    }

    fn open(&mut self, open: &pipe::StreamOpen, now: Duration, reports: &mut Vec<Report>) -> Result<(), LinkError> {
        // A turn that was not over is: its owner has asked for something else.
        // Whatever is still heard is not the new request's.
        self.speaker.stop();
        if let Some(turn) = &self.turn {
            if !matches!(turn.gate, Gate::Drained) {
                self.uplink.silence(true, now, reports)?;
            }
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
        *passed += SampleCount::of(pcm.expose());
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
        turn.wait_for_voice(now);
        if passed != close.samples_total {
            self.events.error("the gate's books do not balance: samples were lost between ear and link");
        }
        if close.reason == pipe::CloseReason::MicOff {
            return self.take_back(to_cloud, now, reports);
        }
        let frames = if to_cloud { self.uplink.close(translate::close(close), now, reports) } else { None };
        self.drain(frames, now)
    }

    /// Does what the uplink says, and then whatever of the turn has become due.
    fn take(&mut self, reports: Vec<Report>, now: Duration) -> Result<(), LinkError> {
        for report in reports {
            match report {
                Report::State { state, reason } => {
                    let line = Line::new("link").text("state", state);
                    self.events.send(match reason {
                        Some(reason) => line.text("reason", &reason),
                        None => line,
                    });
                }
                Report::Standing(standing) => self.tell_ear(LinkToEar::Standing(standing))?,
                Report::Paired(device) => {
                    self.events.send(Line::new("paired").text("device", &device.to_string()));
                    self.say_aside(Prompt::Paired)?;
                }
                Report::PairingFailed(reason) => {
                    self.events.send(Line::new("pairing_failed").text("reason", &reason));
                    self.say_aside(Prompt::PairingFailed)?;
                }
                Report::Lost => self.on_lost()?,
                Report::Written(count) => self.on_written(count, now)?,
                Report::Act(action) => self.act(action, now)?,
            }
        }
        self.advance_turn(now)
    }
}
