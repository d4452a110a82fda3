//! What a skill is, what it may be handed, and what it gives back.

use base::{Redacted, UtteranceId};
use jiff::ZonedDateTime;
use sense::Understanding;

/// One skill. It may be asked from several threads at once.
pub trait Skill: Send + Sync {
    /// The intents it answers, each answered by no other skill.
    fn intents(&self) -> &'static [&'static str];

    /// What it must be handed to answer.
    fn capability(&self) -> Capability;

    /// The reply; nothing where this request, though its intent is the skill's, is beyond it. Must not block.
    fn answer(&self, request: &Understanding, granted: &Granted) -> Option<Reply>;

    /// Forgets whatever it keeps of this utterance, before it returns. A skill that keeps nothing has nothing to do,
    /// and says so in its own words rather than by a default.
    fn forget(&self, utterance: UtteranceId);
}

/// What a skill may reach. It grows with the skills; each reaches one thing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Capability {
    /// Nothing but the request.
    Nothing,
    /// The time of day where the owner lives.
    LocalTime,
}

/// What a skill was handed: what its [`Capability`] names and nothing else.
#[derive(Debug, Default)]
pub struct Granted {
    /// The local time, for [`Capability::LocalTime`].
    pub now: Option<ZonedDateTime>,
}

/// The reply to a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reply {
    /// As it is shown: "It's 8:14 PM."
    pub text: Redacted<String>,
    /// As a voice reads it out well: "It's eight fourteen PM."
    pub spoken: Redacted<String>,
    /// Whether it is said at all.
    pub kind: ReplyKind,
}

/// What becomes of a reply.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReplyKind {
    /// It is spoken.
    Say,
    /// It is shown in the history and not spoken: the best answer to "stop" is silence.
    Silent,
}

impl Reply {
    /// A reply that is read out as it is written.
    #[must_use]
    pub fn say(text: &str) -> Self {
        Self::say_as(text.to_owned(), text.to_owned())
    }

    /// A reply that is read out otherwise than it is written.
    #[must_use]
    pub const fn say_as(text: String, spoken: String) -> Self {
        Self { text: Redacted::new(text), spoken: Redacted::new(spoken), kind: ReplyKind::Say }
    }

    /// A reply that is not read out.
    #[must_use]
    pub fn silent() -> Self {
        Self { text: String::new().into(), spoken: String::new().into(), kind: ReplyKind::Silent }
    }
}
