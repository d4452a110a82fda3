//! Turns, buttons and ends of a device that is well.

use std::io::Write;

use rustix::process::Signal;

use crate::device::{Device, FOUR, models, recordings};

/// The order in which things of a turn happen, by their event lines.
fn order(events: &[String], wanted: &[&str]) {
    let mut rest = events.iter();
    for wanted in wanted {
        assert!(rest.any(|line| line.contains(wanted)), "no {wanted} in its place in {events:#?}");
    }
}

#[test]
fn a_recording_is_heard_lit_let_through_and_over() {
    let Some(models) = models() else { return };
    let recordings = recordings();
    for (recording, pace) in recordings.iter().flat_map(|recording| ["", ",fast"].map(|pace| (recording, pace))) {
        let mut device = Device::start(&models, &format!("file:{}{pace}", recording.display()));
        assert!(device.end().success(), "{:#?}", device.events());
        let events = device.events();
        order(
            &events,
            &[
                "\"wake\"",
                "\"listening\"",
                "\"permit\"",
                "\"gate_open\"",
                "\"gate_close\"",
                "\"permit_over\"",
                "\"thinking\"",
            ],
        );
        // Link's own line may come before or after the ear's.
        order(&events, &["\"gate_open\"", "\"outcome\":\"offline\""]);
        let lights: Vec<_> = events.iter().filter(|line| line.contains("\"light\"")).collect();
        let states = ["idle", "listening", "thinking", "idle"];
        assert!(
            lights.len() == 4 && lights.iter().zip(states).all(|(line, state)| line.contains(state)),
            "i2: {lights:#?}"
        );
        assert!(!events.iter().any(|line| line.contains("\"error\"")), "{events:#?}");
    }
}

#[test]
fn standard_input_is_a_microphone() {
    let Some(models) = models() else { return };
    let samples = [vec![3; 16_000], test_speech::request(), vec![-3; 16_001]].concat();
    let mut device = Device::start(&models, "stdin,fast");
    let mut input = device.launcher.stdin.take().expect("a pipe");
    // Half a sample at the end is none.
    let bytes: Vec<u8> = samples.iter().flat_map(|sample| sample.to_le_bytes()).chain([1]).collect();
    input.write_all(&bytes).expect("taken");
    drop(input);
    assert!(device.end().success(), "{:#?}", device.events());
    device.wait_for(&format!("\"samples\":{},\"eof\":true", samples.len()), 1);
    device.wait_for("\"wake\"", 1);
}

#[test]
fn i3_microphones_off_ends_the_microphone_and_survives_a_restart() {
    let Some(models) = models() else { return };
    let device = Device::start(&models, "stdin");
    device.wait_for("\"process\":\"mic\"", 1);
    device.press("mic off");
    device.wait_for("\"state\":\"mic_off\"", 1);
    assert!(device.children("sotto-mic").is_empty(), "i3: the light is red and the microphone's process lives");
    assert_eq!(std::fs::read_to_string(device.data().join("panel.state")).expect("kept"), "off\n");
    device.press("press");
    device.signal(Signal::TERM);
    let mut device = device;
    assert!(device.end().success());
    assert!(!device.events().iter().any(|line| line.contains("\"permit\"")), "i3: {:#?}", device.events());

    let mut device = Device::start_in(device.into_folder(), &models, "stdin");
    device.wait_for("\"process\":\"ear\"", 1);
    device.wait_for("\"state\":\"mic_off\"", 1);
    assert!(device.children("sotto-mic").is_empty(), "i3: a restart undid it");
    device.press("mic on");
    device.wait_for("\"process\":\"mic\"", 1);
    device.wait_for("\"on\":true", 1);
    device.press("nonsense");
    device.wait_for("none of: press", 1);
    device.press("quit");
    assert!(device.end().success());
}

#[test]
fn a_button_asks_and_the_light_shows_it() {
    let Some(models) = models() else { return };
    let mut device = Device::start(&models, "stdin");
    let mut input = device.launcher.stdin.take().expect("a pipe");
    device.wait_for("\"process\":\"link\"", 0);
    device.wait_for("\"process\":\"ear\"", 1);
    device.press("press");
    device.wait_for("\"state\":\"listening\"", 1);
    input.write_all(&[1; 32_000]).expect("taken");
    device.wait_for("\"gate_close\"", 1);
    device.wait_for("\"state\":\"idle\"", 2);
    drop(input);
    assert!(device.end().success(), "{:#?}", device.events());
}

#[test]
fn asked_to_end_it_ends_well_with_all_it_started() {
    let Some(models) = models() else { return };
    for signal in [Signal::TERM, Signal::INT, Signal::HUP] {
        let mut device = Device::start(&models, "stdin");
        device.wait_for("\"process\":\"ear\"", 1);
        device.wait_for("\"process\":\"mic\"", 1);
        assert!(FOUR.iter().all(|name| [device.child(name)][..] == device.children(name)));
        device.signal(signal);
        assert!(device.end().success(), "{signal:?}");
        assert!(!device.events().iter().any(|line| line.contains("\"restart\"")), "{:#?}", device.events());
    }
}
