//! The control file: one command a line. A FIFO is read for as long as link lives, a file once.

use std::fs::{File, OpenOptions};
use std::io::{self, BufRead as _, BufReader, Read as _};
use std::os::unix::fs::FileTypeExt as _;
use std::path::Path;

use tokio::sync::mpsc;
use wire::pairing::PairingCode;

use crate::error::LinkError;

/// The longest line; what is longer is none.
const LINE_BYTES_MAX: u64 = 256;

/// A line of the control file.
#[derive(Debug)]
pub(crate) enum Control {
    /// `pair CODE`
    Pair(PairingCode),
    /// Something else, and what is wrong with it.
    Unknown(&'static str),
}

/// Opens the file. A FIFO is opened for writing too: then it never ends, and opening it waits for nobody.
///
/// # Errors
/// [`LinkError::File`] where there is no such file.
pub(crate) fn open(path: &Path) -> Result<File, LinkError> {
    let failed = |source| LinkError::File { path: path.to_owned(), source };
    let is_fifo = std::fs::metadata(path).map_err(failed)?.file_type().is_fifo();
    OpenOptions::new().read(true).write(is_fifo).open(path).map_err(failed)
}

/// Reads it in a thread of its own: a FIFO's reader waits for as long as nobody writes.
///
/// # Errors
/// [`LinkError::Start`].
pub(crate) fn follow(file: File, lines: mpsc::Sender<Control>) -> Result<(), LinkError> {
    let run = move || {
        let mut file = BufReader::new(file);
        let mut line = Vec::new();
        // The end of a file, an error of the FIFO, or nobody who listens: there is nothing more to do.
        while let Ok(Some(control)) = next(&mut file, &mut line) {
            if lines.blocking_send(control).is_err() {
                break;
            }
        }
    };
    std::thread::Builder::new().name("control".to_owned()).spawn(run).map_err(LinkError::Start)?;
    Ok(())
}

fn next(file: &mut BufReader<File>, line: &mut Vec<u8>) -> io::Result<Option<Control>> {
    line.clear();
    if file.by_ref().take(LINE_BYTES_MAX).read_until(b'\n', line)? == 0 {
        return Ok(None);
    }
    if line.len() as u64 == LINE_BYTES_MAX && !line.ends_with(b"\n") {
        file.skip_until(b'\n')?;
        return Ok(Some(Control::Unknown("a control line is too long")));
    }
    Ok(Some(parse(line)))
}

fn parse(line: &[u8]) -> Control {
    match std::str::from_utf8(line).ok().map(str::trim).and_then(|line| line.strip_prefix("pair ")) {
        Some(code) => code.parse().map_or(Control::Unknown("a pairing code is six digits"), Control::Pair),
        None => Control::Unknown("the one control line that link knows is: pair CODE"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_of_a_file_are_read_to_its_end() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("control");
        std::fs::write(&path, format!("pair 123 456\npair 12345\n{}\n\u{fffd}\npair 000001", "x".repeat(600)))
            .expect("written");
        let (sender, mut lines) = mpsc::channel(1);
        follow(open(&path).expect("there"), sender).expect("started");
        let mut seen = Vec::new();
        while let Some(line) = lines.blocking_recv() {
            seen.push(match line {
                Control::Pair(code) => code.expose().to_owned(),
                Control::Unknown(what) => what.to_owned(),
            });
        }
        let other = "the one control line that link knows is: pair CODE";
        assert_eq!(seen, ["123456", "a pairing code is six digits", "a control line is too long", other, "000001"]);
    }

    #[test]
    fn a_control_file_that_is_not_there_is_named() {
        let complaint = open(Path::new("/nonexistent/control")).expect_err("none").to_string();
        assert!(complaint.starts_with("/nonexistent/control: "), "{complaint}");
    }
}
