//! `sotto status` and `sotto stop`, from anywhere on the same machine.

use std::time::{Duration, Instant};

use clap::Args;
use server::RunFile;

use crate::cloud;
use crate::failure::Failure;
use crate::places::Places;

/// How long a cloud may take to end: open turns are finished, the store is closed.
const STOP_MAX: Duration = Duration::from_secs(20);

/// Says whether the cloud runs, where, and how much it has heard since it started.
#[derive(Args, Debug)]
pub(crate) struct StatusArgs {
    /// One JSON object.
    #[arg(long)]
    json: bool,
}

/// `sotto status`. The answer is no (exit code 1) where nothing runs.
pub(crate) fn status(args: &StatusArgs, places: &Places) -> Result<(), Failure> {
    let run = running(places)?;
    let told = cloud::get(&run, "/control/status")?;
    if args.json {
        let mut line = told;
        line["app"] = run.app_url().into();
        line["devices"] = run.devices.to_string().into();
        line["pid"] = run.pid.into();
        crate::print_line(&line.to_string())?;
    } else {
        crate::print_line(&format!(
            "running (process {})\n  the app    {}\n  devices    {}, {} online\n  received   {} bytes of audio in {} streams since it started",
            run.pid,
            run.app_url(),
            run.devices,
            told["devices_online"],
            told["audio_bytes_received"],
            told["streams_opened"],
        ))?;
    }
    Ok(())
}

/// `sotto stop`: tells the cloud to end and waits until it has.
pub(crate) fn stop(places: &Places) -> Result<(), Failure> {
    let run = running(places)?;
    cloud::post(&run, "/control/stop")?;
    let deadline = Instant::now() + STOP_MAX;
    // The run file goes last. There is no event to wait for across processes, so it is looked for.
    while places.run_file().exists() && cloud::is_alive(&run) {
        if Instant::now() > deadline {
            return Err(Failure::no(format!("process {} has not ended within {} s", run.pid, STOP_MAX.as_secs())));
        }
        std::thread::park_timeout(Duration::from_millis(20));
    }
    crate::print_line("stopped")?;
    Ok(())
}

fn running(places: &Places) -> Result<RunFile, Failure> {
    cloud::running(places).ok_or_else(|| Failure::no("not running (./sotto up starts it)"))
}
