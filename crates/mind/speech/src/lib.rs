//! Audio to text and text to audio: the two traits, their engines, and the bounded pools they run on.
//!
//! [`Recognizer`] and [`Synthesizer`] block their thread; [`RecognizerPool`] and [`SpeakerPool`] own a few threads and a
//! short queue, and answer with a [`Ticket`], which can be awaited under any runtime or waited for without one.
//!
//! Architecture Invariant: this crate knows no network, no storage and no meaning. What is said, in either direction,
//! lives inside [`base::Redacted`]; no error of this crate carries a word of it (invariant I9).

mod deadline;
mod error;
mod espeak;
mod level;
mod line;
mod pool;
mod recognizer;
mod synthesizer;
mod ticket;
mod wav;
mod whisper;

pub use deadline::Deadline;
pub use error::SpeechError;
pub use espeak::{Espeak, EspeakConfig};
pub use level::{LEVEL_DBFS, PEAK_DBFS_MAX};
pub use line::Asker;
pub use pool::{Pool, PoolConfig, RecognizerPool, SpeakerPool};
pub use recognizer::{Recognition, Recognizer};
pub use synthesizer::{Pcm, Synthesizer, TEXT_CHARS_MAX};
pub use ticket::Ticket;
pub use whisper::{SOUND_SECONDS_MAX, WhisperRecognizer};
