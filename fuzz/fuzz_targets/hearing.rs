//! Any samples, cut in any way, through both stages of the wake word and through voice activity: no panic, every score a
//! number from 0 to 1, and what is heard does not depend on the cut. Wants the models that `sotto models fetch` gets.
#![no_main]

use std::path::PathBuf;
use std::sync::{Arc, LazyLock};

use ear::vad::{Vad, VadModel};
use ear::{Heard, Models, Tuning, WakeDetector, Word, WordModel, WordVerifier};
use libfuzzer_sys::fuzz_target;

/// Samples of one input at most: 4 s.
const SAMPLES_MAX: usize = 64_000;
/// The longest stretch that one piece of the input stands for.
const STRETCH_MAX: usize = 4_000;

static MODELS: LazyLock<(Models, VadModel, Arc<WordModel>)> = LazyLock::new(|| {
    let home = || PathBuf::from(std::env::var_os("HOME").unwrap_or_default()).join(".cache/sotto/models");
    let dir = std::env::var_os("SOTTO_MODELS").map_or_else(home, PathBuf::from);
    let models = Models::load(&dir).expect("the models that `sotto models fetch` gets");
    let word = WordModel { threshold: 0.05, ..Word::Alexa.model().expect("the shipped weights") };
    (models, VadModel::load(&dir).expect("the models that `sotto models fetch` gets"), Arc::new(word))
});

/// A second stage that answers anything.
#[derive(Debug)]
struct Any(Vec<u8>);

impl WordVerifier for Any {
    fn log_probability(&mut self, sound: &[i16]) -> Option<f32> {
        assert!(sound.len() <= 16_000 * 22 / 10);
        match self.0.pop()? {
            0 => None,
            1 => Some(f32::NAN),
            2 => Some(f32::NEG_INFINITY),
            3 => Some(f32::INFINITY),
            byte => Some(f32::from(byte) / -10.0),
        }
    }
}

/// Each six bytes are a stretch: how it goes on, how long, and its two values.
fn samples(bytes: &[u8]) -> Vec<i16> {
    let mut pcm: Vec<i16> = Vec::new();
    let mut state = 1_u32;
    for piece in bytes.chunks_exact(6) {
        let len = usize::from(u16::from_le_bytes([piece[0], piece[1] & 0x7f])) % STRETCH_MAX + 1;
        let (a, b) = (i16::from_le_bytes([piece[2], piece[3]]), i16::from_le_bytes([piece[4], piece[5]]));
        for index in 0..len.min(SAMPLES_MAX - pcm.len()) {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            pcm.push(match piece[1] >> 6 | piece[0] & 1 {
                0 => a,
                1 => a.wrapping_add(b.wrapping_mul(index as i16)),
                2 => {
                    if index % (usize::from(b.unsigned_abs()) % 400 + 1) < 20 {
                        a
                    } else {
                        a.saturating_neg()
                    }
                }
                _ => ((i32::from(a) * (state >> 17) as i32) >> 15) as i16,
            });
        }
    }
    pcm
}

fn heard(pcm: &[i16], cut: usize, answers: &[u8]) -> Vec<Heard> {
    let (models, _, word) = &*MODELS;
    let verifier = Box::new(Any(answers.to_vec()));
    let mut detector = WakeDetector::tuned(models, Arc::clone(word), Tuning::default(), Some(verifier));
    let mut all = Vec::new();
    for piece in pcm.chunks(cut) {
        detector.hear(piece, &mut |heard| all.push(heard));
        assert!((0.0..=1.0).contains(&detector.score()), "a score of {}", detector.score());
    }
    assert_eq!(detector.position().0, (pcm.len() / ear::features::STEP * ear::features::STEP) as u64);
    all
}

fuzz_target!(|bytes: &[u8]| {
    let Some((&[low, high], bytes)) = bytes.split_first_chunk() else { return };
    let (answers, bytes) = bytes.split_at(bytes.len().min(8));
    let cut = usize::from(u16::from_le_bytes([low, high])) % 5_000 + 1;
    let pcm = samples(bytes);
    let all = heard(&pcm, cut, answers);
    assert_eq!(format!("{all:?}"), format!("{:?}", heard(&pcm, ear::features::STEP, answers)));
    for heard in all {
        if let Heard::Wake(wake) = heard {
            assert!(wake.onset <= wake.at && wake.score.is_finite());
        }
    }
    Vad::new(&MODELS.1).push(&pcm, |_, probability| assert!((0.0..=1.0).contains(&probability)));
});
