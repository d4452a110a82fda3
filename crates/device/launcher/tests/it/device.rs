//! A device under a script.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, poll};
use rustix::fs::{CWD, FileType, Mode, mknodat};
use rustix::process::{Pid, PidfdFlags, Signal, kill_process, pidfd_open};
use rustix::time::Timespec;
use tempfile::TempDir;

/// Nothing here takes longer, on the busiest of machines.
const PATIENCE: Duration = Duration::from_secs(60);

/// The four that the launcher starts.
pub(crate) const FOUR: [&str; 4] = ["sotto-panel", "sotto-mic", "sotto-ear", "sotto-link"];

/// A running device. Ended when it goes.
pub(crate) struct Device {
    pub(crate) launcher: Child,
    folder: TempDir,
}

/// What a test needs, or why it is skipped.
pub(crate) fn skip(why: &str) {
    #[expect(clippy::print_stderr, reason = "how a test says that it was skipped")]
    {
        eprintln!("SKIPPED: {why}");
    }
}

pub(crate) fn models() -> Option<PathBuf> {
    let cache = std::env::var_os("XDG_CACHE_HOME").map(PathBuf::from);
    let cache = cache.or_else(|| std::env::var_os("HOME").map(|home| PathBuf::from(home).join(".cache")))?;
    present(std::env::var_os("SOTTO_MODELS").map_or_else(|| cache.join("sotto/models"), PathBuf::from))
}

/// "Alexa, what time is it", by a synthetic voice and, where the recordings are, by a person.
pub(crate) fn recordings() -> Vec<PathBuf> {
    std::iter::once(test_speech::request_file()).chain(test_speech::people::request_file()).collect()
}

fn present(path: PathBuf) -> Option<PathBuf> {
    if path.exists() {
        return Some(path);
    }
    skip(&format!("{} is not there", path.display()));
    None
}

/// Makes sure that the four lie beside the launcher: cargo builds them with the whole workspace, not with this package.
fn build_the_four() {
    static BUILT: OnceLock<()> = OnceLock::new();
    BUILT.get_or_init(|| {
        let beside = Path::new(env!("CARGO_BIN_EXE_sotto-device")).parent().expect("a folder");
        if FOUR.iter().all(|name| beside.join(name).exists()) {
            return;
        }
        let mut cargo = Command::new(env!("CARGO"));
        cargo.args(["build", "--release", "-p", "panel", "-p", "mic", "-p", "hearing", "-p", "link"]);
        assert!(cargo.status().expect("cargo").success());
    });
}

impl Device {
    /// Starts a device with this microphone, in a folder of its own.
    pub(crate) fn start(models: &Path, mic: &str) -> Self {
        Self::start_in(tempfile::tempdir().expect("a folder"), models, mic)
    }

    /// Starts a device with this microphone and the data that another left.
    pub(crate) fn start_in(folder: TempDir, models: &Path, mic: &str) -> Self {
        build_the_four();
        let control = folder.path().join("control");
        if !control.exists() {
            mknodat(CWD, &control, FileType::Fifo, Mode::RUSR | Mode::WUSR, 0).expect("a pipe");
        }
        std::fs::write(folder.path().join("events"), "").expect("a file");
        // The shell hands the events' file down as descriptor 7 and becomes the launcher.
        let launcher = Command::new("/bin/sh")
            .args(["-c", r#"exec 7>>"$EVENTS" && exec "$@" --events-fd 7"#, "sh"])
            .arg(env!("CARGO_BIN_EXE_sotto-device"))
            .arg("--data")
            .arg(folder.path().join("data"))
            .arg("--models")
            .arg(models)
            .args(["--mic", mic, "--speaker", "none", "--cloud", "127.0.0.1:9"])
            .arg("--control")
            .arg(&control)
            .env("EVENTS", folder.path().join("events"))
            .stdin(Stdio::piped())
            .spawn()
            .expect("sotto-device starts");
        Self { launcher, folder }
    }

    /// Presses a button.
    pub(crate) fn press(&self, line: &str) {
        let mut control =
            std::fs::OpenOptions::new().write(true).open(self.folder.path().join("control")).expect("open");
        control.write_all(format!("{line}\n").as_bytes()).expect("written");
    }

    /// All event lines so far.
    pub(crate) fn events(&self) -> Vec<String> {
        let text = std::fs::read_to_string(self.folder.path().join("events")).expect("readable");
        text.lines().map(str::to_owned).collect()
    }

    /// Waits until this many event lines contain this.
    pub(crate) fn wait_for(&self, what: &str, times: usize) {
        let count = || self.events().iter().filter(|line| line.contains(what)).count();
        self.once_there(&format!("{times} times {what}"), || (count() >= times).then_some(()));
    }

    /// What `look` finds, once it does.
    fn once_there<T>(&self, what: &str, look: impl Fn() -> Option<T>) -> T {
        let deadline = Instant::now() + PATIENCE;
        loop {
            if let Some(found) = look() {
                return found;
            }
            assert!(Instant::now() < deadline, "not {what} in {:#?}", self.events());
            std::thread::yield_now();
        }
    }

    /// The process ids of the launcher's children of this name.
    pub(crate) fn children(&self, name: &str) -> Vec<Pid> {
        let task = format!("/proc/{0}/task/{0}/children", self.launcher.id());
        let ids = std::fs::read_to_string(task).unwrap_or_default();
        let ids = ids.split_whitespace().filter_map(|id| id.parse().ok()).filter_map(Pid::from_raw);
        ids.filter(|pid| program(*pid).as_deref() == Some(name) && !is_dead(*pid)).collect()
    }

    /// The launcher's child of this name, once it is there.
    pub(crate) fn child(&self, name: &str) -> Pid {
        self.once_there(name, || self.children(name).first().copied())
    }

    /// Sends a signal to the launcher.
    pub(crate) fn signal(&self, signal: Signal) {
        kill_process(Pid::from_child(&self.launcher), signal).expect("a process");
    }

    /// Waits for the device to end, and for everything it started to be gone with it.
    pub(crate) fn end(&mut self) -> ExitStatus {
        let ended = pidfd_open(Pid::from_child(&self.launcher), PidfdFlags::empty()).expect("a process");
        let patience = Timespec::try_from(PATIENCE).expect("short");
        let ready = poll(&mut [PollFd::new(&ended, PollFlags::IN)], Some(&patience)).expect("poll");
        assert_eq!(ready, 1, "the device does not end: {:#?}", self.events());
        let status = self.launcher.wait().expect("ended");
        assert!(self.leftovers().is_empty(), "left running: {:?}", self.leftovers());
        status
    }

    /// Processes that have our events open: whatever the device has started, wherever it went.
    pub(crate) fn leftovers(&self) -> Vec<String> {
        let events = self.folder.path().join("events");
        let holds = |fd: std::fs::DirEntry| std::fs::read_link(fd.path()).is_ok_and(|path| path == events);
        let processes = std::fs::read_dir("/proc").expect("proc").flatten();
        let holding = processes.filter(|process| {
            std::fs::read_dir(process.path().join("fd")).is_ok_and(|mut fds| fds.any(|fd| fd.is_ok_and(holds)))
        });
        holding.filter_map(|process| std::fs::read_to_string(process.path().join("comm")).ok()).collect()
    }

    pub(crate) fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    /// The folder, to start another device in.
    pub(crate) fn into_folder(mut self) -> TempDir {
        std::mem::replace(&mut self.folder, tempfile::tempdir().expect("a folder"))
    }
}

impl Drop for Device {
    fn drop(&mut self) {
        // The four end with the pipes they share with the launcher.
        let _ = self.launcher.kill();
        let _ = self.launcher.wait();
    }
}

/// A process's program, by its file's name.
fn program(pid: Pid) -> Option<String> {
    let path = std::fs::read_link(format!("/proc/{}/exe", pid.as_raw_nonzero())).ok()?;
    Some(path.file_name()?.to_str()?.to_owned())
}

fn is_dead(pid: Pid) -> bool {
    let stat = std::fs::read_to_string(format!("/proc/{}/stat", pid.as_raw_nonzero())).unwrap_or_default();
    stat.rsplit(") ").next().is_none_or(|rest| rest.is_empty() || rest.starts_with('Z'))
}
