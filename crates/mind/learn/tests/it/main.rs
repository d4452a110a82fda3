//! The shipped weights on recordings of people that were left out of their training. Skipped, saying so, where the
//! models or the development recordings are absent.

#![expect(clippy::print_stderr, clippy::print_stdout, reason = "a skipped test says so, a measuring one its figures")]

mod word;

use std::path::PathBuf;

use ear::Models;

/// The public models and the development recordings, or a word on standard error about what is missing.
fn models_and_recordings() -> Option<(Models, PathBuf)> {
    let home = || PathBuf::from(std::env::var_os("HOME").unwrap_or_default()).join(".cache");
    let cache = || std::env::var_os("XDG_CACHE_HOME").map(PathBuf::from).unwrap_or_else(home);
    let models = std::env::var_os("SOTTO_MODELS").map(PathBuf::from).unwrap_or_else(|| cache().join("sotto/models"));
    let beside = || PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../../shared/data");
    let data = std::env::var_os("SOTTO_DEV_DATA").map(PathBuf::from).unwrap_or_else(beside);
    if !models.join("speech-embedding").is_dir() {
        eprintln!("SKIPPED: no speech-embedding in {}; run `sotto models fetch`", models.display());
        return None;
    }
    if !data.join("speech").is_dir() {
        eprintln!("SKIPPED: no development recordings in {}", data.display());
        return None;
    }
    Some((Models::load(&models).expect("the models are whole"), data))
}
