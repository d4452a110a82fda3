//! Number 11 of issue 17 (‡16 and the models): what a command needs to know of the machine, and what it says where the
//! machine does not let it.

use std::os::unix::fs::{PermissionsExt, symlink};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::home::{Home, Said};

/// Somebody without any rights of root's (Debian's `nobody`).
const NOBODY: u32 = 65_534;
/// A user that no password database knows.
const UNKNOWN: u32 = 64_321;

fn said(command: &mut Command) -> Said {
    Said::of(&command.output().expect("runs"))
}

#[test]
fn home_is_needed_only_where_nothing_else_says_where() {
    let home = Home::new();
    let understand = ["understand", "--json", "what time is it"];
    for variables in [
        &[("HOME", None)][..],
        &[("HOME", Some(""))],
        &[("HOME", Some("/nonexistent"))],
        &[("HOME", Some("relative"))],
        &[("HOME", None), ("XDG_CACHE_HOME", Some("relative")), ("XDG_DATA_HOME", Some(""))],
        &[("HOME", None), ("SOTTO_MODELS", Some(""))],
    ] {
        for args in [&understand[..], &["status"], &["wake", "stats"]] {
            let mut command = home.command(args);
            for (name, value) in variables {
                match value {
                    Some(value) => command.env(name, value),
                    None => command.env_remove(name),
                };
            }
            let said = said(&mut command);
            let code = if args == ["status"] { 1 } else { 0 };
            assert_eq!(said.code, Some(code), "{variables:?} {args:?}: {said:?}");
        }
    }
    // Not even --data is needed by what keeps nothing.
    let mut bare = Command::new(env!("CARGO_BIN_EXE_sotto"));
    assert_eq!(said(bare.args(understand).env_remove("HOME")).code, Some(0));
}

/// The program where others than its owner may run it.
fn for_others(dir: &Path) -> PathBuf {
    std::fs::set_permissions(dir, std::fs::Permissions::from_mode(0o755)).expect("a mode");
    let program = dir.join("sotto");
    std::fs::copy(env!("CARGO_BIN_EXE_sotto"), &program).expect("copies");
    program
}

#[test]
fn without_a_home_and_an_account_of_its_own_data_says_where() {
    if !rustix::process::geteuid().is_root() {
        eprintln!("SKIPPED: only root becomes another user");
        return;
    }
    let home = Home::new();
    let program = for_others(home.dir.path());
    let run = |args: &[&str]| {
        let mut command = Command::new(&program);
        said(command.args(args).env_clear().current_dir("/").uid(UNKNOWN))
    };
    let data = home.data();
    let data = data.to_str().expect("UTF-8");
    assert_eq!(run(&["--data", data, "understand", "what time is it"]).code, Some(0));
    run(&["--data", data, "status"]).refuses(1, "not running");
    run(&["--data", data, "transcribe", "x.wav"]).refuses(1, "the model is not here");
    run(&["status"]).refuses(2, "HOME is not set: say where to keep data with --data DIR");
}

#[test]
fn models_that_cannot_be_read_are_not_called_missing() {
    let home = Home::new();
    let models = home.dir.path().join("models");
    let folder = models.join("whisper-tiny-en");
    std::fs::create_dir_all(&folder).expect("makes");
    let run = |args: &[&str]| said(home.command(args).env("SOTTO_MODELS", &models));
    let heard = ["transcribe", "x.wav"];
    // A link to nowhere, in place of the folder and of a file.
    std::fs::remove_dir(&folder).expect("removes");
    run(&heard).refuses(1, "the model is not here (sotto models fetch whisper-tiny-en gets it)");
    symlink("/nonexistent", &folder).expect("a link");
    run(&heard).refuses(1, "whisper-tiny-en: a link to what is not there");
    run(&["models", "fetch"]).refuses(1, "whisper-tiny-en: a link to what is not there");
    std::fs::remove_file(&folder).expect("removes");
    // A link in a circle is an error of the system's other than "not there", for root too.
    symlink(&folder, &folder).expect("a link");
    run(&heard).refuses(1, "whisper-tiny-en: cannot be read: ");
    run(&["models", "fetch"]).refuses(1, "cannot be read: ");
    let listed = run(&["models", "list", "--json"]);
    let line = listed.lines.iter().find(|line| line["id"] == "whisper-tiny-en").expect("is listed");
    assert!(line["here"] == false && line["unreadable"].is_string(), "{line}");
    std::fs::remove_file(&folder).expect("removes");
    // A folder in place of a file.
    std::fs::create_dir_all(folder.join("model.i8")).expect("makes");
    run(&["models", "fetch"]).refuses(1, "cannot be read: is a directory");
    let verified = run(&["models", "verify"]);
    assert_eq!(verified.code, Some(1), "{verified:?}");
}

#[test]
fn models_in_a_folder_without_permission_say_so() {
    let home = Home::new();
    let models = home.dir.path().join("models");
    let folder = models.join("whisper-tiny-en");
    std::fs::create_dir_all(&folder).expect("makes");
    std::fs::write(folder.join("model.i8"), "x").expect("writes");
    let program = for_others(home.dir.path());
    let is_root = rustix::process::geteuid().is_root();
    for locked in [&models, &folder, &folder.join("model.i8")] {
        let before = std::fs::metadata(locked).expect("is there").permissions();
        std::fs::set_permissions(locked, std::fs::Permissions::from_mode(0o000)).expect("a mode");
        let mut command = Command::new(&program);
        command.arg("--data").arg(home.data()).args(["transcribe", "x.wav"]).env("SOTTO_MODELS", &models);
        if is_root {
            command.uid(NOBODY).current_dir("/");
        }
        let said = said(&mut command);
        std::fs::set_permissions(locked, before).expect("a mode");
        said.refuses(1, "cannot be read: Permission denied");
        assert!(!said.stderr.contains("not here") && !said.stderr.contains("missing"), "{said:?}");
    }
}
