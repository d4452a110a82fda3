//! Is this speech? One probability for every 32 ms, from the Silero model.
//!
//! Knows sound only: not what was said, nor who listens.

use std::sync::Arc;

use rten::{Model, NodeId, RunOptions, ThreadPool, Value};
use rten_tensor::prelude::*;
use rten_tensor::{NdTensor, NdTensorView};

use crate::error::EarError;

/// Samples the model judges at once: 32 ms.
pub const VAD_FRAME: usize = 512;

/// Samples of the frame before, which the model wants in front of each frame (as in Silero's own runner).
const CONTEXT: usize = 64;

/// Shape of the recurrent state, as the model declares it.
const STATE: [usize; 3] = [2, 1, 128];

/// A 16-bit sample times this is what the model was trained on: -1 to 1.
const FULL_SCALE: f32 = 1.0 / 32_768.0;

/// The file's name below the models' directory.
const FILE: &str = "silero-vad/silero_vad_openvino_16k.onnx";

/// The model's weights, read once and shared by any number of streams.
#[derive(Clone)]
pub struct VadModel {
    model: Arc<Model>,
    threads: Arc<ThreadPool>,
    input: NodeId,
    state: NodeId,
    probability: NodeId,
    state_next: NodeId,
}

impl VadModel {
    /// Reads the model from `dir` and runs it once.
    ///
    /// # Errors
    /// Where the file is missing or is not the model this crate knows.
    pub fn load(dir: &std::path::Path) -> Result<Self, EarError> {
        let path = dir.join(FILE);
        let onnx =
            std::fs::read(&path).map_err(|source| EarError::Read { path: path.display().to_string(), source })?;
        Self::from_bytes(onnx)
    }

    /// Reads the model from the bytes of `silero_vad_openvino_16k.onnx` and runs it once.
    ///
    /// # Errors
    /// Where the bytes are not that model.
    pub fn from_bytes(onnx: Vec<u8>) -> Result<Self, EarError> {
        let model = Model::load(onnx).map_err(|error| foreign(error.to_string()))?;
        let node = |name| model.find_node(name).ok_or_else(|| foreign(format!("it has no value {name}")));
        let (input, state) = (node("input")?, node("state")?);
        let (probability, state_next) = (node("output")?, node("stateN")?);
        // A frame is 200 µs of work: a second thread would cost more in waking than it saves.
        let threads = Arc::new(ThreadPool::with_num_threads(1));
        let loaded = Self { model: Arc::new(model), threads, input, state, probability, state_next };
        Vad::new(&loaded).push(&[0; VAD_FRAME], |_, _| {})?;
        Ok(loaded)
    }
}

fn foreign(reason: String) -> EarError {
    EarError::Model { what: "the voice activity file", reason }
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
    state: Value,
    /// The context followed by the frame that is being filled.
    window: Vec<f32>,
}

impl Vad {
    /// Starts at the first sample of a stream.
    #[must_use]
    pub fn new(model: &VadModel) -> Self {
        let mut window = Vec::with_capacity(CONTEXT + VAD_FRAME);
        window.resize(CONTEXT, 0.0);
        Self { model: model.clone(), state: NdTensor::<f32, 3>::zeros(STATE).into(), window }
    }

    /// Takes samples as they come and hands `each` the probability of speech, 0 to 1, of every frame they fill.
    ///
    /// # Errors
    /// Where the model fails, which it does not once it has been loaded; the stream cannot go on then.
    pub fn push(&mut self, pcm: &[i16], mut each: impl FnMut(&[f32], f32)) -> Result<(), EarError> {
        for &sample in pcm {
            self.window.push(f32::from(sample) * FULL_SCALE);
            if self.window.len() == CONTEXT + VAD_FRAME {
                let probability = self.run()?;
                each(&self.window[CONTEXT..], probability);
                self.window.copy_within(VAD_FRAME.., 0);
                self.window.truncate(CONTEXT);
            }
        }
        Ok(())
    }

    fn run(&mut self) -> Result<f32, EarError> {
        let VadModel { model, threads, input, state, probability, state_next } = &self.model;
        let frame = NdTensorView::from_data([1, CONTEXT + VAD_FRAME], self.window.as_slice());
        let options = RunOptions::default().with_thread_pool(Some(Arc::clone(threads)));
        let inputs = vec![(*input, frame.into()), (*state, (&self.state).into())];
        let [speech, next] = model
            .run_n(inputs, [*probability, *state_next], Some(options))
            .map_err(|error| foreign(error.to_string()))?;
        self.state = next;
        let speech: NdTensor<f32, 2> = speech.try_into().map_err(|_| foreign("no probability".into()))?;
        speech.iter().next().copied().filter(|p| p.is_finite()).ok_or_else(|| foreign("no probability".into()))
    }
}
