//! Two sessions that are online, and the few values that every test needs.

use std::time::Duration;

use base::{DeviceId, SampleCount, SampleIndex, TurnId};
use wire::cloud::{self, Peer};
use wire::device;
use wire::pairing::{Binding, Entropy, PairingCode};
use wire::{Cause, CloseReason, FromCloud, FromDevice, Settings, StreamClose, StreamOpen};

pub(crate) const DEVICE: DeviceId = DeviceId::from_bytes([0xd0; 16]);

pub(crate) fn binding() -> Binding {
    Binding { exporter: [1; 32], device_key: [2; 32], cloud_key: [3; 32] }
}

pub(crate) fn known() -> Peer {
    Peer::Known { device: DEVICE, settings: Settings::default() }
}

pub(crate) fn code(text: &str) -> PairingCode {
    text.parse().expect("digits")
}

pub(crate) fn entropy(seed: u8) -> Entropy {
    [seed; 32].into()
}

pub(crate) fn open(turn: u32) -> StreamOpen {
    let cause = Cause::Wake { word: "alexa".into(), score: 0.9 };
    StreamOpen { turn: TurnId(turn), cause, start: SampleIndex(100), onset: SampleIndex(8_100) }
}

pub(crate) fn close(turn: u32, samples: u64) -> StreamClose {
    StreamClose { turn: TurnId(turn), samples_total: SampleCount(samples), reason: CloseReason::StopCapture }
}

/// Two sessions after Welcome, at time zero.
pub(crate) fn online() -> (device::Session, cloud::Session) {
    let (mut device, hello) = device::Session::new(true, binding(), Duration::ZERO);
    let mut cloud = cloud::Session::new(known(), binding(), Duration::ZERO);
    let actions = cloud.on_frame(&from_device(&hello), Duration::ZERO).expect("Hello");
    for message in sent(&actions) {
        device.on_frame(&from_cloud(&message), Duration::ZERO).expect("Welcome");
    }
    assert!(device.is_online());
    (device, cloud)
}

pub(crate) fn from_device(message: &FromDevice) -> Vec<u8> {
    message.encode().expect("fits")
}

pub(crate) fn from_cloud(message: &FromCloud) -> Vec<u8> {
    message.encode().expect("fits")
}

/// What of the cloud's actions is to be sent.
pub(crate) fn sent(actions: &[cloud::Action]) -> Vec<FromCloud> {
    let message = |action: &cloud::Action| match action {
        cloud::Action::Send(message) => Some(message.clone()),
        _ => None,
    };
    actions.iter().filter_map(message).collect()
}
