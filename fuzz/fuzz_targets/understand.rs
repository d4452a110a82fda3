//! Any text as a request: no panic, and a confidence between 0 and 1.
#![no_main]

use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use sense::Sense;

/// Slots, wildcards and numbers besides Sotto's own sentences.
const HOME: &str = "
language: en
intents:
  Add: {data: [{sentences: ['add {item} to [my|the] list', '[set] (the level;to {level}[%])']}]}
lists: {item: {wildcard: true}, level: {range: {from: -5, to: 100, fractions: halves}}}
";

static SENSE: LazyLock<Sense> =
    LazyLock::new(|| Sense::from_texts(&[("home.yaml", HOME)]).expect("the sentences are good"));

fuzz_target!(|text: &str| {
    if let Some(understood) = SENSE.understand(text) {
        assert!((0.0..=1.0).contains(&understood.confidence));
        assert!(!format!("{understood:?}").contains("canary"));
    }
});
