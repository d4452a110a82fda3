//! `sotto ask`: what wakes is answered, what does not wake sends nothing.

use std::path::Path;

use test_speech::people;

use crate::home::{Home, clips, requests};

#[test]
fn a_request_for_the_time_is_answered_truly() {
    requests().iter().for_each(|path| check_the_answer(path));
}

fn check_the_answer(path: &Path) {
    let home = Home::new();
    let said = home.sotto(&["--now", "2026-11-23T12:34:00Z", "ask", "--json", path.to_str().expect("UTF-8")]);
    assert_eq!(said.code, Some(0), "{said:?}");
    let line = said.line();
    assert_eq!((line["woke"].as_bool(), line["word"].as_str()), (Some(true), Some("alexa")), "{line}");
    assert!(line["transcript"].as_str().expect("text").to_lowercase().contains("what time is it"), "{line}");
    assert_eq!(line["intent"], "HassGetCurrentTime");
    let reply = line["reply"].as_str().expect("text");
    let zone = jiff::tz::TimeZone::system();
    let now: jiff::Timestamp = "2026-11-23T12:34:00Z".parse().expect("a moment");
    let minute = now.to_zoned_datetime(zone).strftime("%-I:%M").to_string();
    assert!(reply.contains(&minute), "{reply} should say {minute}");
    let before = line["wake_start_s"].as_f64().expect("a time") - line["stream"]["start_s"].as_f64().expect("a time");
    assert!((before - 0.5).abs() < 0.001, "the stream starts 500 ms before the word, not {before}");
    let (start, end) = (line["stream"]["start_s"].as_f64(), line["stream"]["end_s"].as_f64());
    let seconds = end.expect("a time") - start.expect("a time");
    // Both times are told to a tenth of a millisecond, which is 3.2 bytes.
    let bytes = line["stream"]["bytes"].as_f64().expect("a number");
    assert!((bytes - seconds * 32_000.0).abs() < 4.0, "{line}");
    assert!(seconds < 6.0, "ended by the cloud, not by the limit: {line}");
}

#[test]
fn fast_playback_gives_the_results_of_real_time() {
    let home = Home::new();
    let ask = |more: &[&str]| {
        let said = home.sotto(&[&["ask", "--json", "--say", "Alexa, what time is it"], more].concat());
        let mut line = said.line().clone();
        // How long the machine took may differ, and so may the time of day.
        for key in ["timings_ms", "reply"] {
            line.as_object_mut().expect("an object").remove(key);
        }
        line
    };
    assert_eq!(ask(&["--fast"]), ask(&["--fast"]));
    let (fast, real) = (ask(&["--fast"]), ask(&[]));
    for key in ["woke", "transcript", "intent", "outcome"] {
        assert_eq!(fast[key], real[key], "{fast} {real}");
    }
    let start = |line: &serde_json::Value| line["stream"]["start_s"].as_f64().expect("a time");
    assert!((start(&fast) - start(&real)).abs() < 0.06, "{fast} {real}");
}

#[test]
fn a_synthetic_voice_is_answered_and_the_reply_can_be_kept() {
    let home = Home::new();
    let wav = home.dir.path().join("reply.wav");
    let wav = wav.to_str().expect("UTF-8");
    let said = home.sotto(&["ask", "--fast", "--json", "--say", "Alexa, what time is it", "--reply-wav", wav]);
    assert_eq!(said.code, Some(0), "{said:?}");
    assert_eq!(said.line()["intent"], "HassGetCurrentTime");
    let reply = sound::decode_file(Path::new(wav)).expect("the reply is a WAV");
    assert!(reply.len() > 16_000, "a sentence lasts more than a second: {} samples", reply.len());
}

#[test]
fn what_lacks_the_word_wakes_nothing_and_the_gateway_receives_no_audio_byte() {
    let home = Home::new();
    let up = home.up();
    let sources = ["speech-to-phrase", "rhasspy-old", "mycroft-core", "picovoice-s2i"];
    let of_people = people::folder().into_iter().flat_map(|data| {
        let clips = sources.iter().flat_map(|source| clips(&data, source).into_iter().take(5)).collect::<Vec<_>>();
        clips.into_iter().filter(|(_, label)| !label.to_lowercase().contains("alexa")).map(|(path, _)| path)
    });
    let quiet: Vec<String> = test_speech::command_files(20)
        .into_iter()
        .chain(of_people)
        .map(|path| path.to_str().expect("UTF-8").to_owned())
        .collect();
    let count = if people::folder().is_some() { 40 } else { 20 };
    assert_eq!(quiet.len(), count);
    let args: Vec<&str> = ["ask", "--fast", "--json"].into_iter().chain(quiet.iter().map(String::as_str)).collect();
    let said = home.sotto(&args);
    assert_eq!(said.code, Some(1), "{said:?}");
    assert_eq!(said.lines.len(), count);
    assert!(said.lines.iter().all(|line| line["woke"] == false), "{said:?}");
    let status = home.sotto(&["status", "--json"]);
    assert_eq!(status.line()["audio_bytes_received"], 0, "{status:?}");
    assert_eq!(status.line()["streams_opened"], 0);
    drop(up);
}
