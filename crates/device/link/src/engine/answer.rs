//! What comes back: the cloud's answer to a turn, or the lack of one.

use std::time::Duration;

use base::limits::REPLY_SECONDS_MAX;
use pipe::{Line, LinkToEar};
use wire::Outcome;
use wire::device::Action;

use super::{Engine, Gate, Turn, Voice};
use crate::error::LinkError;
use crate::prompts::Prompt;
use crate::translate::{self, caption_line};

impl Engine {
    pub(super) fn on_lost(&mut self) -> Result<(), LinkError> {
        let excuse = self.uplink.excuse().unwrap_or(Prompt::Offline);
        let Some(turn) = &mut self.turn else { return Ok(()) };
        let id = turn.id;
        match turn.voice {
            Voice::Awaited => {
                turn.voice = Voice::Excuse(excuse);
                turn.outcome = Some("offline");
            }
            Voice::Reply(voice) => {
                self.speaker.end();
                turn.voice = Voice::Whole { voice, is_reply: true };
                turn.outcome = Some("failed");
            }
            Voice::Excuse(_) | Voice::Whole { .. } | Voice::Cut(_) | Voice::Over => {
                turn.outcome.get_or_insert("failed");
            }
        }
        match &mut turn.gate {
            Gate::Open { to_cloud: to_cloud @ true, passed } => {
                *to_cloud = false;
                let at = *passed;
                self.tell_ear(LinkToEar::StopCapture { turn: id, at })
            }
            gate @ Gate::Draining { .. } => {
                *gate = Gate::Drained;
                self.tell_ear(LinkToEar::Drained { turn: id })
            }
            Gate::Open { .. } | Gate::Drained => Ok(()),
        }
    }

    pub(super) fn act(&mut self, action: Action, now: Duration) -> Result<(), LinkError> {
        match action {
            Action::Settings(settings) => {
                let sensitivity = translate::sensitivity(settings.sensitivity);
                self.tell_ear(LinkToEar::Settings { sensitivity })
            }
            Action::Heard { turn, through } => self.tell_ear(LinkToEar::Heard { turn, through }),
            Action::StopCapture { turn, at, .. } => self.tell_ear(LinkToEar::StopCapture { turn, at }),
            Action::Books { turn, sent, received } => {
                let line = Line::new("books").whole("turn", turn.0.into());
                let line = line.whole("sent", sent.bytes()).whole("received", received.bytes());
                self.events.send(line.whole("lost", sent.bytes().saturating_sub(received.bytes())));
                Ok(())
            }
            Action::Caption(caption) => {
                self.events.send(caption_line(&caption));
                Ok(())
            }
            Action::ReplyStart { turn, rate_hz } => {
                if let Some(turn) = self.turn.as_mut().filter(|current| current.id == turn) {
                    let voice = Voice::Reply(self.speaker.begin(rate_hz));
                    turn.voice_begins(voice, now);
                }
                Ok(())
            }
            Action::ReplyAudio { turn, samples } => {
                if let Some(turn) = self.turn.as_mut().filter(|current| current.id == turn)
                    && let Voice::Reply(voice) = turn.voice
                    && !self.speaker.push(samples)
                {
                    // It is longer than any may be: what there is of it is heard, and the rest is not.
                    turn.voice = Voice::Whole { voice, is_reply: true };
                    self.speaker.end();
                    let line = Line::new("reply_cut").whole("turn", turn.id.0.into());
                    self.events.send(line.text("reason", "too_long").whole("seconds", REPLY_SECONDS_MAX.into()));
                }
                Ok(())
            }
            Action::ReplyEnd { turn } => {
                if let Some(turn) = self.turn.as_mut().filter(|current| current.id == turn)
                    && let Voice::Reply(voice) = turn.voice
                {
                    turn.voice = Voice::Whole { voice, is_reply: true };
                    self.speaker.end();
                }
                Ok(())
            }
            Action::TurnEnd { turn, outcome } => {
                if let Some(turn) = self.turn.as_mut().filter(|current| current.id == turn) {
                    turn.outcome = Some(translate::outcome(outcome));
                    match turn.voice {
                        Voice::Awaited if matches!(outcome, Outcome::Failed | Outcome::NotKept) => {
                            turn.voice = Voice::Excuse(Prompt::Failed)
                        }
                        Voice::Awaited => turn.voice = Voice::Over,
                        _ => {}
                    }
                }
                Ok(())
            }
            // These are the uplink's own.
            Action::Send(_)
            | Action::Unpaired
            | Action::Pin { .. }
            | Action::PairingFailed { .. }
            | Action::Online { .. } => Ok(()),
        }
    }

    /// Speaks the excuse once nothing of the request is left here, and ends the turn once there is nothing left to come.
    pub(super) fn advance_turn(&mut self, now: Duration) -> Result<(), LinkError> {
        let Some(turn) = self.turn.as_mut().filter(|turn| matches!(turn.gate, Gate::Drained)) else { return Ok(()) };
        match turn.voice {
            Voice::Excuse(prompt) => {
                let voice = self.speaker.begin(Prompt::RATE_HZ);
                turn.voice_begins(Voice::Whole { voice, is_reply: false }, now);
                self.speaker.push(prompt.samples()?.into());
                self.speaker.end();
                Ok(())
            }
            Voice::Over if turn.outcome.is_some() => self.end_turn(),
            _ => Ok(()),
        }
    }

    /// The turn is over, whatever was still to come of it.
    pub(super) fn end_turn(&mut self) -> Result<(), LinkError> {
        let Some(Turn { id, gate, outcome, .. }) = self.turn.take() else { return Ok(()) };
        if !matches!(gate, Gate::Drained) {
            self.tell_ear(LinkToEar::Drained { turn: id })?;
        }
        self.events.send(Line::new("turn").whole("turn", id.0.into()).text("outcome", outcome.unwrap_or("failed")));
        self.tell_ear(LinkToEar::TurnOver { turn: id })
    }

    /// Says what belongs to no turn, where somebody is there to hear it.
    pub(super) fn say_aside(&mut self, prompt: Prompt) -> Result<(), LinkError> {
        if self.turn.is_none() && self.speaker.is_card() {
            self.speaker.begin(Prompt::RATE_HZ);
            self.speaker.push(prompt.samples()?.into());
            self.speaker.end();
        }
        Ok(())
    }

    pub(super) fn tell_ear(&mut self, message: LinkToEar) -> Result<(), LinkError> {
        Ok(self.ear.send(&message)?)
    }
}
