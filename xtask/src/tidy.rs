//! The rules of the house, each a pure function from text to findings; this file does the reading.

mod directions;
mod manifests;
mod programs;
mod sources;
mod texts;
mod tree;

use std::fmt;
use std::fs;
use std::path::Path;

/// Folders that hold nothing of ours.
const SKIPPED_FOLDERS: [&str; 8] =
    [".git", "artifacts", "corpus", "node_modules", "playwright-report", "target", "test-results", "weights"];

/// What is read as text.
const TEXT_ENDINGS: [&str; 14] =
    ["awk", "css", "html", "js", "json", "md", "rs", "sh", "sql", "svg", "toml", "txt", "yaml", "yml"];

/// Something that is not as it should be.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Finding {
    /// The file, from the workspace's folder.
    pub(crate) file: String,
    /// The line, from 1; 0 for the file as a whole.
    pub(crate) line: usize,
    /// What is wrong there.
    pub(crate) what: String,
}

impl Finding {
    /// A finding in a line of a file.
    pub(crate) fn new(file: &str, line: usize, what: impl Into<String>) -> Self {
        Self { file: file.to_owned(), line, what: what.into() }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.line {
            0 => write!(f, "{}: {}", self.file, self.what),
            line => write!(f, "{}:{line}: {}", self.file, self.what),
        }
    }
}

/// A text file of the workspace.
#[derive(Debug)]
pub(crate) struct File {
    /// From the workspace's folder, with `/`.
    pub(crate) path: String,
    /// All of it.
    pub(crate) text: String,
}

/// Everything that is not as it should be, in the order of files and lines.
pub(crate) fn findings(root: &Path) -> Vec<Finding> {
    let (mut files, mut findings) = (Vec::new(), Vec::new());
    read(root, root, &mut files, &mut findings);
    files.sort_by(|a, b| a.path.cmp(&b.path));
    for file in &files {
        findings.extend(texts::check(file));
        if file.path.ends_with(".rs") {
            findings.extend(sources::check(file));
        }
    }
    findings.extend(manifests::check(&files));
    findings.extend(programs::check(&files));
    findings.extend(directions::check(&manifests::packages(&files)));
    findings.extend(tree::check(root));
    findings.sort();
    findings.dedup();
    findings
}

fn read(root: &Path, folder: &Path, files: &mut Vec<File>, findings: &mut Vec<Finding>) {
    let shown = |path: &Path| path.strip_prefix(root).unwrap_or(path).display().to_string();
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) => return findings.push(Finding::new(&shown(folder), 0, error.to_string())),
    };
    for entry in entries.flatten() {
        let (path, name) = (entry.path(), entry.file_name().to_string_lossy().into_owned());
        if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            if !SKIPPED_FOLDERS.contains(&name.as_str()) {
                read(root, &path, files, findings);
            }
        } else if is_text(&path, &name) {
            match fs::read_to_string(&path) {
                Ok(text) => files.push(File { path: shown(&path), text }),
                Err(error) => findings.push(Finding::new(&shown(&path), 0, error.to_string())),
            }
        }
    }
}

fn is_text(path: &Path, name: &str) -> bool {
    let ending = path.extension().and_then(|ending| ending.to_str());
    ending.is_some_and(|ending| TEXT_ENDINGS.contains(&ending)) || matches!(name, "sotto" | "run")
}
