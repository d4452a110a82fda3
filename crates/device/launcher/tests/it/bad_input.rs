//! What a person may get wrong: one clear line each, exit code 2, and nothing left running.

use std::process::Command;

use crate::device::{Device, models};

fn complaint(mut device: Device) -> String {
    let status = device.end();
    let events = device.events();
    assert_eq!(status.code(), Some(2), "{events:#?}");
    let errors: Vec<_> = events.iter().filter(|line| line.contains("\"error\"")).collect();
    assert_eq!(errors.len(), 1, "{events:#?}");
    errors[0].clone()
}

#[test]
fn a_file_that_cannot_be_heard_is_named_with_the_reason() {
    let Some(models) = models() else { return };
    let folder = tempfile::tempdir().expect("a folder");
    let short = sound::wav_header(16_000, 16_000)[..40].to_vec();
    for (name, bytes, reason) in [
        ("text.wav", &b"not a sound"[..], "not an audio file"),
        ("empty.wav", b"", "empty"),
        ("short.wav", &short, "cut short"),
    ] {
        let path = folder.path().join(name);
        std::fs::write(&path, bytes).expect("written");
        let error = complaint(Device::start(&models, &format!("file:{},fast", path.display())));
        assert!(error.contains(name) && error.contains(reason), "{error}");
    }
    let error = complaint(Device::start(&models, "file:/none.wav"));
    assert!(error.contains("/none.wav: No such file"), "{error}");
    let error = complaint(Device::start(&models, "gramophone"));
    assert!(error.contains("--source gramophone"), "{error}");
}

#[test]
fn models_that_are_missing_are_named() {
    let folder = tempfile::tempdir().expect("a folder");
    let error = complaint(Device::start(folder.path(), "stdin"));
    assert!(error.contains("melspectrogram.onnx: No such file"), "{error}");
}

#[test]
fn a_wrong_command_line_is_one_line() {
    for (arguments, want) in [
        (&["--mic", "stdin"][..], "sotto-device: --data is needed (--help says more)\n"),
        (&["--what"], "sotto-device: unknown option --what\n"),
    ] {
        let output = Command::new(env!("CARGO_BIN_EXE_sotto-device")).args(arguments).output().expect("started");
        assert_eq!((output.status.code(), String::from_utf8_lossy(&output.stderr).as_ref()), (Some(2), want));
    }
}
