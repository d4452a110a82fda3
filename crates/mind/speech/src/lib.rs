//! Audio to text and text to audio: the two traits, their engines, and the bounded pools they run on.
//!
//! Architecture Invariant: this crate knows no network, no storage and no meaning. What is said, in either direction,
//! lives inside [`base::Redacted`]; no error of this crate carries a word of it (invariant I9).

mod error;
mod espeak;
mod level;
mod synthesizer;
mod wav;

pub use error::SpeechError;
pub use espeak::{Espeak, EspeakConfig};
pub use level::{LEVEL_DBFS, PEAK_DBFS_MAX};
pub use synthesizer::{Pcm, Synthesizer, TEXT_CHARS_MAX};
