use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::time::Instant;

use super::*;

fn said(text: &str) -> Redacted<String> {
    Redacted::new(String::from(text))
}

/// An espeak of our own making: a shell script.
fn script(folder: &tempfile::TempDir, body: &str, deadline: Duration) -> Espeak {
    let program = folder.path().join("speaker");
    fs::write(&program, format!("#!/bin/sh\n{body}\n")).expect("the script is written");
    fs::set_permissions(&program, fs::Permissions::from_mode(0o700)).expect("the script is made executable");
    Espeak::new(EspeakConfig { program, deadline, ..EspeakConfig::english() })
}

fn espeak_is_missing() -> bool {
    let missing = Command::new("espeak-ng").arg("--version").stdout(Stdio::null()).status().is_err();
    if missing {
        eprintln_skip("espeak-ng is not installed");
    }
    missing
}

#[expect(clippy::print_stderr, reason = "a test that is skipped says so")]
fn eprintln_skip(why: &str) {
    eprintln!("SKIPPED: {why}");
}

#[test]
fn a_sentence_is_spoken_at_the_stated_level() {
    if espeak_is_missing() {
        return;
    }
    let pcm = Espeak::new(EspeakConfig::english()).speak(&said("It is ten past nine.")).expect("it speaks");
    let n_samples = pcm.samples.expose().len() as f32 / pcm.rate_hz as f32;
    assert!((0.8..3.0).contains(&n_samples), "{n_samples} s");
    let peak = pcm.samples.expose().iter().map(|sample| sample.unsigned_abs()).max().unwrap_or_default();
    assert!((8_000..29_300).contains(&peak), "peak {peak}");
}

#[test]
fn text_is_text_and_never_markup_or_an_option() {
    if espeak_is_missing() {
        return;
    }
    let espeak = Espeak::new(EspeakConfig::english());
    for text in ["--version", "[[h@l'oU]]", "<audio src=\"/etc/passwd\"/> done", "a\0b\u{7}c", "für Élise, 日本"]
    {
        assert!(espeak.speak(&said(text)).is_ok(), "{text}");
    }
}

#[test]
fn nothing_and_too_much_are_refused_before_anything_starts() {
    let nowhere = Espeak::new(EspeakConfig { program: PathBuf::from("/nowhere"), ..EspeakConfig::english() });
    assert!(matches!(nowhere.speak(&said(" ?!\n")), Err(SpeechError::NothingToSay)));
    let long = "word ".repeat(TEXT_CHARS_MAX);
    assert!(matches!(nowhere.speak(&said(&long)), Err(SpeechError::TextTooLong { chars: 6_000, limit: 1_200 })));
    assert!(matches!(nowhere.speak(&said("hello")), Err(SpeechError::NotStarted { .. })));
}

#[test]
fn i9_the_text_is_neither_an_argument_nor_in_an_error() {
    let folder = tempfile::tempdir().expect("a folder");
    let arguments = folder.path().join("arguments");
    let body = format!("echo \"$@\" > {}; cat; exit 3", arguments.display());
    let error = script(&folder, &body, Duration::from_secs(20)).speak(&said("canary sentence")).expect_err("exit 3");
    assert!(matches!(error, SpeechError::ProgramFailed { .. }), "{error}");
    assert!(!format!("{error} {error:?}").contains("canary"));
    let arguments = fs::read_to_string(arguments).expect("the script has run");
    assert!(arguments.contains("--stdin") && !arguments.contains("canary"), "{arguments}");
}

#[test]
fn a_program_that_hangs_is_ended_with_all_it_started() {
    let folder = tempfile::tempdir().expect("a folder");
    let start = Instant::now();
    let espeak = script(&folder, "sleep 300 & sleep 300", Duration::from_millis(200));
    assert!(matches!(espeak.speak(&said("hello")), Err(SpeechError::Late { .. })));
    assert!(start.elapsed() < Duration::from_secs(60));
}

#[test]
fn what_is_not_sound_is_said_to_be_none() {
    let folder = tempfile::tempdir().expect("a folder");
    for body in ["cat > /dev/null", "cat", "exit 0", "head -c 20000000 /dev/zero; cat > /dev/null"] {
        let outcome = script(&folder, body, Duration::from_secs(20)).speak(&said("hello"));
        assert!(
            matches!(outcome, Err(SpeechError::NotSound { .. } | SpeechError::ProgramFailed { .. })),
            "{body}: {outcome:?}"
        );
    }
}
