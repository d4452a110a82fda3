use std::path::PathBuf;
use std::sync::Arc;

use base::{SetClock, Timestamp};

use super::*;
use crate::{Espeak, EspeakConfig, Pcm, Synthesizer};

/// The folder of the small model, where it was fetched.
fn model_folder() -> Option<PathBuf> {
    let from = |variable: &str| std::env::var_os(variable).map(PathBuf::from);
    let cache = || from("XDG_CACHE_HOME").or_else(|| Some(from("HOME")?.join(".cache")));
    let folder = from("SOTTO_MODELS").or_else(|| Some(cache()?.join("sotto/models")))?.join("whisper-tiny-en");
    if folder.is_dir() {
        return Some(folder);
    }
    skipped("the model whisper-tiny-en was not fetched");
    None
}

#[expect(clippy::print_stderr, reason = "a test that is skipped says so")]
fn skipped(why: &str) {
    eprintln!("SKIPPED: {why}");
}

fn at_16k(pcm: &Pcm) -> Vec<i16> {
    let mut converter = sound::Converter::new(pcm.rate_hz, 1).expect("a usual rate");
    let mut out = Vec::new();
    converter.push(&pcm.samples.expose().iter().map(|s| f32::from(*s) / 32_768.0).collect::<Vec<_>>(), &mut out);
    converter.finish(&mut out);
    out
}

fn soon() -> Deadline {
    Deadline::within(Arc::new(SetClock::new(Timestamp::from_unix_ms(0))), Duration::from_secs(1))
}

#[test]
fn a_missing_or_wrong_model_is_named() {
    let folder = tempfile::tempdir().expect("a folder");
    let error = WhisperRecognizer::load(folder.path()).expect_err("nothing is there");
    assert!(error.to_string().contains("vocabulary.txt"), "{error}");
    for name in ["vocabulary.txt", "config.json", "model.bin"] {
        fs::write(folder.path().join(name), b"not a model").expect("it is written");
    }
    let error = WhisperRecognizer::load(folder.path()).expect_err("it is no model");
    assert!(matches!(error, SpeechError::BadModel { .. }), "{error}");
    fs::remove_file(folder.path().join("model.bin")).expect("it was there");
    fs::create_dir(folder.path().join("model.bin")).expect("it is gone");
    let error = WhisperRecognizer::load(folder.path()).expect_err("a folder is no file");
    assert!(matches!(error, SpeechError::UnreadableModel { .. }), "{error}");
}

#[test]
fn what_espeak_says_is_what_whisper_hears() {
    let Some(folder) = model_folder() else { return };
    let recognizer = WhisperRecognizer::load(&folder).expect("the model loads");
    let config = EspeakConfig::english();
    let Ok(pcm) = Espeak::new(config).speak(&Redacted::new(String::from("What time is it?"))) else {
        return skipped("espeak-ng is not installed");
    };
    let pcm = at_16k(&pcm);
    let heard = recognizer.recognize(&pcm, &soon()).expect("it hears");
    assert_eq!(heard.text.expose(), "What time is it?");
    assert!(heard.no_speech < 0.6 && -1.0 < heard.avg_logprob && Duration::ZERO < heard.cpu, "{heard:?}");
}

#[test]
fn what_is_said_three_times_does_not_end_the_text() {
    let Some(folder) = model_folder() else { return };
    let recognizer = WhisperRecognizer::load(&folder).expect("the model loads");
    for (said, rest) in [
        ("Stop. Stop. Stop. What time is it?", "time is it"),
        ("Yes, yes, yes, set a timer for five minutes.", "timer for"),
        ("Please please please play the next song.", "the next song"),
        ("Bye bye bye, see you tomorrow.", "see you tomorrow"),
        ("Turn it up, turn it up, turn it up and play music.", "play music"),
    ] {
        let Ok(pcm) = Espeak::new(EspeakConfig::english()).speak(&Redacted::new(said.to_owned())) else {
            return skipped("espeak-ng is not installed");
        };
        let heard = recognizer.recognize(&at_16k(&pcm), &soon()).expect("it hears");
        let text = heard.text.expose();
        assert!(text.to_lowercase().contains(rest), "{said} became {text}");
        // And what was said once is written once.
        assert_eq!(text.to_lowercase().matches(rest).count(), 1, "{said} became {text}");
    }
}

#[test]
fn what_is_no_speech_becomes_no_words() {
    let Some(folder) = model_folder() else { return };
    let recognizer = WhisperRecognizer::load(&folder).expect("the model loads");
    let mut state = 7_u32;
    let mut white = move || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 8) as f32 / (1 << 23) as f32 - 1.0
    };
    let seconds = |i: usize| i as f32 / RATE as f32;
    let mut sounds: Vec<(&str, Vec<f32>)> = Vec::new();
    for length in [1, 3, 6] {
        let n = length * RATE;
        sounds.push((
            "hum",
            (0..n).map(|i| 0.1 * (seconds(i) * 314.16).sin() + 0.05 * (seconds(i) * 942.5).sin()).collect(),
        ));
        sounds.push(("hiss", (0..n).map(|_| 0.02 * white()).collect()));
        sounds.push((
            "clicks",
            (0..n).map(|i| if i % (RATE / 2) < 20 { 0.5 } else { 0.0 } + 0.000_5 * white()).collect(),
        ));
        sounds.push((
            "chord",
            (0..n)
                .map(|i| {
                    [261.0, 329.0, 392.0]
                        .map(|hz: f32| 0.1 * (seconds(i) * hz * std::f32::consts::TAU).sin())
                        .iter()
                        .sum()
                })
                .collect(),
        ));
        let mut low = 0.0;
        let fan = |white: f32| {
            low += 0.03 * (white - low);
            low
        };
        let mut fan = fan;
        sounds.push(("fan", (0..n).map(|_| fan(white())).collect()));
    }
    for (name, sound) in sounds {
        let pcm: Vec<i16> = sound.iter().map(|s| (s * 32_767.0) as i16).collect();
        let heard = recognizer.recognize(&pcm, &soon()).expect("it hears");
        assert_eq!(heard.text.expose(), "", "{} s of {name}", pcm.len() / RATE);
    }
}

#[test]
fn nothing_silence_and_a_deadline_that_has_passed() {
    let Some(folder) = model_folder() else { return };
    let recognizer = WhisperRecognizer::load(&folder).expect("the model loads");
    for n_samples in [0, 1, 100, 16_000, 40 * 16_000] {
        let heard = recognizer.recognize(&vec![0; n_samples], &soon()).expect("it hears");
        assert_eq!(heard.text.expose(), "", "{n_samples} samples");
    }
    let faint: Vec<i16> = (0..32_000_u32).map(|i| (i.wrapping_mul(2_654_435_761) >> 29) as i16 - 4).collect();
    assert_eq!(recognizer.recognize(&faint, &soon()).expect("it hears").text.expose(), "");
    let past = Deadline::within(Arc::new(SetClock::new(Timestamp::from_unix_ms(0))), Duration::ZERO);
    assert!(matches!(recognizer.recognize(&faint, &past), Err(SpeechError::Late { .. })));
    let too_long = vec![0; SOUND_SECONDS_MAX as usize * RATE + 1];
    assert!(matches!(recognizer.recognize(&too_long, &soon()), Err(SpeechError::SoundTooLong { .. })));
}

#[test]
fn a_long_recording_is_cut_where_it_is_quiet() {
    let mut pcm = vec![1_000_i16; 65 * RATE];
    for second in [25, 52] {
        pcm[second * RATE..second * RATE + RATE / 2].fill(3);
    }
    let windows = windows(&pcm);
    assert_eq!(windows.len(), 3);
    assert_eq!((windows[0].start, windows[2].end), (0, pcm.len()));
    for (a, b) in windows.iter().zip(&windows[1..]) {
        assert_eq!(a.end, b.start);
        assert_eq!(pcm[a.end], 3, "cut at {} s", a.end / RATE);
        assert!(a.len() <= WINDOW_SAMPLES_MAX);
    }
    assert!(super::windows(&[]).is_empty());
}
