//! The files that a sandbox leaves in reach.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

/// Modes by which anybody, or a node's group, may read and write.
const EVERYBODY: u32 = 0o006;
const GROUP: u32 = 0o060;

/// Which way a sound card's node carries sound.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Direction {
    /// From a microphone.
    Capture,
    /// To a loudspeaker.
    Playback,
}

/// What libraries, name resolution and sound configuration are read from.
pub(super) fn system() -> Vec<PathBuf> {
    // Of /run, what resolves names; the pipes of buttons and controls may lie elsewhere in it.
    let fixed = [
        "/usr",
        "/lib",
        "/lib64",
        "/etc",
        "/proc",
        "/sys",
        "/run/systemd",
        "/run/dbus",
        "/run/nscd",
        "/run/resolvconf",
        "/run/NetworkManager",
        "/var/lib/dbus",
        "/dev/urandom",
        "/dev/random",
    ];
    let mut paths: Vec<PathBuf> = fixed.iter().map(PathBuf::from).collect();
    if let Some(home) = std::env::var_os("HOME").map(PathBuf::from).filter(|home| home.is_absolute()) {
        paths.extend([".asoundrc", ".config/alsa", ".config/pulse", ".config/pipewire"].map(|name| home.join(name)));
    }
    paths.extend(from_environment("ALSA_CONFIG_PATH"));
    paths
}

/// Where a sound server is spoken to: its socket's folder, the memory it shares, its cookie.
pub(super) fn sound_server() -> Vec<PathBuf> {
    let mut paths = vec![PathBuf::from("/dev/shm")];
    paths.extend(from_environment("XDG_RUNTIME_DIR").map(|folder| folder.join("pulse")));
    paths.extend(from_environment("PULSE_RUNTIME_PATH"));
    if let Some(home) = std::env::var_os("HOME").map(PathBuf::from).filter(|home| home.is_absolute()) {
        paths.push(home.join(".config/pulse"));
    }
    paths
}

/// A sound server's socket, and a person's own sound configuration: what is there lets in whom its owner lets in.
pub(super) fn sound_setup() -> Vec<PathBuf> {
    let server = std::env::var("PULSE_SERVER").ok();
    let server = server.map(|server| PathBuf::from(server.strip_prefix("unix:").unwrap_or(&server)));
    let mut paths: Vec<PathBuf> = server.filter(|path| path.is_absolute()).into_iter().collect();
    paths.extend(from_environment("PULSE_RUNTIME_PATH").map(|folder| folder.join("native")));
    for name in ["pulse/native", "pipewire-0"] {
        paths.extend(from_environment("XDG_RUNTIME_DIR").map(|folder| folder.join(name)));
    }
    paths.extend(from_environment("ALSA_CONFIG_PATH"));
    paths.extend(from_environment("HOME").map(|home| home.join(".asoundrc")));
    paths
}

/// Those nodes that neither a group of theirs nor anybody else may open.
pub(super) fn owners_alone(nodes: &[PathBuf]) -> Vec<PathBuf> {
    let is_shut = |path: &&PathBuf| {
        let Ok(node) = fs::metadata(path) else { return false };
        let is_open = |bits: u32| node.mode() & bits == bits;
        !(is_open(EVERYBODY) || is_open(GROUP) && node.gid() != 0)
    };
    nodes.iter().filter(is_shut).cloned().collect()
}

/// Whether anybody may write in this folder.
pub(super) fn is_everybodys(folder: &Path) -> bool {
    fs::metadata(folder).is_ok_and(|folder| folder.mode() & 0o002 != 0)
}

/// The nodes of all sound cards for one direction, and their mixers.
pub(super) fn sound_nodes(direction: Direction) -> Vec<PathBuf> {
    let Ok(nodes) = fs::read_dir("/dev/snd") else { return Vec::new() };
    nodes.flatten().map(|node| node.path()).filter(|path| is_for(path, direction)).collect()
}

fn is_for(node: &Path, direction: Direction) -> bool {
    let Some(name) = node.file_name().and_then(|name| name.to_str()) else { return false };
    let suffix = match direction {
        Direction::Capture => 'c',
        Direction::Playback => 'p',
    };
    name.starts_with("controlC") || name == "timer" || name.starts_with("pcmC") && name.ends_with(suffix)
}

fn from_environment(name: &str) -> Option<PathBuf> {
    std::env::var_os(name).map(PathBuf::from).filter(|path| path.is_absolute())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn i4_link_gets_no_capture_node() {
        let node = |name: &str, direction| is_for(&Path::new("/dev/snd").join(name), direction);
        assert!(node("pcmC0D0p", Direction::Playback) && !node("pcmC0D0c", Direction::Playback));
        assert!(node("pcmC0D0c", Direction::Capture) && !node("pcmC0D0p", Direction::Capture));
        assert!(node("controlC1", Direction::Playback) && node("timer", Direction::Capture));
        assert!(!node("seq", Direction::Playback) && !node("hwC0D0", Direction::Capture));
    }
}
