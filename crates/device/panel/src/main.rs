//! `sotto-panel`: the light and the buttons.
//!
//! It has neither network nor sound, so nothing that comes over the network can press a button or put out the light. A
//! stream needs its word "lit", and it says so only once the light is on.
//!
//! Architecture Invariant: what it knows of a turn is its number and its cause; no sound and no word comes here.

mod buttons;
mod error;
mod face;
mod idle;
mod panel;
mod state;

use std::path::PathBuf;
use std::process::ExitCode;

use pipe::{Events, Inbox, Options, Outbox, exit, inherit, sandbox};

use crate::buttons::Buttons;
use crate::error::PanelStop;
use crate::face::Face;
use crate::panel::{Ends, Panel};
use crate::state::StateFile;

const NAMES: [&str; 7] =
    ["from-ear-fd", "to-ear-fd", "from-launcher-fd", "to-launcher-fd", "events-fd", "state", "control"];

fn main() -> ExitCode {
    let options = Options::read(std::env::args_os().skip(1), &NAMES, &[]);
    let events = options.and_then(|options| {
        let fd = options.parsed("events-fd")?;
        let events = Events::inherited("panel", fd).map_err(|error| error.to_string())?;
        Ok((options, events))
    });
    let (options, mut events) = match events {
        Ok(ready) => ready,
        Err(complaint) => {
            use std::io::Write;
            // Nothing is there yet that could say it better, and if this fails, nobody listens.
            let _ = writeln!(std::io::stderr(), "sotto-panel: {complaint}");
            return exit::BAD_INPUT.into();
        }
    };
    match run(&options, &mut events) {
        Ok(()) => exit::DONE.into(),
        Err(stop) => {
            if !stop.is_follower() {
                events.error(&stop.to_string());
            }
            stop.exit_code().into()
        }
    }
}

fn run(options: &Options, events: &mut Events) -> Result<(), PanelStop> {
    let fd = |name: &str| options.required::<i32>(name).map_err(PanelStop::Usage);
    let failed = |peer| move |source| PanelStop::Pipe { peer, source };
    let ends = Ends {
        from_ear: Inbox::new(inherit::reader(fd("from-ear-fd")?).map_err(failed("ear"))?),
        to_ear: Outbox::new(inherit::writer(fd("to-ear-fd")?).map_err(failed("ear"))?),
        from_launcher: Inbox::new(inherit::reader(fd("from-launcher-fd")?).map_err(failed("launcher"))?),
        to_launcher: Outbox::new(inherit::writer(fd("to-launcher-fd")?).map_err(failed("launcher"))?),
    };
    let state = options.path("state").ok_or_else(|| PanelStop::Usage("--state is needed".to_owned()))?;
    let (state, complaint) = StateFile::open(&state)?;
    let control: Option<PathBuf> = options.path("control");
    let mut buttons = Buttons::open(control.as_deref())?;
    let face = Face::new(buttons.are_keys());
    // From here on nothing can be opened.
    sandbox::panel().announce(events);
    if let Some(complaint) = complaint {
        events.loud_warning(&complaint);
    }
    let outcome = Panel::new(ends, state, &mut buttons, face, events).run();
    buttons.restore();
    outcome
}
