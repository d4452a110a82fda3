//! Fetching, from a folder that pip is told to take for a registry: a real pip, real wheels, no network.

use std::fs::{self, File};
use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::LazyLock;
use std::time::{Duration, SystemTime};

use crate::models::check::{self, Fault};
use crate::models::error::{ModelError, PackageFault};
use crate::models::fetch::ensure;
use crate::models::manifest::{Model, ModelFile, Part, Wheel};
use crate::models::python::Python;

/// SHA-256 of "abc".
const ABC: &str = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
/// Writes a wheel with `tiny/model.bin` = "abc", and prints its hash.
const MAKE_WHEEL: &str = "import sys, zipfile, hashlib
path = sys.argv[1] + '/tiny_model-1.0-py3-none-any.whl'
with zipfile.ZipFile(path, 'w') as wheel:
    wheel.writestr('tiny/model.bin', 'abc')
    wheel.writestr('tiny_model-1.0.dist-info/METADATA', 'Metadata-Version: 2.1\\nName: tiny-model\\nVersion: 1.0\\n')
    wheel.writestr('tiny_model-1.0.dist-info/WHEEL', 'Wheel-Version: 1.0\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n')
    wheel.writestr('tiny_model-1.0.dist-info/RECORD', '')
print(hashlib.sha256(open(path, 'rb').read()).hexdigest(), end='')
";

/// One environment for all of these tests, kept beside what was built, since making it takes seconds. None where this
/// machine has no Python.
static PYTHON_HOME: LazyLock<Option<PathBuf>> = LazyLock::new(|| {
    let home = std::env::current_exe().ok()?.with_file_name("models-tests-python");
    Python::new(home.clone(), Vec::new()).prepare().ok()?;
    Some(home)
});

/// A registry with one package, and an empty folder for models.
struct Fixture {
    dir: tempfile::TempDir,
    model: Model,
    python: Python,
}

impl Fixture {
    fn new() -> Option<Self> {
        let Some(home) = PYTHON_HOME.as_ref() else {
            skipped("no python3 with venv on this machine");
            return None;
        };
        let dir = tempfile::tempdir().expect("a directory");
        let made = Command::new("python3").args(["-c", MAKE_WHEEL]).arg(dir.path()).output().expect("python3 runs");
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
        let wheel = Wheel {
            arch: "any".into(),
            file: "tiny_model-1.0-py3-none-any.whl".into(),
            bytes: 1,
            sha256: String::from_utf8(made.stdout).expect("a hash"),
        };
        let settings = vec![("PIP_NO_INDEX", "1".to_owned()), ("PIP_FIND_LINKS", dir.path().display().to_string())];
        let python = Python::new(home.clone(), settings);
        Some(Self { dir, model: model(wheel), python })
    }

    fn models(&self) -> PathBuf {
        self.dir.path().join("models")
    }

    fn file(&self) -> PathBuf {
        self.models().join("tiny/model.bin")
    }

    fn ensure(&self) -> Result<(), ModelError> {
        ensure(std::slice::from_ref(&self.model), &self.models(), &self.python)
    }

    fn fault(&self) -> PackageFault {
        match self.ensure() {
            Err(ModelError::Package { package, fault, .. }) => {
                assert_eq!(package, "tiny-model");
                fault
            }
            other => panic!("another outcome: {other:?}"),
        }
    }

    /// Nothing half-written is left, and no file of the model has appeared.
    fn assert_nothing_is_left(&self) {
        let left: Vec<_> =
            fs::read_dir(self.models()).expect("reads").flatten().map(|entry| entry.file_name()).collect();
        assert!(left.iter().all(|name| name == ".lock"), "{left:?}");
    }
}

#[expect(clippy::print_stderr, reason = "how a test says that it was skipped")]
fn skipped(why: &str) {
    eprintln!("SKIPPED: {why}");
}

fn model(wheel: Wheel) -> Model {
    let file =
        ModelFile { inside: Some("tiny/model.bin".into()), name: "model.bin".into(), bytes: 3, sha256: ABC.into() };
    Model {
        id: "tiny".into(),
        purpose: "tests".into(),
        licence: "Apache-2.0".into(),
        origin: "these tests".into(),
        package: "tiny-model".into(),
        version: "1.0".into(),
        wheels: vec![wheel],
        optional: false,
        parts: Vec::new(),
        files: vec![file],
    }
}

fn tiny() -> Model {
    model(Wheel { arch: "any".into(), file: String::new(), bytes: 1, sha256: String::new() })
}

/// A Python that cannot be: whoever needs it fails.
fn no_python(dir: &Path) -> Python {
    Python::new(dir.join("a file/python"), Vec::new())
}

#[test]
fn a_model_is_fetched_once_and_a_cut_file_is_fetched_again() {
    let Some(fixture) = Fixture::new() else { return };
    fixture.ensure().expect("fetches");
    assert_eq!(fs::read(fixture.file()).expect("is there"), b"abc");
    // The registry is gone: whatever is whole is not asked for again.
    let wheel = fixture.dir.path().join("tiny_model-1.0-py3-none-any.whl");
    let aside = fixture.dir.path().join("aside");
    fs::rename(&wheel, &aside).expect("moves");
    fixture.ensure().expect("is there already");
    // A cut file and one of the right length with other bytes are found out.
    for broken in ["ab", "abd"] {
        fs::write(fixture.file(), broken).expect("writes");
        assert_eq!(fixture.fault(), PackageFault::NotThere);
    }
    fs::rename(&aside, &wheel).expect("moves back");
    fixture.ensure().expect("fetches again");
    assert_eq!(fs::read(fixture.file()).expect("is there"), b"abc");
}

#[test]
fn a_file_in_two_packages_is_joined_and_one_that_is_made_of_others_is_asked_for_last() {
    let Some(mut fixture) = Fixture::new() else { return };
    let wheels = fixture.model.wheels.clone();
    let (package, version) = (fixture.model.package.clone(), fixture.model.version.clone());
    let inside = "tiny/model.bin".into();
    fixture.model.parts = vec![Part { package, version, wheels, inside, continues: "model.bin".into() }];
    fixture.model.files[0].bytes = 6;
    assert_eq!(fixture.fault(), PackageFault::File("tiny/model.bin".into()), "abcabc has another hash than abc");
    fixture.model.files[0].sha256 = "bbb59da3af939f7af5f360f2ceb80a496e3bae1cd87dde426db0ae40677e1c2c".into();
    fixture.ensure().expect("fetches");
    assert_eq!(fs::read(fixture.file()).expect("is there"), b"abcabc");
    // What is made of the others is made without fetching them again; here they are no model.
    fixture.model.version = "2.0".into();
    fixture.model.files.push(ModelFile { inside: None, name: "model.i8".into(), ..fixture.model.files[0].clone() });
    for (name, words) in [("config.json", "{}"), ("vocabulary.txt", "a")] {
        fs::write(fixture.file().with_file_name(name), words).expect("writes");
    }
    let error = fixture.ensure().expect_err("abcabc is no model").to_string();
    assert!(error.contains("model tiny: model.i8 cannot be made") && error.lines().count() == 1, "{error}");
    assert!(!fixture.file().with_file_name("model.i8").exists());
}

#[test]
fn a_package_with_another_hash_is_refused() {
    let Some(mut fixture) = Fixture::new() else { return };
    fixture.model.wheels[0].sha256 = ABC.into();
    assert_eq!(fixture.fault(), PackageFault::Hash);
    fixture.assert_nothing_is_left();
}

#[test]
fn a_file_with_another_hash_is_refused() {
    let Some(mut fixture) = Fixture::new() else { return };
    fixture.model.files[0].sha256 = "0".repeat(64);
    assert_eq!(fixture.fault(), PackageFault::File("tiny/model.bin".into()));
    fixture.assert_nothing_is_left();
}

#[test]
fn a_package_that_the_registry_does_not_have_is_named() {
    let Some(mut fixture) = Fixture::new() else { return };
    fixture.model.version = "2.0".into();
    assert_eq!(fixture.fault(), PackageFault::NotThere);
    fixture.assert_nothing_is_left();
}

#[test]
fn a_registry_that_cannot_be_reached_is_told_from_one_without_the_version_however_often_pip_tries() {
    let Some(mut fixture) = Fixture::new() else { return };
    let Some(home) = PYTHON_HOME.as_ref() else { return };
    let nobody = TcpListener::bind("127.0.0.1:0").and_then(|port| port.local_addr()).expect("a port that is free");
    for (retries, registry, fault) in [
        ("0", nobody, PackageFault::Offline),
        ("1", nobody, PackageFault::Offline),
        ("0", registry_that_answers("404 Not Found"), PackageFault::NotThere),
        ("0", registry_that_answers("403 Forbidden"), PackageFault::Answers(403)),
        ("0", registry_that_answers("503 Service Unavailable"), PackageFault::Answers(503)),
    ] {
        let settings = vec![
            ("PIP_INDEX_URL", format!("http://{registry}/simple")),
            ("PIP_RETRIES", retries.to_owned()),
            ("NO_PROXY", "127.0.0.1".to_owned()),
        ];
        fixture.python = Python::new(home.clone(), settings);
        assert_eq!(fixture.fault(), fault, "{retries} retries");
    }
    fixture.assert_nothing_is_left();
}

/// A registry that gives this answer, whatever it is asked; it ends with the test.
fn registry_that_answers(status: &'static str) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = listener.local_addr().expect("bound");
    std::thread::spawn(move || {
        for mut asker in listener.incoming().flatten() {
            let mut request = [0; 4_096];
            let _ = asker.read(&mut request);
            let _ = write!(asker, "HTTP/1.1 {status}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
        }
    });
    address
}

#[test]
fn a_file_that_the_package_does_not_have_is_named() {
    let Some(mut fixture) = Fixture::new() else { return };
    fixture.model.files[0].inside = Some("tiny/other.bin".into());
    assert!(matches!(fixture.fault(), PackageFault::Pip(reason) if reason.contains("tiny/other.bin")));
    fixture.assert_nothing_is_left();
}

#[test]
fn what_an_interrupted_attempt_left_does_not_disturb_the_next() {
    let Some(fixture) = Fixture::new() else { return };
    let left = fixture.models().join(".fetching-tiny/wheels/tiny_model-1.0-py3-none-any.whl");
    fs::create_dir_all(left.parent().expect("a folder")).expect("makes");
    fs::write(&left, "half").expect("writes");
    fixture.ensure().expect("fetches");
    assert!(!fixture.models().join(".fetching-tiny").exists());
}

#[test]
fn a_folder_that_cannot_be_written_is_named() {
    let dir = tempfile::tempdir().expect("a directory");
    let file = dir.path().join("a file");
    fs::write(&file, "").expect("writes");
    let outcome = ensure(&[tiny()], &file.join("models"), &no_python(dir.path()));
    let error = outcome.expect_err("a file is no folder").to_string();
    assert!(error.contains("a file/models") && error.lines().count() == 1, "{error}");
}

#[test]
fn whole_files_need_no_python_and_no_receipt() {
    let dir = tempfile::tempdir().expect("a directory");
    let home = dir.path().join("tiny");
    fs::create_dir(&home).expect("makes");
    fs::write(home.join("model.bin"), "abc").expect("writes");
    ensure(&[tiny()], dir.path(), &no_python(dir.path())).expect("nothing is to be done");
    assert!(home.join(".verified").is_file());
    // What is put in its place later is looked at, receipt or not.
    fs::write(home.join("model.bin"), "abd").expect("writes");
    let later = SystemTime::now() + Duration::from_secs(1);
    File::options().write(true).open(home.join("model.bin")).and_then(|file| file.set_modified(later)).expect("sets");
    assert!(!check::is_whole(&tiny(), dir.path()).expect("readable"));
}

#[test]
fn a_file_that_is_not_what_it_must_be_is_found_out() {
    let dir = tempfile::tempdir().expect("a directory");
    let path = dir.path().join("x");
    let wanted = &tiny().files[0];
    assert!(matches!(check::fault(&path, wanted), Some(Fault::Missing)));
    for (bytes, sound) in [("", false), ("ab", false), ("abcd", false), ("abd", false), ("abc", true)] {
        fs::write(&path, bytes).expect("writes");
        match check::fault(&path, wanted) {
            None => assert!(sound, "{bytes}"),
            Some(Fault::Length) => assert_ne!(bytes.len(), 3),
            Some(Fault::Hash) => assert_eq!(bytes, "abd"),
            other => panic!("{bytes}: {other:?}"),
        }
    }
    let bytes = fs::metadata(dir.path()).expect("is there").len();
    let folder = ModelFile { bytes, ..wanted.clone() };
    assert!(matches!(check::fault(dir.path(), &folder), Some(Fault::Unreadable(_))));
}
