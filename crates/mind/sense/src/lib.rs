//! From the text of a request to its intent and slots.
//!
//! Sentences are files in the hassil YAML format: Sotto's own are embedded ([`Sense::builtin`]), a household adds its
//! own ([`Sense::load_dir`]). All of them become one automaton (crate `grammar`), and a request is understood where the
//! automaton accepts it, once the wake word, courtesies and the habits of recognisers are taken off. What no sentence
//! says is not understood: this crate does not guess.
//!
//! Architecture Invariant: this crate knows no audio and no storage; it reads the owner's sentence files and nothing
//! else. What was said never reaches an error or a `Debug`.

mod brackets;
mod compile;
mod error;
mod folder;
mod near;
mod request;
mod understand;
mod yaml;

use std::collections::BTreeSet;
use std::fmt;
use std::path::Path;
use std::sync::Arc;

use grammar::Grammar;

pub use error::SenseError;
pub use understand::Understanding;

use compile::{Contexts, Meaning};
use yaml::SentenceFile;

/// Sotto's own sentences.
const BUILTIN: &str = include_str!("../sentences/en.yaml");

/// Files of one folder that are read.
pub const FILES_MAX: usize = 512;

/// Bytes of one sentence file; all of Home Assistant's English in one file take 180 KB.
pub const FILE_BYTES_MAX: u64 = 4 * 1024 * 1024;

/// Understands requests. Never changes, and may be shared by any number of threads.
pub struct Sense {
    grammar: Arc<Grammar>,
    /// By sentence number.
    meanings: Vec<Arc<Meaning>>,
    contexts: Contexts,
    /// Folded, the longest first.
    skip_words: Vec<Vec<String>>,
}

impl Sense {
    /// Sotto's own sentences and nothing else.
    #[must_use]
    pub fn builtin() -> Self {
        Self::from_texts(&[]).expect("the embedded sentences are compiled by a test")
    }

    /// Sotto's own sentences and those of the `.yaml` files in a folder and below it, which go first where both say the
    /// same. A folder below it that is named after another language is left out.
    ///
    /// # Errors
    /// Names the file, and where known the line, that cannot be read, parsed or compiled.
    pub fn load_dir(dir: &Path) -> Result<Self, SenseError> {
        let mut own = Vec::new();
        for file in folder::read_dir(dir)? {
            match SentenceFile::parse(&file.name, &file.text) {
                Err(SenseError::Language { language, .. }) if file.folder.as_ref() == Some(&language) => {}
                parsed => own.push(parsed?),
            }
        }
        if own.is_empty() {
            return Err(SenseError::NoFiles { path: dir.display().to_string() });
        }
        Self::compile(&own)
    }

    /// Sotto's own sentences and those of these texts, each with the name that errors shall call it by.
    ///
    /// # Errors
    /// As for [`Sense::load_dir`].
    pub fn from_texts(texts: &[(&str, &str)]) -> Result<Self, SenseError> {
        let parse = |(name, text): &(&str, &str)| SentenceFile::parse(name, text);
        Self::compile(&texts.iter().map(parse).collect::<Result<Vec<_>, _>>()?)
    }

    fn compile(own: &[SentenceFile]) -> Result<Self, SenseError> {
        compile::compile(own, &[SentenceFile::parse("sentences/en.yaml", BUILTIN)?])
    }

    /// The intents that some sentence has, in alphabetical order.
    #[must_use]
    pub fn intents(&self) -> BTreeSet<&str> {
        self.meanings.iter().map(|meaning| meaning.intent.as_str()).collect()
    }

    /// The automaton of all sentences, for a recogniser that walks it while it listens.
    #[must_use]
    pub const fn grammar(&self) -> &Arc<Grammar> {
        &self.grammar
    }
}

impl fmt::Debug for Sense {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sense").field("sentences", &self.meanings.len()).finish_non_exhaustive()
    }
}
