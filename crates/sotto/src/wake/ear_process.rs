//! A `sotto-ear` alone, played to by its pipes: what its process costs, as a device runs it.
//!
//! Nobody lights a light for it and nothing wakes it: its threshold is out of reach. What raises the first stage above its
//! trigger is looked at by the second all the same, twice where it doubts.

use std::fs::File;
use std::io::{BufRead, BufReader, ErrorKind, Write};
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread::JoinHandle;
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, poll};
use rustix::io::{FdFlags, fcntl_setfd, ioctl_fionbio};
use rustix::pipe::{PipeFlags, fcntl_setpipe_size, pipe_with};
use rustix::time::Timespec;

use crate::failure::Failure;
use crate::places::Places;

/// No score reaches it.
const OUT_OF_REACH: &str = "0.999999";
/// What waits in the microphone's pipe at most, in bytes: an eighth of a second, so that a piece is nearly done when it is
/// written.
const PIPE_BYTES: usize = 4_096;
/// The longest that the ear may leave its pipe full: loading the recogniser takes a second.
const PATIENCE: Duration = Duration::from_secs(60);

/// What playing came to.
#[derive(Debug, Default)]
pub(crate) struct EarCost {
    /// The CPU time of each piece, in seconds.
    pub(crate) cpu_s: Vec<f64>,
    /// The process at its largest, in bytes.
    pub(crate) peak_bytes: u64,
    /// Triggers of the first stage that the second was asked about.
    pub(crate) looked_at: usize,
}

/// Plays 16 kHz `pieces` to an ear that listens for `word`, with the first stage alone or both.
pub(crate) fn play(word: &str, is_light: bool, places: &Places, pieces: &[Vec<i16>]) -> Result<EarCost, Failure> {
    let failed = |why: std::io::Error| Failure::no(format!("sotto-ear cannot be played to: {why}"));
    let mut ear = Ear::start(word, is_light, places).map_err(failed)?;
    let mut cost = EarCost::default();
    // What it takes to start is nobody's.
    ear.hear(&vec![0; 16_000]).map_err(failed)?;
    let mut before = ear.cpu_s().map_err(failed)?;
    for piece in pieces {
        ear.hear(piece).map_err(failed)?;
        let now = ear.cpu_s().map_err(failed)?;
        cost.cpu_s.push(now - before);
        before = now;
    }
    cost.peak_bytes = ear.peak_bytes().map_err(failed)?;
    cost.looked_at = ear.end();
    Ok(cost)
}

/// The child and the other ends of its pipes.
struct Ear {
    child: Child,
    microphone: File,
    events: Option<JoinHandle<usize>>,
    /// Panel and link, who say nothing and are there.
    _others: [OwnedFd; 4],
}

impl Ear {
    fn start(word: &str, is_light: bool, places: &Places) -> std::io::Result<Self> {
        let pipe = || pipe_with(PipeFlags::CLOEXEC);
        let (pcm, microphone) = pipe()?;
        let ((from_panel, panel), (hears_ear, to_panel)) = (pipe()?, pipe()?);
        let ((from_link, link), (link_hears, to_link)) = (pipe()?, pipe()?);
        let (events, events_end) = pipe()?;
        let handed: [(&str, &OwnedFd); 6] = [
            ("--pcm-fd", &pcm),
            ("--from-panel-fd", &from_panel),
            ("--to-panel-fd", &to_panel),
            ("--from-link-fd", &from_link),
            ("--to-link-fd", &to_link),
            ("--events-fd", &events_end),
        ];
        let binary = Places::binary("sotto-ear").map_err(|why| std::io::Error::other(why.to_string()))?;
        let mut command = Command::new(binary);
        command.arg("--models").arg(places.models()).args(["--word", word, "--threshold", OUT_OF_REACH]);
        command.args(is_light.then_some("--light")).stdin(Stdio::null()).stdout(Stdio::null());
        for (name, fd) in handed {
            fcntl_setfd(fd, FdFlags::empty())?;
            command.arg(name).arg(fd.as_raw_fd().to_string());
        }
        let child = command.spawn()?;
        fcntl_setpipe_size(&microphone, PIPE_BYTES)?;
        ioctl_fionbio(&microphone, true)?;
        // Counts what the second stage was asked about; ends when the ear does.
        let events = std::thread::spawn(move || {
            let lines = BufReader::new(File::from(events)).lines().map_while(Result::ok);
            lines.filter(|line| line.contains("\"near_miss\"") && line.contains("\"second\"")).count()
        });
        Ok(Self {
            child,
            microphone: File::from(microphone),
            events: Some(events),
            _others: [panel, hears_ear, link, link_hears],
        })
    }

    /// Plays; returns when all but an eighth of a second has been heard.
    fn hear(&mut self, pcm: &[i16]) -> std::io::Result<()> {
        let bytes: Vec<u8> = pcm.iter().flat_map(|sample| sample.to_le_bytes()).collect();
        let patience = Timespec::try_from(PATIENCE).ok();
        let mut rest = &bytes[..];
        while !rest.is_empty() {
            let mut ends = [PollFd::from_borrowed_fd(self.microphone.as_fd(), PollFlags::OUT)];
            if poll(&mut ends, patience.as_ref())? == 0 {
                return Err(ErrorKind::TimedOut.into());
            }
            match self.microphone.write(rest) {
                Ok(count) => rest = &rest[count..],
                Err(why) if matches!(why.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted) => {}
                Err(why) => return Err(why),
            }
        }
        Ok(())
    }

    /// The CPU time of all its threads until now.
    fn cpu_s(&self) -> std::io::Result<f64> {
        let tasks = std::fs::read_dir(format!("/proc/{}/task", self.child.id()))?;
        let nanoseconds = |task: std::io::Result<std::fs::DirEntry>| {
            let text = std::fs::read_to_string(task?.path().join("schedstat"))?;
            Ok(text.split(' ').next().and_then(|first| first.parse::<f64>().ok()).unwrap_or(0.0))
        };
        let all = tasks.map(nanoseconds).collect::<std::io::Result<Vec<f64>>>()?;
        Ok(all.iter().sum::<f64>() / 1e9)
    }

    fn peak_bytes(&self) -> std::io::Result<u64> {
        peak_bytes(self.child.id())
    }

    /// Ends it; how much the second stage was asked about.
    fn end(mut self) -> usize {
        let _ = self.child.kill();
        let _ = self.child.wait();
        self.events.take().and_then(|counter| counter.join().ok()).unwrap_or(0)
    }
}

impl Drop for Ear {
    fn drop(&mut self) {
        // Both fail only where it is gone already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The most memory that a process has had: the kernel's `VmHWM`.
pub(crate) fn peak_bytes(process: u32) -> std::io::Result<u64> {
    let text = std::fs::read_to_string(Path::new("/proc").join(process.to_string()).join("status"))?;
    let kilobytes = text.lines().find_map(|line| line.strip_prefix("VmHWM:")?.trim().strip_suffix(" kB"));
    Ok(kilobytes.and_then(|number| number.parse::<u64>().ok()).unwrap_or(0) * 1_024)
}
