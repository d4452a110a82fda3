//! The shipped weights on voices and, where the recordings are, on people that were left out of their training. Skipped,
//! saying so, where the models are absent.

#![expect(clippy::print_stdout, reason = "a measuring test says its figures")]

mod word;

use std::path::PathBuf;

use ear::Models;

/// The public models, or a word about what is missing.
fn models() -> Option<Models> {
    let home = || PathBuf::from(std::env::var_os("HOME").unwrap_or_default()).join(".cache");
    let cache = || std::env::var_os("XDG_CACHE_HOME").map(PathBuf::from).unwrap_or_else(home);
    let models = std::env::var_os("SOTTO_MODELS").map(PathBuf::from).unwrap_or_else(|| cache().join("sotto/models"));
    if !models.join("speech-embedding").is_dir() {
        test_speech::skip(&format!("no speech-embedding in {}; run `sotto models fetch`", models.display()));
        return None;
    }
    Some(Models::load(&models).expect("the models are whole"))
}
