//! A paired device's turns, one at a time, seen from the cloud.

use std::time::Duration;

use base::{Redacted, SampleCount, TurnId};

use super::Action;
use crate::error::{NotNow, SessionError};
use crate::frame::{Caption, FromCloud, FromDevice, Outcome, StopReason, StreamClose, StreamOpen};
use crate::limits::{ANSWER_WITHIN, FRAME_SAMPLES_MAX, STREAM_SAMPLES_MAX, STREAM_STALL_MAX};

#[derive(Debug)]
pub(super) struct Turns {
    /// The turn that is being heard or answered.
    current: Option<Turn>,
    /// The number of the last one that was opened: numbers only grow.
    last: Option<TurnId>,
}

#[derive(Debug)]
struct Turn {
    id: TurnId,
    received: SampleCount,
    stream: Stream,
    answer: Answer,
}

#[derive(Debug)]
enum Stream {
    Open { next_sequence: u32, stopped: bool, stalls_at: Duration },
    Closed,
}

#[derive(Debug)]
enum Answer {
    /// Nothing yet; the deadline starts to run when the stream is closed.
    Pending { until: Option<Duration> },
    /// The reply is being sent.
    Replying { until: Duration },
    /// The reply was sent, and only the last word is missing.
    Replied { until: Duration },
    /// The last word was sent; the stream is still open.
    Ended,
}

impl Turns {
    pub(super) const fn new() -> Self {
        Self { current: None, last: None }
    }

    pub(super) fn current(&self) -> Option<TurnId> {
        self.current.as_ref().map(|turn| turn.id)
    }

    pub(super) const fn state_name(&self) -> &'static str {
        match &self.current {
            None => "online",
            Some(Turn { stream: Stream::Open { .. }, .. }) => "listening",
            Some(Turn { stream: Stream::Closed, .. }) => "answering",
        }
    }

    pub(super) fn on_message(
        mut self,
        message: FromDevice,
        now: Duration,
    ) -> Result<(Self, Vec<Action>), SessionError> {
        let actions = match message {
            FromDevice::Open(open) => self.open(open, now)?,
            FromDevice::Audio { turn, sequence, samples } => self.audio(turn, sequence, samples, now)?,
            FromDevice::Close(close) => self.close(close, now)?,
            FromDevice::Played { turn } if self.last.is_some_and(|last| turn <= last) => {
                vec![Action::Played { turn }]
            }
            other => return Err(self.out_of_order(other.name())),
        };
        Ok((self, actions))
    }

    pub(super) fn deadline(&self) -> Option<Duration> {
        let turn = self.current.as_ref()?;
        match (&turn.stream, &turn.answer) {
            (Stream::Open { stalls_at, .. }, _) => Some(*stalls_at),
            (Stream::Closed, Answer::Pending { until }) => *until,
            (Stream::Closed, Answer::Replying { until } | Answer::Replied { until }) => Some(*until),
            (Stream::Closed, Answer::Ended) => None,
        }
    }

    pub(super) fn on_deadline(mut self, now: Duration) -> Result<(Self, Vec<Action>), SessionError> {
        if self.deadline().is_none_or(|until| now < until) {
            return Ok((self, Vec::new()));
        }
        match self.current.take() {
            Some(Turn { id, stream: Stream::Closed, .. }) => {
                let end = FromCloud::TurnEnd { turn: id, outcome: Outcome::Failed };
                Ok((self, vec![Action::Send(end), Action::TimedOut { turn: id }]))
            }
            _ => Err(SessionError::Silent { awaited: "sound of an open stream" }),
        }
    }

    fn open(&mut self, open: StreamOpen, now: Duration) -> Result<Vec<Action>, SessionError> {
        let streaming = matches!(self.current, Some(Turn { stream: Stream::Open { .. }, .. }));
        if streaming || self.last.is_some_and(|last| open.turn <= last) {
            return Err(self.out_of_order("Open"));
        }
        let abandoned = self.current.take().map(|turn| Action::Abandoned { turn: turn.id });
        let stalls_at = now.saturating_add(STREAM_STALL_MAX);
        self.last = Some(open.turn);
        self.current = Some(Turn {
            id: open.turn,
            received: SampleCount(0),
            stream: Stream::Open { next_sequence: 0, stopped: false, stalls_at },
            answer: Answer::Pending { until: None },
        });
        Ok(abandoned.into_iter().chain([Action::StreamOpened(open)]).collect())
    }

    fn audio(
        &mut self,
        turn: TurnId,
        sequence: u32,
        samples: Redacted<Vec<i16>>,
        now: Duration,
    ) -> Result<Vec<Action>, SessionError> {
        let out_of_order = self.out_of_order("Audio");
        let Some(Turn { id, received, stream: Stream::Open { next_sequence, stalls_at, .. }, .. }) =
            &mut self.current
        else {
            return Err(out_of_order);
        };
        if *id != turn {
            return Err(out_of_order);
        }
        if sequence != *next_sequence {
            return Err(SessionError::Sequence { turn, got: sequence, want: *next_sequence });
        }
        let total = *received + SampleCount::of(samples.expose());
        if total > STREAM_SAMPLES_MAX {
            return Err(SessionError::StreamTooLong { turn });
        }
        *received = total;
        *next_sequence = next_sequence.saturating_add(1);
        *stalls_at = now.saturating_add(STREAM_STALL_MAX);
        Ok(vec![Action::Audio { turn, samples }])
    }

    fn close(&mut self, close: StreamClose, now: Duration) -> Result<Vec<Action>, SessionError> {
        let out_of_order = self.out_of_order("Close");
        let Some(turn) = self.current.as_mut().filter(|turn| turn.id == close.turn) else {
            return Err(out_of_order);
        };
        if matches!(turn.stream, Stream::Closed) {
            return Err(out_of_order);
        }
        // What the device says of its stream is a stranger's number like any other.
        if close.samples_total > STREAM_SAMPLES_MAX {
            return Err(SessionError::StreamTooLong { turn: close.turn });
        }
        turn.stream = Stream::Closed;
        let received = turn.received;
        match &mut turn.answer {
            Answer::Pending { until } => *until = Some(now.saturating_add(ANSWER_WITHIN)),
            Answer::Replying { .. } | Answer::Replied { .. } => {}
            Answer::Ended => self.current = None,
        }
        let books = FromCloud::Books { turn: close.turn, samples: received };
        Ok(vec![Action::Send(books), Action::StreamClosed { close, received }])
    }

    pub(super) fn heard(&self, turn: TurnId, through: SampleCount) -> Result<FromCloud, NotNow> {
        match self.current.as_ref().filter(|current| current.id == turn) {
            Some(current) if through <= current.received => Ok(FromCloud::Heard { turn, through }),
            _ => Err(NotNow { what: "heard" }),
        }
    }

    pub(super) fn stop_capture(
        &mut self,
        turn: TurnId,
        at: SampleCount,
        reason: StopReason,
    ) -> Result<FromCloud, NotNow> {
        let what = "stop_capture";
        let current = self.answerable(turn, what)?;
        match &mut current.stream {
            Stream::Open { stopped: stopped @ false, .. } if at <= current.received => {
                *stopped = true;
                Ok(FromCloud::StopCapture { turn, at, reason })
            }
            _ => Err(NotNow { what }),
        }
    }

    pub(super) fn caption(&mut self, caption: Caption) -> Result<FromCloud, NotNow> {
        self.answerable(caption.turn, "caption")?;
        Ok(FromCloud::Caption(caption))
    }

    pub(super) fn reply_start(&mut self, turn: TurnId, rate_hz: u32, now: Duration) -> Result<FromCloud, NotNow> {
        let what = "reply_start";
        let current = self.answerable(turn, what)?;
        // A reply never plays into a microphone that is still open for the request.
        let listening = matches!(current.stream, Stream::Open { stopped: false, .. });
        match current.answer {
            Answer::Pending { .. } if !listening => {
                current.answer = Answer::Replying { until: now.saturating_add(ANSWER_WITHIN) };
                Ok(FromCloud::ReplyStart { turn, rate_hz })
            }
            _ => Err(NotNow { what }),
        }
    }

    pub(super) fn reply_audio(&mut self, turn: TurnId, samples: &[i16]) -> Result<Vec<FromCloud>, NotNow> {
        let what = "reply_audio";
        match self.answerable(turn, what)?.answer {
            Answer::Replying { .. } => Ok(samples
                .chunks(FRAME_SAMPLES_MAX)
                .map(|piece| FromCloud::ReplyAudio { turn, samples: Redacted::new(piece.to_vec()) })
                .collect()),
            _ => Err(NotNow { what }),
        }
    }

    pub(super) fn reply_end(&mut self, turn: TurnId, now: Duration) -> Result<FromCloud, NotNow> {
        let what = "reply_end";
        let current = self.answerable(turn, what)?;
        match current.answer {
            Answer::Replying { .. } => {
                current.answer = Answer::Replied { until: now.saturating_add(ANSWER_WITHIN) };
                Ok(FromCloud::ReplyEnd { turn })
            }
            _ => Err(NotNow { what }),
        }
    }

    pub(super) fn turn_end(&mut self, turn: TurnId, outcome: Outcome) -> Result<FromCloud, NotNow> {
        let what = "turn_end";
        let current = self.answerable(turn, what)?;
        match (&current.stream, &current.answer) {
            (_, Answer::Replying { .. } | Answer::Ended) | (Stream::Open { stopped: false, .. }, _) => {
                return Err(NotNow { what });
            }
            (Stream::Open { .. }, _) => current.answer = Answer::Ended,
            (Stream::Closed, _) => self.current = None,
        }
        Ok(FromCloud::TurnEnd { turn, outcome })
    }

    /// The turn, where it is the current one and its last word was not sent.
    fn answerable(&mut self, turn: TurnId, what: &'static str) -> Result<&mut Turn, NotNow> {
        match &mut self.current {
            Some(current) if current.id == turn && !matches!(current.answer, Answer::Ended) => Ok(current),
            _ => Err(NotNow { what }),
        }
    }

    const fn out_of_order(&self, message: &'static str) -> SessionError {
        SessionError::OutOfOrder { message, state: self.state_name() }
    }
}
