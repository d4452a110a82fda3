//! `sotto-ear`: reads the microphone's samples from one pipe, and lets them into another while a permit lives.
//!
//! It hears and cannot speak: before its first sample it gives up opening files, sockets and processes for good. What it
//! says leaves by the gate's pipe, as asked for by a local cause, with the panel's light on.
//!
//! Architecture Invariant: `std::net` and `std::process::Command` are not used here or below, so that the binary imports
//! no socket call; a test looks.

mod args;
mod bulletin;
mod doors;
mod error;
mod hearing;
mod journal;
mod senses;
mod word;

use std::process::ExitCode;

use pipe::{Events, exit, sandbox};

use crate::args::Args;
use crate::error::EarStop;
use crate::hearing::{Hearing, Mind};
use crate::journal::Journal;

fn main() -> ExitCode {
    sandbox::leave_terminal();
    let args = match Args::read(std::env::args_os().skip(1)) {
        Ok(args) => args,
        Err(complaint) => {
            complain(&complaint);
            return exit::BAD_INPUT.into();
        }
    };
    let mut events = match Events::inherited("ear", args.events_fd) {
        Ok(events) => events,
        Err(error) => {
            complain(&error.to_string());
            return exit::BAD_INPUT.into();
        }
    };
    match run(args, &mut events) {
        Ok(()) => exit::DONE.into(),
        Err(stop) => {
            if !stop.is_follower() {
                events.error(&stop.to_string());
            }
            stop.exit_code().into()
        }
    }
}

fn run(args: Args, events: &mut Events) -> Result<(), EarStop> {
    let (senses, voices) = senses::open(&args)?;
    let word = word::Files::read(&args)?;
    let journal = Journal::open(args.journal.as_deref(), events)?;
    // From here on nothing can be opened.
    sandbox::ear().announce(events);
    let word = word.listen()?;
    let mind = Mind {
        listener: word,
        journal,
        sensitivity: args.sensitivity.unwrap_or_default(),
        is_sensitivity_fixed: args.sensitivity.is_some(),
    };
    Hearing::new(senses, voices, mind, args.is_lockstep, events).run()
}

/// For the time before there is anywhere else to say it.
fn complain(message: &str) {
    use std::io::Write;
    let _ = writeln!(std::io::stderr(), "sotto-ear: {message}");
}
