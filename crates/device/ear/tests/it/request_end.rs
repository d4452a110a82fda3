//! Where requests end, on human wake words set before human commands, with noise laid in.

use std::path::{Path, PathBuf};

use base::SampleCount;
use ear::endpoint::{EndReason, Endpoint, EndpointConfig, Endpointer, Opening};
use ear::vad::{VAD_FRAME, Vad, VadModel};

const RATE: usize = 16_000;
const PREROLL: usize = RATE / 2;
/// Root mean square of every word and command: an ordinary speaking level.
const LEVEL: f32 = 0.05;

#[derive(Clone, Copy, Debug)]
enum Room {
    Quiet,
    Kitchen10Db,
}

fn model() -> Option<VadModel> {
    Some(VadModel::load(&crate::model_dir("silero-vad")?).expect("the model is whole"))
}

fn speech_probabilities(model: &VadModel, pcm: &[i16]) -> Vec<f32> {
    let mut probabilities = Vec::new();
    Vad::new(model).push(pcm, |_, p| probabilities.push(p));
    probabilities
}

fn end_of(model: &VadModel, pcm: &[i16], opening: Opening) -> Option<Endpoint> {
    let mut endpointer = Endpointer::new(EndpointConfig::default(), opening);
    let (mut vad, mut end) = (Vad::new(model), None);
    for chunk in pcm.chunks(1_280) {
        vad.push(chunk, |frame, p| end = endpointer.push(frame, p));
        if end.is_some() {
            return end;
        }
    }
    None
}

/// The part of a clip that is speech, at [`LEVEL`].
fn speech_of(model: &VadModel, path: &Path) -> Option<Vec<f32>> {
    let clip = sound::decode_file(path).expect("a recording");
    let mut framed = vec![0; PREROLL];
    framed.extend_from_slice(&clip);
    framed.resize(framed.len() + RATE, 0);
    let speech: Vec<usize> =
        speech_probabilities(model, &framed).iter().enumerate().filter(|(_, p)| **p > 0.5).map(|(i, _)| i).collect();
    let start = (*speech.first()? * VAD_FRAME).max(PREROLL) - PREROLL;
    let end = ((*speech.last()? + 1) * VAD_FRAME - PREROLL).min(clip.len());
    let mut cut: Vec<f32> = clip[start..end].iter().map(|s| f32::from(*s) / 32_768.0).collect();
    let rms = (cut.iter().map(|s| s * s).sum::<f32>() / cut.len() as f32).sqrt();
    cut.iter_mut().for_each(|s| *s *= LEVEL / rms);
    Some(cut)
}

/// The recordings of one source, with this label if one is given, in the manifest's order.
fn files(speech: &Path, source: &str, label: Option<&str>) -> Vec<PathBuf> {
    let manifest = std::fs::read_to_string(speech.join("manifest.tsv")).expect("the manifest");
    let rows = manifest.lines().map(|line| line.split('\t').collect::<Vec<_>>());
    rows.filter(|row| row[1] == source && label.is_none_or(|label| row[3] == label))
        .map(|row| speech.join(row[0]))
        .collect()
}

/// Pre-roll, word, pause, command, 6 s of nothing; all in the room. And the command's last sample.
fn splice(word: &[f32], pause: f32, command: &[f32], room: Room, noise: &[f32]) -> (Vec<i16>, usize) {
    let mut dry = vec![0.0; PREROLL];
    dry.extend_from_slice(word);
    dry.resize(dry.len() + (pause * RATE as f32) as usize, 0.0);
    dry.extend_from_slice(command);
    let end = dry.len();
    dry.resize(end + 6 * RATE, 0.0);
    let rms = (noise.iter().map(|s| s * s).sum::<f32>() / noise.len() as f32).sqrt();
    let gain = match room {
        Room::Quiet => LEVEL * 0.01 / rms,
        Room::Kitchen10Db => LEVEL * 0.316 / rms,
    };
    // Another part of the noise for each command, by its length.
    let from = (end * 31) % (noise.len() / 2);
    let wet = dry.iter().zip(noise[from..].iter().cycle()).map(|(s, n)| ((s + n * gain) * 32_767.0) as i16).collect();
    (wet, end)
}

#[test]
fn requests_are_not_cut_short() {
    let (Some(model), Some(data)) = (model(), crate::dev_data()) else { return };
    let noise: Vec<f32> = sound::decode_file(&data.join("noise/kitchen.flac"))
        .expect("the kitchen")
        .iter()
        .map(|s| f32::from(*s) / 32_768.0)
        .collect();
    let speech = data.join("speech");
    let take = |source: &str, label: Option<&str>, step: usize| -> Vec<Vec<f32>> {
        files(&speech, source, label).iter().step_by(step).filter_map(|path| speech_of(&model, path)).collect()
    };
    let mut words = take("picovoice-wwb", Some("alexa"), 3);
    words.retain(|word| word.len() < RATE * 95 / 100);
    let commands = [take("speech-to-phrase", None, 2), take("picovoice-s2i", None, 3)].concat();
    for room in [Room::Quiet, Room::Kitchen10Db] {
        let (mut delays_ms, mut cut_short) = (Vec::new(), 0);
        for (n, command) in commands.iter().enumerate() {
            let pause = [0.03, 0.4, 1.2, 2.3][n % 4];
            let (pcm, end) = splice(&words[n % words.len()], pause, command, room, &noise);
            let onset = SampleCount(PREROLL as u64);
            let found = end_of(&model, &pcm, Opening::WakeWord { onset }).expect("six quiet seconds are an end");
            let delay_ms = (found.decided_at.0 as i64 - end as i64) / 16;
            if delay_ms < 0 { cut_short += 1 } else { delays_ms.push(delay_ms) }
        }
        delays_ms.sort_unstable();
        let percentile = |p: usize| delays_ms[(delays_ms.len() - 1) * p / 100];
        let (n, p50, p95) = (commands.len(), percentile(50), percentile(95));
        eprintln!("{room:?}: {cut_short} of {n} requests cut short; end found after {p50} ms (p50), {p95} ms (p95)");
        assert!(cut_short * 100 <= n, "{room:?}: {cut_short} of {n} cut short");
        assert!(p50 <= 850, "{room:?}: {p50} ms");
    }
}

#[test]
fn the_word_alone_is_not_a_request() {
    let (Some(model), Some(data)) = (model(), crate::dev_data()) else { return };
    let words: Vec<_> = files(&data.join("speech"), "picovoice-wwb", Some("alexa"));
    let quiet: Vec<f32> = (0..RATE).map(|n| if n * 7_919 % 13 < 6 { 0.001 } else { -0.001 }).collect();
    let mut n_tried = 0;
    for path in words.iter().step_by(9) {
        let Some(word) = speech_of(&model, path).filter(|word| word.len() < RATE * 95 / 100) else { continue };
        n_tried += 1;
        let (pcm, _) = splice(&word, 0.0, &[], Room::Quiet, &quiet);
        let found = end_of(&model, &pcm, Opening::WakeWord { onset: SampleCount(PREROLL as u64) });
        assert_eq!(found.map(|end| end.reason), Some(EndReason::NothingHeard), "{}", path.display());
    }
    assert!(n_tried >= 8, "{n_tried} words");
}

#[test]
fn what_is_no_model_is_refused_by_name() {
    for bytes in [Vec::new(), vec![0; 4_096], b"not a model".to_vec()] {
        let error = VadModel::from_bytes(bytes).expect_err("no model").to_string();
        assert!(error.starts_with("silero-vad/silero_vad_openvino_16k.onnx is not the model"), "{error}");
    }
}
