//! The cloud as the other commands see it: one that runs already, or one started for as long as the command lasts.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use base::{Clock, SetClock, SystemClock, Timestamp};
use server::{Config, RunFile};

use crate::failure::Failure;
use crate::places::Places;

/// How long the running cloud may take to answer one of our questions.
const ANSWER_MAX: Duration = Duration::from_secs(5);

/// How long the cloud's threads may take to end once it has stopped.
const THREADS_END_MAX: Duration = Duration::from_secs(2);

/// Where the cloud's time comes from: the machine, or `--now`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ClockSource {
    /// The moment given with `--now`.
    pub(crate) now: Option<Timestamp>,
}

impl ClockSource {
    /// The clock itself.
    pub(crate) fn clock(self) -> Arc<dyn Clock> {
        match self.now {
            Some(now) => Arc::new(SetClock::new(now)),
            None => Arc::new(SystemClock::new()),
        }
    }
}

/// A cloud to speak to.
pub(crate) struct Cloud {
    run: RunFile,
    own: Option<Own>,
}

/// A cloud in this process.
struct Own {
    runtime: tokio::runtime::Runtime,
    cloud: server::Cloud,
    logs: server::logs::Logs,
}

impl Cloud {
    /// The cloud that runs on this data directory, or a fresh one on free loopback ports.
    pub(crate) fn find_or_start(places: &Places, clock: ClockSource) -> Result<Self, Failure> {
        if let Some(run) = running(places) {
            return Ok(Self { run, own: None });
        }
        crate::models::ensure(places.models())?;
        let free = SocketAddr::from(([127, 0, 0, 1], 0));
        let config = Config {
            data: places.data().to_owned(),
            models: places.models().to_owned(),
            app: free,
            devices: free,
            clock: clock.clock(),
        };
        let logs = server::logs::start(places.data(), false).map_err(|why| Failure::no(why.to_string()))?;
        let runtime = runtime()?;
        let cloud = runtime.block_on(server::start(config)).map_err(|why| Failure::no(why.to_string()))?;
        Ok(Self { run: cloud.run_file().clone(), own: Some(Own { runtime, cloud, logs }) })
    }

    /// The devices' port.
    pub(crate) fn devices(&self) -> SocketAddr {
        self.run.devices
    }

    /// A fresh pairing code, as the app would show it.
    pub(crate) fn pairing_code(&self) -> Result<String, Failure> {
        let answer = post(&self.run, "/control/pairing-code")?;
        let code = answer["code"].as_str().ok_or_else(|| Failure::no("the cloud gave no pairing code"))?;
        Ok(code.to_owned())
    }

    /// Ends the cloud where it was started here.
    pub(crate) fn stop(self) {
        if let Some(Own { runtime, cloud, logs }) = self.own {
            runtime.block_on(cloud.stop());
            end(runtime);
            drop(logs);
        }
    }
}

/// The tokio runtime of a cloud in this process.
pub(crate) fn runtime() -> Result<tokio::runtime::Runtime, Failure> {
    tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|why| Failure::no(format!("cannot start the cloud's threads: {why}")))
}

/// Ends the cloud's threads; one that is held up in a call to the system is left to the end of the process.
pub(crate) fn end(runtime: tokio::runtime::Runtime) {
    runtime.shutdown_timeout(THREADS_END_MAX);
}

/// What the running cloud on this data directory says of itself, if one runs and answers.
pub(crate) fn running(places: &Places) -> Option<RunFile> {
    let run = RunFile::read(&places.run_file())?;
    get(&run, "/control/status").ok().map(|_| run)
}

/// Asks the running cloud.
pub(crate) fn get(run: &RunFile, path: &str) -> Result<serde_json::Value, Failure> {
    read(agent().get(url(run, path)).header("Authorization", bearer(run)).call())
}

/// Tells the running cloud.
pub(crate) fn post(run: &RunFile, path: &str) -> Result<serde_json::Value, Failure> {
    read(agent().post(url(run, path)).header("Authorization", bearer(run)).send_empty())
}

/// Tells the running cloud, with what it needs to know.
pub(crate) fn post_with(run: &RunFile, path: &str, body: &serde_json::Value) -> Result<serde_json::Value, Failure> {
    read(agent().post(url(run, path)).header("Authorization", bearer(run)).send_json(body))
}

/// Whether the process in a run file left behind still lives.
pub(crate) fn is_alive(run: &RunFile) -> bool {
    Path::new("/proc").join(run.pid.to_string()).exists()
}

fn agent() -> ureq::Agent {
    ureq::Agent::config_builder()
        .timeout_global(Some(ANSWER_MAX))
        .http_status_as_error(false)
        .proxy(None)
        .build()
        .into()
}

fn url(run: &RunFile, path: &str) -> String {
    format!("http://{}{path}", run.app)
}

fn bearer(run: &RunFile) -> String {
    format!("Bearer {}", run.token)
}

fn read(answer: Result<ureq::http::Response<ureq::Body>, ureq::Error>) -> Result<serde_json::Value, Failure> {
    let mut answer = answer.map_err(|why| Failure::no(format!("the cloud does not answer: {why}")))?;
    let body: serde_json::Value = answer
        .body_mut()
        .read_json()
        .map_err(|why| Failure::no(format!("the cloud's answer cannot be read: {why}")))?;
    if answer.status().is_success() {
        Ok(body)
    } else {
        Err(Failure::no(body["error"].as_str().unwrap_or("the cloud refuses").to_owned()))
    }
}
