//! Is this speech? One probability for every 32 ms, from the Silero model.
//!
//! Knows sound only: not what was said, nor who listens.

mod net;

use std::sync::Arc;

use crate::error::EarError;
use crate::models::check_hash;
use crate::onnx::Tensors;
use net::{Net, Step, StreamState};

/// Samples the model judges at once: 32 ms.
pub const VAD_FRAME: usize = 512;

/// Samples of the frame before, which the model wants in front of each frame (as in Silero's own runner).
const CONTEXT: usize = 64;

/// A 16-bit sample times this is what the model was trained on: -1 to 1.
const FULL_SCALE: f32 = 1.0 / 32_768.0;

/// The file's name below the models' directory, and its SHA-256.
const FILE: &str = "silero-vad/silero_vad_openvino_16k.onnx";
const SHA256: &str = "7776b81ad1b0350c15d7f1555943b9232eb53e9ca5d989c6d0cea9ebc8664d87";

/// The model's weights, read once and shared by any number of streams.
#[derive(Clone)]
pub struct VadModel {
    net: Arc<Net>,
}

impl VadModel {
    /// Reads the model from `dir`.
    ///
    /// # Errors
    /// Where the file is missing or is not the model this crate knows.
    pub fn load(dir: &std::path::Path) -> Result<Self, EarError> {
        let path = dir.join(FILE);
        let onnx =
            std::fs::read(&path).map_err(|source| EarError::Read { path: path.display().to_string(), source })?;
        Self::from_bytes(onnx)
    }

    /// Reads the model from the bytes of `silero_vad_openvino_16k.onnx`.
    ///
    /// # Errors
    /// Where the bytes are not that model.
    #[expect(clippy::needless_pass_by_value, reason = "a megabyte that nobody needs afterwards")]
    pub fn from_bytes(onnx: Vec<u8>) -> Result<Self, EarError> {
        check_hash(FILE, &onnx, SHA256)?;
        Ok(Self { net: Arc::new(Net::new(FILE, Tensors::read(FILE, &onnx)?)?) })
    }
}

impl std::fmt::Debug for VadModel {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("VadModel")
    }
}

/// One stream under judgement: the model's memory of it, and the samples that do not fill a frame yet.
#[derive(Debug)]
pub struct Vad {
    model: VadModel,
    state: StreamState,
    /// The context followed by the frame that is being filled.
    window: Vec<f32>,
}

impl Vad {
    /// Starts at the first sample of a stream.
    #[must_use]
    pub fn new(model: &VadModel) -> Self {
        let mut window = Vec::with_capacity(CONTEXT + VAD_FRAME);
        window.resize(CONTEXT, 0.0);
        Self { model: model.clone(), state: StreamState::new(), window }
    }

    /// Takes samples as they come and hands `each` the samples, -1 to 1, and the probability of speech, 0 to 1, of
    /// every frame they fill.
    pub fn push(&mut self, pcm: &[i16], mut each: impl FnMut(&[f32], f32)) {
        for &sample in pcm {
            self.window.push(f32::from(sample) * FULL_SCALE);
            if self.window.len() == CONTEXT + VAD_FRAME {
                let probability = crate::simd::run(Step::new(&self.model.net, &mut self.state, &self.window));
                each(&self.window[CONTEXT..], probability);
                self.window.copy_within(VAD_FRAME.., 0);
                self.window.truncate(CONTEXT);
            }
        }
    }
}
