//! What can go wrong between sound and words.

use std::io;
use std::path::PathBuf;
use std::time::Duration;

/// Why there is no text, or no speech. Never holds a word of what was said or was to be said.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SpeechError {
    /// The speaking program could not be started.
    #[error("{program} could not be started: {source}")]
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
    #[error("talking to {program} failed: {source}")]
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
    /// The work would have to wait longer than anybody should.
    #[error("busy: it would wait for {} ms, more than {} ms", wait.as_millis(), wait_max.as_millis())]
    Overloaded {
        /// How long it would wait, as things have gone so far.
        wait: Duration,
        /// How long it may.
        wait_max: Duration,
    },
    /// What waits takes as much memory as it may, and whoever asked has most of it.
    #[error("busy: {} KB of requests are waiting already", bytes_max / 1_024)]
    Full {
        /// How much may wait.
        bytes_max: usize,
    },
    /// The pool was closed before the work was done.
    #[error("closed before it was done")]
    Closed,
    /// The work failed in a way that nobody foresaw.
    #[error("failed inside")]
    Panicked,
    /// The system gives no more threads.
    #[error("no thread could be started: {source}")]
    NoThread {
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// A file of the model is not there.
    #[error("{path}: the model is missing (`sotto models list` says which can be fetched)")]
    NoModel {
        /// Which file.
        path: PathBuf,
    },
    /// A file of the model cannot be read.
    #[error("{path}: cannot be read: {source}")]
    UnreadableModel {
        /// Which file.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// The model's files are not what they should be.
    #[error("{folder}: {source}")]
    BadModel {
        /// Where they lie.
        folder: PathBuf,
        /// What is wrong with them.
        #[source]
        source: asr::AsrError,
    },
    /// More sound than is heard in one call.
    #[error("there are more than {limit_seconds} s of sound")]
    SoundTooLong {
        /// The limit.
        limit_seconds: u32,
    },
    /// The recogniser failed.
    #[error("the recogniser failed: {source}")]
    NotHeard {
        /// Why.
        #[source]
        source: asr::AsrError,
    },
}
