//! What ear, microphone and link say on standard error: read from a pipe each, made harmless, and shown at the terminal in
//! lines that bear their name. None of them has the terminal itself.

use std::fs::File;
use std::io::{ErrorKind, IsTerminal, Read};
use std::os::fd::{AsFd, BorrowedFd};
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, poll};
use rustix::time::Timespec;

/// The longest line that is shown, in letters; what is longer is cut.
const LINE_LETTERS_MAX: usize = 300;

/// Bytes of a line that are kept until it ends: as many as its letters may take.
const LINE_BYTES_MAX: usize = 4 * LINE_LETTERS_MAX;

/// Read at a time, so that one who never stops talking keeps nobody waiting.
const PIECE_BYTES: usize = 4_096;

/// Reads until whoever has ended has no more to say: what a pipe holds at most.
const LAST_PIECES_MAX: usize = 16;

/// Lines shown one after the other, and how soon there is room for one more: enough for any real trouble, too few to bury
/// the light.
const LINES_MAX: u32 = 20;
const LINE_EVERY: Duration = Duration::from_secs(2);

/// One process's standard error.
#[derive(Debug)]
pub(crate) struct Said {
    name: &'static str,
    pipe: File,
    line: Vec<u8>,
    has_ended: bool,
}

impl Said {
    /// What comes from `pipe`, which must not block.
    pub(crate) const fn new(name: &'static str, pipe: File) -> Self {
        Self { name, pipe, line: Vec::new(), has_ended: false }
    }

    /// What to wait for; nothing once all was said.
    pub(crate) fn end(&self) -> Option<BorrowedFd<'_>> {
        (!self.has_ended).then(|| self.pipe.as_fd())
    }

    /// Shows what was said since. Whether anything was shown.
    pub(crate) fn relay(&mut self, terminal: &mut Lines) -> bool {
        let mut bytes = [0; PIECE_BYTES];
        match self.pipe.read(&mut bytes) {
            Ok(0) => self.has_ended = true,
            Ok(count) => return self.take(&bytes[..count], terminal),
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted) => {}
            Err(_) => self.has_ended = true,
        }
        false
    }

    /// Shows the last words of a process that has ended.
    pub(crate) fn relay_rest(&mut self, terminal: &mut Lines) {
        for _ in 0..LAST_PIECES_MAX {
            if self.has_ended {
                break;
            }
            self.relay(terminal);
        }
        self.take(b"\n", terminal);
    }

    fn take(&mut self, bytes: &[u8], terminal: &mut Lines) -> bool {
        let mut is_shown = false;
        for &byte in bytes {
            if byte != b'\n' {
                if self.line.len() < LINE_BYTES_MAX {
                    self.line.push(byte);
                }
            } else if !self.line.is_empty() {
                is_shown |= terminal.show(self.name, &self.line);
                self.line.clear();
            }
        }
        is_shown
    }
}

/// The lines that the terminal still takes.
#[derive(Debug)]
pub(crate) struct Lines {
    room: u32,
    last: Instant,
    n_unsaid: u64,
    is_terminal: bool,
}

impl Lines {
    pub(crate) fn new() -> Self {
        Self { room: LINES_MAX, last: Instant::now(), n_unsaid: 0, is_terminal: std::io::stderr().is_terminal() }
    }

    /// Shows one line of a process, unless there were too many or the terminal takes none. Whether it was shown.
    fn show(&mut self, name: &str, line: &[u8]) -> bool {
        let text = self.admit(self.last.elapsed()).then(|| self.text(name, line));
        let is_shown = text.is_some_and(|text| write_now(text.as_bytes()));
        self.n_unsaid = if is_shown { 0 } else { self.n_unsaid.saturating_add(1) };
        is_shown
    }

    fn admit(&mut self, since: Duration) -> bool {
        let more = u32::try_from(since.as_secs() / LINE_EVERY.as_secs()).unwrap_or(u32::MAX);
        if more > 0 {
            self.room = self.room.saturating_add(more).min(LINES_MAX);
            self.last = Instant::now();
        }
        let is_admitted = self.room > 0;
        self.room = self.room.saturating_sub(1);
        is_admitted
    }

    fn text(&self, name: &str, line: &[u8]) -> String {
        let said = harmless(line);
        let said = said.strip_prefix(name).and_then(|rest| rest.strip_prefix(": ")).unwrap_or(&said);
        let unsaid = if self.n_unsaid > 0 {
            format!(" ({} lines before it were left out)", self.n_unsaid)
        } else {
            String::new()
        };
        // The panel's line gives way, and the panel is asked to draw it anew.
        let clear = if self.is_terminal { "\r\x1b[2K" } else { "" };
        format!("{clear}{name}: {said}{unsaid}\n")
    }
}

/// Letters, figures and plain signs as they are; whatever else, a terminal's commands and the light's own signs among it,
/// by its number.
fn harmless(line: &[u8]) -> String {
    let text = String::from_utf8_lossy(line);
    let mut harmless = String::with_capacity(text.len());
    for (n, letter) in text.trim_end().chars().enumerate() {
        if n >= LINE_LETTERS_MAX || harmless.len() >= LINE_BYTES_MAX {
            harmless.push('…');
            break;
        }
        match letter {
            '\t' => harmless.push(' '),
            letter
                if letter == ' '
                    || letter.is_ascii_graphic()
                    || letter.is_alphanumeric()
                    || "…–—‘’“”·".contains(letter) =>
            {
                harmless.push(letter);
            }
            letter => harmless.extend(letter.escape_unicode()),
        }
    }
    harmless
}

/// Writes to standard error if that waits for nobody: a terminal that is held up must not hold up the microphones' button.
fn write_now(text: &[u8]) -> bool {
    let terminal = std::io::stderr();
    let mut ends = [PollFd::new(&terminal, PollFlags::OUT)];
    let at_once = Timespec { tv_sec: 0, tv_nsec: 0 };
    let is_ready =
        poll(&mut ends, Some(&at_once)).is_ok_and(|ready| ready == 1) && ends[0].revents().contains(PollFlags::OUT);
    is_ready && rustix::io::write(&terminal, text).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn i2_nobody_paints_the_light_or_commands_the_terminal() {
        let painted = "\x1b[2K\r● microphones off\u{9b}0m \u{202e}x\u{7}".as_bytes();
        assert_eq!(harmless(painted), "\\u{1b}[2K\\u{d}\\u{25cf} microphones off\\u{9b}0m \\u{202e}x\\u{7}");
        assert_eq!(harmless(b"\xff\xfe a\tb  "), "\\u{fffd}\\u{fffd} a b");
        assert_eq!(harmless("Küche: „ja“ …".as_bytes()), "Küche: \\u{201e}ja“ …");
        assert_eq!(harmless(&[b'x'; 5_000]).chars().count(), LINE_LETTERS_MAX + 1);
        assert!(harmless(&[0x1b; 5_000]).len() <= LINE_BYTES_MAX + 16);
    }

    #[test]
    fn a_line_bears_the_name_of_who_said_it_once() {
        let lines = Lines { is_terminal: false, ..Lines::new() };
        assert_eq!(lines.text("sotto-link", b"sotto-link: error: no"), "sotto-link: error: no\n");
        assert_eq!(lines.text("sotto-link", b"sotto-panel: off"), "sotto-link: sotto-panel: off\n");
        let lines = Lines { is_terminal: true, n_unsaid: 7, ..lines };
        assert_eq!(lines.text("sotto-ear", b"x"), "\r\x1b[2Ksotto-ear: x (7 lines before it were left out)\n");
    }

    #[test]
    fn whoever_does_not_stop_talking_is_cut_short() {
        let mut lines = Lines::new();
        let admitted = (0..1_000).filter(|_| lines.admit(Duration::ZERO)).count();
        assert_eq!(admitted, LINES_MAX as usize);
        assert!(lines.admit(LINE_EVERY) && !lines.admit(Duration::ZERO));
    }

    #[test]
    fn what_a_pipe_says_is_read_in_pieces_and_never_waited_for() {
        let (read_end, write_end) = rustix::pipe::pipe_with(rustix::pipe::PipeFlags::NONBLOCK).expect("a pipe");
        let mut said = Said::new("sotto-ear", File::from(read_end));
        let mut lines = Lines { room: 0, ..Lines::new() };
        assert!(!said.relay(&mut lines) && said.end().is_some());
        rustix::io::write(&write_end, &[b'x'; 60_000]).expect("written");
        said.relay(&mut lines);
        assert_eq!(said.line.len(), PIECE_BYTES.min(LINE_BYTES_MAX));
        drop(write_end);
        said.relay_rest(&mut lines);
        assert!(said.end().is_none() && said.line.is_empty());
        assert_eq!(lines.n_unsaid, 1);
    }
}
