//! "Stop" and "never mind": the turn is over, and nothing is said about it.

use base::UtteranceId;
use sense::Understanding;

use crate::skill::{Capability, Granted, Reply, Skill};

/// Ends the turn in silence.
pub(crate) struct Stop;

impl Skill for Stop {
    fn intents(&self) -> &'static [&'static str] {
        &["HassNevermind"]
    }

    fn capability(&self) -> Capability {
        Capability::Nothing
    }

    fn answer(&self, _: &Understanding, _: &Granted) -> Option<Reply> {
        Some(Reply::silent())
    }

    // Keeps nothing.
    fn forget(&self, _: UtteranceId) {}
}
