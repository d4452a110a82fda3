//! What can go wrong in the ear. Never during listening: only while models and weights are read.

/// Why the ear cannot be set up or fed.
#[derive(Debug, thiserror::Error)]
pub enum EarError {
    /// A model's file cannot be read.
    #[error("cannot read the model {path}: {source}")]
    Read {
        /// The file that was wanted.
        path: String,
        /// What the system said.
        source: std::io::Error,
    },
    /// The bytes are not the model that this crate was written for.
    #[error("{what} is not the model this program knows: {reason}")]
    Model {
        /// Which model.
        what: &'static str,
        /// What does not fit.
        reason: String,
    },
    /// A word's weights are cut short or of another version.
    #[error("a word's weights are damaged: {0}")]
    Weights(&'static str),
}
