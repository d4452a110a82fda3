//! What can be wrong with a model, or with a request.

/// Why there is no model, or no text. Never holds a word of what was heard.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum AsrError {
    /// The model file ends in the middle of something.
    #[error("the model file is cut short")]
    CutShort,
    /// The model file cannot be read.
    #[error("the model file cannot be read: {kind}")]
    Unread {
        /// The system's reason.
        kind: std::io::ErrorKind,
    },
    /// The model file is neither a compact file nor CTranslate2's Whisper file.
    #[error("not a Whisper model: {0}")]
    NotAModel(&'static str),
    /// An array is missing, or not what Whisper needs.
    #[error("the model's array {name:?} {reason}")]
    BadArray {
        /// Its name in the file.
        name: String,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// The model's `config.json` cannot be used.
    #[error("the model's config.json: {0}")]
    BadConfig(&'static str),
    /// The model's vocabulary cannot be used.
    #[error("the model's vocabulary: {0}")]
    BadVocabulary(&'static str),
    /// A path has no room for more tokens, or there are too many paths.
    #[error("{0}")]
    NoRoom(&'static str),
    /// A phrase to listen for cannot be used.
    #[error("the phrase to listen for: {0}")]
    BadPhrase(&'static str),
    /// More sound than one window holds.
    #[error("{seconds:.1} s of sound are more than the {limit} s that are heard at once")]
    TooLong {
        /// How much there was.
        seconds: f64,
        /// How much is heard at once.
        limit: u32,
    },
    /// The caller asked to stop before the end.
    #[error("stopped before the end")]
    Stopped,
}
