//! The real `sotto-link`, with this test in the place of the launcher, the ear and whoever watches the events.

use std::fs::{File, OpenOptions};
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::os::fd::{AsRawFd as _, OwnedFd};
use std::os::unix::fs::FileExt as _;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::Mutex;
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use base::{SampleCount, SampleIndex, TurnId};
use pipe::{Cause, CloseReason, EarToLink, LinkToEar, Reader, StreamClose, StreamOpen, WordName, encode};
use rustix::io::{FdFlags, fcntl_setfd};
use serde_json::Value;

/// Everything that is waited for here comes within this, or the test fails.
pub(crate) const WITHIN: Duration = Duration::from_secs(25);

/// Descriptors are inheritable only while nobody else starts a process.
static SPAWNING: Mutex<()> = Mutex::new(());

pub(crate) struct Device {
    child: Child,
    gate: File,
    told: Receiver<LinkToEar>,
    events: Receiver<Value>,
    control: File,
    folder: tempfile::TempDir,
}

impl Device {
    /// Starts a device that was never paired.
    pub(crate) fn start(cloud: &str) -> Self {
        Self::start_in(tempfile::tempdir().expect("a folder"), cloud)
    }

    /// Ends this one and starts it again on the same data.
    pub(crate) fn restart(mut self, cloud: &str) -> Self {
        self.end();
        let folder = std::mem::replace(&mut self.folder, tempfile::tempdir().expect("a folder"));
        Self::start_in(folder, cloud)
    }

    fn start_in(folder: tempfile::TempDir, cloud: &str) -> Self {
        let control = folder.path().join("control");
        let mode = rustix::fs::Mode::RUSR | rustix::fs::Mode::WUSR;
        if !control.exists() {
            rustix::fs::mkfifoat(rustix::fs::CWD, &control, mode).expect("a FIFO");
        }
        let [(gate_out, gate), (ear_out, ear_in), (events_out, events_in)] = [pipe(), pipe(), pipe()];
        let child = {
            let _alone = SPAWNING.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
            let handed_down = [&gate_out, &ear_in, &events_in];
            handed_down.iter().for_each(|fd| fcntl_setfd(fd, FdFlags::empty()).expect("a flag"));
            Command::new(env!("CARGO_BIN_EXE_sotto-link"))
                .args(["--cloud", cloud, "--lockstep", "--name", "test bench"])
                .args(["--gate-fd", &gate_out.as_raw_fd().to_string(), "--ear-fd", &ear_in.as_raw_fd().to_string()])
                .args(["--events-fd", &events_in.as_raw_fd().to_string()])
                .arg("--data")
                .arg(folder.path().join("data"))
                .arg("--control")
                .arg(&control)
                .arg("--speaker")
                .arg(format!("file:{}", folder.path().join("reply.wav").display()))
                .stdin(Stdio::null())
                .spawn()
                .expect("sotto-link")
        };
        drop((gate_out, ear_in, events_in));
        let control = OpenOptions::new().write(true).read(true).open(control).expect("the FIFO");
        Self { child, gate: gate.into(), told: messages(ear_out), events: lines(events_out), control, folder }
    }

    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(crate) fn control(&mut self, line: &str) {
        writeln!(self.control, "{line}").expect("written");
    }

    /// The next event of this kind; what comes before it is passed over.
    pub(crate) fn event(&self, name: &str) -> Value {
        loop {
            let event = self.events.recv_timeout(WITHIN).unwrap_or_else(|_| panic!("no event {name:?}"));
            if event["event"] == name {
                return event;
            }
        }
    }

    /// Waits until the link is in this state.
    pub(crate) fn link(&self, state: &str) -> Value {
        loop {
            let event = self.event("link");
            if event["state"] == state {
                return event;
            }
        }
    }

    pub(crate) fn tell(&mut self, message: &EarToLink) {
        let mut bytes = Vec::new();
        encode(message, &mut bytes).expect("fits");
        self.gate.write_all(&bytes).expect("link reads");
    }

    pub(crate) fn open(&mut self, turn: u32) {
        let cause = Cause::Wake { word: WordName::new("alexa").expect("a word"), score: 0.9 };
        let open = StreamOpen { turn: TurnId(turn), cause, start: SampleIndex(1_000), onset: SampleIndex(9_000) };
        self.tell(&EarToLink::Open(open));
    }

    pub(crate) fn pcm(&mut self, turn: u32, chunks: usize) {
        for _ in 0..chunks {
            self.tell(&EarToLink::Pcm { turn: TurnId(turn), pcm: vec![7; 1_280].into() });
        }
    }

    pub(crate) fn close(&mut self, turn: u32, chunks: u64) {
        self.close_because(turn, chunks, CloseReason::StopCapture);
    }

    pub(crate) fn close_because(&mut self, turn: u32, chunks: u64, reason: CloseReason) {
        let total = SampleCount(chunks * 1_280);
        self.tell(&EarToLink::Close(StreamClose {
            turn: TurnId(turn),
            end: SampleIndex(1_000) + total,
            samples_total: total,
            reason,
        }));
    }

    /// The next thing link tells the ear, Heard, Settings and Standing excepted.
    pub(crate) fn told(&self) -> LinkToEar {
        loop {
            match self.told.recv_timeout(WITHIN).expect("link tells the ear something") {
                LinkToEar::Heard { .. } | LinkToEar::Settings { .. } | LinkToEar::Standing(_) => {}
                other => return other,
            }
        }
    }

    /// Waits for all of these, in order.
    pub(crate) fn expect_told(&self, want: &[LinkToEar]) {
        for want in want {
            assert_eq!(self.told(), *want);
        }
    }

    /// A whole turn to a cloud that wants ten chunks, told as the ear would; returns its outcome.
    pub(crate) fn ask(&mut self, turn: u32) -> Value {
        let id = TurnId(turn);
        self.open(turn);
        self.pcm(turn, 10);
        assert!(matches!(self.told(), LinkToEar::StopCapture { turn, .. } if turn == id));
        self.close(turn, 10);
        self.expect_told(&[LinkToEar::Drained { turn: id }, LinkToEar::TurnOver { turn: id }]);
        self.event("turn")
    }

    /// A turn that finds no cloud: the ear is told to stop at once, and an excuse is spoken.
    pub(crate) fn ask_in_vain(&mut self, turn: u32) -> Value {
        let id = TurnId(turn);
        self.open(turn);
        assert_eq!(self.told(), LinkToEar::StopCapture { turn: id, at: SampleCount(0) });
        self.pcm(turn, 2);
        self.close(turn, 2);
        self.expect_told(&[LinkToEar::Drained { turn: id }, LinkToEar::TurnOver { turn: id }]);
        self.event("turn")
    }

    /// Where in link's memory these bytes stand.
    pub(crate) fn memory_holding(&self, needle: &[u8]) -> std::io::Result<Vec<String>> {
        let maps = std::fs::read_to_string(format!("/proc/{}/maps", self.pid()))?;
        let memory = File::open(format!("/proc/{}/mem", self.pid()))?;
        let mut places = Vec::new();
        for line in maps.lines().filter(|line| line.contains(" rw")) {
            let (from, to) = line.split(' ').next().and_then(|range| range.split_once('-')).expect("a range");
            let [from, to] = [from, to].map(|end| u64::from_str_radix(end, 16).expect("hexadecimal"));
            let mut bytes = vec![0; usize::try_from(to - from).expect("small")];
            // A region may have gone since.
            let Ok(length) = memory.read_at(&mut bytes, from) else { continue };
            let found = bytes[..length].windows(needle.len()).enumerate().filter(|(_, window)| *window == needle);
            places.extend(found.map(|(at, _)| format!("{line} at {at}")));
        }
        Ok(places)
    }

    /// Ends it as the launcher would if the ear died: its gate closes. Returns the exit code.
    pub(crate) fn end(&mut self) -> Option<i32> {
        self.gate = File::open("/dev/null").expect("there");
        let status = self.child.wait().expect("it ends");
        status.code()
    }
}

impl Drop for Device {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn pipe() -> (OwnedFd, OwnedFd) {
    rustix::pipe::pipe_with(rustix::pipe::PipeFlags::CLOEXEC).expect("a pipe")
}

fn messages(end: OwnedFd) -> Receiver<LinkToEar> {
    let (sender, receiver) = channel();
    std::thread::spawn(move || {
        let (mut file, mut reader, mut bytes) = (File::from(end), Reader::new(), [0; 4_096]);
        while let Ok(length @ 1..) = file.read(&mut bytes) {
            reader.push(&bytes[..length]).expect("room");
            while let Some(message) = reader.next().expect("a message") {
                if sender.send(message).is_err() {
                    return;
                }
            }
        }
    });
    receiver
}

fn lines(end: OwnedFd) -> Receiver<Value> {
    let (sender, receiver) = channel();
    std::thread::spawn(move || {
        for line in BufReader::new(File::from(end)).lines().map_while(Result::ok) {
            let event = serde_json::from_str(&line).expect("an event is JSON");
            if sender.send(event).is_err() {
                return;
            }
        }
    });
    receiver
}
