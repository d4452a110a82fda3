//! What each process gives up for good, before it touches its first sample, key or frame (invariant I4).
//!
//! Two layers: a seccomp filter says which system calls there are, Landlock says which files and addresses they reach.
//! A kernel that lacks one of them is no reason to stop, and every reason to say so: see [`Sandboxed::announce`].
//!
//! | process | system calls | files | network |
//! |---|---|---|---|
//! | ear | those of [`calls::CORE`]: no open, no socket, no new process; writing in its open journal | none | none |
//! | panel | the same, and what a terminal and one open file take | none | none |
//! | mic, file or pipe | the same, and seeking in what is open | none | none |
//! | mic, card | all but [`calls::NEVER`]; sockets of the machine alone | system read-only, capture nodes | none |
//! | link | all but [`calls::NEVER`] | system read-only, its data, playback nodes | yes |
//!
//! A sandbox holds for the thread that asks and for those it starts later: ask before starting any.

pub mod calls;
mod paths;

use std::path::{Path, PathBuf};

use landlock::{
    ABI, Access, AccessFs, AccessNet, Ruleset, RulesetAttr, RulesetCreatedAttr, RulesetError, RulesetStatus, Scope,
    path_beneath_rules,
};

use crate::Events;

/// The Landlock version whose rights are handled: files, devices, TCP, signals and abstract sockets (Linux 6.12).
const LANDLOCK: ABI = ABI::V6;

/// What a sandbox came to.
#[derive(Debug, Default)]
#[must_use = "whoever runs the device must hear what is missing"]
pub struct Sandboxed {
    missing: Vec<String>,
}

impl Sandboxed {
    /// What this kernel could not do, in words; empty where both layers hold.
    #[must_use]
    pub fn missing(&self) -> &[String] {
        &self.missing
    }

    /// Says what is missing, if anything is.
    pub fn announce(&self, events: &mut Events) {
        for missing in &self.missing {
            events.warning(missing);
        }
    }

    fn note(&mut self, outcome: Result<(), String>) {
        self.missing.extend(outcome.err());
    }
}

/// What a network process may reach.
#[derive(Debug, Default)]
struct Reach {
    read: Vec<PathBuf>,
    write: Vec<PathBuf>,
    has_network: bool,
}

/// The ear: computes, and reads and writes what is already open.
pub fn ear() -> Sandboxed {
    let calls = [calls::CORE, calls::JOURNAL].concat();
    confine(calls::only(&calls, calls::Threads::Allowed), Reach::default())
}

/// The panel: the same, and the terminal and state file that are already open.
pub fn panel() -> Sandboxed {
    let calls = [calls::CORE, calls::OPEN_FILE, calls::TERMINAL].concat();
    confine(calls::only(&calls, calls::Threads::None), Reach::default())
}

/// The microphone's process playing a file or a pipe that is already open.
pub fn mic_file() -> Sandboxed {
    let calls = [calls::CORE, calls::OPEN_FILE].concat();
    confine(calls::only(&calls, calls::Threads::None), Reach::default())
}

/// The microphone's process on a sound card, or on a sound server of this machine.
pub fn mic_card() -> Sandboxed {
    let write = [paths::sound_nodes(paths::Direction::Capture), paths::sound_server()].concat();
    confine(calls::all_but_never(calls::Sockets::Local), Reach { read: paths::system(), write, has_network: false })
}

/// Link: the network, the loudspeaker, and its own data.
pub fn link(access: &LinkAccess<'_>) -> Sandboxed {
    let mut write = [paths::sound_nodes(paths::Direction::Playback), paths::sound_server()].concat();
    write.push(access.data.to_path_buf());
    write.extend(access.replies.map(Path::to_path_buf));
    confine(calls::all_but_never(calls::Sockets::Any), Reach { read: paths::system(), write, has_network: true })
}

/// What link alone may reach beyond the system's own files. All else (the control pipe) is opened before.
#[derive(Clone, Copy, Debug)]
pub struct LinkAccess<'a> {
    /// Where its keys are.
    pub data: &'a Path,
    /// Where replies are put, if files stand for a loudspeaker.
    pub replies: Option<&'a Path>,
}

fn confine(filter: Result<Vec<calls::Program>, String>, reach: Reach) -> Sandboxed {
    let mut sandboxed = Sandboxed::default();
    // Landlock first: its own calls are not among those that the filter leaves.
    sandboxed.note(landlock(&reach));
    sandboxed.note(filter.and_then(|programs| calls::install(&programs)));
    sandboxed
}

fn landlock(reach: &Reach) -> Result<(), String> {
    match restrict(reach) {
        Ok(RulesetStatus::FullyEnforced) => Ok(()),
        Ok(RulesetStatus::PartiallyEnforced) => {
            Err("this kernel knows only a part of Landlock; the sandbox is thinner than it should be".to_owned())
        }
        Ok(RulesetStatus::NotEnforced) => Err("this kernel has no Landlock; files are not walled off".to_owned()),
        Err(error) => Err(format!("Landlock failed ({error}); files are not walled off")),
    }
}

fn restrict(reach: &Reach) -> Result<RulesetStatus, RulesetError> {
    let mut ruleset =
        Ruleset::default().handle_access(AccessFs::from_all(LANDLOCK))?.scope(Scope::from_all(LANDLOCK))?;
    if !reach.has_network {
        ruleset = ruleset.handle_access(AccessNet::from_all(LANDLOCK))?;
    }
    let status = ruleset
        .create()?
        .add_rules(path_beneath_rules(&reach.read, AccessFs::from_read(LANDLOCK)))?
        .add_rules(path_beneath_rules(&reach.write, AccessFs::from_all(LANDLOCK)))?
        .restrict_self()?;
    Ok(status.ruleset)
}
