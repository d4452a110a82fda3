//! Invariant I6: with no cause, what a device sends does not depend on what it hears.

use std::time::Duration;

use wire::limits::PING_EVERY;
use wire::{FromCloud, SessionError};

use crate::support::{from_cloud, from_device, online};

#[test]
fn i6_an_idle_device_sends_one_ping_every_fifteen_seconds_and_nothing_else() {
    let (mut device, mut cloud) = online();
    let mut sent = Vec::new();
    let mut now = Duration::ZERO;
    while now < Duration::from_secs(3_600) {
        now = device.deadline();
        for action in device.on_deadline(now).expect("the cloud answers") {
            let wire::device::Action::Send(message) = action else { panic!("{action:?}") };
            let frame = from_device(&message);
            let answers = cloud.on_frame(&frame, now).expect("a Ping");
            assert_eq!(answers, vec![wire::cloud::Action::Send(FromCloud::Pong)]);
            assert_eq!(device.on_frame(&from_cloud(&FromCloud::Pong), now), Ok(vec![]));
            sent.push((now, frame));
        }
    }
    let want: Vec<_> = (1..=240).map(|n| (PING_EVERY * n, vec![1, 8])).collect();
    assert_eq!(sent, want);
}

#[test]
fn a_cloud_that_does_not_answer_a_ping_is_left() {
    let (mut device, _) = online();
    device.on_deadline(PING_EVERY).expect("a Ping");
    let deadline = device.deadline();
    assert_eq!(deadline, Duration::from_secs(25));
    assert_eq!(device.on_deadline(deadline), Err(SessionError::Silent { awaited: "Pong" }));
}

#[test]
fn a_machine_that_slept_sends_one_ping_and_not_a_night_of_them() {
    let (mut device, _) = online();
    let morning = Duration::from_secs(8 * 3_600 + 7);
    assert_eq!(device.on_deadline(morning).map(|actions| actions.len()), Ok(1));
    assert_eq!(device.on_deadline(morning), Ok(vec![]));
}
