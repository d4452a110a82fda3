//! A `sotto-ear` and the other ends of its pipes.

use std::fs::File;
use std::io::{Read, Write};
use std::os::fd::{AsRawFd, OwnedFd};
use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::Mutex;
use std::time::{Duration, Instant};

use base::TurnId;
use pipe::{EarToLink, EarToPanel, LinkToEar, Message, PanelToEar, Reader, StreamClose, StreamOpen, encode};
use rustix::event::{PollFd, PollFlags, poll};
use rustix::io::{FdFlags, fcntl_setfd};
use rustix::pipe::{PipeFlags, pipe_with};
use rustix::time::Timespec;

/// Nothing here takes longer, on the busiest of machines.
const PATIENCE: Duration = Duration::from_secs(60);

/// Children started at the same time would inherit each other's pipes.
static STARTING: Mutex<()> = Mutex::new(());

/// The ear at work. Ended when it goes.
pub(crate) struct Rig {
    pub(crate) ear: Child,
    pub(crate) mic: Option<File>,
    panel: End<EarToPanel>,
    link: End<EarToLink>,
    to_panel: Option<File>,
    to_link: File,
    is_lockstep: bool,
    events: tempfile::NamedTempFile,
}

/// A stream as link got it.
#[derive(Debug)]
pub(crate) struct Stream {
    pub(crate) open: StreamOpen,
    pub(crate) pcm: Vec<i16>,
    pub(crate) close: StreamClose,
}

struct End<M> {
    file: File,
    reader: Reader<M>,
}

impl<M: Message> End<M> {
    /// The next message, or nothing after so long or at the end.
    fn next(&mut self, patience: Duration) -> Option<M> {
        let deadline = Instant::now() + patience;
        loop {
            if let Some(message) = self.reader.next().expect("well-formed") {
                return Some(message);
            }
            let left = Timespec::try_from(deadline.saturating_duration_since(Instant::now())).expect("short");
            if poll(&mut [PollFd::new(&self.file, PollFlags::IN)], Some(&left)).expect("poll") == 0 {
                return None;
            }
            let mut bytes = [0; 4_096];
            match self.file.read(&mut bytes).expect("readable") {
                0 => return None,
                count => self.reader.push(&bytes[..count]).expect("room"),
            }
        }
    }
}

/// The models, or why the test is skipped.
pub(crate) fn models() -> Option<PathBuf> {
    let cache = std::env::var_os("XDG_CACHE_HOME").map(PathBuf::from);
    let cache = cache.or_else(|| std::env::var_os("HOME").map(|home| PathBuf::from(home).join(".cache")))?;
    let models = std::env::var_os("SOTTO_MODELS").map_or_else(|| cache.join("sotto/models"), PathBuf::from);
    present(models)
}

fn present(path: PathBuf) -> Option<PathBuf> {
    if path.exists() {
        return Some(path);
    }
    #[expect(clippy::print_stderr, reason = "how a test says that it was skipped")]
    {
        eprintln!("SKIPPED: {} is not there", path.display());
    }
    None
}

impl Rig {
    /// Starts the ear with these further options.
    pub(crate) fn start(models: &std::path::Path, options: &[&str]) -> Self {
        let pipe = || pipe_with(PipeFlags::CLOEXEC).expect("a pipe");
        let (pcm, mic) = pipe();
        let ((from_panel, to_panel), (panel, ear_to_panel)) = (pipe(), pipe());
        let ((from_link, to_link), (link, ear_to_link)) = (pipe(), pipe());
        let events = tempfile::NamedTempFile::new().expect("a file");
        let events_end: OwnedFd = events.reopen().expect("a file").into();
        let handed: [(&str, &OwnedFd); 6] = [
            ("--pcm-fd", &pcm),
            ("--from-panel-fd", &from_panel),
            ("--to-panel-fd", &ear_to_panel),
            ("--from-link-fd", &from_link),
            ("--to-link-fd", &ear_to_link),
            ("--events-fd", &events_end),
        ];
        let mut command = Command::new(env!("CARGO_BIN_EXE_sotto-ear"));
        for (name, fd) in handed {
            command.arg(name).arg(fd.as_raw_fd().to_string());
        }
        command.arg("--models").arg(models).args(options).stdin(Stdio::null());
        let starting = STARTING.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        for (_, fd) in handed {
            fcntl_setfd(fd, FdFlags::empty()).expect("inheritable");
        }
        let ear = command.spawn().expect("sotto-ear starts");
        drop((pcm, from_panel, ear_to_panel, from_link, ear_to_link, events_end));
        drop(starting);
        Self {
            ear,
            mic: Some(mic.into()),
            panel: End { file: panel.into(), reader: Reader::new() },
            link: End { file: link.into(), reader: Reader::new() },
            to_panel: Some(to_panel.into()),
            to_link: to_link.into(),
            is_lockstep: options.contains(&"--lockstep"),
            events,
        }
    }

    /// Lets the ear hear this from a thread of its own, in pieces of this length; then the microphone is gone, unless it
    /// is to stay.
    pub(crate) fn play(&mut self, samples: Vec<i16>, piece: usize, stays: bool) {
        let mic = self.mic.take().expect("a microphone");
        let mut writer = mic.try_clone().expect("a microphone");
        if stays {
            self.mic = Some(mic);
        }
        std::thread::spawn(move || {
            for piece in samples.chunks(piece) {
                let bytes: Vec<u8> = piece.iter().flat_map(|sample| sample.to_le_bytes()).collect();
                if writer.write_all(&bytes).is_err() {
                    return;
                }
            }
        });
    }

    pub(crate) fn tell_as_panel(&mut self, message: PanelToEar) {
        tell(self.to_panel.as_mut().expect("a panel"), &message);
    }

    pub(crate) fn tell_as_link(&mut self, message: LinkToEar) {
        tell(&mut self.to_link, &message);
    }

    /// The panel dies.
    pub(crate) fn without_panel(mut self) -> Self {
        self.to_panel = None;
        self
    }

    /// What the panel hears next; nothing once the ear has ended. That the microphone gives samples is passed over.
    pub(crate) fn panel_hears(&mut self) -> Option<EarToPanel> {
        loop {
            match self.panel.next(PATIENCE) {
                Some(EarToPanel::Hears) => {}
                other => return other,
            }
        }
    }

    /// What link hears next, if anything within this time.
    pub(crate) fn link_hears(&mut self, patience: Duration) -> Option<EarToLink> {
        self.link.next(patience)
    }

    /// Waits for a turn to be asked for, and lights up.
    pub(crate) fn light_up(&mut self) -> TurnId {
        let turn = match self.panel_hears() {
            Some(EarToPanel::Ask { turn, .. }) => turn,
            other => panic!("{other:?} instead of a turn; {}", self.events()),
        };
        self.tell_as_panel(PanelToEar::Lit { turn });
        turn
    }

    /// A whole stream, as link would take it: heard as it comes, stopped at this length if there is one. Only an ear in
    /// lockstep waits to be told: another may be past that length before it hears of it.
    pub(crate) fn take_stream(&mut self, stop_at: Option<u64>) -> Stream {
        let Some(EarToLink::Open(open)) = self.link_hears(PATIENCE) else { panic!("no stream; {}", self.events()) };
        let turn = open.turn;
        if let Some(at) = stop_at {
            assert!(self.is_lockstep, "an ear that runs ahead cannot be stopped to the sample");
            self.tell_as_link(LinkToEar::StopCapture { turn, at: base::SampleCount(at) });
        }
        let mut pcm = Vec::new();
        loop {
            match self.link_hears(PATIENCE) {
                Some(EarToLink::Pcm { turn: of, pcm: piece }) => {
                    assert_eq!(of, turn);
                    pcm.extend_from_slice(piece.expose());
                    let through = base::SampleCount(pcm.len() as u64);
                    self.tell_as_link(LinkToEar::Heard { turn, through });
                }
                Some(EarToLink::Close(close)) => {
                    self.tell_as_link(LinkToEar::Drained { turn });
                    self.tell_as_link(LinkToEar::TurnOver { turn });
                    return Stream { open, pcm, close };
                }
                other => panic!("{other:?} within a stream; {}", self.events()),
            }
        }
    }

    /// Waits for the ear to end.
    pub(crate) fn end(&mut self) -> ExitStatus {
        let pid = rustix::process::Pid::from_child(&self.ear);
        let ended = rustix::process::pidfd_open(pid, rustix::process::PidfdFlags::empty()).expect("a process");
        let patience = Timespec::try_from(PATIENCE).expect("short");
        let ready = poll(&mut [PollFd::new(&ended, PollFlags::IN)], Some(&patience)).expect("poll");
        assert_eq!(ready, 1, "the ear does not end; {}", self.events());
        self.ear.wait().expect("ended")
    }

    /// All event lines so far.
    pub(crate) fn events(&self) -> String {
        std::fs::read_to_string(self.events.path()).expect("readable")
    }

    /// Waits for an event line that contains this.
    pub(crate) fn wait_for_event(&self, what: &str) {
        let deadline = Instant::now() + PATIENCE;
        while !self.events().contains(what) {
            assert!(Instant::now() < deadline, "no {what} in {}", self.events());
            std::thread::yield_now();
        }
    }
}

impl Drop for Rig {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.ear.kill();
        let _ = self.ear.wait();
    }
}

fn tell<M: Message>(file: &mut File, message: &M) {
    let mut bytes = Vec::new();
    encode(message, &mut bytes).expect("short");
    // An ear that has just ended hears nothing more; the test will see that.
    let _ = file.write_all(&bytes);
}
