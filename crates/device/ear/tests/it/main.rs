//! The ear on the real models. Skipped, saying so, where they have not been fetched.

#![expect(clippy::print_stderr, reason = "a skipped test says so")]

mod background;
mod bad_input;
mod echo;
mod endurance;
mod judging;
mod oracle;
mod request_end;
mod stages;
mod stream;

use std::path::PathBuf;

use ear::Models;

/// The models' directory where it holds `what`, or a word on standard error about why not.
fn model_dir(what: &str) -> Option<PathBuf> {
    let dir = std::env::var_os("SOTTO_MODELS").map(PathBuf::from).unwrap_or_else(|| {
        let cache = std::env::var_os("XDG_CACHE_HOME").map(PathBuf::from);
        let home = || PathBuf::from(std::env::var_os("HOME").unwrap_or_default()).join(".cache");
        cache.unwrap_or_else(home).join("sotto/models")
    });
    if !dir.join(what).is_dir() {
        eprintln!("SKIPPED: no {what} in {}; run `sotto models fetch`", dir.display());
        return None;
    }
    Some(dir)
}

/// The public models of the wake word.
fn models() -> Option<Models> {
    Some(Models::load(&model_dir("speech-embedding")?).expect("the models are whole"))
}
