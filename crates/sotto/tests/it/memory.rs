//! After a deletion nothing of the request is in the cloud's memory, nor still on its way to whoever plays it.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::os::fd::AsFd;
use std::os::unix::fs::FileExt;
use std::sync::Arc;
use std::time::{Duration, Instant};

use base::{Marketplace, Redacted, SampleCount, SampleIndex, SystemClock, Timestamp};
use history::{Cause, Details, History, NewUtterance};

use crate::home::{Home, Up};
use crate::owner::Owner;

/// A sentence that stands in no template, no help and no page.
const SENTENCE: &str = "Alexa, set a timer for thirty seven minutes and eleven seconds";
/// Bytes of the recording that are looked for: 4 ms of speech, which no other sound repeats.
const NEEDLE_SAMPLES: usize = 64;
/// How long threads may take to let go of what they worked on, on a machine that does much else.
const SETTLED_MAX: Duration = Duration::from_secs(60);
/// Bytes of memory read at a time.
const READ_BYTES: usize = 1 << 20;

/// How often `needles` lie in the memory that `up` can write to; nothing where we may not look.
fn found_in_memory(up: &Up, needles: &[&[u8]]) -> Option<Vec<usize>> {
    let maps = std::fs::read_to_string(format!("/proc/{}/maps", up.pid())).ok()?;
    let memory = std::fs::File::open(format!("/proc/{}/mem", up.pid())).ok()?;
    let overlap = needles.iter().map(|needle| needle.len()).max()?;
    let mut found = vec![0; needles.len()];
    for line in maps.lines() {
        let mut fields = line.split_whitespace();
        let (range, rights) = (fields.next()?, fields.next()?);
        if !rights.starts_with("rw") {
            continue;
        }
        let (from, to) = range.split_once('-')?;
        let (mut at, to) = (u64::from_str_radix(from, 16).ok()?, u64::from_str_radix(to, 16).ok()?);
        let mut carried = Vec::new();
        while at < to {
            let mut bytes = vec![0; READ_BYTES.min(usize::try_from(to - at).expect("fits"))];
            // Pages that are mapped and not there cannot be read.
            let read = memory.read_at(&mut bytes, at).unwrap_or(0);
            if read == 0 {
                break;
            }
            bytes.truncate(read);
            at += read as u64;
            carried.extend_from_slice(&bytes);
            for (needle, count) in needles.iter().zip(&mut found) {
                *count += occurrences(&carried, needle);
            }
            // What straddles two pieces is found with the second; nothing is counted twice.
            carried.drain(..carried.len().saturating_sub(overlap - 1));
        }
    }
    Some(found)
}

fn occurrences(bytes: &[u8], needle: &[u8]) -> usize {
    let mut count = 0;
    let mut from = 0;
    while let Some(at) = bytes[from..].iter().position(|byte| *byte == needle[0]) {
        from += at;
        count += usize::from(bytes[from..].starts_with(needle));
        from += 1;
    }
    count
}

#[test]
fn i7_played_and_deleted_nothing_of_it_is_in_the_clouds_memory() {
    let home = Home::new();
    let up = home.up();
    let said = home.sotto(&["ask", "--fast", "--json", "--say", SENTENCE]);
    let transcript = said.line()["transcript"].as_str().expect("text").to_owned();
    let reply = said.line()["reply"].as_str().expect("text").to_owned();
    assert!(transcript.len() > 12, "{said:?}");
    let owner = Owner::of(&up);
    let page = owner.page("/activity");
    let id = page
        .split("/delete\"")
        .next()
        .and_then(|page| page.rsplit("/activity/").next())
        .expect("its link")
        .to_owned();
    let sound = owner.get(&format!("/activity/{id}/audio.wav")).body_mut().read_to_vec().expect("sound");
    assert!(owner.page(&format!("/activity/{id}/wave.svg")).contains("<svg"));
    let samples: Vec<i16> = sound[44..].chunks_exact(2).map(|pair| i16::from_le_bytes([pair[0], pair[1]])).collect();
    let loudest = (0..samples.len() - NEEDLE_SAMPLES).max_by_key(|at| samples[*at].unsigned_abs()).expect("sound");
    let needle = &sound[44 + 2 * loudest..44 + 2 * (loudest + NEEDLE_SAMPLES)];
    let marker = up.told["token"].as_str().expect("text").as_bytes();
    // The token is held as long as the cloud runs: where it is not found, nothing would be.
    let Some(looked) = found_in_memory(&up, &[marker]) else {
        eprintln!("SKIPPED: root alone may read the memory of a cloud");
        return;
    };
    assert!(looked[0] > 0, "the memory was not looked at");
    let deleted = owner.post(&format!("/activity/{id}/delete"), "");
    assert!(deleted.headers()["location"].to_str().expect("text").contains("deleted="), "{deleted:?}");
    let float: Vec<u8> = samples[loudest..loudest + NEEDLE_SAMPLES]
        .iter()
        .flat_map(|sample| (f32::from(*sample) / 32_768.0).to_le_bytes())
        .collect();
    let needles: [&[u8]; 4] = [needle, &float, transcript.as_bytes(), reply.as_bytes()];
    let began = Instant::now();
    loop {
        let found = found_in_memory(&up, &needles).expect("it could be read before");
        if found.iter().all(|count| *count == 0) {
            break;
        }
        assert!(began.elapsed() < SETTLED_MAX, "sound, sound as the recogniser has it, transcript, reply: {found:?}");
    }
}

/// A request of 15 s of noise, kept by a cloud that was stopped.
fn keep_a_long_recording(home: &Home) {
    let runtime = tokio::runtime::Runtime::new().expect("threads");
    runtime.block_on(async {
        let history = History::open(&home.data(), Arc::new(SystemClock::new())).await.expect("opens").history;
        let account = history.accounts().await.expect("listed")[0].id;
        let device = history.add_device(account, "Kitchen", [7; 32]).await.expect("added");
        let mut state = 1_u32;
        let noise = (0..15 * 16_000).map(|_| {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (state >> 16) as i16
        });
        let new = NewUtterance {
            account,
            device,
            marketplace: Marketplace::US,
            at: Timestamp::from_unix_ms(1_700_000_000_000),
            pcm: Redacted::new(noise.collect()),
            details: Details {
                cause: Cause::Button,
                start: SampleIndex(0),
                preroll: SampleCount(0),
                length: SampleCount(0),
                transcript: Redacted::new("a long one".to_owned()),
                intent: None,
                reply: Redacted::new(String::new()),
                timings_ms: std::collections::BTreeMap::new(),
            },
        };
        history.seal(new).await.expect("sealed");
        history.close().await;
    });
}

/// A connection to the app that takes in as little as it can.
fn narrow(app: SocketAddr) -> TcpStream {
    use rustix::net::{AddressFamily, SocketType, connect, socket, sockopt};
    let socket = socket(AddressFamily::INET, SocketType::STREAM, None).expect("a socket");
    sockopt::set_socket_recv_buffer_size(socket.as_fd(), 2_048).expect("set");
    connect(&socket, &app).expect("connects");
    TcpStream::from(socket)
}

#[test]
fn i7_a_slow_reader_gets_no_sound_after_the_receipt() {
    let home = Home::new();
    let up = home.up();
    let password = up.told["password"].as_str().expect("text").to_owned();
    drop(up);
    keep_a_long_recording(&home);
    let up = home.up();
    let app = up.told["app"].as_str().expect("text").to_owned();
    let owner = Owner::sign_in(&app, "owner", &password);
    let page = owner.page("/activity");
    let id = page
        .split("/delete\"")
        .next()
        .and_then(|page| page.rsplit("/activity/").next())
        .expect("its link")
        .to_owned();
    let host = app.trim_start_matches("http://").to_owned();
    let port = host.rsplit(':').next().and_then(|port| port.parse().ok()).expect("a port");
    let mut slow = narrow(SocketAddr::from(([127, 0, 0, 1], port)));
    slow.set_read_timeout(Some(SETTLED_MAX)).expect("set");
    let request =
        format!("GET /activity/{id}/audio.wav HTTP/1.1\r\nHost: {host}\r\nCookie: {}\r\n\r\n", owner.cookie);
    slow.write_all(request.as_bytes()).expect("asked");
    let mut begun = vec![0; 4_096];
    slow.read_exact(&mut begun).expect("the first of it");
    assert!(begun.starts_with(b"HTTP/1.1 200"), "{}", String::from_utf8_lossy(&begun[..64]));
    let deleted = owner.post(&format!("/activity/{id}/delete"), "");
    assert!(deleted.headers()["location"].to_str().expect("text").contains("deleted="), "{deleted:?}");
    // What lies in the listener's own kernel had left before.
    let held = rustix::io::ioctl_fionread(&slow).expect("asked");
    assert!(held < 240_000, "the listener was not slow: {held}");
    let (mut after, mut piece) = (0, [0; 4_096]);
    let ended = loop {
        match slow.read(&mut piece) {
            Ok(0) => break None,
            Ok(read) => after += read as u64,
            Err(why) => break Some(why.kind()),
        }
    };
    assert_eq!(after, held, "of 480,000 bytes, more came after the receipt than had been received before");
    assert_eq!(ended, Some(std::io::ErrorKind::ConnectionReset), "it was cut, not ended");
}

#[test]
fn a_clouds_memory_reaches_no_core_dump() {
    let home = Home::new();
    let up = home.up();
    let limits = std::fs::read_to_string(format!("/proc/{}/limits", up.pid())).expect("read");
    let core = limits.lines().find(|line| line.starts_with("Max core file size")).expect("a line");
    assert_eq!(core.split_whitespace().filter(|field| *field == "0").count(), 2, "{core}");
    // A process that is not dumpable belongs to root in /proc, and what is in its memory can be mapped to no one else.
    let owner =
        std::os::unix::fs::MetadataExt::uid(&std::fs::metadata(format!("/proc/{}/mem", up.pid())).expect("there"));
    assert_eq!(owner, 0);
    // Root's own files look the same either way: the kernel says it in the flags of a dump, which it makes none of.
    let kill = rustix::process::Pid::from_raw(i32::try_from(up.pid()).expect("a number")).expect("a process");
    let before = cores(&home);
    rustix::process::kill_process(kill, rustix::process::Signal::ABORT).expect("sent");
    let mut up = up;
    let status = up.status();
    assert!(!std::os::unix::process::ExitStatusExt::core_dumped(&status), "{status:?}");
    assert_eq!(cores(&home), before);
}

fn cores(home: &Home) -> usize {
    home.files()
        .iter()
        .filter(|path| path.file_name().is_some_and(|name| name.to_string_lossy().contains("core")))
        .count()
}
