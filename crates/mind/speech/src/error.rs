//! What can go wrong between sound and words.

use std::io;
use std::path::PathBuf;
use std::time::Duration;

/// Why there is no text, or no speech. Never holds a word of what was said or was to be said.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SpeechError {
    /// The speaking program could not be started.
    #[error("{program} could not be started")]
    NotStarted {
        /// The program's name or path.
        program: PathBuf,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// The speaking program ended badly.
    #[error("{program} failed ({status})")]
    ProgramFailed {
        /// The program's name or path.
        program: PathBuf,
        /// How it ended.
        status: String,
    },
    /// The speaking program wrote something that is not a sound we can use.
    #[error("{program} gave no usable sound: {reason}")]
    NotSound {
        /// The program's name or path.
        program: PathBuf,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// Talking to the speaking program failed.
    #[error("talking to {program} failed")]
    Pipe {
        /// The program's name or path.
        program: PathBuf,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// There is nothing to say.
    #[error("there is nothing to say")]
    NothingToSay,
    /// The text is longer than anybody would listen to.
    #[error("the text has {chars} characters, more than {limit}")]
    TextTooLong {
        /// Its length.
        chars: usize,
        /// The limit.
        limit: usize,
    },
    /// The work was not done in the time given for it.
    #[error("not done within {} ms", within.as_millis())]
    Late {
        /// The time that was given.
        within: Duration,
    },
}
