//! A device that is removed while something of it is under way: it ends at once, and nothing is kept.

use std::io;
use std::sync::{Arc, Condvar, Mutex};
use std::time::{Duration, Instant};

use wire::{CloseReason, FromCloud, FromDevice, RefusedReason};

use crate::cloud::{Choice, Cloud, PATIENCE};
use crate::device::{CHUNK, Device, Heard, Key};
use crate::sounds::{PREROLL, say};
use crate::turns::{Held, Says};

const ONSET: u64 = PREROLL as u64;
const REMOVED: Option<FromCloud> = Some(FromCloud::Refused { reason: RefusedReason::UnknownDevice });
/// Longer than removing takes on a busy machine, and shorter than anything the gateway would do by itself.
const AT_ONCE: Duration = Duration::from_secs(8);

async fn remove(cloud: &Cloud) {
    let device = cloud.history.devices(cloud.owner).await.expect("devices")[0].id;
    cloud.history.revoke_device(cloud.owner, device).await.expect("it can be removed");
}

/// Streams a whole request, as far as the cloud wants it.
async fn ask(device: &mut Device, pcm: &[i16]) {
    device.open(1, ONSET).await;
    let mut heard = Heard::default();
    let mut sent = 0;
    for (sequence, chunk) in (0..).zip(pcm.chunks(CHUNK)) {
        device.audio(1, sequence, chunk).await;
        sent += chunk.len();
        if device.follow(&mut heard).await {
            break;
        }
    }
    device.close(1, sent, CloseReason::StopCapture).await;
    while !matches!(device.receive().await.expect("there are books"), FromCloud::Books { .. }) {}
}

#[tokio::test]
async fn removal_in_mid_stream_ends_it_at_once_and_nothing_is_kept() {
    let Some(cloud) = Cloud::start(Choice::hearing(Says("what time is it"))).await else { return };
    let key = Key::new();
    let mut device = key.pair(&cloud).await;
    // Another connection of the same device that has not said yet what it wants.
    let mut second = key.connect(&cloud).await;
    let pcm = say("Alexa, what time is it?");
    let mut heard = Heard::default();
    device.open(1, ONSET).await;
    for (sequence, chunk) in (0..13).zip(pcm.chunks(CHUNK)) {
        device.audio(1, sequence, chunk).await;
        assert!(!device.follow(&mut heard).await, "it is in the middle of its request");
    }
    let received = cloud.counts().audio_bytes_received;
    let since = Instant::now();
    remove(&cloud).await;
    assert_eq!(cloud.gateway.devices_online(), 0, "when the removal has returned");
    // Whatever it goes on to send is not heard.
    for (sequence, chunk) in (13..).zip(pcm.chunks(CHUNK).skip(13)) {
        device.audio(1, sequence, chunk).await;
    }
    device.close(1, pcm.len(), CloseReason::StopCapture).await;
    assert_eq!(device.receive().await, REMOVED);
    assert_eq!(device.receive().await, None, "and nothing else: no books, no caption, no reply");
    assert_eq!(second.ask(FromDevice::Hello { paired: true }).await, REMOVED);
    assert!(since.elapsed() < AT_ONCE, "{:?}", since.elapsed());
    let mut back = key.connect(&cloud).await;
    assert_eq!(back.ask(FromDevice::Hello { paired: true }).await, REMOVED, "nor does it come back");
    let counts = cloud.counts();
    assert_eq!(counts.audio_bytes_received, received);
    assert_eq!((counts.utterances_sealed, counts.utterances_not_kept, counts.turns_answered), (0, 1, 0));
    assert!(cloud.rows().await.is_empty());
}

#[tokio::test]
async fn removal_while_a_request_is_recognised_abandons_it() {
    let held = Held::default();
    let Some(cloud) = Cloud::start(Choice::hearing(held.clone())).await else { return };
    let mut device = Key::new().pair(&cloud).await;
    ask(&mut device, &say("Alexa, what time is it?")).await;
    let since = Instant::now();
    remove(&cloud).await;
    assert_eq!(device.receive().await, REMOVED);
    assert_eq!(device.receive().await, None, "no caption and no reply");
    assert!(since.elapsed() < AT_ONCE, "{:?}", since.elapsed());
    held.let_go();
    cloud.until(|counts| counts.utterances_not_kept == 1).await;
    assert_eq!((cloud.counts().utterances_sealed, cloud.rows().await.len()), (0, 0));
}

/// Holds the disk at one step.
#[derive(Default)]
struct Gate(Mutex<(bool, bool)>, Condvar);

impl Gate {
    fn set(&self, shut: bool) {
        *self.0.lock().expect("whole") = (shut, false);
        self.1.notify_all();
    }

    async fn reached(&self) {
        let waiting = async {
            while !self.0.lock().expect("whole").1 {
                tokio::task::yield_now().await;
            }
        };
        tokio::time::timeout(PATIENCE, waiting).await.expect("somebody comes");
    }
}

impl vault::Steps for Gate {
    fn before(&self, step: &'static str) -> io::Result<()> {
        if step == "row: insert" {
            let mut state = self.0.lock().expect("whole");
            state.1 = true;
            drop(self.1.wait_while(state, |(shut, _)| *shut).expect("whole"));
        }
        Ok(())
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn removal_while_a_request_is_sealed_destroys_it() {
    let gate = Arc::new(Gate::default());
    let choice = Choice { steps: Arc::clone(&gate) as _, ..Choice::hearing(Says("what time is it")) };
    let Some(cloud) = Cloud::start(choice).await else { return };
    let mut device = Key::new().pair(&cloud).await;
    gate.set(true);
    let pcm = say("Alexa, what time is it?");
    let ((), ()) = tokio::join!(ask(&mut device, &pcm), gate.reached());
    let ((), ()) = tokio::join!(remove(&cloud), async {
        // The device is told before the disk goes on.
        let mut last = device.receive().await;
        while last.is_some() && last != REMOVED {
            assert!(!matches!(last, Some(FromCloud::TurnEnd { .. })), "nothing was kept yet");
            last = device.receive().await;
        }
        assert_eq!(last, REMOVED);
        gate.set(false);
    });
    assert_eq!((cloud.rows().await.len(), cloud.counts().utterances_sealed), (0, 0), "no row, and no receipt");
}
