//! Streaming gives what the whole gives, however it is cut; and what is no speech never wakes.

use ear::features::{Features, STEP};
use ear::{EMBEDDING_HOP, EMBEDDING_WINDOW, MEL_HOP, MEL_WINDOW, Models, SILENT_FRAME, Wake, WakeDetector, Word};

/// A deterministic sound that is neither silence nor a tone.
pub(crate) fn noise(len: usize, amplitude: f32) -> Vec<i16> {
    let mut state = 0x1234_5678_u32;
    (0..len)
        .map(|_| {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            let unit = f32::from(u16::try_from(state >> 16).expect("16 bits")) / 32_768.0 - 1.0;
            (unit * amplitude) as i16
        })
        .collect()
}

fn detector(models: &Models) -> WakeDetector {
    WakeDetector::new(models, Word::Alexa, None).expect("the shipped weights are whole")
}

fn wakes(models: &Models, pcm: &[i16]) -> Vec<Wake> {
    let mut detector = detector(models);
    pcm.chunks(STEP).filter_map(|chunk| detector.push(chunk)).collect()
}

#[test]
fn a_long_run_gives_the_windows_own_embeddings() {
    let Some(models) = crate::models() else { return };
    let pcm = noise(4 * 16_000, 3_000.0);
    let mut samples = vec![0.0; MEL_WINDOW - MEL_HOP];
    samples.extend(pcm.iter().map(|sample| f32::from(*sample)));
    let mut frames = vec![SILENT_FRAME; EMBEDDING_WINDOW - EMBEDDING_HOP];
    frames.extend(models.mel_frames(&samples));
    let whole = models.embeddings(&frames);
    let mut features = Features::new(&models);
    let streamed: Vec<_> = pcm.chunks_exact(STEP).filter_map(|step| features.push(step).1).collect();
    assert_eq!(whole.len(), streamed.len());
    for (step, (a, b)) in whole.iter().zip(&streamed).enumerate() {
        let worst = a.iter().zip(b).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
        assert!(worst < 1e-2, "step {step} differs by {worst}");
    }
}

#[test]
fn how_the_stream_is_cut_changes_nothing() {
    let Some(models) = crate::models() else { return };
    let pcm = noise(2 * 16_000, 8_000.0);
    let scores = |cut: usize| {
        let mut detector = detector(&models);
        for chunk in pcm.chunks(cut) {
            detector.push(chunk);
        }
        (detector.score().to_bits(), detector.position())
    };
    let whole = scores(pcm.len());
    for cut in [1, 7, 160, 1_279, 1_280, 1_281, 5_000] {
        assert_eq!(scores(cut), whole, "in pieces of {cut}");
    }
}

#[test]
fn what_is_no_speech_never_wakes() {
    let Some(models) = crate::models() else { return };
    let len = 10 * 16_000;
    let tone = |hertz: f32, amplitude: f32| -> Vec<i16> {
        let turn = std::f32::consts::TAU * hertz / 16_000.0;
        (0..len).map(|index| ((index as f32 * turn).sin() * amplitude) as i16).collect()
    };
    let muted: Vec<i16> =
        noise(len, 2_000.0).iter().enumerate().map(|(i, s)| if i / 20_000 % 2 == 0 { *s } else { 0 }).collect();
    let clicks: Vec<i16> = (0..len).map(|index| if index % 9_001 == 0 { i16::MAX } else { 0 }).collect();
    let square: Vec<i16> = (0..len).map(|index| if index / 80 % 2 == 0 { i16::MAX } else { i16::MIN }).collect();
    let sounds = [
        ("exact silence", vec![0; len]),
        ("a constant", vec![12_000; len]),
        ("the lowest value", vec![i16::MIN; len]),
        ("hum at 50 Hz", tone(50.0, 6_000.0)),
        ("hum at 60 Hz", tone(60.0, 20_000.0)),
        ("a whistle", tone(1_000.0, 12_000.0)),
        ("faint noise", noise(len, 2.0)),
        ("a room's noise", noise(len, 60.0)),
        ("loud noise", noise(len, 30_000.0)),
        ("a microphone muted and not", muted),
        ("clicks", clicks),
        ("a square wave at full scale", square),
    ];
    for (name, pcm) in sounds {
        let mut detector = detector(&models);
        let mut highest = 0.0_f32;
        for chunk in pcm.chunks(STEP) {
            assert!(detector.push(chunk).is_none(), "{name} woke");
            assert!(detector.score().is_finite(), "{name} gave a score that is no number");
            highest = highest.max(detector.score());
        }
        assert!(highest < 0.5, "{name} came to {highest}");
    }
    assert!(wakes(&models, &[]).is_empty());
}
