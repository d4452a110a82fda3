//! Synthetic voices as child processes, and what they have said before.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::io::{BufWriter, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;

/// A voice that the shipped wake words hear.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Voice {
    /// flite's American woman.
    Slt,
    /// flite's American man.
    Rms,
    /// flite's Scottish man.
    Awb,
    /// flite's older American man.
    Kal,
    /// espeak-ng's voice of received pronunciation.
    British,
}

impl Voice {
    /// Each of them.
    pub const ALL: [Self; 5] = [Self::Slt, Self::Rms, Self::Awb, Self::Kal, Self::British];

    /// Says it: 16 kHz mono.
    ///
    /// # Panics
    /// Where the program is not installed; `./sotto test` sees to that.
    #[must_use]
    pub fn say(self, text: &str) -> Vec<i16> {
        self.say_at(text, 100)
    }

    /// Says it in so many percent of the time that it usually takes.
    ///
    /// # Panics
    /// As [`Voice::say`].
    #[must_use]
    pub fn say_at(self, text: &str, percent: u32) -> Vec<i16> {
        sound::decode_file(&self.file(text, percent)).expect("what was just written is good")
    }

    /// The WAV file of it.
    ///
    /// # Panics
    /// As [`Voice::say`].
    #[must_use]
    pub fn file(self, text: &str, percent: u32) -> PathBuf {
        let (program, options) = self.call(text, percent);
        let mut hasher = DefaultHasher::new();
        (program, &options).hash(&mut hasher);
        let path = folder().join(format!("{self:?}-{percent}-{:016x}.wav", hasher.finish()));
        if !path.exists() {
            keep(&path, &speak(program, &options));
        }
        path
    }

    /// The program that says it, and its options up to the name of the file.
    fn call(self, text: &str, percent: u32) -> (&'static str, Vec<String>) {
        let stretch = format!("duration_stretch={}", f64::from(percent) / 100.0);
        let flite = |voice: &str| {
            ("flite", ["-voice", voice, "--setf", &stretch, "-t", text, "-o"].map(str::to_owned).into())
        };
        match self {
            Self::Slt => flite("slt"),
            Self::Rms => flite("rms"),
            Self::Awb => flite("awb"),
            Self::Kal => flite("kal16"),
            Self::British => {
                // Words a minute: 160 is its own pace.
                let pace = (16_000 / percent).to_string();
                ("espeak-ng", ["-v", "en-gb-x-rp", "-s", &pace, text, "-w"].map(str::to_owned).into())
            }
        }
    }
}

fn speak(program: &str, options: &[String]) -> Vec<i16> {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let file = folder.path().join("said.wav");
    let mut command = Command::new(program);
    command.args(options).arg(&file).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    assert!(command.status().is_ok_and(|status| status.success()), "{program} fails: is it installed?");
    sound::decode_file(&file).expect("a voice gives a good file")
}

/// Beside the test programs in the target folder; where another user owns that, a folder that is lost with the process.
fn folder() -> &'static Path {
    static FOLDER: OnceLock<PathBuf> = OnceLock::new();
    FOLDER.get_or_init(|| {
        let program = std::env::current_exe().expect("a program knows its file");
        let beside = program.ancestors().find(|folder| folder.ends_with("deps")).and_then(Path::parent);
        let is_ours =
            |folder: &PathBuf| std::fs::create_dir_all(folder).is_ok() && tempfile::tempfile_in(folder).is_ok();
        let wanted = beside.map(|folder| folder.join("test-speech")).filter(is_ours);
        wanted.unwrap_or_else(|| tempfile::tempdir().expect("a temporary folder").keep())
    })
}

/// Other tests may say the same at the same time: the file is there whole or not at all.
fn keep(path: &Path, pcm: &[i16]) {
    let folder = path.parent().expect("a file lies in a folder");
    let mut file = BufWriter::new(tempfile::NamedTempFile::new_in(folder).expect("room"));
    sound::write_wav(&mut file, 16_000, pcm).expect("room");
    file.flush().expect("room");
    let file = file.into_inner().expect("flushed");
    // Whoever a test has read it may read it.
    file.as_file().set_permissions(std::fs::Permissions::from_mode(0o644)).expect("our file");
    file.persist(path).expect("the file of a test");
}
