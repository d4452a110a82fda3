//! The two public models in front of every word: a mel spectrogram and the Google speech embedding, on kernels of our
//! own.
//!
//! Both differ from their files in one thing. The mel model's last step clips each *call* at 80 dB below that call's
//! loudest value, which would make the features depend on how the stream is cut; we clip at a fixed floor instead. The
//! embedding model fixes its input at one window of 76 frames; we compute each layer once for all windows that share it,
//! as they come. The weights are read out of the files, whose hashes are known.

use std::sync::Arc;

use sha2::{Digest, Sha256};

use crate::embedding::{EmbeddingNet, EmbeddingState};
use crate::error::EarError;
use crate::mel::{LANES, Mel, SAMPLES, Scratch};
use crate::onnx::Tensors;
use crate::simd;

/// Bands of the mel spectrogram.
pub const MEL_BANDS: usize = 32;
/// Samples from one mel frame to the next: 10 ms.
pub const MEL_HOP: usize = 160;
/// Samples that one mel frame looks at.
pub const MEL_WINDOW: usize = 512;
/// Mel frames that one embedding looks at.
pub const EMBEDDING_WINDOW: usize = 76;
/// Mel frames from one embedding to the next: 80 ms.
pub const EMBEDDING_HOP: usize = 8;
/// Values of one embedding.
pub const EMBEDDING_SIZE: usize = 96;

/// One 10 ms frame, scaled as the embedding was trained on it: decibels / 10 + 2.
pub type MelFrame = [f32; MEL_BANDS];
/// One embedding of 76 mel frames.
pub type Embedding = [f32; EMBEDDING_SIZE];

/// The frame that exact silence gives.
pub const SILENT_FRAME: MelFrame = [crate::mel::FLOOR_DB / 10.0 + 2.0; MEL_BANDS];

/// File names below the models' directory, and the SHA-256 of the files.
const MEL_FILE: &str = "speech-embedding/melspectrogram.onnx";
const EMBEDDING_FILE: &str = "speech-embedding/embedding_model.onnx";
const MEL_SHA256: &str = "ba2b0e0f8b7b875369a2c89cb13360ff53bac436f2895cced9f479fa65eb176f";
const EMBEDDING_SHA256: &str = "70d164290c1d095d1d4ee149bc5e00543250a7316b59f31d056cff7bd3075c1f";

/// Steps of a long recording that are computed at once: enough that the weights are not fetched from memory for each.
const BATCH_STEPS: usize = 8;

/// Both models, loaded and warm. Cheap to clone; clones share everything.
#[derive(Clone)]
pub struct Models {
    shared: Arc<Shared>,
}

struct Shared {
    mel: Mel,
    embedding: EmbeddingNet,
    /// What the embedding remembers of a stream that has always been silent, with room for one step.
    silence: EmbeddingState,
    /// The embedding of a window in it.
    silent: Embedding,
}

/// What the spectrogram needs while it follows one stream. Allocates nothing once made.
#[derive(Debug)]
pub(crate) struct MelState {
    scratch: Scratch,
}

impl MelState {
    pub(crate) fn new() -> Self {
        Self { scratch: Scratch::new() }
    }
}

/// The same for both models.
#[derive(Debug)]
pub(crate) struct ModelState {
    mel: MelState,
    embedding: EmbeddingState,
}

impl Models {
    /// Reads both models from `dir`, so that nothing is opened later.
    ///
    /// # Errors
    /// Where a file is missing or is not the model this crate knows.
    pub fn load(dir: &std::path::Path) -> Result<Self, EarError> {
        let read = |name: &str| {
            let path = dir.join(name);
            std::fs::read(&path).map_err(|source| EarError::Read { path: path.display().to_string(), source })
        };
        Self::from_bytes(read(MEL_FILE)?, read(EMBEDDING_FILE)?)
    }

    /// The same from the files' bytes, for where there are no files.
    ///
    /// # Errors
    /// Where the bytes are not the models this crate knows.
    pub fn from_bytes(mel: Vec<u8>, embedding: Vec<u8>) -> Result<Self, EarError> {
        check_hash(MEL_FILE, &mel, MEL_SHA256)?;
        check_hash(EMBEDDING_FILE, &embedding, EMBEDDING_SHA256)?;
        let mel = Mel::new(MEL_FILE, Tensors::read(MEL_FILE, &mel)?)?;
        let embedding = EmbeddingNet::new(EMBEDDING_FILE, Tensors::read(EMBEDDING_FILE, &embedding)?)?;
        let mut silence = embedding.blank(1);
        let mut silent = [[0.0; EMBEDDING_SIZE]];
        // More steps than one window is long: nothing is left of the blank beginning.
        for _ in 0..2 * EMBEDDING_WINDOW / EMBEDDING_HOP {
            simd::run(embedding.advance(&mut silence, &[SILENT_FRAME; EMBEDDING_HOP], &mut silent));
        }
        Ok(Self { shared: Arc::new(Shared { mel, embedding, silence, silent: silent[0] }) })
    }

    /// The frames of `samples` (in units of 16-bit PCM): one for each whole window, [`MEL_HOP`] apart.
    #[must_use]
    pub fn mel_frames(&self, samples: &[f32]) -> Vec<MelFrame> {
        let count = samples.len().checked_sub(MEL_WINDOW).map_or(0, |more| more / MEL_HOP + 1);
        let mut frames = vec![SILENT_FRAME; count];
        let mut scratch = Scratch::new();
        let mut padded = [0.0; SAMPLES];
        for (index, frames) in frames.chunks_mut(LANES).enumerate() {
            let rest = &samples[index * LANES * MEL_HOP..];
            let samples = rest.get(..SAMPLES).unwrap_or_else(|| {
                padded[..rest.len()].copy_from_slice(rest);
                &padded
            });
            simd::run(self.shared.mel.frames(samples, &mut scratch, frames));
        }
        frames
    }

    /// The embeddings of `frames`: one for each whole window of [`EMBEDDING_WINDOW`], [`EMBEDDING_HOP`] apart.
    #[must_use]
    pub fn embeddings(&self, frames: &[MelFrame]) -> Vec<Embedding> {
        let mut state = self.shared.embedding.blank(BATCH_STEPS);
        self.shared.embedding.all(&mut state, frames)
    }

    /// The embedding of a window of exact silence.
    pub(crate) fn silent_embedding(&self) -> &Embedding {
        &self.shared.silent
    }

    /// The state of a stream that has been silent until now.
    pub(crate) fn start(&self) -> ModelState {
        ModelState { mel: MelState::new(), embedding: self.shared.silence.clone() }
    }

    /// Takes the samples of one step (the first [`MEL_WINDOW`] - [`MEL_HOP`] of them overlap the step before) and writes
    /// its eight frames.
    pub(crate) fn mel_step(&self, state: &mut MelState, samples: &[f32], frames: &mut [MelFrame]) {
        simd::run(self.shared.mel.frames(samples, &mut state.scratch, frames));
    }

    /// The same, and returns the embedding of the window that ends with them.
    pub(crate) fn step(&self, state: &mut ModelState, samples: &[f32], frames: &mut [MelFrame]) -> Embedding {
        self.mel_step(&mut state.mel, samples, frames);
        let mut embedding = [[0.0; EMBEDDING_SIZE]];
        simd::run(self.shared.embedding.advance(&mut state.embedding, frames, &mut embedding));
        embedding[0]
    }
}

impl std::fmt::Debug for Models {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Models")
    }
}

/// Refuses a file that is not, byte for byte, the one this crate was written for.
pub(crate) fn check_hash(what: &'static str, bytes: &[u8], sha256: &str) -> Result<(), EarError> {
    use std::fmt::Write;
    let found = Sha256::digest(bytes).iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    });
    if found == sha256 {
        Ok(())
    } else {
        Err(EarError::Model { what, reason: format!("its SHA-256 is {found}, and should be {sha256}") })
    }
}
