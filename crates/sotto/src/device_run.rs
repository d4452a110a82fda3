//! `sotto device run`: a device on this machine, with its own microphone, loudspeaker, light and buttons.

use std::fs::File;
use std::io::{BufRead, BufReader};
use std::os::fd::{AsRawFd, OwnedFd};
use std::path::PathBuf;
use std::time::Duration;

use clap::Subcommand;

use crate::ask::device::{LinkControl, make_private_dir};
use crate::ask::has_loudspeaker;
use crate::cloud;
use crate::failure::Failure;
use crate::places::Places;
use crate::settings::{Settings, typed_or_read};

/// How long a device that is told to end may take; it takes up to 5 s by itself.
const END_MAX: Duration = Duration::from_secs(10);

/// Devices run by this machine.
#[derive(Subcommand, Debug)]
pub(crate) enum DeviceCommand {
    /// Run a device until it is told to stop
    Run {
        /// The device's folder under the data directory.
        #[arg(long, value_name = "NAME", default_value = "this")]
        device: String,
        /// What the app calls it once it is paired. Other users of this machine can read what is typed here (`ps`); it, the
        /// cloud and the code may stand in a file instead: `@FILE`.
        #[arg(long, value_name = "NAME", default_value = "This computer")]
        name: String,
        /// The microphone: `card`, `card:NAME`, `file:PATH[,fast]`, `stdin[,fast]`.
        #[arg(long, default_value = "card")]
        mic: String,
        /// The loudspeaker: `card`, `file:PATH`, `none`.
        #[arg(long)]
        speaker: Option<String>,
        /// The cloud's device port, where it does not run on this machine.
        #[arg(long, value_name = "HOST:PORT")]
        cloud: Option<String>,
        /// The code that the app shows under "Add a device".
        #[arg(long, value_name = "CODE")]
        pair: Option<String>,
        #[command(flatten)]
        hearing: HearingArgs,
        /// A pipe to read buttons from, one a line: `press`, `mic off`, `mic on`.
        #[arg(long, value_name = "FIFO")]
        control: Option<PathBuf>,
        /// Print one JSON line for each change of light, permit, gate and turn, and what was said and answered: mind where
        /// they go.
        #[arg(long)]
        events: bool,
    },
}

/// What a device listens for, and how readily: the owner's choice at the device.
#[derive(clap::Args, Clone, Debug)]
pub(crate) struct HearingArgs {
    /// The wake word
    #[arg(long, default_value = "alexa", value_parser = crate::wake::parse_word)]
    word: ear::Word,
    /// How readily it is heard, whatever the app says [default: as the app says]
    #[arg(long, value_parser = ["low", "normal", "high"])]
    sensitivity: Option<String>,
    /// Hear it with the first stage alone, without the recogniser: for small boards
    #[arg(long)]
    light: bool,
}

impl HearingArgs {
    /// Puts the choice on the launcher's command line.
    pub(crate) fn put_on(&self, launcher: &mut std::process::Command) {
        launcher.arg("--word").arg(self.word.name());
        if let Some(sensitivity) = &self.sensitivity {
            launcher.arg("--sensitivity").arg(sensitivity);
        }
        if self.light {
            launcher.arg("--light");
        }
    }
}

impl Default for HearingArgs {
    fn default() -> Self {
        Self { word: ear::Word::Alexa, sensitivity: None, light: false }
    }
}

/// A device's name, held against the rule that device and cloud hold it against, before anything is started.
fn checked_name(text: &str) -> Result<String, Failure> {
    wire::name::device_name(text).map(str::to_owned).map_err(|why| Failure::usage(format!("--name: {why}")))
}

/// Runs the device's launcher until it ends or this program is told to.
pub(crate) fn run(command: DeviceCommand, places: &Places, port: u16) -> Result<(), Failure> {
    let DeviceCommand::Run { device, name, mic, speaker, cloud, pair, hearing, control, events } = command;
    let name = checked_name(&typed_or_read("name", name)?)?;
    crate::models::ensure(places.models())?;
    let home = places.device(&device);
    make_private_dir(&home)?;
    let cloud = cloud.unwrap_or_else(|| match cloud::running(places) {
        Some(run) => run.devices.to_string(),
        None => format!("127.0.0.1:{}", port.saturating_add(1)),
    });
    let cloud = typed_or_read("cloud", cloud)?;
    let pair = pair.map(|code| typed_or_read("pair", code)).transpose()?;
    let speaker = speaker.unwrap_or_else(|| if has_loudspeaker() { "card".into() } else { "none".into() });
    let link_control = LinkControl::new(&home)?;
    let mut launcher = tokio::process::Command::new(Places::binary("sotto-device")?);
    let mut settings = Settings::default()
        .option("--data", &home)
        .option("--models", places.models())
        .option("--name", name)
        .option("--mic", mic)
        .option("--speaker", speaker)
        .option("--cloud", cloud)
        .option("--link-control", link_control.path());
    if let Some(control) = control {
        settings = settings.option("--control", control);
    }
    hearing.put_on(launcher.as_std_mut());
    let _settings = settings.hand_to(launcher.as_std_mut())?;
    let events = events.then(EventLines::start).transpose()?;
    if let Some(events) = &events {
        launcher.arg("--events-fd").arg(events.writer.as_raw_fd().to_string());
    }
    if let Some(code) = pair {
        link_control.say(&format!("pair {}", code.replace(' ', "")))?;
    }
    let status = cloud::runtime()?.block_on(wait_for(launcher, events))?;
    if status.success() { Ok(()) } else { Err(Failure::no(format!("the device ended: {status}"))) }
}

/// The device's events on their way to standard output. The device itself drops what cannot be written and goes on; here
/// it is a failure, since somebody asked for them.
struct EventLines {
    /// The device's end.
    writer: OwnedFd,
    /// How the printing ended.
    ended: Ended,
}

impl EventLines {
    fn start() -> Result<Self, Failure> {
        let failed =
            |why: rustix::io::Errno| Failure::no(format!("cannot make a pipe for the device's events: {why}"));
        let (reader, writer) = rustix::pipe::pipe().map_err(failed)?;
        rustix::io::fcntl_setfd(&reader, rustix::io::FdFlags::CLOEXEC).map_err(failed)?;
        let (told, ended) = tokio::sync::oneshot::channel();
        std::thread::spawn(move || {
            let mut lines = BufReader::new(File::from(reader)).lines().map_while(Result::ok);
            let _ = told.send(lines.try_for_each(|line| crate::print_line(&line)));
        });
        Ok(Self { writer, ended })
    }
}

/// How long the last events may take to be printed once the device has ended.
const LAST_EVENTS_MAX: Duration = Duration::from_secs(5);

/// Ctrl-C reaches the device by itself, being the terminal's; a termination signal to us is passed on. A device that has not
/// ended some time after either is killed: its processes end with their launcher's pipes.
async fn wait_for(
    mut launcher: tokio::process::Command,
    events: Option<EventLines>,
) -> Result<std::process::ExitStatus, Failure> {
    let failed = |why: std::io::Error| Failure::no(format!("cannot run the device: {why}"));
    let mut terminate = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate()).map_err(failed)?;
    let mut interrupt = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::interrupt()).map_err(failed)?;
    let mut child = launcher.spawn().map_err(failed)?;
    // Without our own copy of the device's end, the printing ends with the device.
    let mut events = events.map(|EventLines { writer, ended }| {
        drop(writer);
        ended
    });
    let mut printed = Ok(());
    let mut told: Option<tokio::time::Instant> = None;
    loop {
        let overdue = async {
            match told {
                Some(deadline) => {
                    // Nothing but the deadline to wait for: the other branches are the events.
                    let _ = tokio::time::timeout_at(deadline, std::future::pending::<()>()).await;
                }
                None => std::future::pending().await,
            }
        };
        let deadline = tokio::time::Instant::now() + END_MAX;
        tokio::select! {
            () = overdue => {
                child.kill().await.map_err(failed)?;
                return Err(Failure::no(format!("the device had not ended within {} s and was killed", END_MAX.as_secs())));
            }
            status = child.wait() => {
                if let Some(ended) = events {
                    printed = last_word(ended).await;
                }
                return printed.and(status.map_err(failed));
            }
            outcome = last_word_of(&mut events) => {
                (printed, events) = (outcome, None);
                if printed.is_err() {
                    told.get_or_insert(deadline);
                    terminate_child(&child);
                }
            }
            _ = interrupt.recv() => {
                told.get_or_insert(deadline);
            }
            _ = terminate.recv() => {
                told.get_or_insert(deadline);
                terminate_child(&child);
            }
        }
    }
}

fn terminate_child(child: &tokio::process::Child) {
    let pid = child.id().and_then(|id| i32::try_from(id).ok()).and_then(rustix::process::Pid::from_raw);
    if let Some(pid) = pid {
        let _ = rustix::process::kill_process(pid, rustix::process::Signal::TERM);
    }
}

type Ended = tokio::sync::oneshot::Receiver<Result<(), Failure>>;

/// How the printing ended while the device runs; never where there is none.
async fn last_word_of(events: &mut Option<Ended>) -> Result<(), Failure> {
    match events {
        Some(ended) => ended.await.unwrap_or(Ok(())),
        None => std::future::pending().await,
    }
}

/// How the printing ends, soon after the device has.
async fn last_word(ended: Ended) -> Result<(), Failure> {
    match tokio::time::timeout(LAST_EVENTS_MAX, ended).await {
        Ok(outcome) => outcome.unwrap_or(Ok(())),
        Err(_) => Err(Failure::no("the device's last events could not be printed in time")),
    }
}
