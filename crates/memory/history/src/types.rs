//! What goes into the history and what comes out. None of these types is what lies on the disk.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use base::{AccountId, DeviceId, Marketplace, Redacted, SampleCount, SampleIndex, Timestamp, UtteranceId};

/// An utterance that lives in memory and is about to be sealed.
#[derive(Clone, Debug)]
pub struct NewUtterance {
    /// Whose it is.
    pub account: AccountId,
    /// Which device heard it.
    pub device: DeviceId,
    /// Where it is kept (invariant I12).
    pub marketplace: Marketplace,
    /// When it was heard, as the clock stood. Shown and sorted by, never reckoned with.
    pub at: Timestamp,
    /// The sound: 16 kHz, one channel, pre-roll included. At most [`crate::SAMPLES_MAX`].
    pub pcm: Redacted<Vec<i16>>,
    /// Everything else.
    pub details: Details,
}

/// What came of an utterance. Kept as one sealed text.
#[derive(Clone, Debug, PartialEq)]
pub struct Details {
    /// Why the permit was given.
    pub cause: Cause,
    /// Where the stream begins in the device's samples.
    pub start: SampleIndex,
    /// How much of it lies before the onset of the wake word, or the press.
    pub preroll: SampleCount,
    /// The stream's length; set by sealing to what the sound has.
    pub length: SampleCount,
    /// What was understood, word for word. Cut at [`base::limits::TRANSCRIPT_CHARS_MAX`].
    pub transcript: Redacted<String>,
    /// What it meant; nothing where it was not understood.
    pub intent: Option<Intent>,
    /// What was answered. Cut at [`crate::REPLY_CHARS_MAX`].
    pub reply: Redacted<String>,
    /// How long each stage took, in milliseconds, by the stage's name.
    pub timings_ms: BTreeMap<String, f64>,
}

/// Why a permit was given (DESIGN §4).
#[derive(Clone, Debug, PartialEq)]
pub enum Cause {
    /// The wake word.
    Wake {
        /// Which.
        word: String,
        /// How sure the device was, 0 to 1.
        score: f32,
        /// Where the word begins in the device's samples.
        onset: SampleIndex,
    },
    /// The action button.
    Button,
    /// An answer to a question of ours.
    Answer,
    /// The follow-up window.
    FollowUp,
    /// An enrolment begun at the device.
    Enrolment,
}

/// What a request meant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Intent {
    /// Its name.
    pub name: Redacted<String>,
    /// Its slots by name.
    pub slots: BTreeMap<String, Redacted<String>>,
}

/// One line of the history.
#[derive(Clone, Debug, PartialEq)]
pub struct Row {
    /// Which utterance.
    pub id: UtteranceId,
    /// When it was heard, as the clock stood.
    pub at: Timestamp,
    /// What there is of it.
    pub state: RowState,
}

/// What there is of an utterance.
#[derive(Clone, Debug, PartialEq)]
pub enum RowState {
    /// It is kept, and was opened for this answer.
    Sealed {
        /// Which device heard it.
        device: DeviceId,
        /// What came of it.
        details: Box<Details>,
    },
    /// It was deleted: its id, its time and this are all that remains.
    Deleted(Receipt),
    /// It is kept, but a key of it is gone or damaged, and nobody asked for that: it cannot be opened any more.
    Lost,
    /// It is kept, but does not open: it was changed, or its deletion is under way.
    Unreadable,
}

/// What remains of a deletion.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Receipt {
    /// What was deleted.
    pub id: UtteranceId,
    /// When it was asked for, as the clock stood.
    pub at: Timestamp,
    /// The receipt's own number.
    pub number: ReceiptNumber,
}

/// The number of a receipt; random, and says nothing of what was deleted.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct ReceiptNumber(pub [u8; 16]);

impl fmt::Display for ReceiptNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for ReceiptNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ReceiptNumber({self})")
    }
}

/// Some lines of the history, newest first.
#[derive(Clone, Debug, PartialEq)]
pub struct Page {
    /// At most as many as were asked for.
    pub rows: Vec<Row>,
    /// Where the next page begins; nothing where this was the last.
    pub next: Option<Cursor>,
}

/// A position in the history: what comes before it in time is the next page. As text, `<unix ms>-<utterance id>`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cursor {
    /// The last line's time.
    pub at: Timestamp,
    /// The last line's utterance, which tells apart those of the same millisecond.
    pub id: UtteranceId,
}

impl fmt::Display for Cursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.at.unix_ms(), self.id)
    }
}

/// A text is not a position in the history.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a position in the history")]
pub struct BadCursor;

impl FromStr for Cursor {
    type Err = BadCursor;

    fn from_str(text: &str) -> Result<Self, BadCursor> {
        let (at, id) = text.rsplit_once('-').ok_or(BadCursor)?;
        let at = Timestamp::from_unix_ms(at.parse().map_err(|_| BadCursor)?);
        Ok(Self { at, id: id.parse().map_err(|_| BadCursor)? })
    }
}

/// A device that was paired.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Device {
    /// Its id.
    pub id: DeviceId,
    /// Whose it is.
    pub account: AccountId,
    /// Where its utterances are kept.
    pub marketplace: Marketplace,
    /// What its owner calls it.
    pub name: Redacted<String>,
    /// SHA-256 of its public key.
    pub key_sha256: [u8; 32],
    /// When it was paired.
    pub added: Timestamp,
    /// When it was last connected.
    pub seen: Option<Timestamp>,
    /// When it was revoked; it is refused from then on.
    pub revoked: Option<Timestamp>,
}

/// What comes of a name and a password.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SignIn {
    /// They belong together.
    Accepted(AccountId),
    /// They do not, or there is no such name: which of the two is not said.
    Refused,
}
