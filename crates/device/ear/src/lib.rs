//! The ear: from the microphone's samples to "the word was said, and it began here".
//!
//! Architecture Invariant: pure and synchronous. Nothing here opens a file, a socket or a device (but for
//! [`Models::load`], before listening begins), keeps a clock or logs; a stream's time is the number of its samples, so a
//! recording played as fast as possible gives exactly what it gives in real time. It compiles to WebAssembly.
//!
//! The first stage listens to every sound: mel frames, the Google speech embedding (both on kernels of our own, which
//! compute nothing twice and allocate nothing once a stream has started), and small heads, whose weights and model card
//! lie in `weights/`. `learn` trains them through the same front end.
//!
//! The second stage is asked only where the first one has fired, at a low threshold: a [`WordVerifier`], which
//! the feature `verifier` gives on the project's recogniser. [`Judge`] decides from both. Without it, the first stage
//! decides alone (the light tier).

mod conv;
mod detector;
pub mod echo;
mod embedding;
pub mod endpoint;
mod error;
pub mod features;
pub mod head;
mod hindsight;
mod judge;
mod listener;
mod mel;
mod models;
pub mod net;
pub mod onnx;
pub mod onset;
mod simd;
mod tally;
pub mod vad;
#[cfg(feature = "verifier")]
pub mod verifier;
mod verify;
mod weights;
mod word;

pub use detector::{Heard, NearMiss, Wake, WakeDetector, WordVerifier, look_from};
pub use error::EarError;
pub use judge::{Decision, Judge, SECOND_LOOK, Scores, Tuning};
pub use listener::Listener;
pub use models::{
    EMBEDDING_HOP, EMBEDDING_SIZE, EMBEDDING_WINDOW, Embedding, MEL_BANDS, MEL_HOP, MEL_WINDOW, MelFrame, Models,
    SILENT_FRAME,
};
pub use tally::{BINS, FILE_BYTES, SLOT_BYTES, Tally, TallyError, WordCounts};
pub use verify::{Verify, logit};
pub use weights::{WordModel, is_name};
pub use word::Word;
