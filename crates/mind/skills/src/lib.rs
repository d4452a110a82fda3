//! From an intent to its reply: one module a skill.
//!
//! A skill says which intents it answers and which [`Capability`] it needs, and is handed nothing else. Whatever a skill
//! keeps of an utterance it must be able to forget ([`Skill::forget`]).
//!
//! Architecture Invariant: a skill sees intent and slots, never audio and never a whole transcript; it does no I/O of
//! its own. Replies may repeat what was said, so they are redacted wherever they are printed.

mod date;
mod skill;
mod spoken;
mod stop;
mod time;

use std::sync::Arc;

use base::{Clock, UtteranceId};
use jiff::ZonedDateTime;
use jiff::tz::TimeZone;
use sense::Understanding;

pub use skill::{Capability, Granted, Reply, ReplyKind, Skill};

/// What is said to an intent that no skill answers.
const NO_SKILL: &str = "I can't do that yet.";

/// What is said where the clock shows a time that no calendar has.
const NO_TIME: &str = "I don't know the time just now.";

/// All skills, and what they may be granted.
pub struct Skills {
    skills: Vec<Box<dyn Skill>>,
    clock: Arc<dyn Clock>,
    zone: ZoneSource,
}

/// Tells the owner's time zone as it is now: it may change while the skills serve.
pub type ZoneSource = Arc<dyn Fn() -> TimeZone + Send + Sync>;

impl Skills {
    /// The skills that Sotto comes with, which tell the time of `clock` in `zone`.
    #[must_use]
    pub fn new(clock: Arc<dyn Clock>, zone: TimeZone) -> Self {
        Self::following(clock, Arc::new(move || zone.clone()))
    }

    /// The skills that Sotto comes with, which tell the time of `clock` in the zone that `zone` names at that moment.
    #[must_use]
    pub fn following(clock: Arc<dyn Clock>, zone: ZoneSource) -> Self {
        let skills: Vec<Box<dyn Skill>> = vec![Box::new(date::Date), Box::new(stop::Stop), Box::new(time::Time)];
        Self { skills, clock, zone }
    }

    /// The reply to a request. There always is one: where no skill knows the intent, it says so.
    #[must_use]
    pub fn answer(&self, request: &Understanding) -> Reply {
        let Some(skill) = self.skills.iter().find(|skill| skill.intents().contains(&request.intent.as_str())) else {
            return Reply::say(NO_SKILL);
        };
        let granted = match skill.capability() {
            Capability::Nothing => Granted::default(),
            Capability::LocalTime => match self.now() {
                Some(now) => Granted { now: Some(now) },
                None => return Reply::say(NO_TIME),
            },
        };
        skill.answer(request, &granted).unwrap_or_else(|| Reply::say(NO_SKILL))
    }

    /// Whether some skill answers this intent.
    #[must_use]
    pub fn knows(&self, intent: &str) -> bool {
        self.skills.iter().any(|skill| skill.intents().contains(&intent))
    }

    /// Makes every skill forget what it keeps of an utterance.
    pub fn forget(&self, utterance: UtteranceId) {
        self.skills.iter().for_each(|skill| skill.forget(utterance));
    }

    fn now(&self) -> Option<ZonedDateTime> {
        let now = jiff::Timestamp::from_millisecond(self.clock.now().unix_ms()).ok()?;
        Some(now.to_zoned_datetime((self.zone)()))
    }
}
