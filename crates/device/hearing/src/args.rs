//! The command line, which the launcher writes.

use std::ffi::OsString;
use std::path::PathBuf;

use ear::Word;
use pipe::Options;

/// What the ear is told at start.
#[derive(Debug)]
pub(crate) struct Args {
    pub(crate) pcm_fd: i32,
    pub(crate) from_panel_fd: i32,
    pub(crate) to_panel_fd: i32,
    pub(crate) from_link_fd: i32,
    pub(crate) to_link_fd: i32,
    pub(crate) events_fd: Option<i32>,
    pub(crate) models: PathBuf,
    pub(crate) word: Word,
    pub(crate) threshold: Option<f32>,
    pub(crate) is_lockstep: bool,
}

const NAMES: [&str; 9] = [
    "pcm-fd",
    "from-panel-fd",
    "to-panel-fd",
    "from-link-fd",
    "to-link-fd",
    "events-fd",
    "models",
    "word",
    "threshold",
];

impl Args {
    pub(crate) fn read(arguments: impl IntoIterator<Item = OsString>) -> Result<Self, String> {
        let options = Options::read(arguments, &NAMES, &["lockstep"])?;
        let word = options.text("word").unwrap_or(Word::Alexa.name());
        let threshold = options.parsed::<f32>("threshold")?;
        if threshold.is_some_and(|threshold| !(threshold > 0.0 && threshold < 1.0)) {
            return Err("--threshold: a score between 0 and 1 is needed".to_owned());
        }
        Ok(Self {
            pcm_fd: options.required("pcm-fd")?,
            from_panel_fd: options.required("from-panel-fd")?,
            to_panel_fd: options.required("to-panel-fd")?,
            from_link_fd: options.required("from-link-fd")?,
            to_link_fd: options.required("to-link-fd")?,
            events_fd: options.parsed("events-fd")?,
            models: options.path("models").ok_or("--models is needed")?,
            word: Word::from_name(word).ok_or_else(|| format!("--word {word}: not a word that is shipped"))?,
            threshold,
            is_lockstep: options.has("lockstep"),
        })
    }
}
