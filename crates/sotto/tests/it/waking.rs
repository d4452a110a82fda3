//! `sotto wake detect` and `stats`, and what only comes near the word through a whole device.

use std::path::Path;

use serde_json::Value;

use test_speech::{Voice, people};

use crate::home::Home;

/// What sounds so much like "Alexa" that the first stage hears it, and the second does not.
const NEAR: [(Voice, &str); 4] = [
    (Voice::Rms, "Unacceptable."),
    (Voice::British, "The lecturer."),
    (Voice::Kal, "Relax a little."),
    (Voice::Awb, "All eggs are."),
];
/// People's speech without the word, and how much of it is looked through for near misses: enough for some, at the few an hour
/// that there are.
const FOREIGN: &str = "background/fotaq-speech.0.opus";
const FOREIGN_SAMPLES: usize = 18 * 60 * 16_000;
/// What is cut out around a near miss: 4 s before, 3 s behind where it was over.
const BEFORE: usize = 64_000;
const BEHIND: usize = 48_000;

fn text(path: &Path) -> &str {
    path.to_str().expect("UTF-8")
}

fn list<'v>(line: &'v Value, name: &str) -> &'v Vec<Value> {
    line[name].as_array().expect("a list")
}

#[test]
fn both_stages_are_told_of_and_each_tier_hears_the_word() {
    let home = Home::new();
    let path = test_speech::request_file();
    let both = home.sotto(&["wake", "detect", "--json", text(&path)]);
    let [detection] = &list(both.line(), "detections")[..] else { panic!("{both:?}") };
    assert!(detection["second"].as_f64().is_some_and(|value| value > -5.0), "{detection}");
    assert!(detection["onset_s"].as_f64() < detection["at_s"].as_f64(), "{detection}");
    assert_eq!(both.line()["max_score"], detection["score"]);
    assert!(both.line()["cpu_s"].as_f64().is_some_and(|value| value > 0.0));
    let first = home.sotto(&["wake", "detect", "--word", "alexa", "--stage", "1", "--json", text(&path)]);
    let [detection] = &list(first.line(), "detections")[..] else { panic!("{first:?}") };
    assert!(detection["second"].is_null(), "{detection}");
    // At such a threshold not even the word itself is the word.
    let strict = home.sotto(&["wake", "detect", "--threshold", "0.999999", "--json", text(&path)]);
    assert!(list(strict.line(), "detections").is_empty(), "{strict:?}");
    assert_eq!(list(strict.line(), "near_misses").len(), 1, "{strict:?}");
}

#[test]
fn weights_of_ones_own_are_taken_and_damaged_ones_named() {
    let home = Home::new();
    let path = test_speech::request_file();
    let weights = home.dir.path().join("mine.weights");
    // The shipped ones under another name are a word of one's own as well.
    let mut model = ear::Word::Alexa.model().expect("whole");
    "mine".clone_into(&mut model.name);
    std::fs::write(&weights, model.to_bytes()).expect("written");
    let own = home.sotto(&["wake", "detect", "--word", "mine", "--weights", text(&weights), "--json", text(&path)]);
    assert_eq!(list(own.line(), "detections").len(), 1, "{own:?}");
    home.sotto(&["wake", "detect", "--word", "alexa", "--weights", text(&weights), text(&path)])
        .refuses(2, "mine.weights: these are the weights of \"mine\"");
    home.sotto(&["wake", "detect", "--word", "mine", text(&path)]).refuses(2, "--word mine");
    let mut bytes = model.to_bytes();
    bytes[1_000] ^= 1;
    std::fs::write(&weights, bytes).expect("written");
    home.sotto(&["wake", "detect", "--weights", text(&weights), text(&path)])
        .refuses(2, "mine.weights: a word's weights are damaged: their hash is another");
}

#[test]
fn i1_what_comes_near_the_word_opens_no_gate_and_is_counted() {
    let near: Vec<i16> = NEAR.iter().flat_map(|(voice, text)| in_a_pause(voice.say(text))).collect();
    check_near_misses(near);
    if let Some(mut foreign) = people::recording(FOREIGN) {
        foreign.truncate(FOREIGN_SAMPLES);
        check_near_misses(foreign);
    }
}

fn in_a_pause(said: Vec<i16>) -> Vec<i16> {
    [vec![0; BEFORE], said, vec![0; BEHIND]].concat()
}

fn check_near_misses(foreign: Vec<i16>) {
    let home = Home::new();
    let nothing = home.sotto(&["wake", "stats", "--json"]);
    assert_eq!((nothing.code, nothing.lines.len()), (Some(0), 0), "{nothing:?}");
    let write = |name: &str, samples: &[i16]| {
        let path = home.dir.path().join(name);
        sound::write_wav(std::fs::File::create(&path).expect("creates"), 16_000, samples).expect("writes");
        path
    };
    let found = home.sotto(&["wake", "detect", "--json", text(&write("foreign.wav", &foreign))]);
    assert!(list(found.line(), "detections").is_empty(), "a false accept: {found:?}");
    let ends = list(found.line(), "near_misses").iter().map(|miss| miss["at_s"].as_f64().expect("a time"));
    let ends: Vec<usize> = ends.map(|at_s| (at_s * 16_000.0) as usize).collect();
    assert!(!ends.is_empty(), "nothing in this speech comes near the word any more: this test needs other speech");
    let cuts: Vec<i16> = ends
        .iter()
        .take(4)
        .flat_map(|end| &foreign[end.saturating_sub(BEFORE)..(end + BEHIND).min(foreign.len())])
        .copied()
        .collect();
    let said = home.sotto(&["ask", "--fast", "--json", text(&write("near.wav", &cuts))]);
    assert_eq!((said.code, said.line()["woke"].as_bool()), (Some(1), Some(false)), "{said:?}");
    let stats = home.sotto(&["wake", "stats", "--json"]);
    let line = stats.line();
    assert_eq!((line["device"].as_str(), line["word"].as_str()), (Some("ask"), Some("alexa")), "{line}");
    assert_eq!(line["wakes"], 0, "{line}");
    assert!(line["near_misses"].as_u64().is_some_and(|count| count > 0), "{line}");
    // And the word itself, said to the same device, is counted beside them.
    let said = home.sotto(&["ask", "--fast", "--json", text(&test_speech::request_file())]);
    assert_eq!(said.code, Some(0), "{said:?}");
    assert_eq!(home.sotto(&["wake", "stats", "--json"]).line()["wakes"], 1);
    assert!(home.sotto(&["wake", "stats"]).code == Some(0));
}

#[test]
fn the_light_tier_answers_too_and_an_unknown_word_is_refused() {
    let home = Home::new();
    let said = home.sotto(&["ask", "--fast", "--light", "--json", "--say", "Alexa, what time is it"]);
    assert_eq!((said.code, said.line()["woke"].as_bool()), (Some(0), Some(true)), "{said:?}");
    let said = home.sotto(&["ask", "--word", "zebra", "--say", "Zebra, what time is it"]);
    assert!(said.code == Some(2) && said.stderr.contains("no such word"), "{said:?}");
}
