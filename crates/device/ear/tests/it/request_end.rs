//! Where requests end, on wake words set before commands, synthetic and human, with noise laid in.

use base::SampleCount;
use ear::endpoint::{EndReason, Endpoint, EndpointConfig, Endpointer, Opening};
use ear::vad::{VAD_FRAME, Vad, VadModel};
use test_speech::{Clip, people};

pub(crate) const RATE: usize = 16_000;
pub(crate) const PREROLL: usize = RATE / 2;
/// Root mean square of every word and command: an ordinary speaking level.
pub(crate) const LEVEL: f32 = 0.05;

#[derive(Clone, Copy, Debug)]
enum Room {
    Quiet,
    Kitchen10Db,
}

pub(crate) fn model() -> Option<VadModel> {
    Some(VadModel::load(&crate::model_dir("silero-vad")?).expect("the model is whole"))
}

fn speech_probabilities(model: &VadModel, pcm: &[i16]) -> Vec<f32> {
    let mut probabilities = Vec::new();
    Vad::new(model).push(pcm, |_, p| probabilities.push(p));
    probabilities
}

pub(crate) fn end_of(model: &VadModel, pcm: &[i16], opening: Opening) -> Option<Endpoint> {
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
pub(crate) fn speech_of(model: &VadModel, clip: &[i16]) -> Option<Vec<f32>> {
    let mut framed = vec![0; PREROLL];
    framed.extend_from_slice(clip);
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
    let Some(model) = model() else { return };
    let (words, commands) = (test_speech::words("Alexa"), test_speech::commands(60));
    check_ends(&model, "synthetic voices", &words, &commands, &test_speech::kitchen(60 * RATE));
    let Some(kitchen) = people::recording("noise/kitchen.flac") else { return };
    let take = |source: &str, label: &str, step: usize| people::clips(source, label).into_iter().step_by(step);
    let words: Vec<Clip> = take("picovoice-wwb", "alexa", 3).collect();
    let commands: Vec<Clip> = take("speech-to-phrase", "", 2).chain(take("picovoice-s2i", "", 3)).collect();
    check_ends(&model, "people", &words, &commands, &kitchen);
}

fn check_ends(model: &VadModel, who: &str, words: &[Clip], commands: &[Clip], noise: &[i16]) {
    let noise: Vec<f32> = noise.iter().map(|s| f32::from(*s) / 32_768.0).collect();
    let take =
        |clips: &[Clip]| -> Vec<Vec<f32>> { clips.iter().filter_map(|clip| speech_of(model, &clip.pcm)).collect() };
    let (mut words, commands) = (take(words), take(commands));
    words.retain(|word| word.len() < RATE * 95 / 100);
    for room in [Room::Quiet, Room::Kitchen10Db] {
        let (mut delays_ms, mut cut_short) = (Vec::new(), 0);
        for (n, command) in commands.iter().enumerate() {
            let pause = [0.03, 0.4, 1.2, 2.3][n % 4];
            let (pcm, end) = splice(&words[n % words.len()], pause, command, room, &noise);
            let onset = SampleCount(PREROLL as u64);
            let found = end_of(model, &pcm, Opening::WakeWord { onset }).expect("six quiet seconds are an end");
            let delay_ms = (found.decided_at.0 as i64 - end as i64) / 16;
            if delay_ms < 0 { cut_short += 1 } else { delays_ms.push(delay_ms) }
        }
        delays_ms.sort_unstable();
        let percentile = |p: usize| delays_ms[(delays_ms.len() - 1) * p / 100];
        let (n, p50, p95) = (commands.len(), percentile(50), percentile(95));
        eprintln!(
            "{who}, {room:?}: {cut_short} of {n} requests cut short; end found after {p50} ms (p50), {p95} ms (p95)"
        );
        assert!(cut_short * 100 <= n, "{who}, {room:?}: {cut_short} of {n} cut short");
        assert!(p50 <= 850, "{who}, {room:?}: {p50} ms");
    }
}

#[test]
fn the_word_alone_is_not_a_request() {
    let Some(model) = model() else { return };
    let people = people::clips("picovoice-wwb", "alexa").into_iter().step_by(9);
    let words = test_speech::words("Alexa").into_iter().step_by(2).chain(people);
    let quiet: Vec<f32> = (0..RATE).map(|n| if n * 7_919 % 13 < 6 { 0.001 } else { -0.001 }).collect();
    let mut n_tried = 0;
    for clip in words {
        let Some(word) = speech_of(&model, &clip.pcm).filter(|word| word.len() < RATE * 95 / 100) else { continue };
        n_tried += 1;
        let (pcm, _) = splice(&word, 0.0, &[], Room::Quiet, &quiet);
        let found = end_of(&model, &pcm, Opening::WakeWord { onset: SampleCount(PREROLL as u64) });
        assert_eq!(found.map(|end| end.reason), Some(EndReason::NothingHeard), "{}", clip.name);
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
