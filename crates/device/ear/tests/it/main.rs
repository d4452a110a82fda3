//! The ear on the real models. Skipped, saying so, where they have not been fetched.

#![expect(clippy::print_stderr, reason = "a skipped test says so")]

mod stream;

use std::path::PathBuf;

use ear::Models;

/// The public models, or a word on standard error about why not.
fn models() -> Option<Models> {
    let dir = std::env::var_os("SOTTO_MODELS").map(PathBuf::from).unwrap_or_else(|| {
        let cache = std::env::var_os("XDG_CACHE_HOME").map(PathBuf::from);
        let home = || PathBuf::from(std::env::var_os("HOME").unwrap_or_default()).join(".cache");
        cache.unwrap_or_else(home).join("sotto/models")
    });
    if !dir.join("speech-embedding").is_dir() {
        eprintln!("SKIPPED: no speech-embedding in {}; run `sotto models fetch`", dir.display());
        return None;
    }
    Some(Models::load(&dir).expect("the models are whole"))
}
