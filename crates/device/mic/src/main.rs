//! `sotto-mic`: a pump. It alone opens the capture device, and writes what it hears into one pipe as 16 kHz mono.
//!
//! Microphones off means that this process does not exist.
//!
//! Architecture Invariant: it knows nothing but samples; nobody tells it anything.

mod card;
mod error;
mod file;
mod source;
mod tap;

use std::process::ExitCode;

use pipe::{Events, Line, Options, exit, inherit, sandbox};

use crate::error::MicStop;
use crate::source::Source;
use crate::tap::Tap;

fn main() -> ExitCode {
    sandbox::leave_terminal();
    let options = Options::read(std::env::args_os().skip(1), &["pcm-fd", "source", "events-fd"], &[]);
    let ready = options.and_then(|options| {
        let fd = options.parsed("events-fd")?;
        Ok((options, Events::inherited("mic", fd).map_err(|error| error.to_string())?))
    });
    let (options, mut events) = match ready {
        Ok(ready) => ready,
        Err(complaint) => {
            use std::io::Write;
            // Nothing is there yet that could say it better, and if this fails, nobody listens.
            let _ = writeln!(std::io::stderr(), "sotto-mic: {complaint}");
            return exit::BAD_INPUT.into();
        }
    };
    match run(&options, &mut events) {
        Ok(()) => exit::DONE.into(),
        Err(stop) => {
            // Who ends the ear has said why.
            if !matches!(stop, MicStop::EarGone) {
                events.error(&stop.to_string());
            }
            stop.exit_code().into()
        }
    }
}

fn run(options: &Options, events: &mut Events) -> Result<(), MicStop> {
    let source: Source = options.required("source").map_err(MicStop::Usage)?;
    let fd = options.required("pcm-fd").map_err(MicStop::Usage)?;
    let pipe = inherit::writer(fd).map_err(|error| MicStop::Usage(error.to_string()))?;
    inherit::set_blocking(&pipe).map_err(MicStop::Write)?;
    let tap = Tap::new(pipe);
    let started = || Line::new("started").text("process", "mic");
    match source {
        Source::Card(name) => card::capture(name.as_deref(), tap, events, started),
        Source::File { path, is_fast } => file::play(&path, is_fast, tap, events, started),
        Source::Stdin => file::copy_stdin(tap, events, started),
    }
}
