//! Between the pipes' values and the wire's, which are the same in meaning and apart in bytes.

use base::TurnId;
use pipe::Line;
use serde_json::{Map, Value, json};
use wire::Caption;

pub(crate) fn open(open: &pipe::StreamOpen) -> wire::StreamOpen {
    let cause = match open.cause {
        pipe::Cause::Wake { word, score } => {
            wire::Cause::Wake { word: word.as_str().to_owned(), score: score.clamp(0.0, 1.0) }
        }
        pipe::Cause::Button => wire::Cause::Button,
    };
    wire::StreamOpen { turn: open.turn, cause, start: open.start, onset: open.onset.max(open.start) }
}

pub(crate) const fn close(close: &pipe::StreamClose) -> wire::StreamClose {
    let reason = match close.reason {
        pipe::CloseReason::StopCapture => wire::CloseReason::StopCapture,
        pipe::CloseReason::Limit => wire::CloseReason::Limit,
        pipe::CloseReason::MicOff => wire::CloseReason::MicOff,
        pipe::CloseReason::MicGone => wire::CloseReason::MicGone,
    };
    wire::StreamClose { turn: close.turn, samples_total: close.samples_total, reason }
}

pub(crate) const fn sensitivity(sensitivity: wire::Sensitivity) -> pipe::Sensitivity {
    match sensitivity {
        wire::Sensitivity::Low => pipe::Sensitivity::Low,
        wire::Sensitivity::Normal => pipe::Sensitivity::Normal,
        wire::Sensitivity::High => pipe::Sensitivity::High,
    }
}

/// An outcome as events call it.
pub(crate) const fn outcome(outcome: wire::Outcome) -> &'static str {
    match outcome {
        wire::Outcome::Answered => "answered",
        wire::Outcome::NotUnderstood => "not_understood",
        wire::Outcome::NothingHeard => "nothing_heard",
        wire::Outcome::Failed => "failed",
        wire::Outcome::NotKept => "not_kept",
    }
}

/// The one event that holds what was said: it goes to whoever runs the device, and nowhere else.
pub(crate) fn caption_line(caption: &Caption) -> Line {
    let slots: Map<String, Value> =
        caption.slots.iter().map(|slot| (slot.name.clone(), json!(slot.value.expose()))).collect();
    let timings: Map<String, Value> =
        caption.timings.iter().map(|timing| (timing.stage.clone(), json!(timing.ms))).collect();
    let TurnId(turn) = caption.turn;
    Line::new("caption")
        .whole("turn", turn.into())
        .text("transcript", caption.transcript.expose())
        .text("intent", &caption.intent)
        .json("slots", &Value::Object(slots).to_string())
        .text("reply", caption.reply.expose())
        .json("timings_ms", &Value::Object(timings).to_string())
}
