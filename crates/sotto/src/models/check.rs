//! Whether a model is here and whole.
//!
//! A file's hash is computed once and then written down with the file's size and time of change (the receipt), so that
//! a start costs a look at the folder and not the reading of every byte. `sotto models verify` reads every byte.

use std::fmt::{self, Write as _};
use std::fs::{File, Metadata};
use std::io::{self, Read};
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use sha2::{Digest, Sha256};

use crate::models::error::ModelError;
use crate::models::manifest::{Model, ModelFile};

/// Read at a time while hashing.
const READ_BYTES: usize = 256 * 1024;
/// Lies beside a model's files: which files, of which time, had the hashes of which manifest.
const RECEIPT: &str = ".verified";

/// What is wrong with a file.
#[derive(Debug)]
pub(crate) enum Fault {
    Missing,
    /// A link whose end is missing.
    DeadLink,
    Length,
    Hash,
    Unreadable(io::Error),
}

/// True where the model is whole: by its receipt, or else by its hashes (a receipt is then left for the next time).
///
/// # Errors
/// Where a file or the folder is there and cannot be read: fetching would not help.
pub(crate) fn is_whole(model: &Model, dir: &Path) -> Result<bool, ModelError> {
    let home = dir.join(&model.id);
    if matches!(missing(&home), Some(Fault::DeadLink)) {
        return Err(ModelError::Unreadable { path: home, fault: Fault::DeadLink });
    }
    match receipt(model, &home)? {
        None => Ok(false),
        Some(now) if std::fs::read_to_string(home.join(RECEIPT)).is_ok_and(|written| written == now) => Ok(true),
        Some(_) => {
            let mut faults = faults(model, dir);
            if let Some(at) = faults.iter().position(|(_, fault)| matches!(fault, Fault::Unreadable(_))) {
                let (file, fault) = faults.swap_remove(at);
                return Err(ModelError::Unreadable { path: home.join(&file.name), fault });
            }
            if faults.is_empty() {
                leave_receipt(model, &home);
            }
            Ok(faults.is_empty())
        }
    }
}

/// Why nothing is found at `path`; none where something is, or where that cannot be told.
pub(crate) fn missing(path: &Path) -> Option<Fault> {
    let is_missing = |found: io::Result<Metadata>| found.is_err_and(|why| why.kind() == io::ErrorKind::NotFound);
    match (is_missing(std::fs::metadata(path)), is_missing(std::fs::symlink_metadata(path))) {
        (false, _) => None,
        (true, true) => Some(Fault::Missing),
        (true, false) => Some(Fault::DeadLink),
    }
}

/// The files of a model that are not what they must be; every byte is read.
pub(crate) fn faults<'m>(model: &'m Model, dir: &Path) -> Vec<(&'m ModelFile, Fault)> {
    let home = dir.join(&model.id);
    model.files.iter().filter_map(|file| fault(&home.join(&file.name), file).map(|fault| (file, fault))).collect()
}

/// Whether all files that come out of packages are whole, by their hashes.
pub(crate) fn are_sources_whole(model: &Model, dir: &Path) -> bool {
    let home = dir.join(&model.id);
    let mut sources = model.files.iter().filter(|file| file.inside.is_some());
    sources.all(|file| fault(&home.join(&file.name), file).is_none())
}

/// What is wrong with one file, by its length and its hash.
pub(crate) fn fault(path: &Path, wanted: &ModelFile) -> Option<Fault> {
    match std::fs::metadata(path) {
        Err(why) => return missing(path).or(Some(Fault::Unreadable(why))),
        Ok(found) if found.is_dir() => return Some(Fault::Unreadable(io::ErrorKind::IsADirectory.into())),
        Ok(found) if found.len() != wanted.bytes => return Some(Fault::Length),
        Ok(_) => {}
    }
    match sha256(path) {
        Ok(hash) if hash == wanted.sha256 => None,
        Ok(_) => Some(Fault::Hash),
        Err(why) => Some(Fault::Unreadable(why)),
    }
}

/// Writes the receipt. Where it cannot be (a folder that is shared and read-only), the hashes are computed each time.
pub(crate) fn leave_receipt(model: &Model, home: &Path) {
    if let Ok(Some(text)) = receipt(model, home) {
        let _ = std::fs::write(home.join(RECEIPT), text);
    }
}

/// What the receipt of the files that are there would say; none where one is missing or of another length.
///
/// # Errors
/// Where one is there and cannot be read.
fn receipt(model: &Model, home: &Path) -> Result<Option<String>, ModelError> {
    let (mut text, mut is_complete) = (String::new(), true);
    for file in &model.files {
        let path = home.join(&file.name);
        let found = match std::fs::metadata(&path) {
            Ok(found) if found.is_dir() => Err(io::ErrorKind::IsADirectory.into()),
            Err(why) if why.kind() == io::ErrorKind::NotFound => {
                is_complete = false;
                continue;
            }
            found => found,
        };
        let found = found.map_err(|why| ModelError::Unreadable { path, fault: Fault::Unreadable(why) })?;
        is_complete &= found.len() == file.bytes;
        let (seconds, nanoseconds) = (found.mtime(), found.mtime_nsec());
        writeln!(text, "{} {} {} {seconds}.{nanoseconds:09}", file.name, file.bytes, file.sha256).unwrap_or_default();
    }
    Ok(is_complete.then_some(text))
}

fn sha256(path: &Path) -> io::Result<String> {
    let (mut file, mut hash, mut buffer) = (File::open(path)?, Sha256::new(), vec![0; READ_BYTES]);
    loop {
        match file.read(&mut buffer)? {
            0 => break,
            read => hash.update(&buffer[..read]),
        }
    }
    Ok(hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect())
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing => f.write_str("missing"),
            Self::DeadLink => f.write_str("a link to what is not there"),
            Self::Length => f.write_str("cut short or too long"),
            Self::Hash => f.write_str("not the file it should be: its hash is another"),
            Self::Unreadable(why) => write!(f, "cannot be read: {why}"),
        }
    }
}
