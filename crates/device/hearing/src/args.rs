//! The command line, which the launcher writes.

use std::ffi::OsString;
use std::path::PathBuf;

use ear::Word;
use pipe::{Options, Sensitivity};

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
    /// The owner's choice at the device, which no setting from the network changes.
    pub(crate) sensitivity: Option<Sensitivity>,
    /// Where counts are kept, if anywhere.
    pub(crate) journal: Option<PathBuf>,
    /// The first stage alone, whether the recogniser is there or not.
    pub(crate) is_light: bool,
    pub(crate) is_lockstep: bool,
}

const NAMES: [&str; 11] = [
    "pcm-fd",
    "from-panel-fd",
    "to-panel-fd",
    "from-link-fd",
    "to-link-fd",
    "events-fd",
    "models",
    "word",
    "threshold",
    "sensitivity",
    "journal",
];

impl Args {
    pub(crate) fn read(arguments: impl IntoIterator<Item = OsString>) -> Result<Self, String> {
        let options = Options::read(arguments, &NAMES, &["light", "lockstep"])?;
        let word = options.text("word").unwrap_or(Word::Alexa.name());
        let threshold = options.parsed::<f32>("threshold")?;
        if threshold.is_some_and(|threshold| !(threshold > 0.0 && threshold < 1.0)) {
            return Err("--threshold: a score between 0 and 1 is needed".to_owned());
        }
        let sensitivity = options.text("sensitivity");
        let sensitivity =
            sensitivity.map(|name| Sensitivity::from_name(name).ok_or("--sensitivity: low, normal or high"));
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
            sensitivity: sensitivity.transpose()?,
            journal: options.path("journal"),
            is_light: options.has("light"),
            is_lockstep: options.has("lockstep"),
        })
    }
}
