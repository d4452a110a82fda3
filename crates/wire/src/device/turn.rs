//! Turns, one at a time, seen from the device.

use std::collections::VecDeque;
use std::time::Duration;

use base::{Redacted, SampleCount, TurnId};

use super::Action;
use crate::error::{NotNow, SessionError};
use crate::frame::{FromCloud, FromDevice, Outcome, StreamClose, StreamOpen};
use crate::limits::{STREAM_SAMPLES_MAX, TURN_WITHIN, UNBOOKED_MAX};

#[derive(Debug)]
pub(super) struct Turns {
    /// The turn whose last word is still to come.
    current: Option<Turn>,
    /// The number of the last one that was opened: numbers only grow.
    last: Option<TurnId>,
    /// What was sent of each stream that is closed and whose Books have not come: oldest first, they come in order.
    unbooked: VecDeque<(TurnId, SampleCount)>,
}

#[derive(Debug)]
struct Turn {
    id: TurnId,
    sent: SampleCount,
    stream: Stream,
    answer: Answer,
}

#[derive(Debug)]
enum Stream {
    Open { next_sequence: u32, stopped: bool },
    Closed { until: Duration },
}

#[derive(Debug)]
enum Answer {
    Pending,
    /// The deadline starts afresh with the reply: only its sending counts, not its playing.
    Replying {
        until: Duration,
    },
    Replied,
    /// The last word came before the stream was closed.
    Ended {
        outcome: Outcome,
    },
}

impl Turns {
    pub(super) const fn new() -> Self {
        Self { current: None, last: None, unbooked: VecDeque::new() }
    }

    pub(super) const fn state_name(&self) -> &'static str {
        match &self.current {
            None => "online",
            Some(Turn { stream: Stream::Open { .. }, .. }) => "listening",
            Some(Turn { stream: Stream::Closed { .. }, .. }) => "waiting for the answer",
        }
    }

    pub(super) fn deadline(&self) -> Option<Duration> {
        match self.current.as_ref()? {
            Turn { answer: Answer::Replying { until }, .. } | Turn { stream: Stream::Closed { until }, .. } => {
                Some(*until)
            }
            Turn { stream: Stream::Open { .. }, .. } => None,
        }
    }

    pub(super) fn on_message(
        mut self,
        message: FromCloud,
        now: Duration,
    ) -> Result<(Self, Vec<Action>), SessionError> {
        let name = message.name();
        let Some(turn) = turn_of(&message) else {
            return Err(self.out_of_order(name));
        };
        let actions = match message {
            // Books arrive after Close, and may arrive after the turn's last word.
            FromCloud::Books { samples, .. } => vec![self.books(turn, samples)?],
            // What the cloud said of a turn before it learnt that the device had moved on.
            _ if self.is_behind(turn) => Vec::new(),
            message => {
                let state = self.state_name();
                let Some(current) = self.current.take().filter(|current| current.id == turn) else {
                    return Err(SessionError::OutOfOrder { message: name, state });
                };
                let (current, actions) = current.on_message(message, now, state)?;
                self.current = current;
                actions
            }
        };
        Ok((self, actions))
    }

    pub(super) fn open(&mut self, open: StreamOpen) -> Result<FromDevice, NotNow> {
        let streaming = matches!(self.current, Some(Turn { stream: Stream::Open { .. }, .. }));
        if streaming || self.unbooked.len() >= UNBOOKED_MAX || self.last.is_some_and(|last| open.turn <= last) {
            return Err(NotNow { what: "open" });
        }
        self.last = Some(open.turn);
        self.current = Some(Turn {
            id: open.turn,
            sent: SampleCount(0),
            stream: Stream::Open { next_sequence: 0, stopped: false },
            answer: Answer::Pending,
        });
        Ok(FromDevice::Open(open))
    }

    pub(super) fn audio(&mut self, turn: TurnId, samples: Redacted<Vec<i16>>) -> Result<FromDevice, NotNow> {
        let what = "audio";
        let Some(Turn { id, sent, stream: Stream::Open { next_sequence, .. }, .. }) = &mut self.current else {
            return Err(NotNow { what });
        };
        let total = *sent + SampleCount::of(samples.expose());
        if *id != turn || total > STREAM_SAMPLES_MAX {
            return Err(NotNow { what });
        }
        let sequence = *next_sequence;
        *next_sequence = next_sequence.saturating_add(1);
        *sent = total;
        Ok(FromDevice::Audio { turn, sequence, samples })
    }

    pub(super) fn close(&mut self, close: StreamClose, now: Duration) -> Result<Vec<Action>, NotNow> {
        match self.current.take() {
            Some(mut current) if current.id == close.turn && matches!(current.stream, Stream::Open { .. }) => {
                self.unbooked.push_back((close.turn, current.sent));
                let send = Action::Send(FromDevice::Close(close));
                if let Answer::Ended { outcome } = current.answer {
                    return Ok(vec![send, Action::TurnEnd { turn: close.turn, outcome }]);
                }
                current.stream = Stream::Closed { until: now.saturating_add(TURN_WITHIN) };
                self.current = Some(current);
                Ok(vec![send])
            }
            other => {
                self.current = other;
                Err(NotNow { what: "close" })
            }
        }
    }

    pub(super) fn played(&self, turn: TurnId) -> Result<FromDevice, NotNow> {
        match self.last {
            Some(last) if turn <= last => Ok(FromDevice::Played { turn }),
            _ => Err(NotNow { what: "played" }),
        }
    }

    fn books(&mut self, turn: TurnId, received: SampleCount) -> Result<Action, SessionError> {
        match self.unbooked.pop_front() {
            Some((closed, sent)) if closed == turn => Ok(Action::Books { turn, sent, received }),
            _ => Err(self.out_of_order("Books")),
        }
    }

    fn is_behind(&self, turn: TurnId) -> bool {
        let current = self.current.as_ref().map(|current| current.id);
        current != Some(turn) && self.last.is_some_and(|last| turn <= last)
    }

    const fn out_of_order(&self, message: &'static str) -> SessionError {
        SessionError::OutOfOrder { message, state: self.state_name() }
    }
}

impl Turn {
    /// Consumes the turn; gives it back unless this was the last word on it.
    fn on_message(
        mut self,
        message: FromCloud,
        now: Duration,
        state: &'static str,
    ) -> Result<(Option<Self>, Vec<Action>), SessionError> {
        let turn = self.id;
        let out_of_order = SessionError::OutOfOrder { message: message.name(), state };
        let beyond = SessionError::BeyondSent { turn, message: message.name() };
        if matches!(self.answer, Answer::Ended { .. }) && !matches!(message, FromCloud::Heard { .. }) {
            return Err(out_of_order);
        }
        let listening = matches!(self.stream, Stream::Open { stopped: false, .. });
        let action = match message {
            FromCloud::Heard { through, .. } if through <= self.sent => Action::Heard { turn, through },
            FromCloud::StopCapture { at, reason, .. } if at <= self.sent => match &mut self.stream {
                Stream::Open { stopped: stopped @ false, .. } => {
                    *stopped = true;
                    Action::StopCapture { turn, at, reason }
                }
                Stream::Open { .. } => return Err(out_of_order),
                // It crossed our Close on the way.
                Stream::Closed { .. } => return Ok((Some(self), Vec::new())),
            },
            FromCloud::Heard { .. } | FromCloud::StopCapture { .. } => return Err(beyond),
            FromCloud::Caption(caption) => Action::Caption(caption),
            FromCloud::ReplyStart { rate_hz, .. } if !listening && matches!(self.answer, Answer::Pending) => {
                self.answer = Answer::Replying { until: now.saturating_add(TURN_WITHIN) };
                Action::ReplyStart { turn, rate_hz }
            }
            FromCloud::ReplyAudio { samples, .. } if matches!(self.answer, Answer::Replying { .. }) => {
                Action::ReplyAudio { turn, samples }
            }
            FromCloud::ReplyEnd { .. } if matches!(self.answer, Answer::Replying { .. }) => {
                self.answer = Answer::Replied;
                if let Stream::Closed { until } = &mut self.stream {
                    *until = now.saturating_add(TURN_WITHIN);
                }
                Action::ReplyEnd { turn }
            }
            FromCloud::TurnEnd { outcome, .. } if !listening && !matches!(self.answer, Answer::Replying { .. }) => {
                if matches!(self.stream, Stream::Open { .. }) {
                    self.answer = Answer::Ended { outcome };
                    return Ok((Some(self), Vec::new()));
                }
                return Ok((None, vec![Action::TurnEnd { turn, outcome }]));
            }
            _ => return Err(out_of_order),
        };
        Ok((Some(self), vec![action]))
    }
}

/// The turn a message is about; none where it is about no turn.
const fn turn_of(message: &FromCloud) -> Option<TurnId> {
    match message {
        FromCloud::Heard { turn, .. }
        | FromCloud::StopCapture { turn, .. }
        | FromCloud::Books { turn, .. }
        | FromCloud::ReplyStart { turn, .. }
        | FromCloud::ReplyAudio { turn, .. }
        | FromCloud::ReplyEnd { turn }
        | FromCloud::TurnEnd { turn, .. } => Some(*turn),
        FromCloud::Caption(caption) => Some(caption.turn),
        FromCloud::Welcome { .. }
        | FromCloud::Unpaired
        | FromCloud::PairReply { .. }
        | FromCloud::PairDone { .. }
        | FromCloud::PairFailed { .. }
        | FromCloud::Refused { .. }
        | FromCloud::Settings(_)
        | FromCloud::Pong => None,
    }
}
