//! Processes that are killed at any moment.

use std::fs::File;
use std::path::Path;

use rustix::process::{Signal, kill_process};

use crate::device::{Device, FOUR, models};
use crate::room::quiet;

/// Moments at which each is killed once: as soon as the ear is up, as soon as the word is heard, within the stream.
const MOMENTS: [&str; 3] = ["\"process\":\"ear\"", "\"wake\"", "\"gate_open\""];

/// Seconds of a quiet room behind the request.
const QUIET_S: usize = 15;

#[test]
fn i2_whoever_dies_takes_the_light_along_and_all_start_afresh() {
    let Some(models) = models() else { return };
    let folder = tempfile::tempdir().expect("a folder");
    // The microphone is still at it when the ear, which starts later on a busy machine, has heard the word.
    let quiet = quiet(QUIET_S * 16_000);
    for (index, request) in test_speech::requests().into_iter().enumerate() {
        let path = folder.path().join(format!("{index}.wav"));
        let pcm = [&request.pcm[..], &quiet].concat();
        sound::write_wav(File::create(&path).expect("a file"), 16_000, &pcm).expect("written");
        kill_each(&models, &path);
    }
}

fn kill_each(models: &Path, recording: &Path) {
    std::thread::scope(|scope| {
        for name in FOUR {
            scope.spawn(move || MOMENTS.iter().for_each(|moment| kill_at(name, moment, models, recording)));
        }
    });
}

fn kill_at(name: &str, moment: &str, models: &Path, recording: &Path) {
    // In real time, so that there is something to be killed in.
    let mut device = Device::start(models, &format!("file:{}", recording.display()));
    device.wait_for(moment, 1);
    kill_process(device.child(name), Signal::KILL).expect("it lives");
    assert!(device.end().success(), "{name} at {moment}: {:#?}", device.events());
    let events = device.events();
    let last_light = events.iter().rfind(|line| line.contains("\"light\"")).expect("a light");
    assert!(last_light.contains("\"idle\""), "i2: {name} at {moment}: {events:#?}");
    check_no_light_without_a_permit(&events);
    let is_restarted = events.iter().any(|line| line.contains("\"restart\"") && line.contains(name));
    assert!(is_restarted, "{name} at {moment}: {events:#?}");
    assert!(events.iter().filter(|line| line.contains("\"process\":\"panel\"")).count() == 2, "{events:#?}");
}

/// Samples pass only between "listening" and what follows it, generation by generation.
fn check_no_light_without_a_permit(events: &[String]) {
    let mut is_lit = false;
    for line in events {
        if line.contains("\"light\"") {
            is_lit = line.contains("listening");
        }
        if line.contains("\"process\":\"panel\"") {
            is_lit = false;
        }
        assert!(is_lit || !line.contains("\"gate_open\""), "i2: opened in the dark: {events:#?}");
    }
}

#[test]
fn a_launcher_that_is_killed_leaves_nobody_behind() {
    let Some(models) = models() else { return };
    let mut device = Device::start(&models, "stdin");
    device.wait_for("\"process\":\"ear\"", 1);
    device.wait_for("\"process\":\"mic\"", 1);
    device.signal(Signal::KILL);
    device.launcher.wait().expect("ended");
    device.launcher.stdin.take();
    device.once("all gone", || device.is_all_gone());
}
