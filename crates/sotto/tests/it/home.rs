//! An installation in a folder of its own, and the recordings to speak to it.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

/// No machine takes longer to note that a password was shown.
const SEEN_WITHIN: Duration = Duration::from_secs(30);

/// A data directory that goes with the test.
pub(crate) struct Home {
    pub(crate) dir: tempfile::TempDir,
}

/// What a command printed and how it ended.
#[derive(Debug)]
pub(crate) struct Said {
    pub(crate) code: Option<i32>,
    pub(crate) lines: Vec<Value>,
    pub(crate) stderr: String,
}

/// A cloud in a process of its own; ended when dropped.
pub(crate) struct Up {
    child: Child,
    pub(crate) told: Value,
}

impl Home {
    pub(crate) fn new() -> Self {
        Self { dir: tempfile::tempdir().expect("a directory") }
    }

    pub(crate) fn data(&self) -> PathBuf {
        self.dir.path().join("data")
    }

    /// The fetched models: this machine's own, as the commands find them.
    pub(crate) fn models() -> PathBuf {
        let cache = || {
            let base = std::env::var_os("XDG_CACHE_HOME").map(PathBuf::from).filter(|dir| dir.is_absolute());
            let home = || PathBuf::from(std::env::var_os("HOME").expect("a home directory"));
            base.unwrap_or_else(|| home().join(".cache")).join("sotto/models")
        };
        std::env::var_os("SOTTO_MODELS").map_or_else(cache, PathBuf::from)
    }

    /// A command of ours on this installation.
    pub(crate) fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_sotto"));
        command.arg("--data").arg(self.data()).args(args).stdin(Stdio::null());
        command
    }

    pub(crate) fn sotto(&self, args: &[&str]) -> Said {
        Said::of(&self.command(args).output().expect("runs"))
    }

    /// `sotto up` on free ports.
    pub(crate) fn up(&self) -> Up {
        self.up_under(None)
    }

    /// The same, in a shell that says something first (`ulimit -n 1024`).
    pub(crate) fn up_under(&self, shell: Option<&str>) -> Up {
        let mut command = self.command(&["--port", "0", "up", "--json"]);
        if let Some(first) = shell {
            let mut within = Command::new("sh");
            within.arg("-c").arg(format!("{first} && exec \"$0\" \"$@\"")).arg(command.get_program());
            within.args(command.get_args()).stdin(Stdio::null());
            command = within;
        }
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().expect("starts");
        let mut line = String::new();
        BufReader::new(child.stdout.take().expect("piped")).read_line(&mut line).expect("reads");
        // A password holds once it is noted that it was shown, a moment after the line.
        let (unseen, deadline) = (self.data().join("password.unseen"), Instant::now() + SEEN_WITHIN);
        while unseen.exists() && Instant::now() < deadline {
            std::thread::yield_now();
        }
        Up { told: serde_json::from_str(&line).expect("up --json prints one object"), child }
    }

    /// Every file of this installation, its temporary ones included.
    pub(crate) fn files(&self) -> Vec<PathBuf> {
        let (mut files, mut folders) = (Vec::new(), vec![self.dir.path().to_owned()]);
        while let Some(folder) = folders.pop() {
            // A folder or file may go while it is looked at.
            for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
                let Ok(kind) = entry.file_type() else { continue };
                if kind.is_dir() {
                    folders.push(entry.path());
                } else if kind.is_file() {
                    files.push(entry.path());
                }
            }
        }
        files
    }

    /// The files whose bytes hold `needle`.
    pub(crate) fn files_holding(&self, needle: &[u8]) -> Vec<PathBuf> {
        let holds = |path: &PathBuf| {
            std::fs::read(path).is_ok_and(|bytes| bytes.windows(needle.len()).any(|window| window == needle))
        };
        self.files().into_iter().filter(holds).collect()
    }
}

impl Said {
    pub(crate) fn of(output: &Output) -> Self {
        let stdout = String::from_utf8_lossy(&output.stdout).into_owned();
        Self {
            code: output.status.code(),
            lines: stdout.lines().filter_map(|line| serde_json::from_str(line).ok()).collect(),
            stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
        }
    }

    /// The one JSON line of a command that prints one.
    pub(crate) fn line(&self) -> &Value {
        assert_eq!(self.lines.len(), 1, "one line, not: {self:?}");
        &self.lines[0]
    }

    /// One clear line and the exit code.
    pub(crate) fn refuses(&self, code: i32, part: &str) {
        assert_eq!(self.code, Some(code), "{self:?}");
        let complaints: Vec<&str> = self.stderr.lines().filter(|line| line.contains(part)).collect();
        assert_eq!(complaints.len(), 1, "one line with \"{part}\": {self:?}");
        assert!(!self.stderr.contains("panicked") && !self.stderr.contains("internal.panic"), "{self:?}");
    }
}

impl Drop for Up {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Up {
    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// How it ended.
    pub(crate) fn status(&mut self) -> std::process::ExitStatus {
        self.child.wait().expect("ends")
    }

    pub(crate) fn wait(&mut self) -> Option<i32> {
        self.child.wait().expect("ends").code()
    }
}

/// "Alexa, what time is it", by a synthetic voice and, where the recordings are, by a person.
pub(crate) fn requests() -> Vec<PathBuf> {
    std::iter::once(test_speech::request_file()).chain(test_speech::people::request_file()).collect()
}

/// `(path, label)` of the recordings of one source.
pub(crate) fn clips(data: &Path, source: &str) -> Vec<(PathBuf, String)> {
    let manifest = std::fs::read_to_string(data.join("speech/manifest.tsv")).expect("the manifest");
    let clip = |line: &str| {
        let fields: Vec<&str> = line.split('\t').collect();
        (fields[1] == source).then(|| (data.join("speech").join(fields[0]), fields[3].to_owned()))
    };
    manifest.lines().skip(1).filter_map(clip).collect()
}
