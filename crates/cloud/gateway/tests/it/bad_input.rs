//! What a device must not say. Each ends its session with one clear reason, and nothing else.

use base::{SampleCount, SampleIndex, TurnId};
use tokio_tungstenite::tungstenite::Message;
use wire::limits::FRAME_BYTES_MAX;
use wire::{Cause, CloseReason, FromCloud, FromDevice, RefusedReason, StreamClose, StreamOpen};

use crate::cloud::{Choice, Cloud};
use crate::device::{CHUNK, Key};
use crate::turns::Says;

#[tokio::test]
async fn frames_that_are_none_end_the_session_and_nothing_else() {
    let Some(cloud) = Cloud::start(Choice::hearing(Says("what time is it"))).await else { return };
    let (key, bystander) = (Key::new(), Key::new());
    drop(key.pair(&cloud).await);
    let mut bystander = bystander.pair(&cloud).await;
    let hello = FromDevice::Hello { paired: true }.encode().expect("a frame");
    let ping = FromDevice::Ping.encode().expect("a frame");
    let other_version = [vec![ping[0] + 1], ping[1..].to_vec()].concat();
    let cases = [
        ("wrong version", Message::Binary(other_version.into()), RefusedReason::Version),
        ("no frame at all", Message::Binary(Vec::new().into()), RefusedReason::Protocol),
        ("cut", Message::Binary(hello[..hello.len() - 1].to_vec().into()), RefusedReason::Protocol),
        ("too long", Message::Binary([ping.clone(), vec![0]].concat().into()), RefusedReason::Protocol),
        ("unknown kind", Message::Binary(vec![ping[0], 0x7f].into()), RefusedReason::Protocol),
        ("oversized", Message::Binary(vec![1; FRAME_BYTES_MAX + 1].into()), RefusedReason::Protocol),
        ("enormous", Message::Binary(vec![1; 4 * FRAME_BYTES_MAX].into()), RefusedReason::Protocol),
        ("text", Message::Text("what time is it".into()), RefusedReason::Protocol),
        ("a second greeting", Message::Binary(hello.into()), RefusedReason::Protocol),
    ];
    for (what, message, reason) in cases {
        let mut device = key.return_to(&cloud).await;
        device.send_raw(message).await;
        assert_eq!(device.receive().await, Some(FromCloud::Refused { reason }), "{what}");
        assert_eq!(device.receive().await, None, "{what}");
    }
    assert_eq!(bystander.ask(FromDevice::Ping).await, Some(FromCloud::Pong));
    assert_eq!(cloud.counts().streams_opened, 0);
}

#[tokio::test]
async fn sound_has_its_place_and_its_order() {
    let Some(cloud) = Cloud::start(Choice::hearing(Says("what time is it"))).await else { return };
    let key = Key::new();
    drop(key.pair(&cloud).await);
    let refused = Some(FromCloud::Refused { reason: RefusedReason::Protocol });
    let silence = [0; 1_280];

    let mut device = key.return_to(&cloud).await;
    device.audio(1, 0, &silence).await;
    assert_eq!(device.receive().await, refused, "sound without a stream");

    let mut device = key.return_to(&cloud).await;
    device.open(1, 8_000).await;
    device.audio(1, 1, &silence).await;
    assert_eq!(device.receive().await, refused, "sound with a gap");

    let mut device = key.return_to(&cloud).await;
    device.open(1, 8_000).await;
    device.open(2, 8_000).await;
    assert_eq!(device.receive().await, refused, "two streams at once");

    let mut device = key.return_to(&cloud).await;
    device.close(1, 0, CloseReason::Limit).await;
    assert_eq!(device.receive().await, refused, "the end of nothing");

    let mut device = key.return_to(&cloud).await;
    device.open(1, 8_000).await;
    // 17 s, unasked: the cloud has said stop long before.
    for sequence in 0..213 {
        device.audio(1, sequence, &silence).await;
    }
    let mut last = device.receive().await;
    while !matches!(last, None | Some(FromCloud::Refused { .. })) {
        last = device.receive().await;
    }
    assert_eq!(last, refused, "a stream longer than any may be");
}

#[tokio::test]
async fn no_number_that_a_device_can_send_brings_a_turn_or_the_cloud_down() {
    let Some(mut cloud) = Cloud::start(Choice::hearing(Says("what time is it"))).await else { return };
    let key = Key::new();
    key.pair(&cloud).await;
    for (turn, total) in (1..).zip([0, 1_279, 249_281, 1 << 53, u64::MAX / 2 + 1, u64::MAX]) {
        let mut device = key.return_to(&cloud).await;
        let (start, onset) = (SampleIndex(u64::MAX - 8_000), SampleIndex(u64::MAX));
        let cause = Cause::Wake { word: "alexa".to_owned(), score: 0.9 };
        device.send(FromDevice::Open(StreamOpen { turn: TurnId(turn), cause, start, onset })).await;
        device.audio(turn, 0, &[1_000; CHUNK]).await;
        let close = StreamClose { turn: TurnId(turn), samples_total: SampleCount(total), reason: CloseReason::Limit };
        device.send(FromDevice::Close(close)).await;
        let last = loop {
            match device.receive().await {
                Some(FromCloud::Heard { .. } | FromCloud::StopCapture { .. }) => {}
                other => break other,
            }
        };
        let refused = Some(FromCloud::Refused { reason: RefusedReason::Protocol });
        let books = Some(FromCloud::Books { turn: TurnId(turn), samples: SampleCount(CHUNK as u64) });
        assert_eq!(last, if total > 249_280 { refused } else { books }, "{total}");
    }
    cloud.stop().await;
}
