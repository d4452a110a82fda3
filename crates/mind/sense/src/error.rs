//! Why sentences could not be loaded.

use std::io;

use grammar::{GrammarError, TemplateError};
use thiserror::Error;

/// Why sentences could not be loaded. The messages speak of the owner's files, never of a request.
#[derive(Debug, Error)]
pub enum SenseError {
    /// A file or folder cannot be read.
    #[error("{path}: {source}")]
    Read {
        /// The file or folder.
        path: String,
        /// The system's reason.
        source: io::Error,
    },
    /// A folder without a single sentence file.
    #[error("{path}: no .yaml file in this folder or below it")]
    NoFiles {
        /// The folder.
        path: String,
    },
    /// See [`crate::FILES_MAX`] and [`crate::FILE_BYTES_MAX`].
    #[error("{path}: at most {} files of {} bytes are read", crate::FILES_MAX, crate::FILE_BYTES_MAX)]
    TooMuch {
        /// The file or folder.
        path: String,
    },
    /// Folders stand too deep in each other, or in a circle.
    #[error("{path}: too many folders within folders")]
    TooDeep {
        /// The folder.
        path: String,
    },
    /// A file is not YAML, or not sentences; the reason has line and column.
    #[error("{file}: {reason}")]
    Yaml {
        /// The file.
        file: String,
        /// What the YAML reader says, in one line.
        reason: String,
    },
    /// Sentences in a language whose numbers and courtesies are not known.
    #[error("{file}: language \"{language}\" is not known yet, only English (\"en\")")]
    Language {
        /// The file.
        file: String,
        /// The language it names.
        language: String,
    },
    /// A template cannot be read. Its own line and column count from the template's start.
    #[error("{place}: in this template, {source}")]
    Template {
        /// The file, and the line or the list that the template stands in.
        place: String,
        /// What is wrong with it.
        source: TemplateError,
    },
    /// A list that is neither values, range nor wildcard.
    #[error("{place}: the list {name} needs one of `values`, `range` and `wildcard: true`")]
    EmptyList {
        /// The file and line.
        place: String,
        /// The list.
        name: String,
    },
    /// The templates do not fit together.
    #[error("{place}: {source}")]
    Grammar {
        /// The file and line, where they are known.
        place: String,
        /// What does not fit.
        source: GrammarError,
    },
}
