//! Whether the microphones are on, kept over restarts (invariant I3).

use std::fs::{File, OpenOptions};
use std::io::{self, ErrorKind, Read};
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::path::Path;

use crate::error::PanelStop;

/// What the file holds: as long in both states and written in full when it is made, so that every change overwrites what
/// is there and takes no room on the disk.
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
    /// Opens it, or makes it with the microphones on. What cannot be understood, or cannot be kept, counts as off: the safe
    /// side. The text says why they are off where nobody has turned them off.
    pub(crate) fn open(path: &Path) -> Result<(Self, Option<String>), PanelStop> {
        let name = path.display().to_string();
        let fail = |source| PanelStop::File { path: name.clone(), source };
        let options = OpenOptions::new().read(true).write(true).mode(0o600).to_owned();
        match options.clone().create_new(true).open(path) {
            Ok(file) => {
                let mut state = Self { file, path: name, are_mics_on: false };
                let complaint = state.set(true).and_then(|()| keep_entry(path)).err();
                Ok((state, complaint))
            }
            Err(error) if error.kind() == ErrorKind::AlreadyExists => {
                Self::read(options.open(path).map_err(fail)?, &name).map_err(fail)
            }
            Err(error) => Err(fail(error)),
        }
    }

    fn read(mut file: File, path: &str) -> io::Result<(Self, Option<String>)> {
        let mut bytes = Vec::with_capacity(ON.len() + 1);
        Read::by_ref(&mut file).take(ON.len() as u64 + 1).read_to_end(&mut bytes)?;
        let are_mics_on = bytes == ON;
        let is_damaged = !are_mics_on && bytes != OFF;
        let complaint = is_damaged.then(|| {
            let how = if bytes.is_empty() { "empty" } else { "damaged" };
            format!("{path} is {how}: the microphones are off until somebody turns them on here (m, or mic on)")
        });
        Ok((Self { file, path: path.to_owned(), are_mics_on }, complaint))
    }

    pub(crate) const fn are_mics_on(&self) -> bool {
        self.are_mics_on
    }

    /// Keeps the state; it is on the disk when this returns.
    ///
    /// # Errors
    /// What that means, in words. The microphones are to be off then, and the next start finds them so if anything can be
    /// done to the file at all.
    pub(crate) fn set(&mut self, are_mics_on: bool) -> Result<(), String> {
        self.are_mics_on = false;
        let Err(error) = self.write(if are_mics_on { ON } else { OFF }) else {
            self.are_mics_on = are_mics_on;
            return Ok(());
        };
        let is_kept = self.write(OFF).or_else(|_| self.file.set_len(0).and_then(|()| self.file.sync_data())).is_ok();
        let rest = match (are_mics_on, is_kept) {
            (true, _) => "the microphones stay off",
            (false, true) => "the microphones are off, and stay so",
            (false, false) => "the microphones are off, but a restart may turn them on: nothing can be written",
        };
        Err(format!("{}: {error}; {rest}", self.path))
    }

    fn write(&self, state: &[u8; 4]) -> io::Result<()> {
        self.file.write_all_at(state, 0)?;
        self.file.set_len(state.len() as u64)?;
        self.file.sync_data()
    }
}

/// A new file is kept once its folder is.
fn keep_entry(path: &Path) -> Result<(), String> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    File::open(folder).and_then(|folder| folder.sync_all()).map_err(|error| format!("{}: {error}", folder.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn open(path: &Path) -> (bool, Option<String>) {
        let (state, complaint) = StateFile::open(path).expect("opened");
        (state.are_mics_on(), complaint)
    }

    #[test]
    fn i3_microphones_off_survives_and_damage_means_off() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("panel.state");
        assert_eq!(open(&path), (true, None));
        assert_eq!(std::fs::read(&path).expect("there"), ON, "i3: written in full when it is made");
        let set = |are_on| StateFile::open(&path).expect("opened").0.set(are_on).expect("kept");
        set(false);
        assert_eq!(open(&path), (false, None));
        set(true);
        assert_eq!(open(&path), (true, None));
        for damaged in [&b""[..], b"on", b"x", b"on \nmore", b"\0\0\0\0", b"ON \n", b"on\n\n"] {
            std::fs::write(&path, damaged).expect("written");
            let (are_on, complaint) = open(&path);
            assert!(
                !are_on && complaint.is_some_and(|words| words.contains("the microphones are off")),
                "{damaged:?}"
            );
            set(true);
            assert_eq!(open(&path), (true, None), "turned on again, after {damaged:?}");
        }
    }

    #[test]
    fn i3_what_cannot_be_kept_is_off() {
        // A disk that is full for ever. It takes no truncation either.
        let file = OpenOptions::new().read(true).write(true).open("/dev/full").expect("there");
        let mut state = StateFile { file, path: "full".to_owned(), are_mics_on: true };
        let complaint = state.set(true).expect_err("full");
        assert!(complaint.ends_with("the microphones stay off") && !state.are_mics_on(), "{complaint}");
        let complaint = state.set(false).expect_err("full");
        assert!(complaint.contains("a restart may turn them on") && !state.are_mics_on(), "{complaint}");
    }
}
