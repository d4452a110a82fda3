//! Any text as an owner's sentence file: no panic, and what is wrong with it is told in one line.
#![no_main]

use libfuzzer_sys::fuzz_target;
use sense::Sense;

fuzz_target!(|text: &str| {
    match Sense::from_texts(&[("home.yaml", text)]) {
        Ok(sense) => drop(sense.understand("what time is it")),
        Err(error) => assert!(!error.to_string().contains('\n')),
    }
});
