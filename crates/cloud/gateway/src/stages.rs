//! What is done with a request once it was heard: text, intent, answer, speech.

use std::sync::Arc;
use std::time::Duration;

use base::limits::TRANSCRIPT_CHARS_MAX;
use base::{Clock, DeviceId, Redacted};
use sense::{Sense, Understanding};
use skills::{Reply, ReplyKind, Skills};
use speech::{Asker, Pcm, RecognizerPool, SpeakerPool, SpeechError};
use wire::Outcome;

use crate::hearing::Request;
use crate::limits::{RECOGNISE_WITHIN, SPEAK_WITHIN};

/// Said where something was said that no sentence fits.
pub const NOT_UNDERSTOOD: &str = "Sorry, I didn't understand that.";

/// The engines that turn a request into an answer, shared by all turns.
pub(crate) struct Stages {
    pub(crate) recognizers: Arc<RecognizerPool>,
    pub(crate) sense: Arc<Sense>,
    pub(crate) skills: Arc<Skills>,
    pub(crate) voices: Arc<SpeakerPool>,
    pub(crate) clock: Arc<dyn Clock>,
}

/// What came of a request.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) outcome: Outcome,
    pub(crate) transcript: Redacted<String>,
    pub(crate) meant: Option<Understanding>,
    pub(crate) reply: Redacted<String>,
    /// The reply as sound; nothing where nothing is said, or it could not be spoken.
    pub(crate) speech: Option<Pcm>,
    pub(crate) timings: Timings,
    /// What went wrong, in words that say nothing of the request.
    pub(crate) trouble: Option<String>,
}

/// How long each stage took, in the order in which they ran.
#[derive(Clone, Debug, Default)]
pub(crate) struct Timings(Vec<(&'static str, Duration)>);

impl Timings {
    pub(crate) fn add(&mut self, stage: &'static str, took: Duration) {
        self.0.push((stage, took));
    }

    /// Each stage and its milliseconds.
    pub(crate) fn ms(&self) -> impl Iterator<Item = (&'static str, f64)> {
        self.0.iter().map(|(stage, took)| (*stage, took.as_secs_f64() * 1_000.0))
    }
}

impl Answer {
    /// Nothing, because something went wrong.
    pub(crate) fn failed(trouble: String, timings: Timings) -> Self {
        Self {
            outcome: Outcome::Failed,
            transcript: String::new().into(),
            meant: None,
            reply: String::new().into(),
            speech: None,
            timings,
            trouble: Some(trouble),
        }
    }
}

impl Stages {
    /// Takes a request through all stages. Never fails: an answer says what went wrong.
    pub(crate) async fn answer(&self, request: Request, device: DeviceId) -> Answer {
        let asker = Asker(*device.as_bytes());
        let mut timings = Timings::default();
        timings.add("endpoint_wait", request.endpoint_wait);
        let heard = self.timed(&mut timings, "recognise", self.recognise(asker, request.pcm)).await;
        let transcript = match heard {
            Ok(transcript) => transcript,
            Err(error) => return Answer::failed(error.to_string(), timings),
        };
        let meaning = async { self.sense.understand(transcript.expose()) };
        let meant = self.timed(&mut timings, "understand", meaning).await;
        let replying = async { self.reply(meant.as_ref(), request.spoken) };
        let (mut outcome, reply) = self.timed(&mut timings, "answer", replying).await;
        let (mut speech, mut trouble) = (None, None);
        if reply.kind == ReplyKind::Say {
            let spoken = late(SPEAK_WITHIN, self.voices.speak(asker, reply.spoken, SPEAK_WITHIN));
            match self.timed(&mut timings, "synthesise", spoken).await {
                Ok(pcm) => speech = Some(pcm),
                Err(error) => (outcome, trouble) = (Outcome::Failed, Some(error.to_string())),
            }
        }
        Answer { outcome, transcript, meant, reply: reply.text, speech, timings, trouble }
    }

    fn reply(&self, meant: Option<&Understanding>, spoken: bool) -> (Outcome, Reply) {
        match meant {
            Some(meant) => (Outcome::Answered, self.skills.answer(meant)),
            None if spoken => (Outcome::NotUnderstood, Reply::say(NOT_UNDERSTOOD)),
            // Only the wake word: whoever said it has turned to something else.
            None => (Outcome::NothingHeard, Reply::silent()),
        }
    }

    async fn recognise(&self, asker: Asker, pcm: Redacted<Vec<i16>>) -> Result<Redacted<String>, SpeechError> {
        let heard = late(RECOGNISE_WITHIN, self.recognizers.recognize(asker, pcm, RECOGNISE_WITHIN)).await?;
        Ok(heard.text.expose().chars().take(TRANSCRIPT_CHARS_MAX).collect::<String>().into())
    }

    async fn timed<T>(&self, timings: &mut Timings, stage: &'static str, work: impl Future<Output = T>) -> T {
        let since = self.clock.elapsed();
        let outcome = work.await;
        timings.add(stage, self.clock.elapsed().saturating_sub(since));
        outcome
    }
}

/// A pool's answer, or "late" where an engine does not look at its deadline.
async fn late<T>(within: Duration, work: impl Future<Output = Result<T, SpeechError>>) -> Result<T, SpeechError> {
    tokio::time::timeout(within, work).await.unwrap_or(Err(SpeechError::Late { within }))
}
