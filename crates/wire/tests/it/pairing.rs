//! A pairing from Hello to Welcome, with everything that can go wrong on the way.

use std::time::Duration;

use wire::cloud::{self, Action as CloudAction, Peer};
use wire::device::{self, Action};
use wire::limits::PAIRING_STEP_WITHIN;
use wire::pairing::{Binding, CountedTry};
use wire::{FromCloud, FromDevice, PairFailure, SessionError, Settings};

use crate::support::{DEVICE, binding, code, entropy, from_cloud, from_device, sent};

const NOW: Duration = Duration::ZERO;

/// Two sessions of which the cloud waits for a pairing.
fn unpaired(device_sees: Binding) -> (device::Session, cloud::Session) {
    let (mut device, hello) = device::Session::new(false, device_sees, NOW);
    let mut cloud = cloud::Session::new(Peer::Unknown, binding(), NOW);
    let actions = cloud.on_frame(&from_device(&hello), NOW).expect("Hello");
    assert_eq!(actions, vec![CloudAction::Send(FromCloud::Unpaired)]);
    assert_eq!(device.on_frame(&from_cloud(&FromCloud::Unpaired), NOW), Ok(vec![Action::Unpaired]));
    (device, cloud)
}

/// Up to where the cloud wants the try counted.
fn to_the_count(device: &mut device::Session, cloud: &mut cloud::Session, typed: &str, shown: &str) {
    let start = device.pair(&code(typed), "kitchen".to_owned().into(), &entropy(1), NOW).expect("unpaired");
    assert_eq!(cloud.on_frame(&from_device(&start), NOW), Ok(vec![CloudAction::CodeWanted]));
    let reply = cloud.offer_code(Some(&code(shown)), &entropy(2), NOW).expect("a half");
    let [reply] = &sent(&reply)[..] else { panic!("one reply") };
    let confirm = device.on_frame(&from_cloud(reply), NOW).expect("a half");
    let [Action::Send(confirm)] = &confirm[..] else { panic!("one confirmation") };
    // The cloud shows nothing of its own proof until the try is counted.
    assert_eq!(cloud.on_frame(&from_device(confirm), NOW), Ok(vec![CloudAction::CountTry]));
}

#[test]
fn the_right_code_pins_the_clouds_key_and_goes_online() {
    let (mut device, mut cloud) = unpaired(binding());
    to_the_count(&mut device, &mut cloud, "042137", "042137");
    let actions = cloud.try_counted(Some(CountedTry { tries_left: 4 }), NOW).expect("counted");
    let register = CloudAction::Register { name: "kitchen".to_owned().into(), key: binding().device_key };
    assert_eq!(actions, vec![register]);
    let actions = cloud.registered(Some((DEVICE, Settings::default())), NOW).expect("stored");
    assert_eq!(actions.last(), Some(&CloudAction::Online { device: DEVICE }));
    let mut done = Vec::new();
    for message in sent(&actions) {
        done.extend(device.on_frame(&from_cloud(&message), NOW).expect("proved"));
    }
    let pin = Action::Pin { device: DEVICE, cloud_key: binding().cloud_key };
    assert_eq!(done, vec![pin, Action::Online { device: DEVICE, settings: Settings::default() }]);
}

#[test]
fn a_wrong_code_costs_one_try_and_the_session_stays_for_another() {
    let (mut device, mut cloud) = unpaired(binding());
    for tries_left in [4, 3, 2, 1, 0] {
        to_the_count(&mut device, &mut cloud, "111111", "222222");
        let actions = cloud.try_counted(Some(CountedTry { tries_left }), NOW).expect("counted");
        let reason = if tries_left == 0 { PairFailure::Void } else { PairFailure::WrongCode };
        assert_eq!(sent(&actions), vec![FromCloud::PairFailed { reason, tries_left }]);
        let told = device.on_frame(&from_cloud(&sent(&actions)[0]), NOW);
        assert_eq!(told, Ok(vec![Action::PairingFailed { reason, tries_left }]));
    }
    // The sixth finds the code void, right or wrong: nothing was proved to anyone.
    to_the_count(&mut device, &mut cloud, "222222", "222222");
    let actions = cloud.try_counted(None, NOW).expect("not counted");
    assert_eq!(sent(&actions), vec![FromCloud::PairFailed { reason: PairFailure::Void, tries_left: 0 }]);
}

#[test]
fn somebody_between_two_tls_sessions_proves_nothing() {
    for other in [Binding { exporter: [9; 32], ..binding() }, Binding { cloud_key: [9; 32], ..binding() }] {
        let (mut device, mut cloud) = unpaired(other);
        to_the_count(&mut device, &mut cloud, "042137", "042137");
        let actions = cloud.try_counted(Some(CountedTry { tries_left: 4 }), NOW).expect("counted");
        let failed = FromCloud::PairFailed { reason: PairFailure::WrongCode, tries_left: 4 };
        assert_eq!(sent(&actions), vec![failed]);
    }
}

#[test]
fn a_cloud_that_cannot_prove_the_code_is_not_pinned() {
    let (mut device, mut cloud) = unpaired(binding());
    to_the_count(&mut device, &mut cloud, "042137", "042137");
    let forged = FromCloud::PairDone { device: DEVICE, mac: [7; 32] };
    assert_eq!(device.on_frame(&from_cloud(&forged), NOW), Err(SessionError::Unproven));
    // Nor one that skips the proof.
    for skipping in [
        FromCloud::PairDone { device: DEVICE, mac: [7; 32] },
        FromCloud::Welcome { device: DEVICE, settings: Settings::default() },
    ] {
        let (mut device, _) = unpaired(binding());
        let error = device.on_frame(&from_cloud(&skipping), NOW).expect_err("nothing was proved");
        assert_eq!(error, SessionError::OutOfOrder { message: skipping.name(), state: "unpaired" });
    }
}

#[test]
fn no_code_no_store_and_a_broken_half_are_told_apart() {
    let (mut device, mut cloud) = unpaired(binding());
    let start = device.pair(&code("000000"), "k".to_owned().into(), &entropy(1), NOW).expect("unpaired");
    cloud.on_frame(&from_device(&start), NOW).expect("asked");
    let actions = cloud.offer_code(None, &entropy(2), NOW).expect("none");
    assert_eq!(sent(&actions), vec![FromCloud::PairFailed { reason: PairFailure::NoCode, tries_left: 0 }]);

    let (mut device, mut cloud) = unpaired(binding());
    to_the_count(&mut device, &mut cloud, "042137", "042137");
    cloud.try_counted(Some(CountedTry { tries_left: 4 }), NOW).expect("counted");
    let actions = cloud.registered(None, NOW).expect("not stored");
    assert_eq!(sent(&actions), vec![FromCloud::PairFailed { reason: PairFailure::Failed, tries_left: 0 }]);

    let (_, mut cloud) = unpaired(binding());
    let broken = FromDevice::PairStart { name: "k".to_owned().into(), message: [0; 33] };
    cloud.on_frame(&from_device(&broken), NOW).expect("asked");
    let error = cloud.offer_code(Some(&code("000000")), &entropy(2), NOW).expect_err("no point");
    assert_eq!(error.to_string(), "malformed frame: pairing message is out of range");
}

#[test]
fn the_owners_answers_come_when_they_were_asked_for_and_not_otherwise() {
    let (_, mut cloud) = unpaired(binding());
    assert!(cloud.try_counted(Some(CountedTry { tries_left: 4 }), NOW).is_err());
    let (mut device, mut cloud) = unpaired(binding());
    to_the_count(&mut device, &mut cloud, "042137", "042137");
    assert!(cloud.registered(Some((DEVICE, Settings::default())), NOW).is_err());
    let (mut device, mut cloud) = unpaired(binding());
    to_the_count(&mut device, &mut cloud, "042137", "042137");
    let late = device.on_deadline(PAIRING_STEP_WITHIN).expect_err("no answer");
    assert_eq!(late, SessionError::Silent { awaited: "answer to the pairing" });
    assert_eq!(cloud.on_deadline(PAIRING_STEP_WITHIN), Err(SessionError::Silent { awaited: "count of the try" }));
}

#[test]
fn a_device_without_a_name_is_told_so_and_no_try_is_counted() {
    for name in [" ", "", "a\u{1b}[2Jb", "\u{200b}"] {
        let mut cloud = cloud::Session::new(Peer::Unknown, binding(), NOW);
        cloud.on_frame(&from_device(&FromDevice::Hello { paired: false }), NOW).expect("Hello");
        let start = FromDevice::PairStart { name: name.to_owned().into(), message: [0x41; 33] };
        let actions = cloud.on_frame(&from_device(&start), NOW).expect("a frame");
        let failed = FromCloud::PairFailed { reason: PairFailure::Name, tries_left: 0 };
        assert_eq!(actions, [cloud::Action::Send(failed)], "{name:?}");
    }
}
