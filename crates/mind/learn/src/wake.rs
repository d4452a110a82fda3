//! A wake word: from recordings to weights, and from weights to figures.

mod calibrate;
mod evaluate;
mod examples;
mod folds;
mod heads;
mod judge;
mod looks;
mod material;
mod neighbours;
mod onsets;
pub mod parts;
mod recipe;
pub mod scores;
mod sentences;

pub use calibrate::{ACCEPTS_PER_HOUR, Fit, TRIGGERS_PER_HOUR, threshold_at};
pub use evaluate::{OnsetErrors, onset_errors, splice};
pub use examples::{Examples, embed};
pub use folds::{Bench, Judged, LIGHT_ACCEPTS_PER_HOUR, OtherRow, WordRow, judging_chance};
pub use heads::{HeadSettings, train_head};
pub use judge::{Condition, counts_for, heard_in};
pub use looks::{LOOKS, Look, Spotter, looks};
pub use material::{Clip, Material, Stretch};
pub use neighbours::near_in_sound;
pub use onsets::{OnsetSettings, train_onset};
pub use recipe::{Memory, Recipe, TrainError, prepare, train};
pub use sentences::neighbours;
