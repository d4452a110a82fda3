//! A folder of sentence files, and the folders below it.

use std::fs;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use crate::error::SenseError;
use crate::{FILE_BYTES_MAX, FILES_MAX};

/// Folders within folders that are looked into. Home Assistant's own stand one deep: `custom_sentences/en`.
const FOLDERS_DEEP_MAX: usize = 8;

/// A file that was read.
pub(crate) struct FileText {
    /// Its path, as errors shall name it.
    pub(crate) name: String,
    /// The folder below the given one that it stands in: by its name alone, and nothing where it stands in the given one.
    pub(crate) folder: Option<String>,
    pub(crate) text: String,
}

/// Reads the `.yaml` files of a folder and of those below it, in the order of their paths. Hidden files and folders are
/// left out: what editors and file systems put beside a file begins with a point.
pub(crate) fn read_dir(dir: &Path) -> Result<Vec<FileText>, SenseError> {
    let mut paths = Vec::new();
    find(dir, 0, &mut paths)?;
    paths.sort();
    match paths.len() {
        0 => return Err(SenseError::NoFiles { path: shown(dir) }),
        1..=FILES_MAX => {}
        _ => return Err(SenseError::TooMuch { path: shown(dir) }),
    }
    paths.iter().map(|path| read(path, dir)).collect()
}

fn find(dir: &Path, depth: usize, paths: &mut Vec<PathBuf>) -> Result<(), SenseError> {
    if depth > FOLDERS_DEEP_MAX {
        return Err(SenseError::TooDeep { path: shown(dir) });
    }
    for entry in fs::read_dir(dir).map_err(fail(dir))? {
        let path = entry.map_err(fail(dir))?.path();
        let is_hidden = path.file_name().is_none_or(|name| name.as_encoded_bytes().starts_with(b"."));
        if is_hidden {
            continue;
        }
        if path.is_dir() {
            find(&path, depth + 1, paths)?;
        } else if path.extension().is_some_and(|extension| extension == "yaml" || extension == "yml") {
            paths.push(path);
        }
        // One more than is read, so that the caller sees that there are too many.
        if paths.len() > FILES_MAX {
            break;
        }
    }
    Ok(())
}

fn read(path: &Path, dir: &Path) -> Result<FileText, SenseError> {
    let mut text = String::new();
    let file = fs::File::open(path).map_err(fail(path))?;
    file.take(FILE_BYTES_MAX + 1).read_to_string(&mut text).map_err(fail(path))?;
    let folder = path.parent().filter(|parent| *parent != dir).and_then(Path::file_name);
    let folder = folder.map(|name| name.to_string_lossy().into_owned());
    Ok(FileText { name: shown(path), folder, text })
}

fn shown(path: &Path) -> String {
    path.display().to_string()
}

fn fail(path: &Path) -> impl Fn(io::Error) -> SenseError {
    let path = shown(path);
    move |source| SenseError::Read { path: path.clone(), source }
}
