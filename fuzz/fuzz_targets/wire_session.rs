//! Whole sessions that are told whatever frames and numbers these bytes make, with time passing: no panic, also none of
//! arithmetic (fuzz builds check it), and after an error nothing but "over".
#![no_main]

use std::time::Duration;

use base::{SampleCount, TurnId};
use libfuzzer_sys::fuzz_target;
use wire::pairing::Binding;
use wire::{CloseReason, FromDevice, Outcome, SessionError, StopReason, StreamClose, cloud, device};

fuzz_target!(|bytes: &[u8]| {
    let binding = Binding { exporter: [1; 32], device_key: [2; 32], cloud_key: [3; 32] };
    let known =
        cloud::Peer::Known { device: base::DeviceId::from_bytes([4; 16]), settings: wire::Settings::default() };
    let mut now = Duration::ZERO;
    let mut at_cloud = cloud::Session::new(known, binding, now);
    let (mut at_device, hello) = device::Session::new(true, binding, now);
    if let Ok(actions) = hello.encode().map_err(SessionError::from).and_then(|frame| at_cloud.on_frame(&frame, now)) {
        for action in actions {
            if let cloud::Action::Send(message) = action
                && let Ok(frame) = message.encode()
            {
                let _ = at_device.on_frame(&frame, now);
            }
        }
    }
    let mut rest = bytes;
    while let Some((&[what, length, number @ ..], more)) = rest.split_first_chunk::<10>() {
        let number = u64::from_le_bytes(number);
        let (frame, more) = more.split_at(usize::from(length).min(more.len()));
        rest = more;
        let (turn, count) = (TurnId(u32::from(length)), SampleCount(number));
        match what % 8 {
            0 => {
                if at_cloud.on_frame(frame, now).is_err() {
                    assert_eq!(at_cloud.on_frame(frame, now), Err(SessionError::Over));
                }
            }
            1 => {
                if at_device.on_frame(frame, now).is_err() {
                    assert_eq!(at_device.on_frame(frame, now), Err(SessionError::Over));
                }
            }
            2 => {
                let close = StreamClose { turn, samples_total: count, reason: CloseReason::Limit };
                let _ = at_device.close(close, now);
                let frame = FromDevice::Close(close).encode();
                let _ = frame.map(|frame| at_cloud.on_frame(&frame, now));
            }
            3 => drop(at_cloud.heard(turn, count)),
            4 => drop(at_cloud.stop_capture(turn, count, StopReason::Limit)),
            5 => drop(at_cloud.turn_end(turn, Outcome::Failed)),
            6 => drop(at_device.played(turn)),
            // A day at most, so that Pings that were missed are counted and no more.
            _ => {
                now = now.saturating_add(Duration::from_millis(number % 86_400_000));
                let _ = at_cloud.on_deadline(now);
                let _ = at_device.on_deadline(now);
            }
        }
    }
});
