//! The recogniser: Whisper tiny.en and base in plain Rust, one code, made from the file that CTranslate2 uses.
//!
//! Sound becomes a mel spectrogram ([`LogMel`]), the encoder turns that into what the decoder listens to, and the
//! decoder gives a log-probability to every token of the vocabulary, step by step. [`Whisper::transcribe`] follows the
//! best token to the end. The encoder's window is cut to the sound, which is what makes short requests cheap.
//!
//! Architecture Invariant: bytes in, words out. The crate opens no file, starts no thread, reads no clock, and compiles
//! for wasm32. Weights have 8 bits, and what they are multiplied with is rounded to as many ([`compact`] makes the file
//! that holds them); attention, norms and the first convolutions are f32.
//!
//! Text that was heard is inside [`base::Redacted`], and no error carries it (invariant I9).

mod aligned;
mod compact;
mod config;
mod decoder;
mod encoder;
mod error;
mod greedy;
mod kernel;
mod math;
mod matrix;
mod mel;
mod model_file;
mod phrase;
mod product;
mod repetition;
mod session;
mod tree;
mod vocabulary;
mod weights;
mod whisper;

pub use compact::compact;
pub use error::AsrError;
pub use mel::LogMel;
pub use model_file::{Array, ModelFile, Numbers};
pub use phrase::{Phrase, Spot};
pub use session::{PATHS_MAX, PROMPT_TOKENS_MAX, Path, Session};
pub use vocabulary::Vocabulary;
pub use whisper::{ModelBytes, Options, SECONDS_MAX, Transcript, Whisper, Window};
