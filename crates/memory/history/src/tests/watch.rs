//! Looks at the disk before every step, and what it finds is what a process killed there would leave.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Mutex;

use vault::Steps;

use super::common::{ANSWER, WORD, sound};

/// Copies the data directory before every step, once it is told to.
pub(super) struct Watch {
    data: PathBuf,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    copies: Option<tempfile::TempDir>,
    taken: Vec<(&'static str, PathBuf)>,
    seen: Vec<&'static str>,
    /// Steps still let pass before they fail, and how many fail then.
    fail: Option<(usize, usize)>,
}

impl Watch {
    pub(super) fn new(data: &Path) -> Self {
        Self { data: data.to_path_buf(), state: Mutex::default() }
    }

    /// Takes a copy before each step from now on.
    pub(super) fn copy(&self) {
        self.state.lock().expect("whole").copies = Some(tempfile::tempdir().expect("a temporary folder"));
    }

    /// Lets `pass` steps pass, and lets `fail` after them fail as on a full disk.
    pub(super) fn fail_after(&self, pass: usize, fail: usize) {
        let mut state = self.state.lock().expect("whole");
        state.fail = Some((pass, fail));
        state.seen.clear();
    }

    /// The steps taken since [`Watch::fail_after`].
    pub(super) fn seen(&self) -> Vec<&'static str> {
        self.state.lock().expect("whole").seen.clone()
    }

    /// The copies taken, and one of how things are now.
    pub(super) fn copies(&self) -> (Vec<(&'static str, PathBuf)>, tempfile::TempDir) {
        let mut state = self.state.lock().expect("whole");
        state.take("the end", &self.data);
        let taken = std::mem::take(&mut state.taken);
        (taken, state.copies.take().expect("copying"))
    }
}

impl State {
    fn take(&mut self, step: &'static str, data: &Path) {
        if let Some(copies) = &self.copies {
            let copy = copies.path().join(format!("{:03}", self.taken.len()));
            copy_all(data, &copy);
            nothing_in_the_clear(&copy);
            self.taken.push((step, copy));
        }
    }
}

impl Steps for Watch {
    fn before(&self, step: &'static str) -> io::Result<()> {
        let mut state = self.state.lock().expect("whole");
        state.seen.push(step);
        state.take(step, &self.data);
        match &mut state.fail {
            Some((0, 0)) | None => Ok(()),
            Some((0, failing)) => {
                *failing -= 1;
                Err(io::ErrorKind::StorageFull.into())
            }
            Some((passing, _)) => {
                *passing -= 1;
                Ok(())
            }
        }
    }
}

/// Copies a folder as it is this moment.
pub(super) fn copy_all(from: &Path, to: &Path) {
    use std::os::unix::fs::PermissionsExt;
    std::fs::create_dir_all(to).expect("made");
    std::fs::set_permissions(to, std::fs::Permissions::from_mode(0o700)).expect("mode");
    for entry in std::fs::read_dir(from).expect("listed") {
        let path = entry.expect("an entry").path();
        let target = to.join(path.file_name().expect("a name"));
        if path.is_dir() {
            copy_all(&path, &target);
        } else {
            match std::fs::copy(&path, &target) {
                // SQLite takes its own files away when it closes; a kill at that moment leaves them or not.
                Err(why) if why.kind() == io::ErrorKind::NotFound => {}
                copied => drop(copied.expect("copied")),
            }
        }
    }
}

/// Every file under `folder`.
pub(super) fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).expect("listed") {
        let path = entry.expect("an entry").path();
        if path.is_dir() { found.extend(files(&path)) } else { found.push(path) }
    }
    found
}

/// Everything under `folder`: each file's mode and bytes, each folder's mode.
pub(super) fn snapshot(folder: &Path) -> std::collections::BTreeMap<PathBuf, (u32, Option<Vec<u8>>)> {
    use std::os::unix::fs::PermissionsExt;
    let mut found = std::collections::BTreeMap::new();
    for entry in std::fs::read_dir(folder).expect("listed") {
        let path = entry.expect("an entry").path();
        let mode = std::fs::metadata(&path).expect("there").permissions().mode();
        if path.is_dir() {
            found.extend(snapshot(&path));
            found.insert(path, (mode, None));
        } else {
            let bytes = std::fs::read(&path).expect("read");
            found.insert(path, (mode, Some(bytes)));
        }
    }
    found
}

/// The files under `folder` that hold `needle`.
pub(super) fn holders(folder: &Path, needle: &[u8]) -> Vec<PathBuf> {
    let holds = |path: &PathBuf| {
        let bytes = std::fs::read(path).expect("read");
        bytes.windows(needle.len()).any(|window| window == needle)
    };
    files(folder).into_iter().filter(holds).collect()
}

/// No file holds a word of the transcripts or the replies, nor 16 samples of the sound; nor has this process any
/// temporary file of the database open.
pub(super) fn nothing_in_the_clear(folder: &Path) {
    let bytes: Vec<Vec<u8>> = files(folder).iter().map(|path| std::fs::read(path).expect("read")).collect();
    let holds = |needle: &[u8]| bytes.iter().any(|file| file.windows(needle.len()).any(|window| window == needle));
    for word in [WORD, ANSWER, "HassCanary", "alexa"] {
        assert!(!holds(word.as_bytes()), "a word lies in the clear");
    }
    for seed in 0..4 {
        let samples = sound(seed);
        let run: Vec<u8> = samples[4_000..4_016].iter().flat_map(|sample| sample.to_le_bytes()).collect();
        assert!(!holds(&run), "sound lies in the clear");
    }
    for open in std::fs::read_dir("/proc/self/fd").into_iter().flatten().flatten() {
        let target = std::fs::read_link(open.path()).unwrap_or_default();
        assert!(!target.to_string_lossy().contains("etilqs"), "the database spills into {}", target.display());
    }
}
