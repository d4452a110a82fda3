//! Any bytes as a frame: no panic; what can be read is written as it was; and a session that meets it either goes on or
//! ends with one error.
#![no_main]

use std::time::Duration;

use libfuzzer_sys::fuzz_target;
use wire::pairing::Binding;
use wire::{FromCloud, FromDevice, SessionError, cloud, device};

const NOW: Duration = Duration::ZERO;

fuzz_target!(|frame: &[u8]| {
    let binding = Binding { exporter: [1; 32], device_key: [2; 32], cloud_key: [3; 32] };
    if let Ok(message) = FromDevice::decode(frame) {
        assert_eq!(message.encode().as_deref(), Ok(frame));
    }
    if let Ok(message) = FromCloud::decode(frame) {
        assert_eq!(message.encode().as_deref(), Ok(frame));
    }
    let known =
        cloud::Peer::Known { device: base::DeviceId::from_bytes([4; 16]), settings: wire::Settings::default() };
    for peer in [known, cloud::Peer::Unknown] {
        let mut session = cloud::Session::new(peer, binding, NOW);
        if session.on_frame(frame, NOW).is_err() {
            assert_eq!(session.on_frame(frame, NOW), Err(SessionError::Over));
        }
    }
    for paired in [true, false] {
        let (mut session, _) = device::Session::new(paired, binding, NOW);
        if session.on_frame(frame, NOW).is_err() {
            assert_eq!(session.on_frame(frame, NOW), Err(SessionError::Over));
        }
    }
});
