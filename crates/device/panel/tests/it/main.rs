//! The real `sotto-panel`, with the test in the place of ear, launcher and person.

mod disk;

use std::fs::{File, OpenOptions};
use std::io::{Read, Write};
use std::os::fd::OwnedFd;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use base::TurnId;
use pipe::{Cause, EarToPanel, LauncherToPanel, Message, PanelToEar, PanelToLauncher, Reader, Standing, encode};
use rustix::event::{PollFd, PollFlags, poll};
use rustix::fs::{CWD, FileType, Mode, OFlags, fcntl_getfl, fcntl_setfl, mknodat};
use rustix::time::Timespec;

const PATIENCE: Duration = Duration::from_secs(30);
const ONE: TurnId = TurnId(1);

/// A panel and the other ends of its pipes. Ended when it goes.
struct Rig {
    panel: Child,
    folder: tempfile::TempDir,
    to_panel: File,
    ear: End<PanelToEar>,
    launcher: End<PanelToLauncher>,
    as_launcher: File,
    events: (File, std::cell::RefCell<String>),
}

fn skip(why: &str) {
    #[expect(clippy::print_stderr, reason = "how a test says that it was skipped")]
    {
        eprintln!("SKIPPED: {why}");
    }
}

struct End<M> {
    file: File,
    reader: Reader<M>,
}

impl<M: Message> End<M> {
    fn next(&mut self) -> Option<M> {
        loop {
            if let Some(message) = self.reader.next().expect("well-formed") {
                return Some(message);
            }
            let patience = Timespec::try_from(PATIENCE).expect("short");
            let ready = poll(&mut [PollFd::new(&self.file, PollFlags::IN)], Some(&patience)).expect("poll");
            assert_eq!(ready, 1, "the panel says nothing");
            let mut bytes = [0; 4_096];
            match self.file.read(&mut bytes).expect("readable") {
                0 => return None,
                count => self.reader.push(&bytes[..count]).expect("room"),
            }
        }
    }
}

impl Rig {
    fn start(state: &str) -> Self {
        Self::start_in(Some(state), &["/usr/bin/env"], &[])
    }

    /// Starts a panel by way of another program, with this in its state file if there is to be one.
    fn start_in(state: Option<&str>, way: &[&str], environment: &[(&str, &str)]) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let path = |name: &str| folder.path().join(name);
        for name in ["control", "to-launcher", "from-launcher", "events", "fill", "filled", "look", "looked"] {
            mknodat(CWD, path(name), FileType::Fifo, Mode::RUSR | Mode::WUSR, 0).expect("a pipe");
        }
        if let Some(state) = state {
            std::fs::write(path("state"), state).expect("a file");
        }
        let open = |name: &str| OpenOptions::new().read(true).write(true).open(path(name)).expect("open");
        let (launcher, as_launcher, events) = (open("to-launcher"), open("from-launcher"), open("events"));
        let script = r#"exec 3<"from-launcher" 4>"to-launcher" 7>>events 8<&0 && exec "$@""#;
        let mut panel = Command::new("/bin/sh")
            .args(["-c", script, "sh"])
            .args(way)
            .arg(env!("CARGO_BIN_EXE_sotto-panel"))
            .args(["--from-ear-fd", "8", "--to-ear-fd", "1", "--from-launcher-fd", "3", "--to-launcher-fd", "4"])
            .args(["--events-fd", "7", "--state", "state", "--control"])
            .arg(path("control"))
            .envs(environment.iter().copied())
            .current_dir(folder.path())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("sotto-panel starts");
        let to_panel = OwnedFd::from(panel.stdin.take().expect("a pipe")).into();
        let ear = OwnedFd::from(panel.stdout.take().expect("a pipe")).into();
        let ear = End { file: ear, reader: Reader::new() };
        let launcher = End { file: launcher, reader: Reader::new() };
        for end in [&ear.file, &events] {
            fcntl_setfl(end, fcntl_getfl(end).expect("flags") | OFlags::NONBLOCK).expect("flags");
        }
        let events = (events, std::cell::RefCell::default());
        Self { panel, folder, to_panel, ear, launcher, as_launcher, events }
    }

    fn as_ear(&mut self, message: EarToPanel) {
        tell(&mut self.to_panel, &message);
    }

    fn as_launcher(&mut self, message: LauncherToPanel) {
        tell(&mut self.as_launcher, &message);
    }

    fn press(&self, line: &str) {
        let control = OpenOptions::new().write(true).open(self.path("control"));
        control.expect("open").write_all(format!("{line}\n").as_bytes()).expect("written");
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn events(&self) -> String {
        let (file, text) = &self.events;
        let mut bytes = [0; 65_536];
        if let Ok(count) = (&mut &*file).read(&mut bytes) {
            text.borrow_mut().push_str(&String::from_utf8_lossy(&bytes[..count]));
        }
        text.borrow().clone()
    }

    fn light(&self) -> String {
        let events = self.events();
        let light = events.lines().rfind(|line| line.contains("\"light\"")).unwrap_or_default();
        light.rsplit("\"state\":\"").next().unwrap_or_default().trim_end_matches("\"}").to_owned()
    }

    /// Waits until the last line of this kind ends so.
    fn wait_for(&self, kind: &str, ending: &str) {
        let deadline = Instant::now() + PATIENCE;
        while !self.events().lines().rfind(|line| line.contains(kind)).is_some_and(|line| line.contains(ending)) {
            assert!(Instant::now() < deadline, "not {ending}: {}", self.events());
            std::thread::yield_now();
        }
    }

    fn wait_for_light(&self, state: &str) {
        let deadline = Instant::now() + PATIENCE;
        while self.light() != state {
            assert!(Instant::now() < deadline, "not {state}: {}", self.events());
            std::thread::yield_now();
        }
    }
}

impl Drop for Rig {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.panel.kill();
        let _ = self.panel.wait();
    }
}

fn tell<M: Message>(file: &mut File, message: &M) {
    let mut bytes = Vec::new();
    encode(message, &mut bytes).expect("short");
    file.write_all(&bytes).expect("written");
}

#[test]
fn i2_the_light_is_on_before_the_panel_says_so_and_out_after_the_permit() {
    let mut rig = Rig::start("on \n");
    assert_eq!(rig.launcher.next(), Some(PanelToLauncher::MicrophonesOn));
    rig.as_ear(EarToPanel::Ask { turn: ONE, cause: Cause::Button });
    assert_eq!(rig.ear.next(), Some(PanelToEar::Lit { turn: ONE }));
    assert_eq!(rig.light(), "listening", "i2: lit was said in the dark");
    // Only the permit's own end puts it out.
    rig.as_ear(EarToPanel::ListeningOver { turn: TurnId(9) });
    rig.as_ear(EarToPanel::TurnOver { turn: ONE });
    rig.press("press");
    assert_eq!(rig.ear.next(), Some(PanelToEar::Press));
    assert_eq!(rig.light(), "listening");
    rig.as_ear(EarToPanel::ListeningOver { turn: ONE });
    rig.wait_for_light("thinking");
    rig.as_ear(EarToPanel::TurnOver { turn: ONE });
    rig.wait_for_light("idle");
}

#[test]
fn i3_red_is_shown_once_nothing_can_hear_and_not_before() {
    let mut rig = Rig::start("on \n");
    assert_eq!(rig.launcher.next(), Some(PanelToLauncher::MicrophonesOn));
    rig.press("mic off");
    assert_eq!(rig.launcher.next(), Some(PanelToLauncher::MicrophonesOff));
    assert_eq!(rig.ear.next(), Some(PanelToEar::MicOff));
    // No permit from here on, whoever asks; the press that follows shows that the asking was heard.
    rig.as_ear(EarToPanel::Ask { turn: ONE, cause: Cause::Button });
    rig.as_ear(EarToPanel::Wiped);
    rig.press("press");
    assert_eq!(rig.ear.next(), Some(PanelToEar::Press));
    assert_eq!(rig.light(), "idle", "i3: red while the microphone's process may live");
    rig.as_launcher(LauncherToPanel::MicrophonesOff);
    rig.wait_for_light("mic_off");
    assert_eq!(std::fs::read_to_string(rig.path("state")).expect("kept"), "off\n");
    rig.press("mic on");
    assert_eq!(rig.ear.next(), Some(PanelToEar::MicOn));
    // The launcher hears of it only once the ear is ready.
    rig.as_ear(EarToPanel::Ready);
    assert_eq!(rig.launcher.next(), Some(PanelToLauncher::MicrophonesOn));
    assert_eq!(std::fs::read_to_string(rig.path("state")).expect("kept"), "on \n");
}

#[test]
fn i3_off_is_off_from_the_first_moment() {
    let mut rig = Rig::start("off\n");
    assert_eq!(rig.launcher.next(), Some(PanelToLauncher::MicrophonesOff));
    assert_eq!(rig.ear.next(), Some(PanelToEar::MicOff));
    rig.wait_for_light("mic_off");
}

#[test]
fn an_ear_that_goes_ends_the_panel_and_quit_ends_it_well() {
    let mut rig = Rig::start("on \n");
    rig.press("quit");
    assert!(rig.panel.wait().expect("ended").success());
    let mut rig = Rig::start("on \n");
    rig.to_panel = File::open("/dev/null").expect("open");
    assert_eq!(rig.panel.wait().expect("ended").code(), Some(i32::from(pipe::exit::PEER_GONE)));
    assert!(!rig.events().contains("\"error\""), "{}", rig.events());
}

#[test]
fn what_link_knows_of_the_cloud_is_shown_by_an_idle_panel_alone() {
    let mut rig = Rig::start("on \n");
    rig.wait_for("\"standing\",", "\"state\":\"starting\"");
    for standing in Standing::ALL.into_iter().filter(|standing| !standing.is_pairing_failure()) {
        rig.as_ear(EarToPanel::Hears);
        rig.as_ear(EarToPanel::Standing(standing));
        rig.wait_for("\"standing\",", &format!("\"state\":\"{}\"", standing.name()));
        assert_eq!(rig.light(), "idle");
    }
    rig.as_ear(EarToPanel::Ask { turn: ONE, cause: Cause::Button });
    assert_eq!(rig.ear.next(), Some(PanelToEar::Lit { turn: ONE }));
    rig.as_ear(EarToPanel::Standing(Standing::WrongCode));
    rig.wait_for("\"standing\",", "\"state\":\"wrong_code\"");
    assert_eq!(rig.light(), "listening", "i2: a word of link's put out the light");
}

#[test]
fn i2_an_ear_that_dies_in_a_stream_leaves_the_light_on_until_the_launcher_has_ended_link() {
    let mut rig = Rig::start("on \n");
    rig.as_ear(EarToPanel::Ask { turn: ONE, cause: Cause::Button });
    assert_eq!(rig.ear.next(), Some(PanelToEar::Lit { turn: ONE }));
    let began = Instant::now();
    rig.to_panel = File::open("/dev/null").expect("open");
    // Our end of the launcher's pipe is open for both ways, so that nothing but its own patience ends the panel.
    assert_eq!(rig.panel.wait().expect("ended").code(), Some(i32::from(pipe::exit::PEER_GONE)));
    assert!(began.elapsed() > Duration::from_secs(1), "i2: the light went out while link may send");
}

#[test]
fn what_cannot_be_used_is_one_clear_line() {
    let folder = tempfile::tempdir().expect("a folder");
    let run = |arguments: &[&str]| {
        let output = Command::new(env!("CARGO_BIN_EXE_sotto-panel")).args(arguments).current_dir(&folder).output();
        let output = output.expect("started");
        (output.status.code(), String::from_utf8_lossy(&output.stderr).into_owned())
    };
    assert_eq!(run(&["--what"]), (Some(2), "sotto-panel: unknown option --what\n".to_owned()));
    assert_eq!(run(&[]), (Some(2), "sotto-panel: error: --from-ear-fd is needed\n".to_owned()));
    assert!(run(&["--from-ear-fd", "77"]).1.contains("descriptor 77 was not handed down"));
}
