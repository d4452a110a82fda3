//! `sotto-link`: the device's network and loudspeaker.
//!
//! It never sees a microphone: sound reaches it through the gate's pipe, and only while a permit lives. What it may tell
//! the ear is the table [`pipe::LinkToEar`], which opens nothing.
//!
//! Architecture Invariant: nothing that was said is written anywhere but into the session with the paired cloud, the
//! loudspeaker, and (the captions) the events of whoever runs the device.

mod args;
mod connection;
mod control;
mod ends;
mod engine;
mod error;
mod prompts;
mod socket;
mod speaker;
mod store;
mod tls;
mod translate;
mod uplink;
mod wipe;

use std::process::ExitCode;
use std::time::Duration;

use base::{Clock as _, SystemClock};
use pipe::options::exit;
use pipe::sandbox::LinkAccess;
use pipe::{EarToLink, Events, PipeError};
use tokio::sync::mpsc;
use tokio::time::{Instant, timeout_at};

use crate::args::Args;
use crate::connection::FromNet;
use crate::control::Control;
use crate::ends::{Ear, Gate};
use crate::engine::Engine;
use crate::error::LinkError;
use crate::speaker::{Report, Speaker};
use crate::store::Store;
use crate::uplink::Uplink;

#[global_allocator]
static MEMORY: wipe::Wiping = wipe::Wiping;

/// Reports that wait for the engine, from each of the threads and tasks.
const REPORTS_MAX: usize = 64;

/// Where nothing is due: as good as never, and still a deadline.
const AN_HOUR: Duration = Duration::from_secs(3_600);

fn main() -> ExitCode {
    pipe::sandbox::leave_terminal();
    let words: Vec<_> = std::env::args_os().skip(1).collect();
    if words.iter().any(|word| word == "--help" || word == "-h") {
        complain(args::USAGE);
        return ExitCode::SUCCESS;
    }
    let args = match Args::read(words) {
        Ok(args) => args,
        Err(error) => {
            complain(&format!("sotto-link: {error}\n"));
            return ExitCode::from(exit::BAD_INPUT);
        }
    };
    match Events::inherited("link", args.events_fd) {
        Ok(events) => run(args, events),
        Err(error) => {
            complain(&format!("sotto-link: {error}\n"));
            ExitCode::from(exit::BAD_INPUT)
        }
    }
}

fn run(args: Args, events: Events) -> ExitCode {
    // A second hand for the last line: the engine has the first, and behind the walls nothing is opened again.
    let last = events.try_clone();
    match start(args, events) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let code = error.exit_code();
            match last {
                Ok(mut events) => events.error(&error.to_string()),
                Err(_) => complain(&format!("sotto-link: {error}\n")),
            }
            ExitCode::from(code)
        }
    }
}

fn complain(text: &str) {
    use std::io::Write as _;
    // Where standard error is closed nobody wants to know.
    let _ = std::io::stderr().write_all(text.as_bytes());
}

fn start(args: Args, mut events: Events) -> Result<(), LinkError> {
    let gate = pipe::inherit::reader(args.gate_fd)?;
    let ear = pipe::inherit::writer(args.ear_fd)?;
    let store = Store::open(&args.data)?;
    let control_file = args.control.as_deref().map(control::open).transpose()?;
    // From here on nothing else can be reached, by no thread that starts below.
    let access = LinkAccess {
        data: &args.data,
        replies: args.speaker.folder(),
        has_card: matches!(args.speaker, args::Speaker::Card(_)),
        needs_local_names: args.has_local_cloud(),
    };
    pipe::sandbox::link(&access).announce(&mut events);
    let identity = store.identity()?;
    let (control_sender, control) = mpsc::channel(REPORTS_MAX);
    if let Some(file) = control_file {
        control::follow(file, control_sender)?;
    }
    let (net_sender, net) = mpsc::channel(REPORTS_MAX);
    let (speaker_sender, spoken) = mpsc::channel(REPORTS_MAX);
    let uplink = Uplink::new(store, identity, args.cloud, &args.name, net_sender)?;
    let speaker = Speaker::start(args.speaker, !args.lockstep, speaker_sender)?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(LinkError::Start)?;
    runtime.block_on(async {
        let inputs = Inputs { gate: Gate::new(gate)?, control, net, spoken };
        let engine = Engine { uplink, speaker, ear: Ear::new(ear)?, events, turn: None };
        live(inputs, engine).await
    })
}

/// All that link waits for.
struct Inputs {
    gate: Gate,
    control: mpsc::Receiver<Control>,
    net: mpsc::Receiver<(u32, FromNet)>,
    spoken: mpsc::Receiver<Report>,
}

enum Input {
    Gate(EarToLink),
    GateClosed,
    Control(Control),
    Net(u32, FromNet),
    Spoken(Report),
}

async fn live(mut inputs: Inputs, mut engine: Engine) -> Result<(), LinkError> {
    let (clock, start) = (SystemClock::new(), Instant::now());
    engine.begin()?;
    loop {
        let due = engine.deadline().unwrap_or_else(|| clock.elapsed() + AN_HOUR);
        let input = timeout_at(start + due, inputs.next()).await;
        let now = clock.elapsed();
        match input {
            Err(_) => engine.on_deadline(now)?,
            Ok(Err(error)) => return Err(error.into()),
            Ok(Ok(Input::GateClosed)) => return Ok(()),
            Ok(Ok(Input::Gate(message))) => engine.on_gate(message, now)?,
            Ok(Ok(Input::Control(line))) => engine.on_control(line, now)?,
            Ok(Ok(Input::Net(number, event))) => engine.on_net(number, event, now)?,
            Ok(Ok(Input::Spoken(report))) => engine.on_speaker(report, now)?,
        }
        // Whatever kept the loop busy, a deadline is never passed over.
        if engine.deadline().is_some_and(|due| due <= now) {
            engine.on_deadline(now)?;
        }
    }
}

impl Inputs {
    /// The next input; may be dropped and called again at any time.
    async fn next(&mut self) -> Result<Input, PipeError> {
        tokio::select! {
            message = self.gate.receive() => Ok(message?.map_or(Input::GateClosed, Input::Gate)),
            Some(line) = self.control.recv() => Ok(Input::Control(line)),
            Some((number, event)) = self.net.recv() => Ok(Input::Net(number, event)),
            Some(report) = self.spoken.recv() => Ok(Input::Spoken(report)),
        }
    }
}
