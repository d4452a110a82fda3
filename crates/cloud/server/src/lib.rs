//! The cloud, wired: vault and history, recogniser, sentences, skills, gateway and app in one process.
//!
//! Architecture Invariant: nothing uses this crate but `sotto`, the command line. What it starts it also stops: after
//! [`Cloud::stop`] no task, no port and no lock of it is left.

mod account;
mod control;
mod front;
mod identity;
mod line;
pub mod logs;
mod parts;
mod run_file;
mod zone;

use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use base::Clock;
use tokio::net::TcpListener;
use tokio::sync::{Notify, watch};
use tokio::task::JoinHandle;

pub use account::{FirstPassword, draw_password, reset_password};
pub use run_file::RunFile;

use crate::control::Control;
use crate::front::FrontLimits;
use crate::parts::Parts;

/// How long open turns and requests may take to finish once the cloud is told to stop.
const STOP_MAX: Duration = Duration::from_secs(10);

/// How long a cloud that was told to stop is waited for in all: `sotto stop` waits 20 s.
const END_MAX: Duration = Duration::from_secs(15);

/// Bytes of the cloud's public key (of its hash) in its host name: enough to tell a machine's instances apart.
const HOST_BYTES: usize = 4;

/// What a cloud needs to be told.
pub struct Config {
    /// Everything that is kept. Made, with mode 0700, where it is missing.
    pub data: PathBuf,
    /// The verified model files.
    pub models: PathBuf,
    /// Where the app listens (plain HTTP: a loopback address). Port 0 takes a free one.
    pub app: SocketAddr,
    /// Where devices connect (TLS). Port 0 takes a free one.
    pub devices: SocketAddr,
    /// The time.
    pub clock: Arc<dyn Clock>,
}

/// Why a cloud does not start.
#[derive(Debug, thiserror::Error)]
pub enum ServerError {
    /// Another program has the port.
    #[error("port {port} is in use by another program: choose another with --port")]
    PortInUse {
        /// The port.
        port: u16,
    },
    /// The address cannot be listened on.
    #[error("cannot listen on {address}: {why}")]
    Listen {
        /// The address.
        address: SocketAddr,
        /// What the system says.
        why: io::Error,
    },
    /// A file of our own cannot be read or written.
    #[error("{path}: {why}")]
    File {
        /// The file.
        path: PathBuf,
        /// What the system says.
        why: io::Error,
    },
    /// The cloud's certificate cannot be made or read.
    #[error("the cloud's key: {0}")]
    Identity(String),
    /// The store does not open.
    #[error(transparent)]
    History(#[from] history::HistoryError),
    /// The recogniser does not load.
    #[error(transparent)]
    Speech(#[from] speech::SpeechError),
    /// The voice activity model does not load.
    #[error(transparent)]
    Ear(#[from] ear::EarError),
    /// A time zone is named that this machine does not know.
    #[error(
        "the time zone \"{name}\" (from {source_name}) is not known here: correct it, or install the package tzdata"
    )]
    Zone {
        /// The zone, as it is named.
        name: String,
        /// Where it is named.
        source_name: String,
    },
    /// No random bytes could be had.
    #[error("the machine gives no random bytes: {0}")]
    Random(getrandom::Error),
}

/// A running cloud.
pub struct Cloud {
    run: RunFile,
    run_path: PathBuf,
    parts: Parts,
    stop_asked: Arc<Notify>,
    shutdown: watch::Sender<bool>,
    tasks: Vec<JoinHandle<()>>,
}

/// Opens the store, loads the models, and starts serving.
///
/// # Errors
/// One line for the person who started it; nothing is left running.
pub async fn start(config: Config) -> Result<Cloud, ServerError> {
    let limits = FrontLimits::of_descriptors(front::raise_descriptors());
    let app_listener = listen(config.app).await?;
    let device_listener = listen(config.devices).await?;
    let (parts, identity) = Parts::open(&config).await?;
    let run = RunFile {
        pid: std::process::id(),
        app: address(&app_listener, config.app)?,
        host: own_host(identity.fingerprint()),
        devices: on_this_machine(address(&device_listener, config.devices)?),
        token: random_token()?,
    };
    let (shutdown, stopped) = watch::channel(false);
    let stop_asked = Arc::new(Notify::new());
    let control = Control { token: run.token.clone(), parts: parts.clone(), stop: Arc::clone(&stop_asked) };
    let routes = parts.app(run.host.clone()).merge(control::router(Arc::new(control)));
    let tasks = vec![
        tokio::spawn(front::serve(app_listener, routes, limits, stopped.clone())),
        tokio::spawn(serve_devices(device_listener, parts.clone(), identity, stopped)),
    ];
    let run_path = config.data.join("run.json");
    run.write(&run_path).map_err(|why| ServerError::File { path: run_path.clone(), why })?;
    tracing::info!(app = %run.app, devices = %run.devices, "cloud.up");
    Ok(Cloud { run, run_path, parts, stop_asked, shutdown, tasks })
}

impl Cloud {
    /// Where it is and how to speak to it.
    #[must_use]
    pub fn run_file(&self) -> &RunFile {
        &self.run
    }

    /// The password of an account that has none anybody knows: drawn now, for the terminal to print once. Once it was
    /// printed, [`Cloud::password_seen`] says so; until then the next start draws another.
    ///
    /// # Errors
    /// When the store cannot be written.
    pub async fn first_password(&self) -> Result<Option<FirstPassword>, ServerError> {
        account::first_password(&self.parts.history, &self.parts.data).await
    }

    /// What to do once the first password was printed.
    pub fn when_password_seen(&self) -> impl FnOnce() + Send + 'static {
        let data = self.parts.data.clone();
        move || account::seen(&data)
    }

    /// Serves until Ctrl-C, a termination signal or `sotto stop`, then stops: within [`END_MAX`], whatever hangs, and at
    /// once when it is told a second time.
    pub async fn run(self) {
        let stop_asked = Arc::clone(&self.stop_asked);
        tokio::select! {
            () = signalled() => {}
            () = stop_asked.notified() => {}
        }
        let again = signalled();
        tokio::select! {
            ended = tokio::time::timeout(END_MAX, self.stop()) => if ended.is_err() {
                tracing::error!("cloud.stop: it did not end in time, and is left");
            },
            () = again => tracing::warn!("cloud.stop: told twice, and left at once"),
        }
    }

    /// Lets open turns finish, closes the store, and gives up the ports.
    pub async fn stop(self) {
        let _ = self.shutdown.send(true);
        let deadline = tokio::time::Instant::now() + STOP_MAX;
        for mut task in self.tasks {
            if tokio::time::timeout_at(deadline, &mut task).await.is_err() {
                tracing::warn!("cloud.stop: a part did not end in time");
                task.abort();
            }
        }
        self.parts.close().await;
        // Last, so that whoever waits for the file to go finds the store closed.
        let _ = std::fs::remove_file(&self.run_path);
        tracing::info!("cloud.down");
    }
}

async fn serve_devices(
    listener: TcpListener,
    parts: Parts,
    identity: gateway::CloudIdentity,
    stopped: watch::Receiver<bool>,
) {
    if let Err(why) = parts.gateway.serve(listener, identity, told_to_stop(stopped)).await {
        tracing::error!(%why, "gateway.ended");
    }
}

/// Waits for Ctrl-C or a termination signal that comes from now on.
async fn signalled() {
    let mut terminate = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate()).ok();
    let terminated = async {
        match &mut terminate {
            Some(signal) => {
                signal.recv().await;
            }
            None => std::future::pending().await,
        }
    };
    tokio::select! {
        _ = tokio::signal::ctrl_c() => {}
        () = terminated => {}
    }
}

async fn told_to_stop(mut stopped: watch::Receiver<bool>) {
    // An error means that the sender has gone: that is a stop as well.
    let _ = stopped.wait_for(|stopped| *stopped).await;
}

async fn listen(address: SocketAddr) -> Result<TcpListener, ServerError> {
    TcpListener::bind(address).await.map_err(|why| match why.kind() {
        io::ErrorKind::AddrInUse => ServerError::PortInUse { port: address.port() },
        _ => ServerError::Listen { address, why },
    })
}

fn address(listener: &TcpListener, asked: SocketAddr) -> Result<SocketAddr, ServerError> {
    listener.local_addr().map_err(|why| ServerError::Listen { address: asked, why })
}

/// The address under which our own devices reach a port that listens on every interface.
fn on_this_machine(address: SocketAddr) -> SocketAddr {
    if address.ip().is_unspecified() { SocketAddr::from(([127, 0, 0, 1], address.port())) } else { address }
}

/// A host name that leads to this machine and is this instance's alone: the same from start to start, and another one for
/// every data directory.
fn own_host(fingerprint: [u8; 32]) -> String {
    let digits: String = fingerprint[..HOST_BYTES].iter().map(|byte| format!("{byte:02x}")).collect();
    format!("sotto-{digits}.localhost")
}

fn random_token() -> Result<String, ServerError> {
    let mut bytes = [0_u8; 32];
    getrandom::fill(&mut bytes).map_err(ServerError::Random)?;
    Ok(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
}
