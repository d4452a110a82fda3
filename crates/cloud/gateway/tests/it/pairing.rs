//! Who may connect, and how one comes to.

use std::sync::Arc;

use base::{SetClock, Timestamp};
use gateway::DeskState;
use wire::pairing::PairingCode;
use wire::{FromCloud, FromDevice, PairFailure, RefusedReason};

use crate::cloud::{Choice, Cloud};
use crate::device::Key;
use crate::turns::Says;

async fn cloud() -> Option<Cloud> {
    Cloud::start(Choice::hearing(Says("what time is it"))).await
}

fn another(code: &PairingCode) -> PairingCode {
    let number: u32 = code.expose().parse().expect("digits");
    PairingCode::from_number(number + 1)
}

#[tokio::test]
async fn a_device_is_paired_once_and_known_from_then_on() {
    let Some(cloud) = cloud().await else { return };
    let key = Key::new();
    drop(key.pair(&cloud).await);
    let devices = cloud.history.devices(cloud.owner).await.expect("devices");
    assert_eq!(devices.len(), 1);
    assert_eq!((devices[0].name.expose().as_str(), devices[0].key_sha256), ("Kitchen", key.fingerprint()));
    assert_eq!(cloud.desk.state(cloud.owner), DeskState::Used(devices[0].id));
    let mut device = key.return_to(&cloud).await;
    assert_eq!(device.ask(FromDevice::Ping).await, Some(FromCloud::Pong));
    assert_eq!((cloud.gateway.devices_online(), cloud.gateway.is_online(devices[0].id)), (1, true));
}

#[tokio::test]
async fn an_unknown_key_can_only_be_paired() {
    let Some(cloud) = cloud().await else { return };
    let mut device = Key::new().connect(&cloud).await;
    let refused = FromCloud::Refused { reason: RefusedReason::UnknownDevice };
    assert_eq!(device.ask(FromDevice::Hello { paired: true }).await, Some(refused));
    assert_eq!(device.receive().await, None);
    let mut device = Key::new().connect(&cloud).await;
    assert_eq!(device.ask(FromDevice::Hello { paired: false }).await, Some(FromCloud::Unpaired));
    device.open(1, 8_000).await;
    assert_eq!(device.receive().await, Some(FromCloud::Refused { reason: RefusedReason::Protocol }));
    assert_eq!(cloud.counts().streams_opened, 0);
}

#[tokio::test]
async fn without_a_code_there_is_no_pairing() {
    let Some(cloud) = cloud().await else { return };
    let mut device = Key::new().connect(&cloud).await;
    assert_eq!(device.ask(FromDevice::Hello { paired: false }).await, Some(FromCloud::Unpaired));
    let failed = device.try_code(&PairingCode::from_number(0)).await;
    assert!(matches!(failed, Some(FromCloud::PairFailed { reason: PairFailure::NoCode, .. })), "{failed:?}");
}

#[tokio::test]
async fn five_wrong_codes_void_the_code_for_everyone() {
    let Some(cloud) = cloud().await else { return };
    let code = cloud.desk.issue(cloud.owner).expect("a code");
    let wrong = another(&code);
    for left in (0..5).rev() {
        // Each from another key and another address, as somebody would who guesses.
        let from = std::net::Ipv4Addr::new(127, 0, 0, 10 + left);
        let mut device = Key::new().connect_from(from, &cloud).await;
        device.ask(FromDevice::Hello { paired: false }).await;
        match device.try_code(&wrong).await {
            Some(FromCloud::PairFailed { tries_left, .. }) => assert_eq!(tries_left, left),
            other => panic!("{other:?}"),
        }
    }
    let mut device = Key::new().connect(&cloud).await;
    device.ask(FromDevice::Hello { paired: false }).await;
    let failed = device.try_code(&code).await;
    assert!(matches!(failed, Some(FromCloud::PairFailed { .. })), "{failed:?}");
    assert_eq!(cloud.desk.state(cloud.owner), DeskState::Void);
    assert!(cloud.history.devices(cloud.owner).await.expect("devices").is_empty());
    assert_eq!(cloud.counts().pairing_tries, 5);
}

#[tokio::test]
async fn somebody_elsewhere_cannot_use_up_the_owners_tries() {
    let Some(cloud) = cloud().await else { return };
    let code = cloud.desk.issue(cloud.owner).expect("a code");
    let wrong = another(&code);
    let elsewhere = std::net::Ipv4Addr::new(127, 0, 0, 66);
    for _ in 0..10 {
        let mut guesser = Key::new().connect_from(elsewhere, &cloud).await;
        guesser.ask(FromDevice::Hello { paired: false }).await;
        assert!(matches!(guesser.try_code(&wrong).await, Some(FromCloud::PairFailed { .. })));
    }
    match cloud.desk.state(cloud.owner) {
        DeskState::Open { tries_left: 2, .. } => {}
        other => panic!("{other:?}"),
    }
    let mut device = Key::new().connect(&cloud).await;
    device.ask(FromDevice::Hello { paired: false }).await;
    assert!(matches!(device.try_code(&code).await, Some(FromCloud::PairDone { .. })));
}

#[tokio::test]
async fn a_code_pairs_one_device() {
    let Some(cloud) = cloud().await else { return };
    let code = cloud.desk.issue(cloud.owner).expect("a code");
    let mut first = Key::new().connect(&cloud).await;
    first.ask(FromDevice::Hello { paired: false }).await;
    assert!(matches!(first.try_code(&code).await, Some(FromCloud::PairDone { .. })));
    let mut second = Key::new().connect(&cloud).await;
    second.ask(FromDevice::Hello { paired: false }).await;
    let failed = second.try_code(&code).await;
    assert!(matches!(failed, Some(FromCloud::PairFailed { .. })), "{failed:?}");
}

#[tokio::test]
async fn a_revoked_device_is_refused_at_once_and_for_good() {
    let Some(cloud) = cloud().await else { return };
    let key = Key::new();
    let mut device = key.pair(&cloud).await;
    let id = cloud.history.devices(cloud.owner).await.expect("devices")[0].id;
    cloud.history.revoke_device(cloud.owner, id).await.expect("it can be revoked");
    let refused = Some(FromCloud::Refused { reason: RefusedReason::UnknownDevice });
    // Whoever is still connected learns of it before a stream is opened ...
    device.open(1, 8_000).await;
    assert_eq!(device.receive().await, refused);
    // ... and whoever comes back, at the door.
    let mut device = key.connect(&cloud).await;
    assert_eq!(device.ask(FromDevice::Hello { paired: true }).await, refused);
}

#[tokio::test]
async fn a_device_that_only_listens_is_told_when_it_is_revoked() {
    let Some(cloud) = cloud().await else { return };
    let mut device = Key::new().pair(&cloud).await;
    let id = cloud.history.devices(cloud.owner).await.expect("devices")[0].id;
    cloud.history.revoke_device(cloud.owner, id).await.expect("it can be revoked");
    assert_eq!(device.receive().await, Some(FromCloud::Refused { reason: RefusedReason::UnknownDevice }));
}

#[tokio::test]
async fn the_newest_connection_of_a_device_is_the_one() {
    // A clock that stands: the older one does not end by being idle.
    let clock = Arc::new(SetClock::new(Timestamp::from_unix_ms(1_800_000_000_000)));
    let choice = Choice { clock, ..Choice::hearing(Says("what time is it")) };
    let Some(cloud) = Cloud::start(choice).await else { return };
    let key = Key::new();
    let mut old = key.pair(&cloud).await;
    let mut new = key.return_to(&cloud).await;
    assert_eq!(old.receive().await, None, "the older one is closed");
    assert_eq!(new.ask(FromDevice::Ping).await, Some(FromCloud::Pong));
    assert_eq!(cloud.gateway.devices_online(), 1);
}

#[tokio::test]
async fn who_shows_no_key_gets_no_answer() {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let Some(cloud) = cloud().await else { return };
    // In TLS 1.3 the client learns of it with the first bytes it reads.
    if let Ok(mut stream) = stranger::connect_without_key(cloud.address).await {
        let _ = stream.write_all(b"GET / HTTP/1.1\r\n\r\n").await;
        let mut answer = Vec::new();
        assert!(stream.read_to_end(&mut answer).await.is_err() || answer.is_empty());
    }
    let mut plain = tokio::net::TcpStream::connect(cloud.address).await.expect("the port is open");
    plain.write_all(b"GET / HTTP/1.1\r\nHost: sotto\r\n\r\n").await.expect("it can be written");
    let mut answer = Vec::new();
    let _ = plain.read_to_end(&mut answer).await;
    assert!(!answer.starts_with(b"HTTP"), "nothing is said without TLS");
    cloud.until(|counts| counts.connections_refused == 2).await;
}

#[tokio::test]
async fn a_cloud_that_ends_says_so() {
    let Some(mut cloud) = cloud().await else { return };
    let mut device = Key::new().pair(&cloud).await;
    cloud.stop().await;
    assert_eq!(device.receive().await, Some(FromCloud::Refused { reason: RefusedReason::Ending }));
}
