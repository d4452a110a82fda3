//! The tables: who may tell whom what. Kinds are append-only.

use base::{Redacted, SampleCount, SampleIndex, TurnId};

use crate::standing::Standing;

/// Why a permit is asked for. The cloud is not among the causes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Cause {
    /// The chosen wake word was heard.
    Wake {
        /// Which word.
        word: WordName,
        /// How sure the detector was, 0 to 1.
        score: f32,
    },
    /// The action button was pressed.
    Button,
}

impl Cause {
    /// `wake` or `button`, as events and the history call it.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Wake { .. } => "wake",
            Self::Button => "button",
        }
    }
}

/// A wake word's name: at most 16 lower-case letters.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct WordName {
    letters: [u8; Self::LETTERS_MAX],
    length: u8,
}

impl WordName {
    /// Letters of the longest name.
    pub const LETTERS_MAX: usize = 16;

    /// The name, or nothing where it is empty, too long or has anything but `a` to `z` in it.
    #[must_use]
    pub fn new(name: &str) -> Option<Self> {
        let bytes = name.as_bytes();
        if bytes.is_empty() || bytes.len() > Self::LETTERS_MAX || !bytes.iter().all(u8::is_ascii_lowercase) {
            return None;
        }
        let mut letters = [0; Self::LETTERS_MAX];
        letters[..bytes.len()].copy_from_slice(bytes);
        Some(Self { letters, length: u8::try_from(bytes.len()).ok()? })
    }

    /// The name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.letters[..usize::from(self.length)]).unwrap_or("")
    }
}

impl std::fmt::Debug for WordName {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "WordName({})", self.as_str())
    }
}

/// How a stream begins.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct StreamOpen {
    /// The turn it belongs to.
    pub turn: TurnId,
    /// What it was opened for.
    pub cause: Cause,
    /// Where its first sample stands among the microphone's.
    pub start: SampleIndex,
    /// Where the wake word begins, or where the button was pressed; not before `start`.
    pub onset: SampleIndex,
}

/// How a stream ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StreamClose {
    /// The turn it belonged to.
    pub turn: TurnId,
    /// The position after its last sample.
    pub end: SampleIndex,
    /// All the samples that passed: `end` minus its start, and what link must have received (invariant I10).
    pub samples_total: SampleCount,
    /// What ended it.
    pub reason: CloseReason,
}

/// What ended a stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CloseReason {
    /// The cloud has what it needs.
    StopCapture,
    /// The hard limit.
    Limit,
    /// Somebody turned the microphones off.
    MicOff,
    /// The microphone went away, or its file ended.
    MicGone,
}

impl CloseReason {
    /// As events call it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::StopCapture => "stop_capture",
            Self::Limit => "limit",
            Self::MicOff => "mic_off",
            Self::MicGone => "mic_gone",
        }
    }
}

/// How readily a wake word is heard: three steps whose thresholds are compiled into the ear.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Sensitivity {
    /// Fewer false wakes, more misses.
    Low,
    /// As the model card states.
    #[default]
    Normal,
    /// Fewer misses, more false wakes: this widens hearing, and is announced at the device.
    High,
}

impl Sensitivity {
    /// All of them, from the fewest wakes to the most.
    pub const ALL: [Self; 3] = [Self::Low, Self::Normal, Self::High];

    /// The one that events and options call so.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|sensitivity| sensitivity.name() == name)
    }

    /// As events call it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Low => "low",
            Self::Normal => "normal",
            Self::High => "high",
        }
    }
}

/// What leaves the ear: the gate's pipe.
#[derive(Clone, Debug, PartialEq)]
pub enum EarToLink {
    /// A permit lives; samples follow.
    Open(StreamOpen),
    /// The stream's next samples, [`base::limits::CHUNK`] at most.
    Pcm {
        /// The turn they belong to.
        turn: TurnId,
        /// 16 kHz mono.
        pcm: Redacted<Vec<i16>>,
    },
    /// Nothing follows. Link answers with `Drained`.
    Close(StreamClose),
    /// The microphones were turned off: nothing of what passed may leave from here on. Link answers with `Silenced`.
    MicOff,
}

/// All that the network's side may tell the ear.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LinkToEar {
    /// End the stream at this many samples from its start, or now where more have passed.
    StopCapture {
        /// The turn to stop; another than the running one is ignored.
        turn: TurnId,
        /// Samples since the stream's first.
        at: SampleCount,
    },
    /// The cloud has worked through this much of the stream; what fast playback waits for.
    Heard {
        /// The turn.
        turn: TurnId,
        /// Samples since the stream's first.
        through: SampleCount,
    },
    /// What passed the gate was sent or thrown away: the permit may end.
    Drained {
        /// The turn.
        turn: TurnId,
    },
    /// The reply was played, or there is none; the next turn may begin.
    TurnOver {
        /// The turn.
        turn: TurnId,
    },
    /// The owner's settings, as far as they concern hearing.
    Settings {
        /// How readily the wake word is heard.
        sensitivity: Sensitivity,
    },
    /// The answer to [`EarToLink::MicOff`]: nothing of what passed before can leave any more.
    Silenced,
    /// How things stand with the cloud, for the face.
    Standing(Standing),
}

/// What the ear asks of the light.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum EarToPanel {
    /// Light up, and say [`PanelToEar::Lit`]: a turn wants a permit.
    Ask {
        /// The turn.
        turn: TurnId,
        /// Why.
        cause: Cause,
    },
    /// The permit is over: the listening light may go out.
    ListeningOver {
        /// The turn.
        turn: TurnId,
    },
    /// The turn is over.
    TurnOver {
        /// The turn.
        turn: TurnId,
    },
    /// The microphone went away.
    MicGone,
    /// The ring is wiped and nothing that comes is kept: the answer to [`PanelToEar::MicOff`].
    Wiped,
    /// The answer to [`PanelToEar::MicOn`]: what comes from now on is heard.
    Ready,
    /// What link says of the cloud. The panel shows it where it has nothing of its own to show.
    Standing(Standing),
    /// The microphone gives samples.
    Hears,
}

/// What the buttons tell the ear.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PanelToEar {
    /// The listening light is on for this turn.
    Lit {
        /// The turn.
        turn: TurnId,
    },
    /// The action button.
    Press,
    /// Microphones off.
    MicOff,
    /// Microphones on again.
    MicOn,
}

/// The panel's two words for the launcher.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PanelToLauncher {
    /// "Microphones on": start the microphone's process.
    MicrophonesOn,
    /// "Microphones off": end it.
    MicrophonesOff,
}

/// The launcher's answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LauncherToPanel {
    /// The microphone's process runs.
    MicrophonesOn,
    /// The microphone's process has ended; now the light may be red.
    MicrophonesOff,
    /// A line was written to the terminal: draw the light below it.
    Redraw,
}
