//! A stream may go on for ever: nothing grows, and nothing is asked of the memory once it has started.

use allocation_counter::measure;
use ear::features::STEP;
use ear::vad::{Vad, VadModel};
use ear::{WakeDetector, Word};

const STEPS_A_MINUTE: u64 = 750;
const MINUTES: u64 = 3;
const MINUTES_LONG: u64 = 24 * 60;

/// A minute with a bit of everything: speech, noise, silence, a full-scale square.
fn minute() -> Vec<i16> {
    let len = STEPS_A_MINUTE as usize * STEP;
    let mut pcm = crate::stream::noise(len, 800.0);
    pcm[len / 4..len / 2].fill(0);
    for (index, sample) in pcm[len / 2..len * 5 / 8].iter_mut().enumerate() {
        *sample = if index / 60 % 2 == 0 { i16::MAX } else { i16::MIN };
    }
    let clip = test_speech::request();
    pcm[len * 3 / 4..][..clip.len()].copy_from_slice(&clip);
    pcm
}

#[test]
fn a_stream_that_goes_on_takes_no_memory() {
    let Some(models) = crate::models() else { return };
    let mut detector = WakeDetector::new(&models, Word::Alexa, None).expect("the shipped weights are whole");
    let minute = minute();
    let minutes = if std::env::var_os("SOTTO_LONG").is_some() { MINUTES_LONG } else { MINUTES };
    let mut wakes = 0_u64;
    let used = measure(|| {
        for _ in 0..minutes {
            for piece in minute.chunks(1_000) {
                detector.hear(piece, &mut |_| wakes += 1);
                assert!(detector.score().is_finite());
            }
        }
    });
    assert_eq!((used.count_total, used.bytes_current), (0, 0), "allocations in {minutes} minutes");
    assert_eq!(detector.position().0, minutes * STEPS_A_MINUTE * STEP as u64);
    // What comes up once a minute comes up every minute, as on the first.
    assert!(wakes >= minutes, "{wakes} wakes in {minutes} minutes");
}

#[test]
fn voice_activity_takes_no_memory() {
    let Some(dir) = crate::model_dir("silero-vad") else { return };
    let model = VadModel::load(&dir).expect("the model is whole");
    let mut vad = Vad::new(&model);
    let minute = minute();
    let used = measure(|| vad.push(&minute, |_, probability| assert!((0.0..=1.0).contains(&probability))));
    assert_eq!(used.count_total, 0);
}
