//! The recogniser: Whisper tiny.en and base in plain Rust, one code, read from the file that CTranslate2 uses.
//!
//! Sound becomes a mel spectrogram ([`LogMel`]), the encoder turns that into what the decoder listens to, and the
//! decoder gives a log-probability to every token of the vocabulary, step by step. [`Whisper::transcribe`] follows the
//! best token to the end. The encoder's window is cut to the sound, which is what makes short requests cheap.
//!
//! Architecture Invariant: bytes in, words out. The crate opens no file, starts no thread, reads no clock, and compiles
//! for wasm32. Numbers are f32; the decoder's weights stay f16 in memory, because reading them is what a token costs.
//!
//! Text that was heard is inside [`base::Redacted`], and no error carries it (invariant I9).

mod config;
mod decoder;
mod encoder;
mod error;
mod greedy;
mod math;
mod matrix;
mod mel;
mod model_file;
mod phrase;
mod repetition;
mod vocabulary;
mod weights;
mod whisper;

pub use error::AsrError;
pub use mel::LogMel;
pub use model_file::{Array, ModelFile, Numbers};
pub use phrase::{Phrase, Spot};
pub use vocabulary::Vocabulary;
pub use whisper::{ModelBytes, Options, SECONDS_MAX, Transcript, Whisper, Window};
