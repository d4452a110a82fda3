//! `sotto`: the command line, which is an interface (exit codes: 0 done, 1 the answer is no, 2 wrong usage or bad
//! input; `--json` prints one object a line and nothing else on standard output).

mod account;
mod ask;
mod bench;
mod cloud;
mod device_run;
mod failure;
mod models;
mod output;
mod places;
mod recordings;
mod secrecy;
mod settings;
mod status;
mod transcribe;
mod understand;
mod uninstall;
mod up;
mod voice;
mod wake;
mod wiping;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::cloud::ClockSource;
use crate::failure::Failure;
pub(crate) use crate::output::print_line;
use crate::places::Places;

/// Nothing that was said stays in memory that was given back.
#[global_allocator]
static ALLOCATOR: wiping::Wiping = wiping::Wiping;

/// A voice assistant you host yourself, and can check.
#[derive(Parser, Debug)]
#[command(name = "sotto", version, arg_required_else_help = true)]
struct Cli {
    /// Where everything is kept, instead of the XDG data directory.
    #[arg(long, global = true, value_name = "DIR")]
    data: Option<PathBuf>,
    /// The app's port; devices use the next one.
    #[arg(long, global = true, value_name = "N", default_value_t = up::PORT)]
    port: u16,
    /// A set clock, for trying what depends on the date (RFC 3339, as 2026-11-23T20:14:00Z).
    #[arg(long, global = true, value_name = "TIME")]
    now: Option<String>,
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand, Debug)]
enum Command {
    /// Start the cloud and the app, in the foreground
    Up(up::UpArgs),
    /// Play a recording to a real device as its microphone, and print what comes of it
    Ask(ask::AskArgs),
    /// Say whether the cloud runs, and where
    Status(status::StatusArgs),
    /// End the running cloud
    Stop,
    /// Reset the owner's password
    #[command(subcommand)]
    Account(account::AccountCommand),
    /// Run a device on this machine
    #[command(subcommand)]
    Device(device_run::DeviceCommand),
    /// Detect, train and score wake words
    Wake(wake::WakeCommand),
    /// Write down what recordings say
    Transcribe(transcribe::TranscribeArgs),
    /// Tell what a sentence means
    Understand(understand::UnderstandArgs),
    /// Print the figures that the documents state
    #[command(subcommand)]
    Bench(bench::BenchCommand),
    /// List, fetch and verify the models
    #[command(subcommand)]
    Models(models::ModelsCommand),
    /// List what Sotto has put on this machine, and remove it
    Uninstall(uninstall::UninstallArgs),
}

fn main() -> ExitCode {
    server::logs::quiet_panics();
    let done = match Cli::try_parse() {
        Ok(cli) => run(cli),
        Err(said) if said.use_stderr() => said.exit(),
        Err(said) => output::print_help(&said),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            if !failure.is_silent() {
                say(&failure.to_string());
            }
            failure.exit_code()
        }
    }
}

fn run(cli: Cli) -> Result<(), Failure> {
    if let Command::Understand(args) = &cli.command {
        // Needs no folder of ours, so none has to be known.
        return understand::run(args);
    }
    let places = Places::new(cli.data)?;
    let clock = ClockSource { now: cli.now.as_deref().map(moment).transpose()? };
    if matches!(cli.command, Command::Up(_) | Command::Ask(_)) {
        secrecy::keep_memory_private()?;
    }
    match cli.command {
        Command::Up(args) => up::run(&args, &places, cli.port, clock),
        Command::Ask(args) => ask::run(args, &places, clock),
        Command::Status(args) => status::status(&args, &places),
        Command::Stop => status::stop(&places),
        Command::Account(command) => account::run(&command, &places, clock),
        Command::Device(command) => device_run::run(command, &places, cli.port),
        Command::Wake(command) => wake::run(&command, &places),
        Command::Transcribe(args) => transcribe::run(&args, &places),
        Command::Understand(args) => understand::run(&args),
        Command::Bench(command) => bench::run(&command, &places, clock),
        Command::Models(command) => models::run(&command, &places),
        Command::Uninstall(args) => uninstall::run(&args, &places),
    }
}

fn moment(text: &str) -> Result<base::Timestamp, Failure> {
    let moment: jiff::Timestamp = text
        .parse()
        .map_err(|_| Failure::usage(format!("--now {text}: not a moment such as 2026-11-23T20:14:00Z")))?;
    Ok(base::Timestamp::from_unix_ms(moment.as_millisecond()))
}

/// One line for the person at the terminal, on standard error. Where that fails there is nobody left to tell.
pub(crate) fn say(line: &str) {
    use std::io::Write;
    let _ = writeln!(std::io::stderr().lock(), "sotto: {line}");
}
