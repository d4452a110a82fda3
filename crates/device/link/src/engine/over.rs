//! The end of a turn: not while anything of it is heard, however long that is, and not later than this (invariant I1).
//!
//! What a reply says is the network's choice. While a turn lasts the ear takes no word for a cause, so a turn that ended
//! before its reply did would let the network say the word.

use std::time::Duration;

use base::limits::REPLY_SECONDS_MAX;
use pipe::Line;

use super::{Engine, Turn, Voice};
use crate::error::LinkError;

/// From Close to the first sound of an answer. The cloud has 18 s of its own, see [`wire::limits::ANSWER_WITHIN`].
const ANSWER_WITHIN: Duration = Duration::from_millis(19_500);

/// From a voice's beginning to its end: the longest reply, and what a sound card may take longer than the sound lasts.
/// Also a reply that comes drop by drop, pauses or never ends is over by then.
const VOICE_WITHIN: Duration = Duration::from_secs(REPLY_SECONDS_MAX as u64 + 3);

/// How long the loudspeaker may take to fall silent once it is told to.
const SILENT_WITHIN: Duration = Duration::from_secs(2);

impl Turn {
    /// Sets anew when what is waited for must have come: an answer's beginning, or its end. Nothing is while the stream is
    /// open, whose end the ear sees to.
    pub(super) fn wait_for_voice(&mut self, now: Duration) {
        let within = match self.voice {
            Voice::Awaited | Voice::Excuse(_) | Voice::Over => ANSWER_WITHIN,
            Voice::Reply(_) | Voice::Whole { .. } => VOICE_WITHIN,
            Voice::Cut(_) => SILENT_WITHIN,
        };
        self.over_by = Some(now.saturating_add(within));
    }

    /// The same, once a voice has begun: a stream that is still open has yet to be closed before anything is waited for.
    pub(super) fn voice_begins(&mut self, voice: Voice, now: Duration) {
        self.voice = voice;
        if self.over_by.is_some() {
            self.wait_for_voice(now);
        }
    }
}

impl Engine {
    /// Ends a turn that is late: at once where nothing is heard, and where something is, once it has fallen silent.
    pub(super) fn end_late_turn(&mut self, now: Duration) -> Result<(), LinkError> {
        let Some(turn) = self.turn.as_mut().filter(|turn| turn.over_by.is_some_and(|by| by <= now)) else {
            return Ok(());
        };
        match turn.voice {
            Voice::Reply(voice) | Voice::Whole { voice, .. } => {
                turn.voice = Voice::Cut(voice);
                turn.outcome.get_or_insert("failed");
                turn.wait_for_voice(now);
                let id = turn.id;
                self.speaker.stop();
                self.events.send(Line::new("reply_cut").whole("turn", id.0.into()).text("reason", "too_late"));
                Ok(())
            }
            // Its process is what still sounds.
            Voice::Cut(_) => Err(LinkError::Loud),
            Voice::Awaited | Voice::Excuse(_) | Voice::Over => self.end_turn(),
        }
    }
}
