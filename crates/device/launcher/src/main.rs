//! `sotto-device`: makes the pipes, starts panel, microphone, ear and link, and starts them all afresh if one dies.
//!
//! It is the one process without a sandbox (a sandbox is inherited, and link's walls are not the ear's), so it is short,
//! and reads nothing but the panel's two words, "microphones on" and "microphones off", and lines for the terminal.

mod args;
mod descriptors;
mod generation;
mod process;
mod said;
mod signals;

use std::fs::File;
use std::os::fd::OwnedFd;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use pipe::{Events, Line, exit, sandbox};

use crate::args::Args;
use crate::generation::{End, Generation};
use crate::said::Lines;
use crate::signals::Signals;

/// A generation that lived so long was a good one: what ended it is not held against the next.
const GOOD_LIFE: Duration = Duration::from_secs(10);

/// How long the second generation waits, and the longest that any does. Each failure doubles it.
const PAUSE_MIN: Duration = Duration::from_millis(100);
const PAUSE_MAX: Duration = Duration::from_secs(5);

/// Generations in a row that may fail before it is given up, about 25 s in all. A missing sound card does not count:
/// somebody may plug it in.
const FAILURES_MAX: u32 = 10;

fn main() -> ExitCode {
    let arguments: Vec<_> = std::env::args_os().skip(1).collect();
    if arguments.iter().any(|argument| argument == "--help" || argument == "-h") {
        complain(args::HELP);
        return exit::DONE.into();
    }
    let ready = Args::read(arguments).and_then(|args| {
        let events = args.events.as_ref().map(OwnedFd::try_clone).transpose().map_err(|error| error.to_string())?;
        let events = Events::into("device", events.map(File::from));
        descriptors::keep_to_ourselves().map_err(|error| format!("open descriptors cannot be listed: {error}"))?;
        // What our pipes carry is for the four alone; who may look into us may open them.
        sandbox::keep_memory_private()?;
        let signals = Signals::catch().map_err(|error| format!("signals cannot be caught: {error}"))?;
        Ok((args, events, signals))
    });
    match ready {
        Ok((args, mut events, signals)) => run(&args, &mut events, &signals).into(),
        Err(complaint) => {
            complain(&format!("sotto-device: {complaint}"));
            exit::BAD_INPUT.into()
        }
    }
}

fn run(args: &Args, events: &mut Events, signals: &Signals) -> u8 {
    let terminal = process::Terminal::remember();
    let mut lines = Lines::new();
    let mut failures = 0;
    let code = loop {
        let start = Instant::now();
        let end = match Generation::start(args) {
            Ok(generation) => generation.serve(args, signals, &mut lines),
            Err(error) => End::Failed(format!("it cannot be started: {error}")),
        };
        match end {
            End::Done => break exit::DONE,
            End::BadInput => break exit::BAD_INPUT,
            End::Failed(why) => {
                failures = if start.elapsed() >= GOOD_LIFE { 1 } else { failures + 1 };
                if failures > FAILURES_MAX {
                    events.error(&format!("given up after {FAILURES_MAX} attempts: {why}"));
                    break exit::FAILED;
                }
                let pause = pause(failures);
                if signals.wait(announce(events, &why, pause)) {
                    break exit::DONE;
                }
            }
            End::CardGone => {
                failures = failures.min(FAILURES_MAX - 1) + 1;
                if signals.wait(announce(events, "the sound card is gone", pause(failures))) {
                    break exit::DONE;
                }
            }
        }
    };
    terminal.restore();
    code
}

fn announce(events: &mut Events, why: &str, pause: Duration) -> Duration {
    let pause_ms = u64::try_from(pause.as_millis()).unwrap_or(u64::MAX);
    events.send(Line::new("restart").text("because", why).whole("pause_ms", pause_ms));
    pause
}

fn pause(failures: u32) -> Duration {
    PAUSE_MIN.saturating_mul(1 << failures.saturating_sub(1).min(10)).min(PAUSE_MAX)
}

/// Standard error is all there is before the events; if it fails, nobody listens.
fn complain(message: &str) {
    use std::io::Write;
    let _ = writeln!(std::io::stderr(), "{message}");
}
