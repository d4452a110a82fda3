//! The files that a sandbox leaves in reach.

use std::fs;
use std::path::{Path, PathBuf};

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
    let mut paths = vec![PathBuf::from("/dev/shm"), PathBuf::from("/dev/null")];
    paths.extend(from_environment("XDG_RUNTIME_DIR").map(|folder| folder.join("pulse")));
    paths.extend(from_environment("PULSE_RUNTIME_PATH"));
    if let Some(home) = std::env::var_os("HOME").map(PathBuf::from).filter(|home| home.is_absolute()) {
        paths.push(home.join(".config/pulse"));
    }
    paths
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
