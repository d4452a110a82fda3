//! More than there is room for, and what must never be written down.

use std::cell::RefCell;
use std::io::{self, Write};

use gateway::GatewayConfig;
use tokio::io::AsyncReadExt;
use wire::{FromDevice, Outcome, StopReason};

use crate::cloud::{Choice, Cloud};
use crate::device::{CHUNK, Heard, Key};
use crate::sounds::{PREROLL, say};
use crate::turns::{Held, Says};

const ONSET: u64 = PREROLL as u64;

#[tokio::test]
async fn a_turn_too_many_is_refused_before_it_is_heard() {
    let held = Held::default();
    let config = GatewayConfig { turns_max: 1, ..GatewayConfig::default() };
    let Some(cloud) = Cloud::start(Choice { config, ..Choice::hearing(held.clone()) }).await else { return };
    let (mut first, mut second) = (Key::new().pair(&cloud).await, Key::new().pair(&cloud).await);
    let pcm = say("Alexa, what time is it?");
    let (answered, refused) = tokio::join!(first.turn(1, ONSET, &pcm), async {
        cloud.until(|counts| counts.streams_opened == 1).await;
        let refused = second.turn(1, ONSET, &pcm).await;
        held.let_go();
        refused
    });
    assert_eq!(answered.outcome, Some(Outcome::Answered));
    assert_eq!(refused.stop.map(|stop| stop.1), Some(StopReason::Failed));
    assert_eq!((refused.outcome, refused.sent.len()), (Some(Outcome::Failed), CHUNK));
    assert_eq!(cloud.rows().await.len(), 1, "nothing is kept of what was not heard");
    assert_eq!(second.turn(2, ONSET, &pcm).await.outcome, Some(Outcome::Answered));
}

#[tokio::test]
async fn an_ending_cloud_seals_what_it_is_answering() {
    let held = Held::default();
    let Some(mut cloud) = Cloud::start(Choice::hearing(held.clone())).await else { return };
    let mut device = Key::new().pair(&cloud).await;
    let pcm = say("Alexa, what time is it?");
    device.open(1, ONSET).await;
    let mut heard = Heard::default();
    for (sequence, chunk) in (0..).zip(pcm.chunks(CHUNK)) {
        device.audio(1, sequence, chunk).await;
        if device.follow(&mut heard).await {
            break;
        }
    }
    // Somebody who is only shaking hands does not hold it up.
    let mut silent = tokio::net::TcpStream::connect(cloud.address).await.expect("the port is open");
    let (counts, ()) = tokio::join!(
        async {
            cloud.stop().await;
            cloud.counts()
        },
        async {
            while device.receive().await.is_some() {}
            held.let_go();
            let _ = silent.read_to_end(&mut Vec::new()).await;
        }
    );
    assert_eq!((counts.utterances_sealed, cloud.rows().await.len()), (1, 1));
}

thread_local! {
    /// Everything that is logged on this thread.
    static LOGGED: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
}

/// Writes to [`LOGGED`].
struct Log;

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        LOGGED.with_borrow_mut(|logged| logged.extend_from_slice(bytes));
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// From here on, what is logged on this thread is kept.
pub(crate) fn keep_the_log() {
    static ONCE: std::sync::Once = std::sync::Once::new();
    // For the whole process: of a subscriber of one thread alone, a line that another thread's test comes to first never
    // hears, because that thread had nobody to write it for.
    ONCE.call_once(|| {
        tracing_subscriber::fmt()
            .with_max_level(tracing_subscriber::filter::LevelFilter::TRACE)
            .with_ansi(false)
            .with_writer(|| Log)
            .init();
    });
    LOGGED.take();
}

/// What was logged on this thread.
pub(crate) fn logged() -> String {
    String::from_utf8(LOGGED.take()).expect("text")
}

#[tokio::test]
async fn i9_no_word_and_no_name_reaches_the_log() {
    keep_the_log();
    let Some(cloud) = Cloud::start(Choice::hearing(Says("Alexa, what time is it?"))).await else { return };
    let mut device = Key::new().pair(&cloud).await;
    let code = cloud.desk.issue(cloud.owner).expect("a code");
    let heard = device.turn(1, ONSET, &say("Alexa, what time is it?")).await;
    device.send_bytes(b"what time is it".to_vec()).await;
    while device.receive().await.is_some() {}
    let mut stranger = Key::new().connect(&cloud).await;
    stranger.ask(FromDevice::Hello { paired: false }).await;
    stranger.try_code(&code).await;
    cloud.until(|counts| counts.connections_refused == 1 && counts.devices_paired == 2).await;
    let log = logged().to_lowercase();
    assert!(log.contains("device.online") && log.contains("connection.refused"), "the log was not caught:\n{log}");
    let reply = heard.caption.expect("a caption").reply.expose().to_lowercase();
    assert!(!reply.is_empty());
    for word in ["what time", "alexa", "kitchen", "owner", code.expose(), &reply, "127.0.0.1"] {
        assert!(!log.contains(word), "{word:?} was logged");
    }
}
