//! Number 9 of issue 17: what cannot be written to standard output is a failure, and no password is lost with it.

use std::fs::File;
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use crate::browser::Browser;
use crate::home::{Home, Said, Up};

/// Nothing here takes longer, however busy the machine.
const LONG: Duration = Duration::from_secs(60);

fn full() -> File {
    File::options().write(true).open("/dev/full").expect("every Linux has one")
}

fn into(home: &Home, args: &[&str], out: impl Into<Stdio>) -> Said {
    Said::of(&home.command(args).stdout(out).output().expect("runs"))
}

/// The write end of a pipe that nobody reads.
fn gone() -> std::io::PipeWriter {
    std::io::pipe().expect("a pipe").1
}

const COMMANDS: [&[&str]; 7] = [
    &["understand", "what time is it"],
    &["understand", "--json", "what time is it"],
    &["models", "list"],
    &["models", "list", "--json"],
    &["wake", "stats"],
    &["--help"],
    &["--version"],
];

#[test]
fn what_cannot_be_written_is_a_failure_of_every_command() {
    let home = Home::new();
    for args in COMMANDS {
        into(&home, args, full()).refuses(1, "standard output cannot be written: No space left");
        let closed = into(&home, args, File::open("/dev/null").expect("every Linux has one"));
        assert_eq!(closed.code, Some(1), "a standard output that is for reading: {args:?} {closed:?}");
        assert_eq!(into(&home, args, Stdio::null()).code, Some(0), "nobody wants to know: {args:?}");
    }
}

#[test]
fn a_reader_that_has_gone_is_told_by_the_exit_code_alone() {
    let home = Home::new();
    for args in COMMANDS {
        let said = into(&home, args, gone());
        assert_eq!((said.code, said.stderr.as_str()), (Some(1), ""), "{args:?}");
    }
}

#[test]
fn standard_error_that_takes_nothing_changes_no_exit_code() {
    let home = Home::new();
    let output = home.command(&["transcribe", "missing.wav"]).stderr(full()).output().expect("runs");
    assert_eq!(output.status.code(), Some(2));
}

#[test]
fn the_events_of_a_device_that_cannot_be_written_end_it() {
    let home = Home::new();
    let silence = home.dir.path().join("silence.wav");
    sound::write_wav(File::create(&silence).expect("creates"), 16_000, &vec![0; 16_000 * 60]).expect("writes");
    let mic = format!("file:{}", silence.display());
    let nobody = std::net::TcpListener::bind(("127.0.0.1", 0)).and_then(|port| port.local_addr()).expect("a port");
    let nobody = nobody.to_string();
    let args = ["device", "run", "--events", "--mic", &mic, "--speaker", "none", "--cloud", &nobody];
    into(&home, &args, full()).refuses(1, "standard output cannot be written");
    let said = into(&home, &args, gone());
    assert_eq!(said.code, Some(1), "{said:?}");
}

/// Whether the app lets the owner in with that password, as a form has it.
fn signs_in(up: &Up, password: &str) -> bool {
    let app = up.told["app"].as_str().expect("an address");
    Browser::new().sign_in(app, "owner", password).status == 303
}

fn password(said: &serde_json::Value) -> String {
    said["password"].as_str().expect("a password").to_owned()
}

#[test]
fn a_new_password_that_cannot_be_shown_leaves_the_old_one() {
    let home = Home::new();
    let up = home.up();
    let first = password(&up.told);
    let reset = ["account", "reset", "--json"];
    into(&home, &reset, full()).refuses(1, "the old password still holds");
    into(&home, &reset, Stdio::null()).refuses(1, "leads nowhere");
    assert_eq!(into(&home, &reset, gone()).code, Some(1));
    assert!(signs_in(&up, &first), "while a cloud runs");
    assert_eq!(home.sotto(&["stop"]).code, Some(0));
    into(&home, &reset, full()).refuses(1, "the old password still holds");
    let up = home.up();
    assert!(signs_in(&up, &first), "while none runs");
    let second = password(home.sotto(&reset).line());
    assert!(signs_in(&up, &second) && !signs_in(&up, &first), "and one that is shown holds");
    for padded in [format!("{second}+"), format!("{second}%0D%0A"), format!("%09{second}%0A")] {
        assert!(signs_in(&up, &padded), "pasted with what was around it");
    }
    assert!(!signs_in(&up, &format!("{second}x")) && !signs_in(&up, "+"));
}

fn until(mut is_so: impl FnMut() -> bool) -> bool {
    let deadline = Instant::now() + LONG;
    while Instant::now() < deadline {
        if is_so() {
            return true;
        }
        // Another process's doing, of which there is no event to wait for.
        std::thread::park_timeout(Duration::from_millis(50));
    }
    false
}

#[test]
fn the_first_password_is_not_lost_where_it_cannot_be_shown() {
    let home = Home::new();
    let outs: [fn() -> Stdio; 2] = [|| full().into(), || Stdio::null()];
    for out in outs {
        let mut child: Child = home
            .command(&["--port", "0", "up", "--json"])
            .stdout(out())
            .stderr(Stdio::piped())
            .spawn()
            .expect("starts");
        assert!(until(|| home.sotto(&["status"]).code == Some(0)), "it serves all the same");
        assert_eq!(home.sotto(&["stop"]).code, Some(0));
        assert!(until(|| child.try_wait().is_ok_and(|status| status.is_some())));
        let ended = child.wait_with_output().expect("ended");
        let stderr = String::from_utf8_lossy(&ended.stderr);
        assert!(stderr.contains("sotto account reset gives a password"), "{stderr}");
        assert_eq!(ended.status.code(), Some(1), "{stderr}");
    }
    let up = home.up();
    assert!(signs_in(&up, &password(&up.told)), "the next start shows one");
}
