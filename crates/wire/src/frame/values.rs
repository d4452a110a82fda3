//! The values inside messages. Their numbers on the wire are append-only.

use std::fmt;

use base::Redacted;

use crate::bytes::{Reader, Writer};
use crate::error::FrameError;
use crate::limits::{NAME_BYTES_MAX, SLOT_BYTES_MAX};

/// Why a permit was given. The cloud is not among the causes.
#[derive(Clone, Debug, PartialEq)]
pub enum Cause {
    /// 1: the chosen wake word was heard.
    Wake {
        /// Which word.
        word: String,
        /// How sure the detector was, 0 to 1.
        score: f32,
    },
    /// 2: the action button was pressed.
    Button,
}

/// What the cloud may set on a device. The device keeps within limits of its own.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Settings {
    /// How readily the wake word wakes.
    pub sensitivity: Sensitivity,
}

/// One part of a request: a name of ours, and words of the speaker's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Slot {
    /// Its name.
    pub name: String,
    /// What was said for it.
    pub value: Redacted<String>,
}

/// How long a stage took.
#[derive(Clone, Debug, PartialEq)]
pub struct Timing {
    /// The stage, as `timings_ms` calls it.
    pub stage: String,
    /// Milliseconds.
    pub ms: f32,
}

/// An enum of plain values: its number on the wire, and its words for people.
macro_rules! plain {
    ($(#[$doc:meta])* $name:ident, $field:literal { $($(#[$variant_doc:meta])* $variant:ident = $number:literal, $words:literal;)+ }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum $name {
            $($(#[$variant_doc])* $variant,)+
        }

        impl $name {
            /// Every one there is.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)+];

            pub(crate) const fn number(self) -> u8 {
                match self { $(Self::$variant => $number,)+ }
            }

            pub(crate) fn read(reader: &mut Reader<'_>) -> Result<Self, FrameError> {
                match reader.u8($field)? {
                    $($number => Ok(Self::$variant),)+
                    _ => Err(FrameError::Range { field: $field }),
                }
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(match self { $(Self::$variant => $words,)+ })
            }
        }
    };
}

plain!(
    /// What ended a stream, at the device.
    CloseReason, "close reason" {
        /// The cloud had what it needs.
        StopCapture = 1, "stop_capture";
        /// The hard limit of a stream.
        Limit = 2, "limit";
        /// The microphones were turned off.
        MicOff = 3, "mic_off";
        /// The microphone is gone, or its file is at its end.
        MicGone = 4, "mic_gone";
    }
);

plain!(
    /// How readily a wake word wakes: three steps, whose thresholds the device has compiled in.
    #[derive(Default)]
    Sensitivity, "sensitivity" {
        /// Fewer false wakes, more misses.
        Low = 1, "low";
        /// As the word's model card states.
        #[default]
        Normal = 2, "normal";
        /// Fewer misses, more false wakes.
        High = 3, "high";
    }
);

plain!(
    /// Why the cloud wants no more sound.
    StopReason, "stop reason" {
        /// The speaker has finished.
        EndOfSpeech = 1, "end_of_speech";
        /// Nobody said anything after the wake word.
        NothingSaid = 2, "nothing_said";
        /// The hard limit of a stream.
        Limit = 3, "limit";
        /// The cloud cannot serve the turn.
        Failed = 4, "failed";
    }
);

plain!(
    /// What came of a turn.
    Outcome, "outcome" {
        /// The request was understood and answered; the answer may be silence, as to "stop".
        Answered = 1, "answered";
        /// Something was said that no sentence fits.
        NotUnderstood = 2, "not_understood";
        /// Nothing was said.
        NothingHeard = 3, "nothing_heard";
        /// Something went wrong on the way.
        Failed = 4, "failed";
        /// Whatever came of it, nothing of it could be kept: the cloud's disk is full, or fails.
        NotKept = 5, "not_kept";
    }
);

plain!(
    /// Why a cloud ends a session.
    RefusedReason, "refused reason" {
        /// The device's key is none of its devices', or one that was revoked.
        UnknownDevice = 1, "this device is not, or no longer, paired with it";
        /// The device speaks another version.
        Version = 2, "it speaks another version of the protocol";
        /// The device said what it must not.
        Protocol = 3, "a frame was malformed or out of order";
        /// It has as many devices as it can serve.
        Busy = 4, "it is busy";
        /// It is being ended.
        Ending = 5, "it is being stopped";
    }
);

plain!(
    /// Why a pairing did not come about.
    PairFailure, "pair failure" {
        /// No code is being shown.
        NoCode = 1, "no pairing code is open; ask the app for one";
        /// Another code was typed.
        WrongCode = 2, "that is not the code";
        /// Too many wrong codes, or too late: the code is void.
        Void = 3, "the code is void; ask the app for a new one";
        /// The cloud could not store the device.
        Failed = 4, "the cloud could not store the device";
        /// The device's name is none.
        Name = 5, "the device's name is blank, too long or cannot be shown";
    }
);

impl Cause {
    /// `wake` or `button`, as events and the history call it.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Wake { .. } => "wake",
            Self::Button => "button",
        }
    }

    pub(crate) fn write(&self, writer: &mut Writer) {
        match self {
            Self::Wake { word, score } => {
                writer.u8(1);
                writer.text("word", word, NAME_BYTES_MAX);
                if !(0.0..=1.0).contains(score) {
                    writer.refuse("score");
                }
                writer.f32(*score);
            }
            Self::Button => writer.u8(2),
        }
    }

    pub(crate) fn read(reader: &mut Reader<'_>) -> Result<Self, FrameError> {
        match reader.u8("cause")? {
            1 => {
                let word = reader.text("word", NAME_BYTES_MAX)?;
                let score = reader.f32("score")?;
                if !(0.0..=1.0).contains(&score) {
                    return Err(FrameError::Range { field: "score" });
                }
                Ok(Self::Wake { word, score })
            }
            2 => Ok(Self::Button),
            _ => Err(FrameError::Range { field: "cause" }),
        }
    }
}

impl Settings {
    pub(crate) fn write(self, writer: &mut Writer) {
        writer.u8(self.sensitivity.number());
    }

    pub(crate) fn read(reader: &mut Reader<'_>) -> Result<Self, FrameError> {
        Ok(Self { sensitivity: Sensitivity::read(reader)? })
    }
}

impl Slot {
    pub(crate) fn write(&self, writer: &mut Writer) {
        writer.text("slot name", &self.name, NAME_BYTES_MAX);
        writer.text("slot value", self.value.expose(), SLOT_BYTES_MAX);
    }

    pub(crate) fn read(reader: &mut Reader<'_>) -> Result<Self, FrameError> {
        let name = reader.text("slot name", NAME_BYTES_MAX)?;
        Ok(Self { name, value: reader.text("slot value", SLOT_BYTES_MAX)?.into() })
    }
}

impl Timing {
    pub(crate) fn write(&self, writer: &mut Writer) {
        writer.text("stage", &self.stage, NAME_BYTES_MAX);
        if !self.ms.is_finite() {
            writer.refuse("timing");
        }
        writer.f32(self.ms);
    }

    pub(crate) fn read(reader: &mut Reader<'_>) -> Result<Self, FrameError> {
        Ok(Self { stage: reader.text("stage", NAME_BYTES_MAX)?, ms: reader.f32("timing")? })
    }
}
