//! Folders and files that nobody but their owner may open, whatever the umask says.

use std::fs::{DirBuilder, File, OpenOptions, Permissions};
use std::io::{ErrorKind, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::Path;

use crate::error::{VaultError, io_at};

/// Permission bits of every folder.
pub(crate) const DIR_MODE: u32 = 0o700;
/// Permission bits of every file.
pub(crate) const FILE_MODE: u32 = 0o600;

/// Makes the folder `path` (its parent must exist) with mode 0700, durably; sets that mode where it exists already.
///
/// # Errors
/// [`VaultError::Io`].
pub fn private_dir(path: &Path) -> Result<(), VaultError> {
    match DirBuilder::new().mode(DIR_MODE).create(path) {
        Ok(()) => sync_parent(path)?,
        Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
        Err(error) => return Err(io_at("make", path)(error)),
    }
    set_mode(path, DIR_MODE)
}

/// Opens the file `path` to read and write with mode 0600, and makes it where it is missing. For files that another
/// library (the database) then opens by name.
///
/// # Errors
/// [`VaultError::Io`].
pub fn private_file(path: &Path) -> Result<File, VaultError> {
    let file = OpenOptions::new()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .mode(FILE_MODE)
        .open(path)
        .map_err(io_at("open", path))?;
    set_mode(path, FILE_MODE)?;
    Ok(file)
}

/// Puts `bytes` at `path` so that, after a crash at any moment, either all of them are there or the file is as before.
///
/// `openat(temporary) write fsync rename fsync(folder)`: the data reaches the disk before the name does, and the name
/// before this returns. The temporary's name is fixed, so that a crash leaves at most one, which the next call takes.
pub(crate) fn write_durably(path: &Path, bytes: &[u8]) -> Result<(), VaultError> {
    let mut temporary = path.as_os_str().to_owned();
    temporary.push(".new");
    let temporary = Path::new(&temporary);
    let mut file = OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(FILE_MODE)
        .open(temporary)
        .map_err(io_at("make", temporary))?;
    file.write_all(bytes).and_then(|()| file.sync_all()).map_err(io_at("write", temporary))?;
    std::fs::rename(temporary, path).map_err(io_at("name", path))?;
    sync_parent(path)
}

pub(crate) fn set_mode(path: &Path, mode: u32) -> Result<(), VaultError> {
    let found = std::fs::metadata(path).map_err(io_at("look at", path))?.permissions().mode() & 0o7777;
    if found == mode {
        return Ok(());
    }
    std::fs::set_permissions(path, Permissions::from_mode(mode)).map_err(io_at("set the mode of", path))
}

/// Makes names that were added to or taken from `path`'s folder durable.
pub(crate) fn sync_parent(path: &Path) -> Result<(), VaultError> {
    let parent = path.parent().unwrap_or(Path::new("."));
    let parent = if parent.as_os_str().is_empty() { Path::new(".") } else { parent };
    File::open(parent).and_then(|folder| folder.sync_all()).map_err(io_at("sync", parent))
}
