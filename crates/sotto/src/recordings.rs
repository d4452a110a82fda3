//! The recordings that a command line names: files, pipes, and `-` for standard input.

use std::path::{Path, PathBuf};

use sound::{SoundError, SoundReader};

use crate::failure::Failure;

/// The name of standard input, as everywhere.
const STDIN: &str = "-";

/// The sound of a recording, at 16 kHz. One that was not written to its end is heard as far as it goes, and told.
pub(crate) fn decode(path: &Path) -> Result<Vec<i16>, Failure> {
    let wrong = |why: SoundError| Failure::usage(why.to_string());
    let mut reader = if path.as_os_str() == STDIN {
        SoundReader::from_stream(STDIN, std::io::stdin().lock())
    } else {
        SoundReader::open(path)
    }
    .map_err(wrong)?;
    let samples = reader.read_all().map_err(wrong)?;
    if reader.is_cut() {
        crate::say(&format!("{}: ends before its header says; heard as far as it goes", path.display()));
    }
    Ok(samples)
}

/// Prints a line for each recording, in order. One for which there is none is told and does not end the list.
///
/// # Errors
/// At the end, where some had no line; at once, where a line cannot be printed.
pub(crate) fn print_each(
    files: &[PathBuf],
    mut line_of: impl FnMut(&Path) -> Result<String, Failure>,
) -> Result<(), Failure> {
    let mut refused = Refused::default();
    for file in files {
        match line_of(file) {
            Ok(line) => crate::print_line(&line)?,
            Err(why) => refused.take(why, files.len())?,
        }
    }
    refused.end(files.len())
}

/// Counts recordings that could not be heard.
#[derive(Debug, Default)]
pub(crate) struct Refused {
    count: usize,
}

impl Refused {
    /// Tells why one of `all` was refused; where there is no other, that is all there is to say.
    pub(crate) fn take(&mut self, why: Failure, all: usize) -> Result<(), Failure> {
        if all == 1 {
            return Err(why);
        }
        crate::say(&why.to_string());
        self.count += 1;
        Ok(())
    }

    /// The command's end.
    pub(crate) fn end(&self, all: usize) -> Result<(), Failure> {
        match self.count {
            0 => Ok(()),
            count => Err(Failure::usage(format!("{count} of {all} recordings could not be heard"))),
        }
    }
}
