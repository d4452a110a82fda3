//! `sotto up`: the cloud and its app, in the foreground until Ctrl-C or `sotto stop`.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::mpsc::{self, Receiver};
use std::time::Duration;

use clap::Args;
use server::{Config, FirstPassword};

use crate::cloud::{self, ClockSource};
use crate::failure::Failure;
use crate::places::Places;

/// The app's port where none is named; devices have the next.
pub(crate) const PORT: u16 = 7380;

/// How long the end waits for a reader of standard output that has not taken the first words yet.
const ANNOUNCE_MAX: Duration = Duration::from_secs(2);

/// Starts the cloud and the app.
#[derive(Args, Debug)]
pub(crate) struct UpArgs {
    /// Print the address and a token as one JSON line.
    #[arg(long)]
    json: bool,
    /// Let devices on the home network connect too (the app stays on this machine).
    #[arg(long)]
    lan: bool,
}

/// Runs until it is told to stop.
pub(crate) fn run(args: &UpArgs, places: &Places, port: u16, clock: ClockSource) -> Result<(), Failure> {
    if let Some(run) = cloud::running(places) {
        return Err(Failure::no(format!("already running: {} (sotto stop ends it)", run.app_url())));
    }
    crate::models::ensure(places.models())?;
    let device_port = match port {
        0 => 0,
        _ => port.checked_add(1).ok_or_else(|| Failure::usage("--port 65535 leaves no port for the devices"))?,
    };
    let devices = if args.lan { IpAddr::V4(Ipv4Addr::UNSPECIFIED) } else { IpAddr::V4(Ipv4Addr::LOCALHOST) };
    let config = Config {
        data: places.data().to_owned(),
        models: places.models().to_owned(),
        app: SocketAddr::from(([127, 0, 0, 1], port)),
        devices: SocketAddr::new(devices, device_port),
        clock: clock.clock(),
    };
    let logs = server::logs::start(places.data(), true).map_err(|why| Failure::no(why.to_string()))?;
    let runtime = cloud::runtime()?;
    let ended = runtime.block_on(async {
        let cloud = server::start(config).await.map_err(|why| Failure::no(why.to_string()))?;
        let password = cloud.first_password().await.map_err(|why| Failure::no(why.to_string()))?;
        let words = announcement(args.json, places, &cloud, password.as_ref());
        let printed = announce(words, password.is_some(), cloud.when_password_seen());
        cloud.run().await;
        // A reader that never read is no failure of what was served.
        printed.recv_timeout(ANNOUNCE_MAX).unwrap_or(Ok(()))
    });
    cloud::end(runtime);
    drop(logs);
    ended
}

/// Prints it, on a thread of its own: a reader that does not read must not keep the cloud from being told to stop. A cloud
/// whose announcement cannot be printed serves all the same: whoever started it may never have wanted to read this.
fn announce(
    words: String,
    has_password: bool,
    when_seen: impl FnOnce() + Send + 'static,
) -> Receiver<Result<(), Failure>> {
    let (done, printed) = mpsc::sync_channel(1);
    std::thread::spawn(move || {
        // In one piece, so that a reader of its first line alone is no reason for the rest to fail.
        let outcome = if has_password { crate::output::print_secret(&words) } else { crate::print_line(&words) };
        match &outcome {
            Ok(()) => when_seen(),
            Err(why) => {
                crate::say(&format!("{why}; sotto status says where it is, sotto account reset gives a password"));
            }
        }
        let _ = done.try_send(outcome);
    });
    printed
}

fn announcement(json: bool, places: &Places, cloud: &server::Cloud, password: Option<&FirstPassword>) -> String {
    let run = cloud.run_file();
    let app = run.app_url();
    if json {
        let mut line = serde_json::json!({ "app": app, "devices": run.devices.to_string(), "token": run.token });
        if let Some(first) = password {
            line["account"] = first.account.clone().into();
            line["password"] = first.password.expose().clone().into();
        }
        return line.to_string();
    }
    let mut words = format!("\n  Sotto is up.\n\n  the app    {app}\n  devices    {}\n", run.devices);
    if let Some(first) = password {
        words += &format!(
            "\n  sign in as {}\n  password   {}\n             shown this once; a new one: ./sotto account reset\n\n  root key   {}\n             \
             Everything kept is sealed under it. Lose it and all of it is lost; keep a copy in a safe place.\n",
            first.account,
            first.password.expose(),
            places.data().join("root.key").display(),
        );
    }
    words + "\n  Try it:    ./sotto ask --say \"Alexa, what time is it\"\n  Ctrl-C ends it.\n"
}
