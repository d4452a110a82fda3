//! Our own kernels against the models' files run as they are by an inference library.

use ear::features::{Features, STEP};
use ear::vad::{Vad, VadModel};
use ear::{EMBEDDING_HOP, EMBEDDING_SIZE, EMBEDDING_WINDOW, Embedding, MEL_BANDS, MelFrame, SILENT_FRAME};
use rten::{Model, NodeId, RunOptions, ThreadPool};
use rten_tensor::prelude::*;
use rten_tensor::{NdTensor, NdTensorView};
use std::sync::Arc;

/// A value in the mel model's graph: the decibels before it clips them by the loudest of the call.
const MEL_DECIBELS: &str = "onnx::Sub_29";
const FLOOR_DB: f32 = 20.0;

/// A file's graph from its input to one value.
struct Graph {
    model: Model,
    input: NodeId,
    output: NodeId,
    pool: Arc<ThreadPool>,
}

impl Graph {
    fn load(name: &str, input: &str, output: &str) -> Option<Self> {
        let bytes = std::fs::read(crate::model_dir("speech-embedding")?.join("speech-embedding").join(name))
            .expect("the model's file");
        let model = Model::load(bytes).expect("a model");
        let node = |name| model.node_id(name).expect("a value of the graph");
        let (input, output) = (node(input), node(output));
        Some(Self { model, input, output, pool: Arc::new(ThreadPool::with_num_threads(1)) })
    }

    fn run<const N: usize>(&self, shape: [usize; N], values: &[f32]) -> Vec<f32> {
        let input = NdTensorView::from_data(shape, values);
        let options = RunOptions::default().with_thread_pool(Some(Arc::clone(&self.pool)));
        let [output] =
            self.model.run_n(vec![(self.input, input.into())], [self.output], Some(options)).expect("it runs");
        NdTensor::<f32, 4>::try_from(output).expect("four dimensions").to_vec()
    }
}

/// Something like speech: a gliding tone with overtones that comes and goes, over noise.
fn sound(seconds: usize) -> Vec<i16> {
    let mut turn = 0.0_f32;
    crate::stream::noise(seconds * 16_000, 400.0)
        .iter()
        .enumerate()
        .map(|(index, noise)| {
            let at = index as f32 / 16_000.0;
            turn = (turn + (140.0 + 60.0 * (at * 5.0).sin()) / 16_000.0).fract();
            let voice: f32 =
                (1..20_u8).map(|k| (f32::from(k) * turn * std::f32::consts::TAU).sin() / f32::from(k)).sum();
            let loudness = (at * 3.0).sin().max(0.0) * 8_000.0;
            *noise + (voice * loudness * 0.4) as i16
        })
        .collect()
}

fn worst<const N: usize>(ours: &[[f32; N]], theirs: &[[f32; N]]) -> f32 {
    assert_eq!(ours.len(), theirs.len());
    let pairs = ours.as_flattened().iter().zip(theirs.as_flattened());
    pairs.map(|(a, b)| (a - b).abs()).fold(0.0, f32::max)
}

#[test]
fn mel_frames_are_the_models() {
    let (Some(models), Some(graph)) = (crate::models(), Graph::load("melspectrogram.onnx", "input", MEL_DECIBELS))
    else {
        return;
    };
    let samples: Vec<f32> = sound(3).iter().map(|sample| f32::from(*sample)).collect();
    for cut in [samples.len(), 512, 513, 671, 672, 512 + 8 * 160] {
        let ours = models.mel_frames(&samples[..cut]);
        let theirs: Vec<MelFrame> = graph
            .run([1, cut], &samples[..cut])
            .chunks_exact(MEL_BANDS)
            .map(|bands| std::array::from_fn(|band| bands[band].max(FLOOR_DB) / 10.0 + 2.0))
            .collect();
        let worst = worst(&ours, &theirs);
        assert!(worst < 1e-3, "{cut} samples: {worst}");
    }
    assert!(models.mel_frames(&samples[..511]).is_empty());
}

#[test]
fn embeddings_are_the_models_whether_windowed_whole_or_streamed() {
    let (Some(models), Some(graph)) = (crate::models(), Graph::load("embedding_model.onnx", "input_1", "conv2d_19"))
    else {
        return;
    };
    let pcm = sound(4);
    let mut features = Features::new(&models);
    let (mut frames, mut streamed) = (vec![SILENT_FRAME; EMBEDDING_WINDOW - EMBEDDING_HOP], Vec::new());
    for step in pcm.chunks_exact(STEP) {
        streamed.extend(features.push(step).1);
        frames.extend_from_slice(&features.frames()[features.frames().len() - EMBEDDING_HOP..]);
    }
    let windowed: Vec<Embedding> = frames
        .windows(EMBEDDING_WINDOW)
        .step_by(EMBEDDING_HOP)
        .map(|window| {
            let vector = graph.run([1, EMBEDDING_WINDOW, MEL_BANDS, 1], window.as_flattened());
            std::array::from_fn(|value| vector[value])
        })
        .collect();
    let largest = windowed.as_flattened().iter().fold(0.0_f32, |largest, value| largest.max(value.abs()));
    let worst = worst(&streamed, &windowed);
    assert!(worst < 1e-4 * largest, "{worst} of {largest}");
    // What is computed at once, and how, makes no difference at all.
    assert_eq!(models.embeddings(&frames), streamed);
    let one = models.embeddings(&frames[..EMBEDDING_WINDOW]);
    assert_eq!(one, streamed[..1]);
    assert!(models.embeddings(&frames[..EMBEDDING_WINDOW - 1]).is_empty());
    assert_eq!(EMBEDDING_SIZE, one[0].len());
}

#[test]
fn speech_probabilities_are_the_models() {
    const FRAME: usize = 512;
    const CONTEXT: usize = 64;
    let Some(dir) = crate::model_dir("silero-vad") else { return };
    let ours_model = VadModel::load(&dir).expect("the model is whole");
    let bytes = std::fs::read(dir.join("silero-vad/silero_vad_openvino_16k.onnx")).expect("the model's file");
    let model = Model::load(bytes).expect("a model");
    let [input, state_in, output, state_out] =
        ["input", "state", "output", "stateN"].map(|name| model.node_id(name).expect("a value of the graph"));
    let mut ours = Vec::new();
    let mut pcm = sound(6);
    let people = test_speech::people::clips("picovoice-s2i", "").into_iter().take(5);
    test_speech::commands(5).into_iter().chain(people).for_each(|clip| pcm.extend(clip.pcm));
    // In pieces that no frame fits.
    let mut vad = Vad::new(&ours_model);
    pcm.chunks(700).for_each(|piece| vad.push(piece, |_, probability| ours.push(probability)));
    let mut samples = vec![0.0; CONTEXT];
    samples.extend(pcm.iter().map(|sample| f32::from(*sample) / 32_768.0));
    let mut state = rten::Value::from(NdTensor::<f32, 3>::zeros([2, 1, 128]));
    let mut theirs = Vec::new();
    for window in samples.windows(CONTEXT + FRAME).step_by(FRAME) {
        let frame = NdTensorView::from_data([1, CONTEXT + FRAME], window);
        let inputs = vec![(input, frame.into()), (state_in, (&state).into())];
        let [speech, next] = model.run_n(inputs, [output, state_out], None).expect("it runs");
        state = next;
        theirs.push(NdTensor::<f32, 2>::try_from(speech).expect("two dimensions").to_vec()[0]);
    }
    assert_eq!(ours.len(), theirs.len());
    let worst = ours.iter().zip(&theirs).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
    assert!(worst < 1e-4, "{worst}");
    assert!(theirs.iter().any(|p| *p < 0.2) && theirs.iter().any(|p| *p > 0.8));
}
