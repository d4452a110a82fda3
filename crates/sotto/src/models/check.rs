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

use crate::models::manifest::{Model, ModelFile};

/// Read at a time while hashing.
const READ_BYTES: usize = 256 * 1024;
/// Lies beside a model's files: which files, of which time, had the hashes of which manifest.
const RECEIPT: &str = ".verified";

/// What is wrong with a file.
#[derive(Debug)]
pub(crate) enum Fault {
    Missing,
    Length,
    Hash,
    Unreadable(io::Error),
}

/// True where the model is whole: by its receipt, or else by its hashes (a receipt is then left for the next time).
pub(crate) fn is_whole(model: &Model, dir: &Path) -> bool {
    let home = dir.join(&model.id);
    match receipt(model, &home) {
        None => false,
        Some(now) if std::fs::read_to_string(home.join(RECEIPT)).is_ok_and(|written| written == now) => true,
        Some(_) => {
            let whole = faults(model, dir).is_empty();
            if whole {
                leave_receipt(model, &home);
            }
            whole
        }
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
        Err(why) if why.kind() == io::ErrorKind::NotFound => return Some(Fault::Missing),
        Err(why) => return Some(Fault::Unreadable(why)),
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
    if let Some(text) = receipt(model, home) {
        let _ = std::fs::write(home.join(RECEIPT), text);
    }
}

/// What the receipt of the files that are there would say; none where one is missing or of another length.
fn receipt(model: &Model, home: &Path) -> Option<String> {
    let mut text = String::new();
    for file in &model.files {
        let found: Metadata = std::fs::metadata(home.join(&file.name)).ok()?;
        if found.len() != file.bytes {
            return None;
        }
        let (seconds, nanoseconds) = (found.mtime(), found.mtime_nsec());
        writeln!(text, "{} {} {} {seconds}.{nanoseconds:09}", file.name, file.bytes, file.sha256).ok()?;
    }
    Some(text)
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
            Self::Length => f.write_str("cut short or too long"),
            Self::Hash => f.write_str("not the file it should be: its hash is another"),
            Self::Unreadable(why) => write!(f, "cannot be read: {why}"),
        }
    }
}
