//! One line of JSON for each thing that happens at the device, for whoever runs it.
//!
//! All processes write to the same pipe, each line in one write of less than [`LINE_BYTES_MAX`], so that lines never mix.
//! Nobody waits for the reader: a line that the pipe does not take is dropped, and the next one says how many were.

use std::fmt::Write as _;
use std::fs::File;
use std::io::Write as _;

use rustix::time::{ClockId, clock_gettime};

use crate::PipeError;
use crate::inherit;

/// The longest line, with its newline: what a pipe takes in one piece.
pub const LINE_BYTES_MAX: usize = 4_096;

/// The longest text in a line; what is longer ends in an ellipsis.
pub const TEXT_BYTES_MAX: usize = 2_048;

/// Room kept for `,"cut":true}` and the newline.
const END_BYTES: usize = 16;

/// Where a process writes its events; nowhere, unless somebody asked for them.
#[derive(Debug)]
pub struct Events {
    process: &'static str,
    file: Option<File>,
    dropped: u64,
}

impl Events {
    /// Events of `process` (`ear`, `panel`, …) on the inherited descriptor, if one was given.
    ///
    /// # Errors
    /// [`PipeError::NotInherited`].
    pub fn inherited(process: &'static str, fd: Option<i32>) -> Result<Self, PipeError> {
        Ok(Self { process, file: fd.map(inherit::writer).transpose()?, dropped: 0 })
    }

    /// Events of `process` into a file or a pipe's end that does not block.
    #[must_use]
    pub const fn into_file(process: &'static str, file: File) -> Self {
        Self::into(process, Some(file))
    }

    /// The same, if there is one.
    #[must_use]
    pub const fn into(process: &'static str, file: Option<File>) -> Self {
        Self { process, file, dropped: 0 }
    }

    /// A second hand for the same events.
    ///
    /// # Errors
    /// What dup(2) says.
    pub fn try_clone(&self) -> std::io::Result<Self> {
        Ok(Self::into(self.process, self.file.as_ref().map(File::try_clone).transpose()?))
    }

    /// Writes one line. Never waits and never fails: see the module's words.
    pub fn send(&mut self, mut line: Line) {
        let Some(file) = &mut self.file else { return };
        if self.dropped > 0 {
            line = line.whole("dropped", self.dropped);
        }
        let line = line.finish();
        match file.write(line.as_bytes()) {
            Ok(written) if written == line.len() => self.dropped = 0,
            _ => self.dropped += 1,
        }
    }

    /// Says that something went wrong, in one line: as an event where somebody reads them, else on standard error.
    /// The message must hold nothing that was said.
    pub fn error(&mut self, message: &str) {
        self.complain("error", message);
    }

    /// Says that something is weaker than it should be, the same way.
    pub fn warning(&mut self, message: &str) {
        self.complain("warning", message);
    }

    /// The same for what nobody may miss: as an event, and at the terminal too.
    pub fn loud_warning(&mut self, message: &str) {
        self.warning(message);
        if self.file.is_some() {
            self.say("warning", message);
        }
    }

    fn complain(&mut self, event: &str, message: &str) {
        if self.file.is_some() {
            self.send(Line::new(event).text("process", self.process).text("message", message));
        } else {
            self.say(event, message);
        }
    }

    fn say(&self, event: &str, message: &str) {
        // Standard error may be closed; then nobody wants to know.
        let _ = writeln!(std::io::stderr(), "sotto-{}: {event}: {message}", self.process);
    }
}

/// An event under construction: its name, its time, then its fields in the order they are added.
#[derive(Debug)]
#[must_use = "an event that is not sent did not happen"]
pub struct Line {
    json: String,
    is_cut: bool,
}

impl Line {
    /// An event that happens now: `ms` is the machine's monotonic clock in milliseconds.
    pub fn new(event: &str) -> Self {
        let now = clock_gettime(ClockId::Monotonic);
        Self::at(event, now.tv_sec, now.tv_nsec / 1_000)
    }

    fn at(event: &str, seconds: i64, micros: i64) -> Self {
        let mut json = String::with_capacity(256);
        let ms = seconds * 1_000 + micros / 1_000;
        // Writing to a string does not fail; so for every `write!` below.
        let _ = write!(json, r#"{{"event":{},"ms":{ms}.{:03}"#, quoted(event), micros % 1_000);
        Self { json, is_cut: false }
    }

    /// A field with a text.
    pub fn text(self, key: &str, value: &str) -> Self {
        self.field(key, &quoted(value))
    }

    /// A field with a whole number.
    pub fn whole(self, key: &str, value: u64) -> Self {
        self.field(key, &value.to_string())
    }

    /// A field with a number; `null` where it is not finite.
    pub fn real(self, key: &str, value: f64) -> Self {
        if value.is_finite() { self.field(key, &value.to_string()) } else { self.field(key, "null") }
    }

    /// A field that is true or false.
    pub fn flag(self, key: &str, value: bool) -> Self {
        self.field(key, if value { "true" } else { "false" })
    }

    /// A field whose value is JSON already. It must be one value on one line.
    pub fn json(self, key: &str, value: &str) -> Self {
        self.field(key, value)
    }

    /// Adds the field, or leaves it out and says so where the line would get too long.
    fn field(mut self, key: &str, value: &str) -> Self {
        let key = quoted(key);
        if self.json.len() + key.len() + value.len() + 2 + END_BYTES > LINE_BYTES_MAX {
            self.is_cut = true;
        } else {
            let _ = write!(self.json, ",{key}:{value}");
        }
        self
    }

    fn finish(mut self) -> String {
        self.json.push_str(if self.is_cut { ",\"cut\":true}\n" } else { "}\n" });
        self.json
    }
}

/// `text` as a JSON string of at most [`TEXT_BYTES_MAX`] bytes.
fn quoted(text: &str) -> String {
    let mut quoted = String::with_capacity(text.len() + 2);
    quoted.push('"');
    for letter in text.chars() {
        if quoted.len() > TEXT_BYTES_MAX - 8 {
            quoted.push('…');
            break;
        }
        match letter {
            '"' => quoted.push_str("\\\""),
            '\\' => quoted.push_str("\\\\"),
            '\n' => quoted.push_str("\\n"),
            letter if letter.is_control() => {
                let _ = write!(quoted, "\\u{:04x}", u32::from(letter));
            }
            letter => quoted.push(letter),
        }
    }
    quoted.push('"');
    quoted
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_json_whatever_it_says() {
        let line = Line::at("wake", 12, 345_678).text("word", "a\"\\\n\u{7}é").real("score", 0.5).flag("on", true);
        let line = line.whole("n", 3).json("slots", "{}").real("nan", f64::NAN).finish();
        let want = concat!(
            r#"{"event":"wake","ms":12345.678,"word":"a\"\\\n\u0007é","score":0.5,"on":true,"n":3,"#,
            r#""slots":{},"nan":null}"#,
            "\n"
        );
        assert_eq!(line, want);
    }

    #[test]
    fn a_line_always_fits_one_write() {
        let long = "\u{1}".repeat(10_000);
        let line = Line::new("caption").text("transcript", &long).text("reply", &long).text("more", &long).finish();
        assert!(line.len() < LINE_BYTES_MAX, "{}", line.len());
        assert!(line.contains('…') && line.ends_with("\"cut\":true}\n"), "{line}");
    }

    #[test]
    fn what_the_reader_does_not_take_is_counted() {
        let (read_end, write_end) = rustix::pipe::pipe_with(rustix::pipe::PipeFlags::NONBLOCK).expect("a pipe");
        let mut events = Events::into_file("ear", File::from(write_end));
        for _ in 0..10_000 {
            events.send(Line::new("heard"));
        }
        let mut taken = [0; 65_536];
        rustix::io::read(&read_end, &mut taken).expect("lines");
        events.send(Line::new("heard"));
        let length = rustix::io::read(&read_end, &mut taken).expect("the rest");
        let last = String::from_utf8_lossy(&taken[..length]);
        assert!(last.contains("\"dropped\":"), "{last}");
    }
}
