//! A device under a script.

use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, poll};
use rustix::fs::{CWD, FileType, Mode, mknodat};
use rustix::process::{Pid, PidfdFlags, Signal, kill_process, pidfd_open};
use rustix::time::Timespec;
use tempfile::TempDir;

use crate::terminal::Terminal;

/// Nothing here takes longer, on the busiest of machines.
const PATIENCE: Duration = Duration::from_secs(60);

/// The four that the launcher starts.
pub(crate) const FOUR: [&str; 4] = ["sotto-panel", "sotto-mic", "sotto-ear", "sotto-link"];

/// A running device. Ended when it goes.
pub(crate) struct Device {
    pub(crate) launcher: Child,
    folder: TempDir,
    events: Arc<Mutex<Vec<String>>>,
    /// Reads the events until the last of the device's processes has gone.
    reader: JoinHandle<()>,
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
        Self::start_before(folder, models, mic, "127.0.0.1:9")
    }

    /// The same, with a cloud at this address.
    pub(crate) fn start_before(folder: TempDir, models: &Path, mic: &str, cloud: &str) -> Self {
        Self::launch(folder, models, mic, cloud, Command::new("/bin/sh"), "--events-fd 7")
    }

    /// Starts a device from a terminal, which controls it. It has no events: what it has to say it says there.
    pub(crate) fn start_at(terminal: &Terminal, models: &Path, mic: &str) -> Self {
        let end = || terminal.screen.try_clone().expect("a terminal");
        let mut command = Command::new("setsid");
        command.args(["--ctty", "/bin/sh"]).stdin(end()).stderr(end());
        Self::launch(tempfile::tempdir().expect("a folder"), models, mic, "127.0.0.1:9", command, "")
    }

    fn launch(folder: TempDir, models: &Path, mic: &str, cloud: &str, mut shell: Command, events: &str) -> Self {
        build_the_four();
        let path = |name: &str| folder.path().join(name);
        for name in ["control", "link-control"] {
            if !path(name).exists() {
                mknodat(CWD, path(name), FileType::Fifo, Mode::RUSR | Mode::WUSR, 0).expect("a pipe");
            }
        }
        let text = |path: PathBuf| path.to_str().expect("UTF-8").to_owned();
        let options = [
            ("--data", text(path("data"))),
            ("--models", text(models.to_path_buf())),
            ("--mic", mic.to_owned()),
            ("--speaker", "none".to_owned()),
            ("--cloud", cloud.to_owned()),
            ("--name", "Front room".to_owned()),
            ("--control", text(path("control"))),
            ("--link-control", text(path("link-control"))),
        ];
        let settings: String = options.iter().map(|(option, value)| format!("{option}\0{value}\0")).collect();
        std::fs::write(path("settings"), settings).expect("written");
        if !mic.starts_with("file") {
            shell.stdin(Stdio::piped());
        }
        // The shell hands the events' pipe down as descriptor 7 and the settings as 8, leaves another open, and becomes the
        // launcher.
        let script = r#"exec 7>&1 8<settings 9>>left-open >/dev/null && exec "$0" $EVENTS --settings-fd 8"#;
        let mut launcher = shell
            .args(["-c", script, env!("CARGO_BIN_EXE_sotto-device")])
            .env("EVENTS", events)
            .current_dir(folder.path())
            .stdout(Stdio::piped())
            .spawn()
            .expect("sotto-device starts");
        let events = Arc::new(Mutex::new(Vec::new()));
        let (lines, told) = (BufReader::new(launcher.stdout.take().expect("a pipe")), Arc::clone(&events));
        let reader = std::thread::spawn(move || {
            for line in lines.lines().map_while(Result::ok) {
                told.lock().unwrap_or_else(PoisonError::into_inner).push(line);
            }
        });
        Self { launcher, folder, events, reader }
    }

    /// Presses a button.
    pub(crate) fn press(&self, line: &str) {
        let mut control =
            std::fs::OpenOptions::new().write(true).open(self.folder.path().join("control")).expect("open");
        control.write_all(format!("{line}\n").as_bytes()).expect("written");
    }

    /// Tells link something.
    pub(crate) fn say_to_link(&self, line: &str) {
        let path = self.folder.path().join("link-control");
        let mut control = std::fs::OpenOptions::new().write(true).open(path).expect("open");
        control.write_all(format!("{line}\n").as_bytes()).expect("written");
    }

    /// Types a pairing code at the device.
    pub(crate) fn pair(&self, code: &str) {
        self.say_to_link(&format!("pair {code}"));
    }

    /// How many event lines so far contain this.
    pub(crate) fn count(&self, what: &str) -> usize {
        self.events().iter().filter(|line| line.contains(what)).count()
    }

    /// All event lines so far.
    pub(crate) fn events(&self) -> Vec<String> {
        self.events.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Waits until it is so.
    pub(crate) fn once(&self, what: &str, is_so: impl Fn() -> bool) {
        self.once_there(what, || is_so().then_some(()));
    }

    /// The session that it was started in.
    pub(crate) fn launcher_session(&self) -> Pid {
        rustix::process::getsid(Some(Pid::from_child(&self.launcher))).expect("a process")
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
        self.once("all gone", || self.is_all_gone());
        status
    }

    /// Whether nobody holds the events' pipe any more: nothing that the device has started is left, wherever it went.
    pub(crate) fn is_all_gone(&self) -> bool {
        self.reader.is_finished()
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

/// A process's program, by the name that all may read.
fn program(pid: Pid) -> Option<String> {
    let name = std::fs::read_to_string(format!("/proc/{}/comm", pid.as_raw_nonzero())).ok()?;
    Some(name.trim_end().to_owned())
}

fn is_dead(pid: Pid) -> bool {
    let stat = std::fs::read_to_string(format!("/proc/{}/stat", pid.as_raw_nonzero())).unwrap_or_default();
    stat.rsplit(") ").next().is_none_or(|rest| rest.is_empty() || rest.starts_with('Z'))
}
