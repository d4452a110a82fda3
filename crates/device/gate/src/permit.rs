//! The permit, and what may be done with one.

use base::{SampleCount, SampleIndex, TurnId};

/// Leave to let samples out, for one stream. Whoever holds it knows that the listening light is on: it is made when the
/// panel says so, inside this crate alone, can be neither copied nor kept, and the light goes out after it is gone.
#[derive(Debug)]
pub struct Permit {
    turn: TurnId,
}

impl Permit {
    pub(crate) const fn new(turn: TurnId) -> Self {
        Self { turn }
    }

    /// Gives it back.
    pub(crate) const fn end(self) -> TurnId {
        self.turn
    }

    /// The turn it was given for.
    #[must_use]
    pub const fn turn(&self) -> TurnId {
        self.turn
    }
}

/// Samples on their way out, in the company of their permit.
pub struct Passed<'gate> {
    permit: &'gate Permit,
    samples: &'gate [i16],
}

impl<'gate> Passed<'gate> {
    pub(crate) const fn new(permit: &'gate Permit, samples: &'gate [i16]) -> Self {
        Self { permit, samples }
    }

    /// The permit they pass by.
    #[must_use]
    pub const fn permit(&self) -> &Permit {
        self.permit
    }

    /// The samples: [`base::limits::CHUNK`], or fewer at the end of a stream.
    #[must_use]
    pub const fn samples(&self) -> &[i16] {
        self.samples
    }
}

/// Shows how many samples pass and none of them.
impl std::fmt::Debug for Passed<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Passed").field("permit", &self.permit).field("samples", &self.samples.len()).finish()
    }
}

/// Why a stream is wanted, and from where on. Every cause is local; the network has none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cause {
    /// A wake word was heard: the stream begins [`base::limits::PREROLL`] before its onset.
    Wake {
        /// Where the word begins.
        onset: SampleIndex,
    },
    /// The action button was pressed: the stream begins there and not before.
    Button {
        /// The position at which it was pressed.
        pressed: SampleIndex,
    },
}

/// How a stream begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Opening {
    /// The turn it belongs to.
    pub turn: TurnId,
    /// Where its first sample stands.
    pub start: SampleIndex,
    /// Where the word begins, or where the button was pressed.
    pub onset: SampleIndex,
}

/// What ended a stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CloseReason {
    /// The cloud has what it needs.
    StopCapture,
    /// The hard limit, [`base::limits::STREAM_MAX`].
    Limit,
    /// The microphones were turned off.
    MicOff,
    /// The microphone went away, or its file ended.
    MicGone,
}

/// How a stream ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Closing {
    /// The turn it belonged to.
    pub turn: TurnId,
    /// Where it began.
    pub start: SampleIndex,
    /// The position after its last sample.
    pub end: SampleIndex,
    /// How many samples passed: `end` minus `start`.
    pub passed: SampleCount,
    /// What ended it.
    pub reason: CloseReason,
}
