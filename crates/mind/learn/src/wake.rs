//! A wake word: from recordings to weights, and from weights to figures.

mod evaluate;
mod examples;
mod heads;
mod onsets;
mod recipe;
mod sentences;

pub use evaluate::{Condition, Misses, OnsetErrors, false_accepts, misses, onset_errors, splice};
pub use examples::{Examples, embed};
pub use heads::{HeadSettings, train_head};
pub use onsets::{OnsetSettings, train_onset};
pub use recipe::{FOLDS, Material, Recipe, TrainError, Trained, fold_of, prepare, train};
