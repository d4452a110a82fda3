//! The data directory: one owner, one process.

use std::fs::{File, TryLockError};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use base::Marketplace;

use crate::error::{VaultError, io_at};
use crate::files::{private_dir, private_file};

/// Its lock file; also what a data directory is known by.
const LOCK: &str = "lock";
/// The root key's file.
const ROOT_KEY: &str = "root.key";

/// A data directory that is ours alone for as long as this value lives.
///
/// The lock is the kernel's (`flock`): it goes with the process, however that ends.
#[derive(Debug)]
pub struct Folder {
    path: PathBuf,
    _lock: File,
    /// Whether the lock file was made by this start.
    fresh: bool,
}

impl Folder {
    /// Takes the data directory `path`, making it (mode 0700) where it is missing.
    ///
    /// # Errors
    /// [`VaultError::InUse`] where another process has it; [`VaultError::NotOurs`] where it exists, lets others in and
    /// holds other files; [`VaultError::Io`].
    pub fn open(path: &Path) -> Result<Self, VaultError> {
        Self::claim(path)?;
        let fresh = !path.join(LOCK).exists();
        let lock = private_file(&path.join(LOCK))?;
        match lock.try_lock() {
            Ok(()) => Ok(Self { path: path.to_path_buf(), _lock: lock, fresh }),
            Err(TryLockError::WouldBlock) => Err(VaultError::InUse(path.to_path_buf())),
            Err(TryLockError::Error(source)) => Err(io_at("lock", path)(source)),
        }
    }

    /// Makes `path` (mode 0700) where it is missing and closes it to others where it is ours or empty, without taking it:
    /// before anything else, a log for one, is written there and makes it look like somebody else's.
    ///
    /// # Errors
    /// [`VaultError::NotOurs`] where it exists, lets others in and holds other files; [`VaultError::Io`].
    pub fn claim(path: &Path) -> Result<(), VaultError> {
        if path.exists() {
            refuse_if_not_ours(path)?;
        } else if let Some(parent) = path.parent() {
            std::fs::create_dir_all(parent).map_err(io_at("make", parent))?;
        }
        private_dir(path)
    }

    /// Lets go of a directory that is refused, and leaves nothing there that was not there before.
    pub fn give_back(self) {
        if self.fresh {
            // Should it not go, an empty lock file is what any start leaves.
            let _ = std::fs::remove_file(self.path.join(LOCK));
        }
    }

    /// The directory itself.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Where the root key lies.
    #[must_use]
    pub fn root_key(&self) -> PathBuf {
        self.path.join(ROOT_KEY)
    }

    /// The one place of a marketplace's own files (invariant I12).
    #[must_use]
    pub fn marketplace(&self, marketplace: Marketplace) -> PathBuf {
        self.path.join(marketplace.as_str())
    }
}

/// A mistyped `--data /tmp` must not take `/tmp` from everybody else.
fn refuse_if_not_ours(path: &Path) -> Result<(), VaultError> {
    let mode = std::fs::metadata(path).map_err(io_at("look at", path))?.permissions().mode();
    if mode & 0o077 == 0 || path.join(LOCK).exists() {
        return Ok(());
    }
    let empty = std::fs::read_dir(path).map_err(io_at("list", path))?.next().is_none();
    if empty { Ok(()) } else { Err(VaultError::NotOurs(path.to_path_buf())) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_second_process_is_told_that_the_folder_is_in_use() {
        let dir = tempfile::tempdir().expect("a temporary folder");
        let path = dir.path().join("deep").join("data");
        let first = Folder::open(&path).expect("free");
        let second = Folder::open(&path).expect_err("taken");
        assert!(matches!(second, VaultError::InUse(_)), "{second}");
        drop(first);
        Folder::open(&path).expect("free again");
    }

    #[test]
    fn somebody_elses_folder_is_not_taken_over_and_an_open_one_of_ours_is_closed() {
        let dir = tempfile::tempdir().expect("a temporary folder");
        let mode = |mode| std::fs::set_permissions(dir.path(), std::fs::Permissions::from_mode(mode)).expect("mode");
        std::fs::write(dir.path().join("letter.txt"), "x").expect("a file");
        mode(0o755);
        assert!(matches!(Folder::open(dir.path()), Err(VaultError::NotOurs(_))));
        std::fs::remove_file(dir.path().join("letter.txt")).expect("removed");
        drop(Folder::open(dir.path()).expect("an empty one is taken"));
        mode(0o755);
        drop(Folder::open(dir.path()).expect("ours by its lock"));
        let found = std::fs::metadata(dir.path()).expect("there").permissions().mode() & 0o777;
        assert_eq!(found, 0o700);
    }
}
