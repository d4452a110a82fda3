//! A real device, run by this program: its five processes, its events, its control line, its microphone.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufRead, BufReader, Write};
use std::os::fd::AsRawFd;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::time::{Duration, Instant};

use serde::Deserialize;

use crate::device_run::HearingArgs;
use crate::failure::Failure;
use crate::places::Places;
use crate::settings::Settings;

/// Events that may wait to be read; the device's processes block on the pipe beyond that.
const EVENTS_MAX: usize = 1_024;
/// How long a device may take to end once its microphone has ended.
const STOP_MAX: Duration = Duration::from_secs(5);

/// One line of what the device tells of itself. Fields that an event does not have are absent.
#[derive(Clone, Debug, Default, Deserialize)]
pub(crate) struct Event {
    /// Its name.
    pub(crate) event: String,
    /// When, on the monotonic clock, in milliseconds.
    #[serde(default)]
    pub(crate) ms: f64,
    /// The turn it belongs to.
    pub(crate) turn: Option<u32>,
    pub(crate) state: Option<String>,
    pub(crate) reason: Option<String>,
    pub(crate) message: Option<String>,
    pub(crate) because: Option<String>,
    pub(crate) process: Option<String>,
    pub(crate) word: Option<String>,
    pub(crate) score: Option<f32>,
    pub(crate) onset: Option<u64>,
    pub(crate) samples: Option<u64>,
    pub(crate) start: Option<u64>,
    pub(crate) end: Option<u64>,
    pub(crate) bytes: Option<u64>,
    pub(crate) transcript: Option<String>,
    pub(crate) intent: Option<String>,
    #[serde(default)]
    pub(crate) slots: BTreeMap<String, serde_json::Value>,
    pub(crate) reply: Option<String>,
    #[serde(default)]
    pub(crate) timings_ms: BTreeMap<String, f64>,
    pub(crate) outcome: Option<String>,
}

/// What to start.
#[derive(Debug)]
pub(crate) struct DeviceSpec<'a> {
    /// The device's own folder: its key, its pinned cloud, its state.
    pub(crate) home: PathBuf,
    /// What it calls itself when it is paired.
    pub(crate) name: String,
    pub(crate) models: &'a Path,
    /// The cloud's device port.
    pub(crate) cloud: std::net::SocketAddr,
    /// `card`, `none` or `file:PATH`.
    pub(crate) speaker: String,
    /// Samples come as fast as they are taken, and the device waits for its cloud.
    pub(crate) fast: bool,
    /// What it listens for.
    pub(crate) hearing: HearingArgs,
}

/// A running device. Dropping it ends it.
pub(crate) struct Device {
    child: Child,
    events: Receiver<Event>,
    control: LinkControl,
}

/// The pipe by which the owner speaks to a device's link: `pair CODE`. It goes with this value.
pub(crate) struct LinkControl {
    path: PathBuf,
    end: File,
}

impl LinkControl {
    /// Makes the pipe in a device's folder.
    pub(crate) fn new(home: &Path) -> Result<Self, Failure> {
        let path = home.join("link.control");
        make_fifo(&path)?;
        // Read and write, so that opening does not wait for the reader, and a line waits for it.
        let end = File::options().read(true).write(true).open(&path);
        Ok(Self { end: end.map_err(|why| Failure::no(format!("{}: {why}", path.display())))?, path })
    }

    /// Where it is.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Says one line.
    pub(crate) fn say(&self, line: &str) -> Result<(), Failure> {
        writeln!(&self.end, "{line}").map_err(|why| Failure::no(format!("the device's control pipe: {why}")))
    }
}

impl Drop for LinkControl {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.path);
    }
}

impl Device {
    /// Starts the processes; answers with the device and the write end of its microphone.
    pub(crate) fn start(spec: &DeviceSpec<'_>) -> Result<(Self, ChildStdin), Failure> {
        let program = Places::binary("sotto-device")?;
        make_private_dir(&spec.home)?;
        let control = LinkControl::new(&spec.home)?;
        let (reader, writer) = rustix::pipe::pipe()
            .map_err(|why| Failure::no(format!("cannot make a pipe for the device's events: {why}")))?;
        rustix::io::fcntl_setfd(&reader, rustix::io::FdFlags::CLOEXEC)
            .map_err(|why| Failure::no(format!("cannot keep the events' pipe to ourselves: {why}")))?;
        let settings = Settings::default()
            .option("--data", &spec.home)
            .option("--models", spec.models)
            .option("--mic", if spec.fast { "stdin,fast" } else { "stdin" })
            .option("--speaker", &spec.speaker)
            .option("--cloud", spec.cloud.to_string())
            .option("--link-control", control.path())
            .option("--name", &spec.name);
        let mut command = Command::new(program);
        command.arg("--events-fd").arg(writer.as_raw_fd().to_string()).stdin(Stdio::piped()).stdout(Stdio::null());
        spec.hearing.put_on(&mut command);
        let _settings = settings.hand_to(&mut command)?;
        let mut child = command.spawn().map_err(|why| Failure::no(format!("cannot start the device: {why}")))?;
        drop(writer);
        let microphone = child.stdin.take().ok_or_else(|| Failure::no("the device has no microphone pipe"))?;
        Ok((Self { child, events: read_events(File::from(reader)), control }, microphone))
    }

    /// Says one line to the device's link, as its owner would in the device's own set-up.
    pub(crate) fn say(&self, line: &str) -> Result<(), Failure> {
        self.control.say(line)
    }

    /// The next event, or a failure where the device has gone or `deadline` has passed (`None`).
    pub(crate) fn next_event(&self, deadline: Instant) -> Result<Option<Event>, Failure> {
        match self.events.recv_timeout(deadline.saturating_duration_since(Instant::now())) {
            Ok(event) => Ok(Some(event)),
            Err(RecvTimeoutError::Timeout) => Ok(None),
            Err(RecvTimeoutError::Disconnected) => Err(Failure::no("the device has ended before its time")),
        }
    }

    /// Waits for the device to end by itself (its microphone has ended), and ends it where it does not.
    pub(crate) fn stop(self) {
        let deadline = Instant::now() + STOP_MAX;
        while let Ok(Some(_)) = self.next_event(deadline) {}
    }
}

impl Drop for Device {
    fn drop(&mut self) {
        if matches!(self.child.try_wait(), Ok(None)) {
            let _ = rustix::process::kill_process(
                rustix::process::Pid::from_child(&self.child),
                rustix::process::Signal::TERM,
            );
            // The events' pipe closes when the last of the processes has gone.
            let deadline = Instant::now() + STOP_MAX;
            while let Ok(Some(_)) = self.next_event(deadline) {}
            let _ = self.child.kill();
        }
        let _ = self.child.wait();
    }
}

fn read_events(pipe: File) -> Receiver<Event> {
    let (sender, events) = mpsc::sync_channel(EVENTS_MAX);
    std::thread::spawn(move || {
        for line in BufReader::new(pipe).lines() {
            let Ok(line) = line else { return };
            // A line we do not know is a newer device's: not ours to judge.
            let Ok(event) = serde_json::from_str::<Event>(&line) else { continue };
            if sender.send(event).is_err() {
                return;
            }
        }
    });
    events
}

pub(crate) fn make_private_dir(dir: &Path) -> Result<(), Failure> {
    use std::os::unix::fs::DirBuilderExt;
    std::fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(dir)
        .map_err(|why| Failure::no(format!("{}: {why}", dir.display())))
}

fn make_fifo(path: &Path) -> Result<(), Failure> {
    let _ = std::fs::remove_file(path);
    rustix::fs::mknodat(
        rustix::fs::CWD,
        path,
        rustix::fs::FileType::Fifo,
        rustix::fs::Mode::RUSR | rustix::fs::Mode::WUSR,
        0,
    )
    .map_err(|why| Failure::no(format!("{}: {why}", path.display())))
}
