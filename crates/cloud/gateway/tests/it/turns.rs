//! Turns, on synthetic speech, with recognisers that do what a test needs.

use std::io;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex};
use std::time::Duration;

use base::{SetClock, Timestamp};
use history::RowState;
use speech::{Deadline, Recognition, Recognizer, SpeechError};
use wire::{CloseReason, FromCloud, FromDevice, Outcome, StopReason};

use crate::cloud::{Choice, Cloud};
use crate::device::{CHUNK, Heard, Key};
use crate::sounds::{PREROLL, room, say};

/// Hears the same in everything.
pub(crate) struct Says(pub(crate) &'static str);

impl Recognizer for Says {
    fn recognize(&self, _pcm: &[i16], _deadline: &Deadline) -> Result<Recognition, SpeechError> {
        let text = self.0.to_owned().into();
        Ok(Recognition { text, avg_logprob: 0.0, no_speech: 0.0, cpu: Duration::ZERO })
    }
}

/// Panics, as a bug would.
struct Panics;

impl Recognizer for Panics {
    fn recognize(&self, _pcm: &[i16], _deadline: &Deadline) -> Result<Recognition, SpeechError> {
        panic!("a bug in a recogniser");
    }
}

/// Waits until it is let go.
#[derive(Clone, Default)]
pub(crate) struct Held(Arc<(Mutex<bool>, Condvar)>);

impl Held {
    pub(crate) fn let_go(&self) {
        *self.0.0.lock().expect("no panic") = true;
        self.0.1.notify_all();
    }

    pub(crate) fn hold(&self) {
        *self.0.0.lock().expect("no panic") = false;
    }
}

impl Recognizer for Held {
    fn recognize(&self, pcm: &[i16], deadline: &Deadline) -> Result<Recognition, SpeechError> {
        let held = self.0.0.lock().expect("no panic");
        drop(self.0.1.wait_while(held, |let_go| !*let_go).expect("no panic"));
        Says("what time is it").recognize(pcm, deadline)
    }
}

const ONSET: u64 = PREROLL as u64;

#[tokio::test]
async fn a_request_is_answered_spoken_and_kept() {
    let Some(cloud) = Cloud::start(Choice::hearing(Says("Alexa, what time is it?"))).await else { return };
    let mut device = Key::new().pair(&cloud).await;
    let pcm = say("Alexa, what time is it?");
    let heard = device.turn(1, ONSET, &pcm).await;
    let (at, reason) = heard.stop.expect("the cloud says when it has enough");
    assert_eq!(reason, StopReason::EndOfSpeech);
    assert!(
        at.0 <= heard.sent.len() as u64 && heard.sent.len() < pcm.len(),
        "it stops before the four quiet seconds"
    );
    assert_eq!(heard.outcome, Some(Outcome::Answered));
    assert!(heard.reply_ended && heard.reply.len() > 4_000 && heard.reply_rate_hz.is_some());
    let caption = heard.caption.as_ref().expect("a caption");
    assert_eq!(caption.intent, "HassGetCurrentTime");
    let stages: Vec<_> = caption.timings.iter().map(|timing| timing.stage.as_str()).collect();
    assert_eq!(stages, ["endpoint_wait", "recognise", "understand", "answer", "synthesise", "first_audio"]);
    let rows = cloud.rows().await;
    let [row] = &rows[..] else { panic!("{} rows", rows.len()) };
    let RowState::Sealed { details, .. } = &row.state else { panic!("{row:?}") };
    assert_eq!(details.transcript, caption.transcript);
    assert_eq!(details.reply, caption.reply);
    assert_eq!((details.preroll.0, details.length.0), (ONSET, heard.sent.len() as u64));
    let kept = cloud.history.audio(cloud.owner, row.id).await.expect("the sound");
    assert_eq!(*kept.expose(), heard.sent, "every sample that was sent, and no other");
}

#[tokio::test]
async fn i10_the_books_balance() {
    let Some(cloud) = Cloud::start(Choice::hearing(Says("what time is it"))).await else { return };
    let mut device = Key::new().pair(&cloud).await;
    let pcm = say("Alexa, what time is it?");
    let mut sent = 0;
    for turn in 1..=3 {
        let heard = device.turn(turn, ONSET, &pcm[..pcm.len() - 7 * turn as usize]).await;
        assert_eq!(heard.books.map(|books| books.0), Some(heard.sent.len() as u64));
        sent += heard.sent.len() as u64;
    }
    assert_eq!(cloud.counts().audio_bytes_received, 2 * sent);
    assert_eq!(cloud.counts().audio_bytes_lost, 0);
    // What the device let pass and the cloud has not is shown as lost.
    device.open(4, ONSET).await;
    device.audio(4, 0, &pcm[..CHUNK]).await;
    device.close(4, CHUNK + 100, CloseReason::MicGone).await;
    device.finish(&mut Heard::default()).await;
    assert_eq!(cloud.counts().audio_bytes_lost, 200);
}

#[tokio::test]
async fn what_no_sentence_fits_gets_an_apology() {
    let Some(cloud) = Cloud::start(Choice::hearing(Says("colourless green ideas"))).await else { return };
    let mut device = Key::new().pair(&cloud).await;
    let heard = device.turn(1, ONSET, &say("Alexa, colourless green ideas sleep furiously.")).await;
    assert_eq!(heard.outcome, Some(Outcome::NotUnderstood));
    assert_eq!(heard.caption.expect("a caption").reply.expose(), gateway::NOT_UNDERSTOOD);
    assert!(heard.reply_ended && cloud.rows().await.len() == 1);
}

#[tokio::test]
async fn the_wake_word_alone_is_answered_by_nothing() {
    let Some(cloud) = Cloud::start(Choice::hearing(Says("Alexa."))).await else { return };
    let mut device = Key::new().pair(&cloud).await;
    let mut pcm = say("Alexa");
    pcm.extend(room(3 * 16_000));
    let heard = device.turn(1, ONSET, &pcm).await;
    assert_eq!(heard.stop.map(|stop| stop.1), Some(StopReason::NothingSaid));
    assert_eq!((heard.outcome, heard.reply.len()), (Some(Outcome::NothingHeard), 0));
    assert_eq!(cloud.rows().await.len(), 1, "its owner sees that it happened");
}

#[tokio::test]
async fn speech_without_end_is_stopped_after_fifteen_seconds() {
    let Some(cloud) = Cloud::start(Choice::hearing(Says("what time is it"))).await else { return };
    let mut device = Key::new().pair(&cloud).await;
    let long =
        say(&"Alexa tell me of the long road through the green hills and over the river to the old town. ".repeat(5));
    assert!(long.len() > 20 * 16_000);
    let heard = device.turn(1, ONSET, &long).await;
    let (at, reason) = heard.stop.expect("it is stopped");
    assert_eq!(reason, StopReason::Limit);
    assert!((240_000..=241_280).contains(&at.0), "{at:?}");
    assert_eq!(heard.outcome, Some(Outcome::Answered));
}

#[tokio::test]
async fn two_devices_speak_at_once() {
    let Some(cloud) = Cloud::start(Choice::hearing(Says("what time is it"))).await else { return };
    let (mut a, mut b) = (Key::new().pair(&cloud).await, Key::new().pair(&cloud).await);
    let pcm = say("Alexa, what time is it?");
    let (heard_a, heard_b) = tokio::join!(a.turn(1, ONSET, &pcm), b.turn(1, ONSET, &pcm));
    assert_eq!((heard_a.outcome, heard_b.outcome), (Some(Outcome::Answered), Some(Outcome::Answered)));
    assert_eq!((cloud.rows().await.len(), cloud.gateway.devices_online()), (2, 2));
}

#[tokio::test]
async fn a_panic_in_a_turn_is_that_turns_alone() {
    let Some(cloud) = Cloud::start(Choice::hearing(Panics)).await else { return };
    let mut device = Key::new().pair(&cloud).await;
    let pcm = say("Alexa, what time is it?");
    for turn in 1..=2 {
        assert_eq!(device.turn(turn, ONSET, &pcm).await.outcome, Some(Outcome::Failed));
    }
    assert_eq!(device.ask(FromDevice::Ping).await, Some(FromCloud::Pong));
    assert_eq!(cloud.rows().await.len(), 2, "what was recorded is shown, though nothing came of it");
}

#[tokio::test]
async fn a_device_that_stalls_in_a_stream_is_let_go_and_nothing_is_kept() {
    let clock = Arc::new(SetClock::new(Timestamp::from_unix_ms(1_800_000_000_000)));
    let choice = Choice { clock: clock.clone(), ..Choice::hearing(Says("what time is it")) };
    let Some(cloud) = Cloud::start(choice).await else { return };
    let mut device = Key::new().pair(&cloud).await;
    let pcm = say("Alexa, what time is it?");
    device.open(1, ONSET).await;
    device.audio(1, 0, &pcm[..CHUNK]).await;
    assert!(matches!(device.receive().await, Some(FromCloud::Heard { .. })));
    clock.advance(Duration::from_secs(9));
    cloud.gateway.look_again();
    assert_eq!(device.ask(FromDevice::Ping).await, Some(FromCloud::Pong), "nine seconds are borne");
    clock.advance(Duration::from_secs(2));
    cloud.gateway.look_again();
    assert_eq!(device.receive().await, None, "eleven are not");
    cloud.until(|counts| counts.utterances_not_kept == 1).await;
    assert_eq!((cloud.rows().await.len(), cloud.gateway.devices_online()), (0, 0));
}

#[tokio::test]
async fn a_device_that_goes_before_its_answer_finds_it_in_the_history() {
    let held = Held::default();
    let Some(cloud) = Cloud::start(Choice::hearing(held.clone())).await else { return };
    let mut device = Key::new().pair(&cloud).await;
    let pcm = say("Alexa, what time is it?");
    device.open(1, ONSET).await;
    for (sequence, chunk) in (0..).zip(pcm.chunks(CHUNK)) {
        device.audio(1, sequence, chunk).await;
        if matches!(device.receive().await, Some(FromCloud::StopCapture { .. })) {
            break;
        }
    }
    drop(device);
    held.let_go();
    cloud.until(|counts| counts.utterances_sealed == 1).await;
    assert_eq!(cloud.rows().await.len(), 1);
}

#[tokio::test]
async fn half_a_request_is_not_kept() {
    let Some(cloud) = Cloud::start(Choice::hearing(Says("what time is it"))).await else { return };
    let mut device = Key::new().pair(&cloud).await;
    device.open(1, ONSET).await;
    device.audio(1, 0, &say("Alexa")[..CHUNK]).await;
    assert!(matches!(device.receive().await, Some(FromCloud::Heard { .. })));
    // As when the network goes: nothing is said any more.
    drop(device);
    cloud.until(|counts| counts.utterances_not_kept == 1).await;
    assert!(cloud.rows().await.is_empty());
}

#[tokio::test]
async fn a_new_request_takes_the_place_of_one_that_is_being_answered() {
    let held = Held::default();
    let choice = Choice { threads: 2, ..Choice::hearing(held.clone()) };
    let Some(cloud) = Cloud::start(choice).await else { return };
    let mut device = Key::new().pair(&cloud).await;
    let pcm = say("Alexa, what time is it?");
    let mut sent = 0;
    device.open(1, ONSET).await;
    for (sequence, chunk) in (0..).zip(pcm.chunks(CHUNK)) {
        device.audio(1, sequence, chunk).await;
        sent += chunk.len();
        if matches!(device.receive().await, Some(FromCloud::StopCapture { .. })) {
            break;
        }
    }
    assert!(matches!(device.receive().await, Some(FromCloud::Heard { .. })));
    device.close(1, sent, CloseReason::StopCapture).await;
    assert!(matches!(device.receive().await, Some(FromCloud::Books { .. })));
    let (heard, ()) = tokio::join!(device.turn(2, ONSET, &pcm), async {
        cloud.until(|counts| counts.streams_opened == 2).await;
        held.let_go();
    });
    assert_eq!(heard.outcome, Some(Outcome::Answered));
    assert_eq!(heard.caption.map(|caption| caption.turn.0), Some(2), "nothing of the first is said any more");
    cloud.until(|counts| counts.utterances_sealed == 2).await;
}

#[tokio::test]
async fn microphones_off_takes_the_request_back() {
    let Some(cloud) = Cloud::start(Choice::hearing(Says("what time is it"))).await else { return };
    let mut device = Key::new().pair(&cloud).await;
    let pcm = say("Alexa, what time is it?");
    device.open(1, ONSET).await;
    device.audio(1, 0, &pcm[..CHUNK]).await;
    device.close(1, CHUNK, CloseReason::MicOff).await;
    let mut heard = Heard::default();
    device.finish(&mut heard).await;
    assert_eq!(heard.outcome, Some(Outcome::NothingHeard));
    assert!(heard.caption.is_none() && cloud.rows().await.is_empty());
    assert_eq!(device.turn(2, ONSET, &pcm).await.outcome, Some(Outcome::Answered), "and the next one is served");
}

#[tokio::test]
async fn a_full_disk_is_told_and_nothing_half_written_stays() {
    #[derive(Default)]
    struct Disk(AtomicBool);
    impl vault::Steps for Disk {
        fn before(&self, _step: &'static str) -> io::Result<()> {
            if self.0.load(Ordering::SeqCst) { Err(io::ErrorKind::StorageFull.into()) } else { Ok(()) }
        }
    }
    let disk = Arc::new(Disk::default());
    let choice = Choice { steps: disk.clone(), ..Choice::hearing(Says("what time is it")) };
    let Some(cloud) = Cloud::start(choice).await else { return };
    let mut device = Key::new().pair(&cloud).await;
    let pcm = say("Alexa, what time is it?");
    disk.0.store(true, Ordering::SeqCst);
    let heard = device.turn(1, ONSET, &pcm).await;
    assert_eq!((heard.outcome, heard.reply_ended), (Some(Outcome::NotKept), true), "it is answered, and not kept");
    assert_eq!(cloud.counts().utterances_not_kept, 1);
    disk.0.store(false, Ordering::SeqCst);
    assert_eq!(device.turn(2, ONSET, &pcm).await.outcome, Some(Outcome::Answered));
    assert_eq!(cloud.rows().await.len(), 1);
}
