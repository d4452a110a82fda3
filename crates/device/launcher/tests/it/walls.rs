//! What the walls around the four come to in a whole device.

use std::fs::{self, File};
use std::io::{Read, Write};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, geteuid, getsid, kill_process};

use crate::device::{Device, FOUR, models, skip};
use crate::terminal::Terminal;

/// As in [`crate::device`].
const PATIENCE: Duration = Duration::from_secs(60);

/// A minute of silence: a microphone that stays.
fn silence(folder: &Path) -> PathBuf {
    let path = folder.join("silence.wav");
    sound::write_wav(File::create(&path).expect("a file"), 16_000, &vec![0; 60 * 16_000]).expect("written");
    path
}

fn started(models: &Path) -> Device {
    let device = Device::start(models, "stdin");
    for name in ["panel", "ear", "mic"] {
        device.wait_for(&format!("\"process\":\"{name}\""), 1);
    }
    // Link says that it looks for the cloud once it is behind its walls.
    device.wait_for("\"event\":\"link\"", 1);
    device
}

/// The status of each thread of a process.
fn statuses(pid: Pid) -> Vec<String> {
    let tasks = fs::read_dir(format!("/proc/{}/task", pid.as_raw_nonzero())).expect("a process");
    tasks.map(|task| fs::read_to_string(task.expect("a thread").path().join("status")).expect("readable")).collect()
}

fn field<'a>(status: &'a str, name: &str) -> Vec<&'a str> {
    let line = status.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'));
    line.unwrap_or_else(|| panic!("no {name} in {status}")).split_whitespace().collect()
}

#[test]
fn i4_no_capability_is_left_and_nobody_is_root() {
    let Some(models) = models() else { return };
    let device = started(&models);
    let mut users = Vec::new();
    for name in FOUR {
        let threads = statuses(device.child(name));
        for status in &threads {
            for set in ["CapInh", "CapPrm", "CapEff", "CapAmb"] {
                assert_eq!(field(status, set), ["0000000000000000"], "i4: {name} has {set}");
            }
            assert_eq!((field(status, "NoNewPrivs"), field(status, "Seccomp")), (vec!["1"], vec!["2"]), "i4: {name}");
            if geteuid().is_root() {
                assert_eq!(field(status, "CapBnd"), ["0000000000000000"], "i4: {name}");
                assert!(!field(status, "Uid").contains(&"0") && !field(status, "Gid").contains(&"0"), "i4: {status}");
                assert!(!field(status, "Groups").contains(&"0"), "i4: {status}");
            }
        }
        users.push(field(&threads[0], "Uid").concat());
    }
    users.sort_unstable();
    users.dedup();
    if geteuid().is_root() {
        assert_eq!(users.len(), FOUR.len(), "i4: each is another user, so that none may signal another: {users:?}");
    }
}

#[test]
fn i4_nobody_has_a_terminal_but_the_panel_nor_what_was_left_open() {
    let Some(models) = models() else { return };
    let folder = tempfile::tempdir().expect("a folder");
    let mut terminal = Terminal::open();
    let device = Device::start_at(&terminal, &models, &format!("file:{}", silence(folder.path()).display()));
    terminal.wait_for("not paired");
    let launcher = device.launcher_session();
    for name in FOUR {
        let pid = device.child(name);
        if name == "sotto-link" || name == "sotto-ear" || name == "sotto-mic" {
            device.once(&format!("{name} in a session of its own"), || getsid(Some(pid)).ok() == Some(pid));
            assert_eq!(terminal_of(pid), 0, "i4: {name} has a controlling terminal");
        } else {
            assert_eq!(getsid(Some(pid)).expect("a process"), launcher);
        }
        let Ok(open) = fs::read_dir(format!("/proc/{}/fd", pid.as_raw_nonzero())) else {
            assert!(!geteuid().is_root(), "root may look");
            continue;
        };
        let open: Vec<PathBuf> = open.flatten().filter_map(|fd| fs::read_link(fd.path()).ok()).collect();
        let is_at_terminal = |path: &PathBuf| path.starts_with("/dev/pts") || path.starts_with("/dev/tty");
        assert_eq!(open.iter().any(is_at_terminal), name == "sotto-panel", "i4: {name} has {open:?}");
        assert!(!open.iter().any(|path| path.ends_with("left-open")), "i4: {name} has {open:?}");
    }
    // What link says is shown under its name, and the light after it.
    device.say_to_link("\u{1b}[2K\u{25cf} microphones off");
    terminal.wait_for("sotto-link: error: the one control line that link knows is: pair CODE");
    terminal.wait_for("not paired");
}

fn terminal_of(pid: Pid) -> i64 {
    let stat = fs::read_to_string(format!("/proc/{}/stat", pid.as_raw_nonzero())).expect("a process");
    let rest = stat.rsplit(") ").next().expect("a state");
    // state, parent, group, session, terminal
    rest.split(' ').nth(4).and_then(|number| number.parse().ok()).expect("a number")
}

#[test]
fn i9_no_command_line_tells_a_name_or_an_address() {
    let Some(models) = models() else { return };
    let device = started(&models);
    let mut pids: Vec<Pid> = FOUR.iter().map(|name| device.child(name)).collect();
    pids.push(Pid::from_child(&device.launcher));
    for pid in pids {
        let line = fs::read(format!("/proc/{}/cmdline", pid.as_raw_nonzero())).expect("readable by all");
        let line = String::from_utf8_lossy(&line).replace('\0', " ");
        assert!(line.contains("--settings-fd"), "{line}");
        for private in ["127.0.0.1", "Front room", "/data"] {
            assert!(!line.contains(private), "i9: {line}");
        }
    }
}

#[test]
fn no_program_of_the_same_user_looks_into_a_process_of_the_device() {
    let Some(models) = models() else { return };
    let device = started(&models);
    let mut pids: Vec<Pid> = FOUR.iter().map(|name| device.child(name)).collect();
    pids.push(Pid::from_child(&device.launcher));
    for pid in pids {
        let memory = format!("/proc/{}/mem", pid.as_raw_nonzero());
        assert_eq!(fs::metadata(&memory).expect("there").uid(), 0, "{memory}: what may be dumped is its user's");
        if !geteuid().is_root() {
            File::open(&memory).expect_err("refused");
        }
    }
}

/// A core pattern that hands dumps to a program, put back when it goes.
struct CorePattern {
    before: Vec<u8>,
    dumps: tempfile::TempDir,
}

impl CorePattern {
    const PATH: &str = "/proc/sys/kernel/core_pattern";

    fn set() -> Option<Self> {
        use std::os::unix::fs::PermissionsExt;
        let dumps = tempfile::tempdir().ok()?;
        let program = dumps.path().join("dump");
        fs::write(&program, "#!/bin/sh\ncat >\"${0%/*}/core.$1\"\n").ok()?;
        fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).ok()?;
        let before = fs::read(Self::PATH).ok()?;
        fs::write(Self::PATH, format!("|{} %p", program.display())).ok()?;
        Some(Self { before, dumps })
    }

    fn has_dump(&self, pid: Pid) -> bool {
        self.dumps.path().join(format!("core.{}", pid.as_raw_nonzero())).exists()
    }
}

impl Drop for CorePattern {
    fn drop(&mut self) {
        // Nothing can be done where it can no longer be written.
        let _ = fs::write(Self::PATH, &self.before);
    }
}

#[test]
fn an_abort_with_a_piped_core_pattern_leaves_no_sound() {
    let Some(models) = models() else { return };
    let pattern = CorePattern::set();
    if pattern.is_none() {
        skip("the core pattern is not ours to set: that no process says it dumped is all that is looked at");
    }
    for name in FOUR {
        let mut device = started(&models);
        let mut input = device.launcher.stdin.take().expect("a pipe");
        input.write_all(&[1, 2].repeat(16_000)).expect("taken");
        let pid = device.child(name);
        kill_process(pid, Signal::ABORT).expect("it lives");
        // It says how each of them ended, a core dump included.
        device.wait_for("\"restart\"", 1);
        let events = device.events();
        let restart = events.iter().find(|line| line.contains("\"restart\"")).expect("one");
        assert!(restart.contains(name) && !restart.contains("core dumped"), "{restart}");
        assert!(!pattern.as_ref().is_some_and(|pattern| pattern.has_dump(pid)), "{name} left a core dump");
        drop(input);
        device.signal(Signal::TERM);
        device.end();
    }
}

#[test]
fn i3_a_device_whose_state_file_was_emptied_starts_with_its_microphones_off() {
    let Some(models) = models() else { return };
    let device = Device::start(&models, "stdin");
    device.wait_for("\"process\":\"mic\"", 1);
    device.press("quit");
    let mut device = device;
    assert!(device.end().success());
    fs::write(device.data().join("panel.state"), "").expect("emptied");
    let device = Device::start_in(device.into_folder(), &models, "stdin");
    device.wait_for("\"process\":\"ear\"", 1);
    device.wait_for("\"state\":\"mic_off\"", 1);
    device.wait_for("panel.state is empty: the microphones are off", 1);
    assert!(device.children("sotto-mic").is_empty(), "i3: what is not known to be on is off");
    device.press("mic on");
    device.wait_for("\"process\":\"mic\"", 1);
}

impl Terminal {
    /// Waits until this is on the terminal, after what was waited for before.
    fn wait_for(&mut self, what: &str) {
        let deadline = Instant::now() + PATIENCE;
        let mut bytes = [0; 4_096];
        loop {
            if let Some(at) = self.seen.find(what) {
                self.seen.drain(..at + what.len());
                return;
            }
            assert!(Instant::now() < deadline, "no {what:?} in {:?}", self.seen);
            if self.wait(Duration::from_secs(1)) {
                let count = self.keyboard.read(&mut bytes).unwrap_or(0);
                self.seen.push_str(&String::from_utf8_lossy(&bytes[..count]));
            }
        }
    }
}
