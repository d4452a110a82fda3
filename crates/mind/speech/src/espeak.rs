//! The first voice: espeak-ng as a child process.

use std::io::{self, Read, Write};
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::mpsc;
use std::time::Duration;

use base::Redacted;
use base::limits::REPLY_SECONDS_MAX;
use rustix::process::{Pid, Signal, WaitId, WaitIdOptions, kill_process_group, waitid};

use crate::{Pcm, SpeechError, Synthesizer, TEXT_CHARS_MAX, level, wav};

/// What is read from the program at most: the longest reply at the highest rate, and a header.
const OUTPUT_BYTES_MAX: usize = 48_000 * 2 * REPLY_SECONDS_MAX as usize + 1_024;

/// How espeak-ng is called.
#[derive(Clone, Debug)]
pub struct EspeakConfig {
    /// The program; a bare name is looked up in `PATH`.
    pub program: PathBuf,
    /// One of its voices, such as `en-us`.
    pub voice: String,
    /// Words a minute.
    pub words_per_minute: u16,
    /// When it is ended and the text counts as unspoken.
    pub deadline: Duration,
}

impl EspeakConfig {
    /// Debian's espeak-ng with its American voice, a little slower than it speaks by itself.
    #[must_use]
    pub fn english() -> Self {
        Self {
            program: PathBuf::from("espeak-ng"),
            voice: String::from("en-us"),
            words_per_minute: 165,
            deadline: Duration::from_secs(5),
        }
    }
}

/// Speaks through espeak-ng. The text goes through a pipe and never onto a command line or a disk.
#[derive(Debug)]
pub struct Espeak {
    config: EspeakConfig,
}

impl Espeak {
    /// A voice as configured. Nothing is started before the first text.
    #[must_use]
    pub fn new(config: EspeakConfig) -> Self {
        Self { config }
    }

    fn start(&self) -> io::Result<(Child, ChildStdin, ChildStdout)> {
        let mut child = Command::new(&self.config.program)
            .args(["--stdout", "--stdin", "-z", "-b", "1"])
            .arg("-v")
            .arg(&self.config.voice)
            .arg("-s")
            .arg(self.config.words_per_minute.to_string())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            // A group of its own, so that whatever it starts ends with it.
            .process_group(0)
            .spawn()?;
        match (child.stdin.take(), child.stdout.take()) {
            (Some(stdin), Some(stdout)) => Ok((child, stdin, stdout)),
            _ => Err(io::Error::from(io::ErrorKind::BrokenPipe)),
        }
    }

    /// Runs the program on `text` and returns all it wrote.
    fn run(&self, text: Redacted<String>) -> Result<Redacted<Vec<u8>>, SpeechError> {
        let program = || self.config.program.clone();
        let not_started = |source| SpeechError::NotStarted { program: program(), source };
        let (mut child, stdin, stdout) = self.start().map_err(not_started)?;
        let pid = Pid::from_child(&child);
        let (sender, receiver) = mpsc::sync_channel(1);
        let talk = move || {
            // Nobody listens any more where the deadline has passed.
            let _ = sender.send(converse(stdin, stdout, &text, pid));
        };
        let talking = std::thread::Builder::new().name(String::from("espeak")).spawn(talk);
        let outcome = talking.map(|_| receiver.recv_timeout(self.config.deadline));
        // By now it has ended by itself, or it must. Until it is waited for, its number stays its own.
        let _ = kill_process_group(pid, Signal::KILL);
        let status = child.wait();
        let bytes = match outcome {
            Err(source) => return Err(not_started(source)),
            Ok(Err(_)) => return Err(SpeechError::Late { within: self.config.deadline }),
            Ok(Ok(bytes)) => bytes.map_err(|source| SpeechError::Pipe { program: program(), source })?,
        };
        match status {
            Ok(status) if status.success() => Ok(bytes),
            Ok(status) => Err(SpeechError::ProgramFailed { program: program(), status: status.to_string() }),
            Err(source) => Err(SpeechError::Pipe { program: program(), source }),
        }
    }
}

impl Synthesizer for Espeak {
    fn speak(&self, text: &Redacted<String>) -> Result<Pcm, SpeechError> {
        let bytes = self.run(plain_text(text)?)?;
        let not_sound = |reason| SpeechError::NotSound { program: self.config.program.clone(), reason };
        let wav::Wav { rate_hz, samples } = wav::read(bytes.expose()).map_err(not_sound)?;
        let samples = Redacted::new(samples);
        let n_samples_max = usize::try_from(rate_hz.saturating_mul(REPLY_SECONDS_MAX)).unwrap_or(usize::MAX);
        let kept = &samples.expose()[..samples.expose().len().min(n_samples_max)];
        let levelled = Redacted::new(level::level(kept, rate_hz));
        if levelled.expose().is_empty() {
            return Err(not_sound("it is silent"));
        }
        Ok(Pcm { rate_hz, samples: levelled })
    }
}

/// Hands the text over, reads to the end, and waits until the program has ended without taking its exit status.
fn converse(
    mut stdin: ChildStdin,
    stdout: ChildStdout,
    text: &Redacted<String>,
    pid: Pid,
) -> io::Result<Redacted<Vec<u8>>> {
    // The text is far smaller than a pipe's buffer: this does not wait for the program to read.
    match stdin.write_all(text.expose().as_bytes()) {
        // It may have ended without reading; its exit status says why.
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => return Err(error),
        _ => drop(stdin),
    }
    let mut bytes = Vec::with_capacity(OUTPUT_BYTES_MAX);
    let read = stdout.take(OUTPUT_BYTES_MAX as u64).read_to_end(&mut bytes);
    let bytes = Redacted::new(bytes);
    read?;
    waitid(WaitId::Pid(pid), WaitIdOptions::EXITED | WaitIdOptions::NOWAIT)?;
    Ok(bytes)
}

/// The text as espeak-ng should read it: no control characters, and none of the brackets that it takes for phonemes.
fn plain_text(text: &Redacted<String>) -> Result<Redacted<String>, SpeechError> {
    let chars = text.expose().chars().count();
    if TEXT_CHARS_MAX < chars {
        return Err(SpeechError::TextTooLong { chars, limit: TEXT_CHARS_MAX });
    }
    let mut plain = String::with_capacity(text.expose().len() + 1);
    plain.extend(text.expose().chars().map(|c| if c.is_control() || c == '[' || c == ']' { ' ' } else { c }));
    let is_blank = !plain.contains(char::is_alphanumeric);
    plain.push('\n');
    let plain = Redacted::new(plain);
    if is_blank { Err(SpeechError::NothingToSay) } else { Ok(plain) }
}

#[cfg(test)]
mod tests;
