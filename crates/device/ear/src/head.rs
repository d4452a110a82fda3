//! A head: a small network that says whether the word has just ended.
//!
//! Each embedding goes through the same first network (`frame`), once, when it comes; the results of the last few are
//! put side by side and go through the second (`word`).

use crate::error::EarError;
use crate::models::{EMBEDDING_SIZE, Embedding};
use crate::net::{Net, sigmoid};

/// Embeddings that a head looks at, at most: 2.6 s.
const FRAMES_MAX: usize = 32;

/// One trained head.
#[derive(Clone, Debug, PartialEq)]
pub struct Head {
    /// From one embedding to a few values.
    pub frame: Net,
    /// From those values of the last few embeddings, oldest first, to one logit.
    pub word: Net,
}

impl Head {
    /// A head of two networks.
    ///
    /// # Errors
    /// Where the second does not take a whole number of the first's outputs.
    pub fn new(frame: Net, word: Net) -> Result<Self, EarError> {
        let fits = frame.inputs() == EMBEDDING_SIZE && word.outputs() == 1;
        let frames = word.inputs() / frame.outputs().max(1);
        if fits && (1..=FRAMES_MAX).contains(&frames) && frames * frame.outputs() == word.inputs() {
            Ok(Self { frame, word })
        } else {
            Err(EarError::Weights("a head's two networks do not fit each other"))
        }
    }

    /// How many embeddings it looks at.
    #[must_use]
    pub fn frames(&self) -> usize {
        self.word.inputs() / self.frame.outputs().max(1)
    }
}

/// A head with what it remembers of a stream.
#[derive(Debug)]
pub struct HeadState {
    /// The first network's results, oldest first.
    recent: Vec<f32>,
    scratch: Vec<f32>,
}

impl HeadState {
    /// A stream that has shown nothing but `silence` until now.
    #[must_use]
    pub fn new(head: &Head, silence: &Embedding) -> Self {
        let scratch = vec![0.0; 2 * head.frame.width().max(head.word.width())];
        let mut state = Self { recent: vec![0.0; head.word.inputs()], scratch };
        for _ in 0..head.frames() {
            state.push(head, silence);
        }
        state
    }

    /// Takes the next embedding and returns the probability that the word has just ended.
    pub fn push(&mut self, head: &Head, embedding: &Embedding) -> f32 {
        let values = head.frame.run(embedding, &mut self.scratch);
        self.recent.rotate_left(values.len());
        let start = self.recent.len() - values.len();
        self.recent[start..].copy_from_slice(values);
        let logit = head.word.run(&self.recent, &mut self.scratch)[0];
        sigmoid(logit)
    }
}
