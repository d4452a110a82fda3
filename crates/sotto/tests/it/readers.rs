//! Who reads what the cloud logs is no part of the cloud: a reader that goes, one that stops reading and a disk that is
//! full change nothing for devices, and a termination signal ends the program.

use std::fs::File;
use std::io::{BufRead, BufReader, Read, Write};
use std::os::fd::OwnedFd;
use std::os::unix::fs::PermissionsExt;
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal};
use serde_json::Value;

use crate::home::Home;

/// No start and no end takes longer, on a busy machine either.
const PATIENCE: Duration = Duration::from_secs(60);
const REQUEST: [&str; 5] = ["ask", "--fast", "--json", "--say", "Alexa, what time is it"];

/// A cloud that writes more than its reader can take; killed where a test fails.
struct Noisy(Child);

impl Drop for Noisy {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn noisy(home: &Home, out: impl Into<Stdio>, err: impl Into<Stdio>, json: bool) -> Noisy {
    let mut command = home.command(&["--port", "0", "up"]);
    if json {
        command.arg("--json");
    }
    // Thousands of lines: more than any pipe and any queue holds.
    Noisy(command.env("SOTTO_LOG", "trace").stdout(out).stderr(err).spawn().expect("starts"))
}

/// Asks, sees the request answered, sends the signal, and sees the program end by itself.
fn answers_and_ends(home: &Home, cloud: &mut Noisy, signal: Signal) {
    answers_and_ends_with(home, cloud, signal, &[0]);
}

fn answers_and_ends_with(home: &Home, cloud: &mut Noisy, signal: Signal, wanted: &[i32]) {
    for _ in 0..2 {
        let said = home.sotto(&REQUEST);
        assert_eq!(said.line()["intent"], "HassGetCurrentTime", "{said:?}");
    }
    let pid = Pid::from_child(&cloud.0);
    rustix::process::kill_process(pid, signal).expect("told to end");
    let code = within(&mut cloud.0).expect("it ends when it is told to").code();
    assert!(code.is_some_and(|code| wanted.contains(&code)), "{code:?}, not {wanted:?}");
    home.sotto(&["status"]).refuses(1, "not running");
}

fn within(child: &mut Child) -> Option<std::process::ExitStatus> {
    let deadline = Instant::now() + PATIENCE;
    // A child's end is no event that can be waited for with a deadline, so it is looked for.
    while Instant::now() < deadline {
        if let Some(status) = child.try_wait().expect("a child") {
            return Some(status);
        }
        std::thread::park_timeout(Duration::from_millis(20));
    }
    None
}

fn first_line(pipe: impl Read) -> Value {
    let mut line = String::new();
    BufReader::new(pipe).read_line(&mut line).expect("reads");
    serde_json::from_str(&line).expect("one object")
}

/// A pipe that is full already, and its reading end.
fn full_pipe() -> (OwnedFd, OwnedFd) {
    let (reader, writer) = rustix::pipe::pipe().expect("a pipe");
    let mut writer = File::from(writer);
    let set = |writer: &File, flags| rustix::fs::fcntl_setfl(writer, flags).expect("flags");
    set(&writer, rustix::fs::OFlags::NONBLOCK);
    while writer.write(&[b'\n'; 4_096]).is_ok() {}
    while writer.write(b"\n").is_ok() {}
    set(&writer, rustix::fs::OFlags::empty());
    (reader, writer.into())
}

#[test]
fn a_log_reader_that_goes_away_stops_nothing() {
    let home = Home::new();
    let (reader, writer) = std::io::pipe().expect("a pipe");
    // As `sotto up 2>&1 | head -7`.
    let mut cloud = noisy(&home, writer.try_clone().expect("another end"), writer, false);
    let mut lines = BufReader::new(reader);
    for _ in 0..7 {
        lines.read_line(&mut String::new()).expect("reads");
    }
    drop(lines);
    wait_until_up(&home);
    // Its first words may have come before the reader went, or after.
    answers_and_ends_with(&home, &mut cloud, Signal::TERM, &[0, 1]);
}

#[test]
fn a_full_disk_under_the_log_stops_nothing() {
    let home = Home::new();
    let full = || File::options().write(true).open("/dev/full").expect("/dev/full");
    // Standard output too: then the run file alone says where it is, and at the end the exit code that it was not told.
    let mut cloud = noisy(&home, full(), full(), true);
    wait_until_up(&home);
    answers_and_ends_with(&home, &mut cloud, Signal::INT, &[1]);
}

#[test]
fn a_log_reader_that_never_reads_stops_nothing() {
    let home = Home::new();
    let (_reader, writer) = full_pipe();
    let mut cloud = noisy(&home, Stdio::piped(), writer, true);
    first_line(cloud.0.stdout.take().expect("piped"));
    answers_and_ends(&home, &mut cloud, Signal::TERM);
    let kept = home.files_holding(b"cloud.down");
    assert!(kept.iter().any(|path| path.extension().is_some_and(|end| end == "log")), "its file has it all the same");
}

#[test]
fn a_reader_of_standard_output_that_never_reads_stops_nothing() {
    let home = Home::new();
    let (_reader, writer) = full_pipe();
    let mut cloud = noisy(&home, writer.try_clone().expect("another end"), writer, true);
    wait_until_up(&home);
    answers_and_ends(&home, &mut cloud, Signal::TERM);
}

#[test]
fn a_log_that_cannot_be_written_to_its_folder_stops_nothing() {
    let home = Home::new();
    drop(home.up());
    // Whatever file it would open today or tomorrow, it would have to write where there is no room.
    let logs = home.data().join("logs");
    std::fs::remove_dir_all(&logs).expect("removed");
    std::fs::create_dir(&logs).expect("made");
    for today in [0, 1].map(day_from_now) {
        std::os::unix::fs::symlink("/dev/full", logs.join(format!("sotto.{today}.log"))).expect("a link");
    }
    let mut cloud = noisy(&home, Stdio::piped(), Stdio::null(), true);
    first_line(cloud.0.stdout.take().expect("piped"));
    answers_and_ends(&home, &mut cloud, Signal::TERM);
}

#[test]
fn log_files_are_their_owners_alone_whatever_the_umask_and_whoever_made_them() {
    let home = Home::new();
    drop(home.up());
    let logs = home.data().join("logs");
    let older = logs.join("sotto.2026-01-01.log");
    std::fs::write(&older, "an earlier version's\n").expect("written");
    let files = || std::fs::read_dir(&logs).expect("a folder").map(|entry| entry.expect("an entry").path());
    for path in files() {
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o644)).expect("a mode");
    }
    // The loosest umask there is.
    let _up = home.up_under(Some("umask 000"));
    let modes: Vec<_> = files()
        .map(|path| {
            (path.display().to_string(), std::fs::metadata(&path).expect("there").permissions().mode() & 0o777)
        })
        .collect();
    assert!(modes.len() >= 2 && modes.iter().all(|(_, mode)| *mode == 0o600), "{modes:?}");
}

fn day_from_now(days: i64) -> String {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).expect("after 1970").as_millis();
    let then = i64::try_from(now).expect("small") + days * 86_400_000;
    let day = jiff::Timestamp::from_millisecond(then).expect("in range").to_string();
    day[..10].to_owned()
}

/// Waits for a cloud whose standard output nobody reads.
fn wait_until_up(home: &Home) {
    let deadline = Instant::now() + PATIENCE;
    // There is no event to wait for across processes, so it is asked.
    while home.sotto(&["status"]).code != Some(0) {
        assert!(Instant::now() < deadline, "it comes up");
        std::thread::park_timeout(Duration::from_millis(50));
    }
}
