//! Whether the microphones are on, kept over restarts (invariant I3).

use std::fs::{File, OpenOptions};
use std::io::Read;
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::path::Path;

use crate::error::PanelStop;

/// What the file holds: as long in both states, so that it is overwritten in place.
const ON: &[u8; 4] = b"on \n";
const OFF: &[u8; 4] = b"off\n";

/// The state's file: opened before the sandbox, readable by its owner alone.
#[derive(Debug)]
pub(crate) struct StateFile {
    file: File,
    path: String,
    are_mics_on: bool,
}

impl StateFile {
    /// Opens it, or makes it with the microphones on. What cannot be understood counts as off: the safe side.
    pub(crate) fn open(path: &Path) -> Result<Self, PanelStop> {
        let name = path.display().to_string();
        let fail = |source| PanelStop::File { path: name.clone(), source };
        let options = OpenOptions::new().read(true).write(true).create(true).truncate(false).mode(0o600).to_owned();
        let mut file = options.open(path).map_err(fail)?;
        let mut bytes = Vec::with_capacity(ON.len() + 1);
        Read::by_ref(&mut file).take(ON.len() as u64 + 1).read_to_end(&mut bytes).map_err(fail)?;
        let are_mics_on = bytes.is_empty() || bytes == ON;
        Ok(Self { file, path: name, are_mics_on })
    }

    pub(crate) const fn are_mics_on(&self) -> bool {
        self.are_mics_on
    }

    /// Keeps the state; it is on the disk when this returns.
    pub(crate) fn set(&mut self, are_mics_on: bool) -> Result<(), PanelStop> {
        let fail = |source| PanelStop::File { path: self.path.clone(), source };
        self.file.write_all_at(if are_mics_on { ON } else { OFF }, 0).map_err(fail)?;
        self.file.sync_data().map_err(fail)?;
        self.are_mics_on = are_mics_on;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn i3_microphones_off_survives_and_damage_means_off() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("panel.state");
        let mut state = StateFile::open(&path).expect("made");
        assert!(state.are_mics_on());
        state.set(false).expect("kept");
        assert!(!StateFile::open(&path).expect("opened").are_mics_on());
        state.set(true).expect("kept");
        assert!(StateFile::open(&path).expect("opened").are_mics_on());
        for damaged in [&b"on"[..], b"x", b"on \nmore", b"\0\0\0\0"] {
            std::fs::write(&path, damaged).expect("written");
            assert!(!StateFile::open(&path).expect("opened").are_mics_on(), "{damaged:?}");
        }
    }
}
