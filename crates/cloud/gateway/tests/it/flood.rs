//! Many devices at once, and one that asks without end.

use std::sync::Arc;
use std::time::Duration;

use base::{Redacted, SetClock, Timestamp};
use futures_util::future::join_all;
use gateway::limits::TURNS_PER_DEVICE_MAX;
use speech::{Deadline, Pcm, Recognition, Recognizer, SpeechError, Synthesizer};
use wire::{CloseReason, FromCloud, Outcome, StopReason};

use crate::cloud::{Choice, Cloud};
use crate::device::Key;
use crate::sounds::{PREROLL, say};
use crate::turns::{Held, Says};

const ONSET: u64 = PREROLL as u64;

/// Speaks at once, whatever it is.
struct Beeps;

impl Synthesizer for Beeps {
    fn speak(&self, _text: &Redacted<String>) -> Result<Pcm, SpeechError> {
        Ok(Pcm { rate_hz: 16_000, samples: vec![1_000; 1_600].into() })
    }
}

#[tokio::test]
async fn ten_and_twenty_devices_that_hear_the_same_word_are_all_answered() {
    let choice = Choice { voice: Arc::new(Beeps), ..Choice::hearing(Says("what time is it")) };
    let Some(cloud) = Cloud::start(choice).await else { return };
    let pcm = say("Alexa, what time is it?");
    let mut sealed = 0;
    for n in [10, 20] {
        let mut devices = Vec::new();
        for _ in 0..n {
            devices.push(Key::new().pair(&cloud).await);
        }
        let heard = join_all(devices.iter_mut().map(|device| device.turn(1, ONSET, &pcm))).await;
        let answered = heard.iter().filter(|heard| heard.outcome == Some(Outcome::Answered)).count();
        sealed += n;
        assert_eq!((answered, cloud.counts().utterances_sealed), (n, sealed as u64));
    }
}

/// Takes five seconds of a clock that is set, once it is let go.
struct Slow(Held, Arc<SetClock>);

impl Recognizer for Slow {
    fn recognize(&self, pcm: &[i16], deadline: &Deadline) -> Result<Recognition, SpeechError> {
        let recognised = self.0.recognize(pcm, deadline);
        self.1.advance(Duration::from_secs(5));
        recognised
    }
}

#[tokio::test]
async fn a_request_that_would_wait_too_long_is_refused_at_once() {
    let (clock, held) = (Arc::new(SetClock::new(Timestamp::from_unix_ms(1_800_000_000_000))), Held::default());
    let recognizer = Slow(held.clone(), Arc::clone(&clock));
    let choice = Choice { clock, ..Choice::hearing(recognizer) };
    let Some(cloud) = Cloud::start(choice).await else { return };
    let pcm = say("Alexa, what time is it?");
    let mut devices = Vec::new();
    for _ in 0..3 {
        devices.push(Key::new().pair(&cloud).await);
    }
    held.let_go();
    assert_eq!(devices[0].turn(1, ONSET, &pcm).await.outcome, Some(Outcome::Answered), "it takes five seconds");
    held.hold();
    let all = join_all(devices.iter_mut().map(|device| device.turn(2, ONSET, &pcm)));
    let (heard, ()) = tokio::join!(all, async {
        // One is worked on, one waits for five seconds; ten are more than eight.
        cloud.until(|counts| counts.turns_failed == 1).await;
        held.let_go();
    });
    let count = |wanted| heard.iter().filter(|heard| heard.outcome == Some(wanted)).count();
    assert_eq!((count(Outcome::Answered), count(Outcome::Failed)), (2, 1));
}

#[tokio::test]
async fn a_device_that_asks_without_end_keeps_nobody_else_waiting() {
    // A clock that stands: how long the recogniser is held does not count.
    let (clock, held) = (Arc::new(SetClock::new(Timestamp::from_unix_ms(1_800_000_000_000))), Held::default());
    let Some(cloud) = Cloud::start(Choice { clock, ..Choice::hearing(held.clone()) }).await else { return };
    let (mut greedy, mut other) = (Key::new().pair(&cloud).await, Key::new().pair(&cloud).await);
    let pcm = say("Alexa, what time is it?");
    // Each turn takes the place of the one before, which goes on all the same.
    let mut refused = 0;
    for turn in 1..=20 {
        greedy.open(turn, ONSET).await;
        greedy.audio(turn, 0, &pcm[..1_280]).await;
        greedy.close(turn, 1_280, CloseReason::MicGone).await;
        loop {
            match greedy.receive().await.expect("it is served") {
                FromCloud::StopCapture { reason: StopReason::Failed, .. } => refused += 1,
                FromCloud::Books { .. } => break,
                _ => {}
            }
        }
    }
    assert_eq!(refused, 20 - TURNS_PER_DEVICE_MAX);
    let (heard, ()) = tokio::join!(other.turn(1, ONSET, &pcm), async {
        cloud.until(|counts| counts.streams_opened == 21).await;
        held.let_go();
    });
    assert_eq!(heard.outcome, Some(Outcome::Answered));
}
