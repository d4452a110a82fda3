//! What each process gives up for good, before it touches its first sample, key or frame (invariant I4).
//!
//! Four layers. Its rights: all capabilities go, and whoever was started as root becomes somebody else ([`user`]). Its
//! memory: no core dump holds it, and no other program looks into it. Landlock says which files and addresses system calls
//! reach ([`files`]), a seccomp filter which calls there are ([`calls`]). What a kernel lacks is no reason to stop, and
//! every reason to say so: see [`Sandboxed::announce`].
//!
//! | process | system calls | files | network |
//! |---|---|---|---|
//! | ear | those of [`calls::CORE`]: no open, no socket, no new process; writing in its open journal | none | none |
//! | panel | the same, and what a terminal's modes and one open file take | none | none |
//! | mic, file or pipe | the same, and seeking in what is open | none | none |
//! | mic, card | all but [`calls::NEVER`]; sockets of the machine alone | system read-only, capture nodes | none |
//! | link | all but [`calls::NEVER`]; the internet's sockets, the machine's own only where it is told | system read-only, its data, playback nodes | yes |
//!
//! A sandbox holds for the thread that asks and for those it starts later: ask before starting any.

pub mod calls;
mod files;
mod paths;
mod user;

use std::path::{Path, PathBuf};

use rustix::process::{DumpableBehavior, Resource, Rlimit, set_dumpable_behavior, setrlimit, setsid};

use crate::Events;

/// What a sandbox came to.
#[derive(Debug, Default)]
#[must_use = "whoever runs the device must hear what is missing"]
pub struct Sandboxed {
    missing: Vec<String>,
}

impl Sandboxed {
    /// What this kernel could not do, in words; empty where all layers hold.
    #[must_use]
    pub fn missing(&self) -> &[String] {
        &self.missing
    }

    /// Says what is missing, if anything is: as an event and at the terminal.
    pub fn announce(&self, events: &mut Events) {
        for missing in &self.missing {
            events.loud_warning(missing);
        }
    }

    fn note(&mut self, outcome: Result<(), String>) {
        self.missing.extend(outcome.err());
    }
}

/// What a process may still reach once it is behind its walls.
#[derive(Debug, Default)]
struct Reach {
    /// Files and folders to read.
    read: Vec<PathBuf>,
    /// Folders to write in.
    write: Vec<PathBuf>,
    /// The nodes of sound cards.
    nodes: Vec<PathBuf>,
    /// What is opened later and lets nobody in but its owner; what is not there does not count.
    owners: Vec<PathBuf>,
    /// The folder that is the process's own.
    data: Option<PathBuf>,
    has_network: bool,
    has_local_sockets: bool,
}

/// Leaves the terminal that the device was started from: a session of its own has none. To be called first of all.
///
/// Where the process leads a group already (somebody started it by hand), it stays where it is.
pub fn leave_terminal() {
    let _ = setsid();
}

/// The ear: computes, and reads and writes what is already open.
pub fn ear() -> Sandboxed {
    let calls = [calls::CORE, calls::JOURNAL].concat();
    confine(user::EAR, calls::only(&calls, calls::Threads::Allowed, &[]), Reach::default())
}

/// The panel: the same, and the terminal and state file that are already open.
pub fn panel() -> Sandboxed {
    let calls = [calls::CORE, calls::OPEN_FILE].concat();
    confine(user::PANEL, calls::only(&calls, calls::Threads::None, calls::TERMINAL_MODES), Reach::default())
}

/// The microphone's process playing a file or a pipe that is already open.
pub fn mic_file() -> Sandboxed {
    let calls = [calls::CORE, calls::OPEN_FILE].concat();
    confine(user::MIC, calls::only(&calls, calls::Threads::None, &[]), Reach::default())
}

/// The microphone's process on a sound card, or on a sound server of this machine.
pub fn mic_card() -> Sandboxed {
    let filter = calls::all_but_never(&[libc::AF_UNIX]);
    let reach = Reach { has_local_sockets: true, ..Reach::to_sound(paths::Direction::Capture) };
    confine(user::MIC, filter, reach)
}

/// Link: the network, the loudspeaker, and its own data.
pub fn link(access: &LinkAccess<'_>) -> Sandboxed {
    let mut reach = if access.has_card { Reach::to_sound(paths::Direction::Playback) } else { Reach::to_system() };
    reach.has_network = true;
    reach.has_local_sockets = access.has_card || access.needs_local_names;
    reach.data = Some(access.data.to_path_buf());
    reach.write.push(access.data.to_path_buf());
    reach.write.extend(access.replies.map(Path::to_path_buf));
    reach.owners.extend(access.replies.filter(|folder| !paths::is_everybodys(folder)).map(Path::to_path_buf));
    let mut sockets = vec![libc::AF_INET, libc::AF_INET6, libc::AF_NETLINK];
    sockets.extend(reach.has_local_sockets.then_some(libc::AF_UNIX));
    confine(user::LINK, calls::all_but_never(&sockets), reach)
}

/// What link alone may reach beyond the system's own files. All else (the control pipe) is opened before.
#[derive(Clone, Copy, Debug)]
pub struct LinkAccess<'a> {
    /// Where its keys are.
    pub data: &'a Path,
    /// Where replies are put, if files stand for a loudspeaker.
    pub replies: Option<&'a Path>,
    /// Whether the loudspeaker is a sound card, or a server of this machine that stands for one.
    pub has_card: bool,
    /// Whether the cloud's name is one that a program of this machine resolves (`….local`).
    pub needs_local_names: bool,
}

impl Reach {
    fn to_system() -> Self {
        Self { read: paths::system(), write: vec![PathBuf::from("/dev/null")], ..Self::default() }
    }

    fn to_sound(direction: paths::Direction) -> Self {
        let mut nodes = paths::sound_nodes(direction);
        let owners = [paths::sound_setup(), paths::owners_alone(&nodes)].concat();
        nodes.push(PathBuf::from("/dev/null"));
        Self { read: paths::system(), write: paths::sound_server(), nodes, owners, ..Self::default() }
    }
}

fn confine(id: u32, filter: Result<Vec<calls::Program>, String>, reach: Reach) -> Sandboxed {
    let mut sandboxed = Sandboxed::default();
    let user = user::choose(id, &reach);
    if let Some(user) = &user {
        sandboxed.note(user.take_over(reach.data.as_deref()));
    }
    // Landlock opens what it leaves in reach, and its own calls are not among those that the filter leaves.
    files::restrict(&reach).into_iter().for_each(|gap| sandboxed.note(Err(gap)));
    sandboxed.note(user::drop_rights(user.as_ref()));
    // Last of what takes other calls, as a change of user would undo it.
    sandboxed.note(keep_memory_private());
    sandboxed.note(filter.and_then(|programs| calls::install(&programs)));
    sandboxed
}

/// No core dump, whoever asks for one, and nobody's debugger. It also shuts `/proc/self/fd`: what was handed down must have
/// been taken over before.
///
/// # Errors
/// A line that says what may happen now.
pub fn keep_memory_private() -> Result<(), String> {
    let none = Rlimit { current: Some(0), maximum: Some(0) };
    setrlimit(Resource::Core, none)
        .and_then(|()| set_dumpable_behavior(DumpableBehavior::NotDumpable))
        .map_err(|error| format!("a core dump may hold this process's memory ({error})"))
}
