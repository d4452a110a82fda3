//! What can go wrong with a model, each in one line that names the package and the reason.

use std::io;
use std::path::{Path, PathBuf};

use crate::failure::Failure;
use crate::models::check::Fault;
use crate::models::manifest::{Model, Package};

/// Why the models are not here and whole.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ModelError {
    /// The manifest that was built in cannot be read.
    #[error("models.toml: {0}")]
    Manifest(#[source] Box<toml::de::Error>),
    /// A model's package could not be fetched, or is not what it must be.
    #[error("{package} {version} (model {id}): {fault}")]
    Package { id: String, package: String, version: String, fault: PackageFault },
    /// A file cannot be made of the model's others.
    #[error("model {id}: {name} cannot be made of its other files: {reason}")]
    Made { id: String, name: String, reason: String },
    /// A folder or file is there and cannot be read.
    #[error("{}: {fault}", path.display())]
    Unreadable { path: PathBuf, fault: Fault },
    /// A folder or file of ours cannot be written.
    #[error("{}: {source}", path.display())]
    Write { path: PathBuf, source: io::Error },
    /// `python3` cannot be run, or cannot make an environment.
    #[error("a private Python environment is needed to fetch models, and cannot be made: {0} (Debian: python3-venv)")]
    Python(String),
}

/// What is wrong with a package.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub(crate) enum PackageFault {
    /// There is none for this kind of machine.
    #[error("there is no such package for {0}")]
    NoWheel(&'static str),
    /// Nothing answers where pip asks.
    #[error(
        "the package registry cannot be reached: this machine seems to be offline (pip's own settings say which is asked)"
    )]
    Offline,
    /// The registry answers with an error of its own.
    #[error("the package registry answers with error {0} (pip's own settings say which is asked)")]
    Answers(u16),
    /// The registry answers and has no such version.
    #[error("the package registry does not have this version (pip's own settings say which is asked)")]
    NotThere,
    /// What came has another hash.
    #[error("what the registry gave is not the recorded file: its hash is another, and it was thrown away")]
    Hash,
    /// What came holds another file than recorded.
    #[error("{0} in it is not the recorded file, and was thrown away")]
    File(String),
    /// No room.
    #[error("the disk is full")]
    DiskFull,
    /// Nothing came for too long.
    #[error("nothing came for {0} s")]
    Stalled(u64),
    /// Anything else, in pip's words.
    #[error("pip failed: {0}")]
    Pip(String),
}

/// How pip's log begins to tell of a page that it did not get: then the address, a colon and the reason.
pub(crate) const PAGE_NOT_FETCHED: &str = "Could not fetch URL ";

impl ModelError {
    pub(crate) fn package(model: &Model, package: Package<'_>, fault: PackageFault) -> Self {
        Self::Package {
            id: model.id.clone(),
            package: package.name.to_owned(),
            version: package.version.to_owned(),
            fault,
        }
    }

    pub(crate) fn write(path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_owned();
        move |source| Self::Write { path, source }
    }
}

impl From<ModelError> for Failure {
    fn from(error: ModelError) -> Self {
        Self::no(error.to_string())
    }
}

impl PackageFault {
    /// Reads the reason out of what pip printed: what the person at the terminal can do something about is told apart.
    ///
    /// `pages` are the lines of pip's log about pages it did not get. Of those it prints nothing where it is told not to
    /// try again; a page that is missing then looks like a registry that lacks the version.
    pub(crate) fn from_pip(complaint: &str, pages: &[String]) -> Self {
        let says = |words: &[&str]| words.iter().any(|word| complaint.contains(word));
        if says(&["DO NOT MATCH THE HASHES"]) {
            Self::Hash
        } else if says(&["No space left on device", "Disk quota exceeded"]) {
            Self::DiskFull
        } else if let Some(fault) = pages.iter().find_map(|page| Self::from_page(page)) {
            fault
        } else if says(&[
            "NewConnectionError",
            "NameResolutionError",
            "Connection broken",
            "ConnectTimeoutError",
            "ReadTimeoutError",
            "ProxyError",
            "SSLError",
            "Max retries exceeded",
        ]) {
            Self::Offline
        } else if says(&["No matching distribution"]) {
            Self::NotThere
        } else {
            let last = complaint.lines().rev().map(str::trim).find(|line| !line.is_empty());
            Self::Pip(last.unwrap_or("it gave no reason").to_owned())
        }
    }

    /// The fault that a line of pip's log about a page tells. None where the registry says that there is no such page.
    fn from_page(line: &str) -> Option<Self> {
        let (_, about) = line.split_once(PAGE_NOT_FETCHED)?;
        let (_url, reason) = about.split_once(": ")?;
        let answer = match reason.split_once("too many ") {
            Some((_, answer)) => answer,
            None if reason.contains(" Client Error: ") || reason.contains(" Server Error: ") => reason,
            None => return Some(Self::Offline),
        };
        let status = answer.split(' ').next().and_then(|status| status.parse().ok());
        match status {
            Some(404 | 410) => None,
            Some(status) => Some(Self::Answers(status)),
            None => Some(Self::Offline),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pips_words_become_one_line_with_the_reason() {
        let offline = "WARNING: Retrying (Retry(total=0)) after connection broken by \
                       'NewConnectionError('<x>: Failed to establish a new connection')'\n\
                       ERROR: Could not find a version\nERROR: No matching distribution found for x==1\n";
        for (complaint, fault) in [
            (offline, PackageFault::Offline),
            ("ERROR: No matching distribution found for x==1\n", PackageFault::NotThere),
            ("ERROR: THESE PACKAGES DO NOT MATCH THE HASHES FROM THE REQUIREMENTS FILE.\n more", PackageFault::Hash),
            ("ERROR: Could not install: [Errno 28] No space left on device\n", PackageFault::DiskFull),
            ("one\n two \n\n", PackageFault::Pip("two".into())),
            ("", PackageFault::Pip("it gave no reason".into())),
        ] {
            assert_eq!(PackageFault::from_pip(complaint, &[]), fault, "{complaint}");
            assert_eq!(fault.to_string().lines().count(), 1);
        }
    }

    #[test]
    fn a_page_that_did_not_come_is_told_from_a_version_that_is_not_there() {
        let nothing = "ERROR: No matching distribution found for x==1\n";
        let page =
            |reason: &str| format!("2026-11-25T12:51:02,758 {PAGE_NOT_FETCHED}http://r:1/x/: {reason} - skipping");
        let missing = page("404 Client Error: Not Found for url: http://r:1/x/");
        for (pages, fault) in [
            (
                vec![page("connection error: HTTPConnectionPool(host='r', port=1): Max retries")],
                PackageFault::Offline,
            ),
            (vec![page("There was a problem confirming the ssl certificate: x")], PackageFault::Offline),
            (vec![page("timed out")], PackageFault::Offline),
            (vec![page("403 Client Error: Forbidden for url: http://r:1/x/")], PackageFault::Answers(403)),
            (vec![page("Max retries exceeded (Caused by too many 503 error responses)")], PackageFault::Answers(503)),
            (vec![missing.clone()], PackageFault::NotThere),
            (vec![missing, page("timed out")], PackageFault::Offline),
            (vec!["anything else".to_owned()], PackageFault::NotThere),
        ] {
            assert_eq!(PackageFault::from_pip(nothing, &pages), fault, "{pages:?}");
        }
    }
}
