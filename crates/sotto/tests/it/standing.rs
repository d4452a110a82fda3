//! What changes while a cloud runs: a device is removed in the app; somebody sets the clock.

use std::process::Stdio;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, Instant};

use base::{Clock, SystemClock, Timestamp};
use serde_json::Value;
use server::Config;

use crate::browser::Browser;
use crate::home::{Home, Said};
use crate::owner::Owner;

const REQUEST: [&str; 5] = ["ask", "--fast", "--json", "--say", "Alexa, what time is it"];

/// No request takes longer, on whatever machine.
const PATIENCE: Duration = Duration::from_secs(120);

#[test]
fn a_device_removed_in_the_app_is_refused_with_one_clear_line_and_nothing_of_it_is_kept() {
    let home = Home::new();
    let up = home.up();
    assert_eq!(home.sotto(&REQUEST).code, Some(0), "paired and heard");
    let text = |key: &str| up.told[key].as_str().expect("text").to_owned();
    let (mut browser, app) = (Browser::new(), text("app"));
    assert_eq!(browser.sign_in(&app, &text("account"), &text("password")).status, 303);
    let devices = browser.get(&format!("{app}/devices")).text;
    let id = devices.split("/remove\"").next().and_then(|page| page.rsplit("/devices/").next()).expect("its link");
    assert_eq!(browser.post(&format!("{app}/devices/{id}/remove"), "").status, 303);
    let before = home.sotto(&["status", "--json"]);
    home.sotto(&REQUEST).refuses(1, "no longer, paired");
    let after = home.sotto(&["status", "--json"]);
    for count in ["streams_opened", "audio_bytes_received"] {
        assert_eq!(before.line()[count], after.line()[count], "nothing of it was taken: {count}");
    }
    assert_eq!(
        browser.get(&format!("{app}/activity")).text.matches("/delete\"").count(),
        1,
        "what it said before is there, and nothing since"
    );
}

#[test]
fn a_device_removed_in_the_app_in_mid_stream_ends_at_once_and_nothing_of_that_request_is_kept() {
    let home = Home::new();
    let up = home.up();
    assert_eq!(home.sotto(&REQUEST).code, Some(0), "paired and heard");
    let text = |key: &str| up.told[key].as_str().expect("text").to_owned();
    let owner = Owner::sign_in(&text("app"), &text("account"), &text("password"));
    let devices = owner.page("/devices");
    let id = devices.split("/remove\"").next().and_then(|page| page.rsplit("/devices/").next()).expect("its link");
    let received = || home.sotto(&["status", "--json"]).line()["audio_bytes_received"].as_u64().expect("bytes");
    let before = received();
    // In real time: as long as somebody speaks.
    let long = format!("Alexa, {}", "tell me of the long road through the green hills and over the river ".repeat(4));
    let mut asking = home.command(&["ask", "--json", "--say", &long]);
    let asking = asking.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("starts");
    let started = Instant::now();
    while received() == before {
        assert!(started.elapsed() < PATIENCE, "no sound arrives");
        std::thread::yield_now();
    }
    assert_eq!(owner.post(&format!("/devices/{id}/remove"), "").status(), 303);
    let taken = received();
    let asked = Said::of(&asking.wait_with_output().expect("it ends"));
    assert_eq!(received(), taken, "no byte was taken since the removal: {asked:?}");
    assert!(asked.lines.iter().all(|line| line["transcript"].as_str().is_none_or(str::is_empty)), "{asked:?}");
    home.sotto(&REQUEST).refuses(1, "no longer, paired");
    assert_eq!(owner.page("/activity").matches("/delete\"").count(), 1, "what it said before is there, no more");
}

/// The machine's clock, and how far somebody has set it off.
struct JumpingClock {
    machine: SystemClock,
    off_ms: AtomicI64,
}

impl Clock for JumpingClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_unix_ms(self.machine.now().unix_ms() + self.off_ms.load(Ordering::SeqCst))
    }

    fn elapsed(&self) -> Duration {
        self.machine.elapsed()
    }
}

#[test]
fn a_clock_that_jumps_forward_and_back_under_a_running_cloud_loses_nothing() {
    const DAY_MS: i64 = 86_400_000;
    let home = Home::new();
    let clock = Arc::new(JumpingClock { machine: SystemClock::new(), off_ms: AtomicI64::new(0) });
    let free = std::net::SocketAddr::from(([127, 0, 0, 1], 0));
    let config = Config {
        data: home.data(),
        models: Home::models(),
        app: free,
        devices: free,
        clock: Arc::clone(&clock) as Arc<dyn Clock>,
    };
    let runtime = tokio::runtime::Runtime::new().expect("threads");
    let cloud = runtime.block_on(server::start(config)).expect("the cloud starts");
    let first = runtime.block_on(cloud.first_password()).expect("a password").expect("the first");
    let mut replies = Vec::new();
    for off_days in [0, 400, -800] {
        clock.off_ms.store(off_days * DAY_MS, Ordering::SeqCst);
        let said: Said = home.sotto(&REQUEST);
        assert_eq!(said.line()["intent"], "HassGetCurrentTime", "{off_days} days off: {said:?}");
        assert!(!said.stderr.contains("panicked"), "{said:?}");
        replies.push(said.line()["reply"].clone());
    }
    assert!(replies.iter().all(Value::is_string));
    let app = cloud.run_file().app_url();
    for off_days in [-800, 0] {
        clock.off_ms.store(off_days * DAY_MS, Ordering::SeqCst);
        let mut browser = Browser::new();
        browser.sign_in(&app, &first.account, first.password.expose());
        let listed = browser.get(&format!("{app}/activity")).text.matches("/delete\"").count();
        assert_eq!(listed, replies.len(), "all are in the list, whatever the clock says");
    }
    runtime.block_on(cloud.stop());
    assert_eq!(home.sotto(&["status"]).code, Some(1), "it ended cleanly");
}
