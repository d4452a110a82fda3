//! From embeddings to the first stage's score: the mean of the heads, smoothed.

use std::sync::Arc;

use crate::head::HeadState;
use crate::models::{Embedding, Models};
use crate::weights::WordModel;

/// The score is the mean of the heads' over this many steps of 80 ms.
const SMOOTHED_STEPS: usize = 2;

/// The heads of a word with what they remember of a stream. Training evaluates with it, so that both hear alike.
#[derive(Debug)]
pub struct Listener {
    model: Arc<WordModel>,
    heads: Vec<HeadState>,
    recent: [f32; SMOOTHED_STEPS],
}

impl Listener {
    /// A listener to whom all has been silent until now.
    #[must_use]
    pub fn new(models: &Models, model: Arc<WordModel>) -> Self {
        let silence = models.silent_embedding();
        let heads = model.heads.iter().map(|head| HeadState::new(head, silence)).collect();
        Self { model, heads, recent: [0.0; SMOOTHED_STEPS] }
    }

    /// Takes the next embedding and returns the smoothed score, 0 to 1.
    pub fn push(&mut self, embedding: &Embedding) -> f32 {
        let heads = self.heads.iter_mut().zip(&self.model.heads);
        let sum: f32 = heads.map(|(state, head)| state.push(head, embedding)).sum();
        self.recent.rotate_left(1);
        self.recent[SMOOTHED_STEPS - 1] = sum / count(self.model.heads.len());
        self.score()
    }

    /// The smoothed score after the last step, 0 to 1.
    #[must_use]
    pub fn score(&self) -> f32 {
        self.recent.iter().sum::<f32>() / count(SMOOTHED_STEPS)
    }
}

#[expect(clippy::cast_precision_loss, reason = "a handful")]
const fn count(len: usize) -> f32 {
    len as f32
}
