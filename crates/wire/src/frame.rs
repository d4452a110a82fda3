//! One message is one frame is one binary WebSocket message: version u8 · kind u8 · body.
//!
//! A body is its fields in the order they are listed here: numbers little-endian, texts and lists after a u16 of their
//! length, samples (signed 16 bit) up to the frame's end. Kinds are append-only: 0x01 to 0x7f go to the cloud, 0x80 to
//! 0xff to the device. A frame must be read to its last byte.

use std::fmt;

use base::{DeviceId, Redacted, SampleCount, SampleIndex, TurnId};

use crate::pairing::{Mac, PairingMessage};

mod from_cloud;
mod from_device;
mod values;

pub use values::{
    Cause, CloseReason, Outcome, PairFailure, RefusedReason, Sensitivity, Settings, Slot, StopReason, Timing,
};

/// What a device may say.
#[derive(Clone, Debug, PartialEq)]
pub enum FromDevice {
    /// 0x01, the first word of a session.
    Hello {
        /// Whether the device has pinned this cloud's key. One that has not can only be paired.
        paired: bool,
    },
    /// 0x02, a code was typed at the device.
    PairStart {
        /// What the app shall call the device.
        name: Redacted<String>,
        /// The device's half of the key exchange.
        message: PairingMessage,
    },
    /// 0x03, the device proves first that it knew the code.
    PairConfirm {
        /// The proof.
        mac: Mac,
    },
    /// 0x04, a permit was given: sound follows.
    Open(StreamOpen),
    /// 0x05, sound of the open stream.
    Audio {
        /// The turn.
        turn: TurnId,
        /// 0, 1, 2, … within the turn.
        sequence: u32,
        /// 16 kHz, one channel.
        samples: Redacted<Vec<i16>>,
    },
    /// 0x06, the stream is over.
    Close(StreamClose),
    /// 0x07, the reply was played to its end.
    Played {
        /// The turn.
        turn: TurnId,
    },
    /// 0x08, every 15 s.
    Ping,
}

/// What a cloud may say. Nothing here opens a microphone.
#[derive(Clone, Debug, PartialEq)]
pub enum FromCloud {
    /// 0x80, the device is known and may open streams.
    Welcome {
        /// What the cloud calls the device.
        device: DeviceId,
        /// What holds from now on.
        settings: Settings,
    },
    /// 0x81, the device's key is not known, or it knows no cloud: only pairing is possible.
    Unpaired,
    /// 0x82, the cloud's half of the key exchange.
    PairReply {
        /// The half.
        message: PairingMessage,
    },
    /// 0x83, the device's proof was right; here is the cloud's. Welcome follows.
    PairDone {
        /// What the cloud calls the device.
        device: DeviceId,
        /// The cloud's proof.
        mac: Mac,
    },
    /// 0x84, no pairing; the session stays, for another try.
    PairFailed {
        /// Why.
        reason: PairFailure,
        /// How many wrong codes are left before the code is void.
        tries_left: u8,
    },
    /// 0x85, the last word of a session.
    Refused {
        /// Why.
        reason: RefusedReason,
    },
    /// 0x86, other settings from now on.
    Settings(Settings),
    /// 0x87, how much of the stream has been processed.
    Heard {
        /// The turn.
        turn: TurnId,
        /// Samples since the stream's first.
        through: SampleCount,
    },
    /// 0x88, request processed: the microphone shall close.
    StopCapture {
        /// The turn.
        turn: TurnId,
        /// Where the request ended, in samples since the stream's first.
        at: SampleCount,
        /// Why.
        reason: StopReason,
    },
    /// 0x89, the answer to Close: what arrived (invariant I10).
    Books {
        /// The turn.
        turn: TurnId,
        /// Samples received.
        samples: SampleCount,
    },
    /// 0x8a, what was understood.
    Caption(Caption),
    /// 0x8b, a spoken reply begins.
    ReplyStart {
        /// The turn.
        turn: TurnId,
        /// Its sample rate, 8,000 to 48,000.
        rate_hz: u32,
    },
    /// 0x8c, sound of the reply, one channel.
    ReplyAudio {
        /// The turn.
        turn: TurnId,
        /// The samples.
        samples: Redacted<Vec<i16>>,
    },
    /// 0x8d, the reply is whole.
    ReplyEnd {
        /// The turn.
        turn: TurnId,
    },
    /// 0x8e, the last word on a turn.
    TurnEnd {
        /// The turn.
        turn: TurnId,
        /// What came of it.
        outcome: Outcome,
    },
    /// 0x8f, the answer to Ping.
    Pong,
}

/// How a stream begins.
#[derive(Clone, Debug, PartialEq)]
pub struct StreamOpen {
    /// The turn it belongs to.
    pub turn: TurnId,
    /// What the permit was given for.
    pub cause: Cause,
    /// Where its first sample stands among the microphone's.
    pub start: SampleIndex,
    /// Where the wake word begins, or where the button was pressed; not before `start`.
    pub onset: SampleIndex,
}

impl StreamOpen {
    /// What the stream holds before the onset.
    #[must_use]
    pub fn preroll(&self) -> SampleCount {
        self.onset - self.start
    }
}

/// How a stream ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StreamClose {
    /// The turn it belonged to.
    pub turn: TurnId,
    /// All the samples that passed the gate.
    pub samples_total: SampleCount,
    /// What ended it.
    pub reason: CloseReason,
}

/// What was understood, for whoever watches the device.
#[derive(Clone, Debug, PartialEq)]
pub struct Caption {
    /// The turn.
    pub turn: TurnId,
    /// What was heard.
    pub transcript: Redacted<String>,
    /// What was meant; empty where nothing was.
    pub intent: String,
    /// With what.
    pub slots: Vec<Slot>,
    /// What is answered; empty where nothing is.
    pub reply: Redacted<String>,
    /// How long each stage took.
    pub timings: Vec<Timing>,
}

impl FromDevice {
    /// The message's name, for errors.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Hello { .. } => "Hello",
            Self::PairStart { .. } => "PairStart",
            Self::PairConfirm { .. } => "PairConfirm",
            Self::Open(_) => "Open",
            Self::Audio { .. } => "Audio",
            Self::Close(_) => "Close",
            Self::Played { .. } => "Played",
            Self::Ping => "Ping",
        }
    }
}

impl FromCloud {
    /// The message's name, for errors.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Welcome { .. } => "Welcome",
            Self::Unpaired => "Unpaired",
            Self::PairReply { .. } => "PairReply",
            Self::PairDone { .. } => "PairDone",
            Self::PairFailed { .. } => "PairFailed",
            Self::Refused { .. } => "Refused",
            Self::Settings(_) => "Settings",
            Self::Heard { .. } => "Heard",
            Self::StopCapture { .. } => "StopCapture",
            Self::Books { .. } => "Books",
            Self::Caption(_) => "Caption",
            Self::ReplyStart { .. } => "ReplyStart",
            Self::ReplyAudio { .. } => "ReplyAudio",
            Self::ReplyEnd { .. } => "ReplyEnd",
            Self::TurnEnd { .. } => "TurnEnd",
            Self::Pong => "Pong",
        }
    }
}

impl fmt::Display for FromDevice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl fmt::Display for FromCloud {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

#[cfg(test)]
mod tests;
