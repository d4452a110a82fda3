//! The engines, each a process of its own: its wakes, its CPU time and its memory.

use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use learn::wake::scores::Tier;

use super::streams::Streams;
use crate::failure::Failure;
use crate::places::Places;
use crate::wake::ear_process::peak_bytes;

/// What `peers.py` ends with where there is no such package.
const NOT_THERE: i32 = 3;
const PEERS: &str = include_str!("peers.py");

/// An engine.
#[derive(Clone, Copy, Debug)]
pub(super) enum Engine {
    /// Ours, the first stage alone: the light tier, and what listens all the time.
    FirstStage,
    /// Ours with the recogniser behind it.
    BothStages,
    /// microWakeWord.
    Micro,
    /// openWakeWord.
    Open,
}

/// What an engine heard.
#[derive(Debug, Default)]
pub(super) struct Heard {
    /// For each stream, when it woke, in seconds.
    pub(super) wakes: Vec<Vec<f64>>,
    /// For each stream, what it took.
    pub(super) cpu_s: Vec<f64>,
    /// The process at its largest.
    pub(super) memory_bytes: u64,
}

impl Engine {
    /// All of them, ours first.
    pub(super) const ALL: [Self; 4] = [Self::FirstStage, Self::BothStages, Self::Micro, Self::Open];

    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::FirstStage => "sotto, first stage",
            Self::BothStages => "sotto, both stages",
            Self::Micro => "pymicro-wakeword",
            Self::Open => "pyopen-wakeword",
        }
    }

    /// Whether it is somebody else's.
    pub(super) const fn is_peer(self) -> bool {
        matches!(self, Self::Micro | Self::Open)
    }

    /// Ours, as the scores out of fold call it.
    pub(super) const fn tier(self) -> Option<Tier> {
        match self {
            Self::FirstStage => Some(Tier::Light),
            Self::BothStages => Some(Tier::Both),
            Self::Micro | Self::Open => None,
        }
    }

    /// Plays the streams to it; none where it is not installed.
    pub(super) fn listen(
        self,
        word: &str,
        python: &Path,
        places: &Places,
        streams: &Streams,
    ) -> Result<Option<Heard>, Failure> {
        let failed = |what: &str, why: std::io::Error| Failure::no(format!("{}: {what}: {why}", self.name()));
        let mut command = match self {
            Self::FirstStage | Self::BothStages => {
                let stage = if matches!(self, Self::FirstStage) { "1" } else { "2" };
                let own = std::env::current_exe().map_err(|why| failed("its own program", why))?;
                let mut command = Command::new(own);
                command.args(["wake", "detect", "--stage", stage, "--json", "--word", word]).args(streams.paths());
                command.env("SOTTO_MODELS", places.models());
                command
            }
            Self::Micro | Self::Open => {
                let mut command = Command::new(python);
                command.args(["-c", PEERS, self.name(), word]);
                command
            }
        };
        let child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::inherit()).spawn();
        let mut child = match child {
            Err(why) if why.kind() == std::io::ErrorKind::NotFound && self.is_peer() => {
                return Ok(None);
            }
            child => child.map_err(|why| failed("cannot be started", why))?,
        };
        if let Some(mut stdin) = child.stdin.take().filter(|_| self.is_peer()) {
            // A peer that is not installed reads nothing; one that is reads all before it says anything.
            let _ = streams.paths().try_for_each(|path| writeln!(stdin, "{}", path.display()));
        }
        let (lines, memory_bytes) = follow(&mut child).map_err(|why| failed("cannot be read", why))?;
        let code = child.wait().map_err(|why| failed("cannot be waited for", why))?.code();
        match code {
            Some(0) => read(&lines, memory_bytes)
                .ok_or_else(|| Failure::no(format!("{}: strange words", self.name())))
                .map(Some),
            Some(NOT_THERE) => Ok(None),
            _ => Err(Failure::no(format!("{}: it failed", self.name()))),
        }
    }
}

/// Reads to the end what it says, a line a stream; and after each, the most memory it has had.
fn follow(child: &mut Child) -> std::io::Result<(Vec<String>, u64)> {
    let (mut lines, mut most) = (Vec::new(), 0);
    let Some(stdout) = child.stdout.take() else { return Ok((lines, most)) };
    for line in BufReader::new(stdout).lines() {
        lines.push(line?);
        // It may be gone after its last line.
        most = peak_bytes(child.id()).unwrap_or(0).max(most);
    }
    Ok((lines, most))
}

fn read(lines: &[String], memory_bytes: u64) -> Option<Heard> {
    let mut heard = Heard { memory_bytes, ..Heard::default() };
    for line in lines {
        let object: serde_json::Value = serde_json::from_str(line).ok()?;
        heard.cpu_s.push(object["cpu_s"].as_f64()?);
        let wakes = object["detections"].as_array()?.iter().map(|wake| wake["at_s"].as_f64());
        heard.wakes.push(wakes.collect::<Option<_>>()?);
    }
    Some(heard)
}
