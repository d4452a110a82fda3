//! The two public models in front of every word: a mel spectrogram and the Google speech embedding, run on rten.
//!
//! Both are entered or left at a value inside their graph. The mel model's last step clips each *call* at 80 dB below
//! that call's loudest value, which would make the features depend on how the stream is cut; we take the decibels
//! before it and clip at a fixed floor. The embedding model's first step fixes its input at one window of 76 frames; we
//! enter behind it, so that a longer input gives the embeddings of all windows, 8 frames apart, in one run: the same
//! numbers for a tenth of the work (used in training).

use std::sync::Arc;

use rten::{Model, ModelOptions, NodeId, RunOptions, ShapeInferenceMode, ThreadPool, ValueView};
use rten_tensor::prelude::*;
use rten_tensor::{NdTensor, NdTensorView};

use crate::error::EarError;

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

/// Decibels below which everything is the same silence. A microphone's own noise lies above it (1 bit of noise: about
/// 10, a quiet room: 30 to 45, speech: 85 to 110), exact zeros below.
const FLOOR_DB: f32 = 20.0;

/// One 10 ms frame, scaled as the embedding was trained on it: decibels / 10 + 2.
pub type MelFrame = [f32; MEL_BANDS];
/// One embedding of 76 mel frames.
pub type Embedding = [f32; EMBEDDING_SIZE];

/// The frame that exact silence gives.
pub const SILENT_FRAME: MelFrame = [FLOOR_DB / 10.0 + 2.0; MEL_BANDS];

/// File names below the models' directory.
const MEL_FILE: &str = "speech-embedding/melspectrogram.onnx";
const EMBEDDING_FILE: &str = "speech-embedding/embedding_model.onnx";

/// The names of values in the models' graphs.
const MEL_INPUT: &str = "input";
const MEL_DECIBELS: &str = "onnx::Sub_29";
const EMBEDDING_FRAMES: &str = "model/conv2d/Conv2D__6:0";
const EMBEDDING_VECTORS: &str = "model/conv2d_19/Conv2D:0";

/// Both models, loaded and warm. Cheap to clone; clones share everything.
#[derive(Clone)]
pub struct Models {
    shared: Arc<Shared>,
}

struct Shared {
    mel: Graph,
    embedding: Graph,
    pool: Arc<ThreadPool>,
}

struct Graph {
    model: Model,
    input: NodeId,
    output: NodeId,
}

impl Models {
    /// Reads both models from `dir` and runs each once, so that nothing is opened or started later.
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
        let mel = Graph::load("the mel spectrogram", mel, MEL_INPUT, MEL_DECIBELS)?;
        let embedding = Graph::load("the speech embedding", embedding, EMBEDDING_FRAMES, EMBEDDING_VECTORS)?;
        let pool = Arc::new(ThreadPool::with_num_threads(1));
        let models = Self { shared: Arc::new(Shared { mel, embedding, pool }) };
        let frames = models.mel_frames(&[0.0; MEL_WINDOW])?;
        let vectors = models.embeddings(&[SILENT_FRAME; EMBEDDING_WINDOW])?;
        if frames.len() == 1 && vectors.len() == 1 {
            Ok(models)
        } else {
            Err(EarError::Model { what: "the pair of models", reason: "a window gives more than one vector".into() })
        }
    }

    /// The frames of `samples` (in units of 16-bit PCM): one for each whole window, [`MEL_HOP`] apart.
    ///
    /// # Errors
    /// Only where the model is not the one this crate knows.
    pub fn mel_frames(&self, samples: &[f32]) -> Result<Vec<MelFrame>, EarError> {
        if samples.len() < MEL_WINDOW {
            return Ok(Vec::new());
        }
        let input = NdTensorView::from_data([1, samples.len()], samples);
        let decibels = self.shared.run(&self.shared.mel, "the mel spectrogram", input.into())?;
        Ok(decibels
            .chunks_exact(MEL_BANDS)
            .map(|bands| std::array::from_fn(|band| bands[band].max(FLOOR_DB) / 10.0 + 2.0))
            .collect())
    }

    /// The embeddings of `frames`: one for each whole window of [`EMBEDDING_WINDOW`], [`EMBEDDING_HOP`] apart.
    ///
    /// # Errors
    /// Only where the model is not the one this crate knows.
    pub fn embeddings(&self, frames: &[MelFrame]) -> Result<Vec<Embedding>, EarError> {
        if frames.len() < EMBEDDING_WINDOW {
            return Ok(Vec::new());
        }
        let input = NdTensorView::from_data([1, 1, frames.len(), MEL_BANDS], frames.as_flattened());
        let vectors = self.shared.run(&self.shared.embedding, "the speech embedding", input.into())?;
        // The output is [1, 96, windows, 1].
        let windows = vectors.len() / EMBEDDING_SIZE;
        Ok((0..windows).map(|window| std::array::from_fn(|value| vectors[value * windows + window])).collect())
    }
}

impl std::fmt::Debug for Models {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Models")
    }
}

impl Shared {
    fn run(&self, graph: &Graph, what: &'static str, input: ValueView<'_>) -> Result<Vec<f32>, EarError> {
        let wrong = |reason: String| EarError::Model { what, reason };
        let options = RunOptions::default().with_thread_pool(Some(Arc::clone(&self.pool)));
        let [output] = graph
            .model
            .run_n(vec![(graph.input, input.into())], [graph.output], Some(options))
            .map_err(|error| wrong(error.to_string()))?;
        let output: NdTensor<f32, 4> = output.try_into().map_err(|_| wrong("its output has another shape".into()))?;
        Ok(output.to_vec())
    }
}

impl Graph {
    fn load(what: &'static str, bytes: Vec<u8>, input: &str, output: &str) -> Result<Self, EarError> {
        let wrong = |reason: String| EarError::Model { what, reason };
        let mut options = ModelOptions::with_all_ops();
        // Inferred shapes would be one window's, and a longer input be refused.
        options.shape_inference(ShapeInferenceMode::Off);
        let model = options.load(bytes).map_err(|error| wrong(error.to_string()))?;
        let input = model.node_id(input).map_err(|error| wrong(error.to_string()))?;
        let output = model.node_id(output).map_err(|error| wrong(error.to_string()))?;
        Ok(Self { model, input, output })
    }
}
