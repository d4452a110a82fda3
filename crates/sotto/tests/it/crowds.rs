//! Whoever opens connections to the app's port, and whatever they do with them, keeps neither a browser nor a device out.

use std::io::{ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::{Duration, Instant};

use rustix::process::{Resource, Rlimit};

use crate::browser::Browser;
use crate::home::{Home, Up};

/// No wait of a test is longer, on a busy machine either.
const PATIENCE: Duration = Duration::from_secs(60);
/// As many half requests as were enough to keep everybody out.
const HALF_REQUESTS: usize = 1_100;
/// What most systems let a process open.
const DESCRIPTORS: u64 = 1_024;
const REQUEST: [&str; 5] = ["ask", "--fast", "--json", "--say", "Alexa, what time is it"];

/// A cloud that may open 1,024 descriptors, and no more however it asks.
fn up_with_few_descriptors(home: &Home) -> Up {
    home.up_under(Some(&format!("ulimit -n {DESCRIPTORS}")))
}

fn text<'a>(up: &'a Up, key: &str) -> &'a str {
    up.told[key].as_str().expect("text")
}

fn app_address(up: &Up) -> SocketAddr {
    let port = text(up, "app").rsplit_once(':').expect("a port").1.parse().expect("a number");
    SocketAddr::from(([127, 0, 0, 1], port))
}

/// A connection on which that has been said. The cloud may have closed it already.
fn say(address: SocketAddr, words: &[u8]) -> Option<TcpStream> {
    let mut stream = TcpStream::connect_timeout(&address, PATIENCE).ok()?;
    stream.set_read_timeout(Some(PATIENCE)).ok()?;
    stream.write_all(words).ok()?;
    Some(stream)
}

/// A browser signs in and sees the list; a device's request is answered.
fn everybody_gets_in(home: &Home, up: &Up) {
    let (mut browser, app) = (Browser::new(), text(up, "app"));
    let begun = Instant::now();
    assert_eq!(browser.sign_in(app, text(up, "account"), text(up, "password")).status, 303);
    assert_eq!(browser.get(&format!("{app}/activity")).status, 200);
    assert!(begun.elapsed() < PATIENCE / 2, "within seconds: {:?}", begun.elapsed());
    let said = home.sotto(&REQUEST);
    assert_eq!(said.line()["intent"], "HassGetCurrentTime", "{said:?}");
}

fn open_descriptors(up: &Up) -> usize {
    std::fs::read_dir(format!("/proc/{}/fd", up.pid())).expect("its descriptors").count()
}

#[test]
fn eleven_hundred_half_requests_keep_nobody_out() {
    let home = Home::new();
    let up = up_with_few_descriptors(&home);
    // This process needs as many itself.
    let enough = Rlimit { current: Some(4_096), maximum: rustix::process::getrlimit(Resource::Nofile).maximum };
    let _ = rustix::process::setrlimit(Resource::Nofile, enough);
    let address = app_address(&up);
    let half = b"GET /activity HTTP/1.1\r\nHost: localhost\r\n";
    let held: Vec<TcpStream> = (0..HALF_REQUESTS).filter_map(|_| say(address, half)).collect();
    assert!(held.len() > HALF_REQUESTS / 2, "they were made: {}", held.len());
    everybody_gets_in(&home, &up);
    let open = open_descriptors(&up);
    assert!(open < DESCRIPTORS as usize / 2, "devices have the greater part: {open}");
    drop(held);
}

#[test]
fn bytes_that_drip_in_keep_nobody_out_and_gain_no_time() {
    let home = Home::new();
    let up = up_with_few_descriptors(&home);
    let address = app_address(&up);
    let head: &[u8] = b"GET /activity HTTP/1.1\r\nHost: localhost\r\nX-Slow: ";
    let body: &[u8] =
        b"POST /sign-in HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: 4000\r\n\r\n";
    let mut dripping: Vec<TcpStream> =
        (0..200).filter_map(|at| say(address, if at % 2 == 0 { head } else { body })).collect();
    everybody_gets_in(&home, &up);
    let deadline = Instant::now() + PATIENCE;
    while !dripping.is_empty() {
        assert!(Instant::now() < deadline, "{} still drip", dripping.len());
        dripping.retain_mut(|stream| stream.write_all(b"a").is_ok());
        std::thread::park_timeout(Duration::from_millis(200));
    }
}

#[test]
fn readers_that_do_not_read_and_idle_connections_are_let_go() {
    let home = Home::new();
    let up = up_with_few_descriptors(&home);
    let address = app_address(&up);
    let idle = say(address, b"").expect("connects");
    let mut slow = say(address, b"").expect("connects");
    slow.set_nonblocking(true).expect("set");
    // Request upon request, and no answer is ever read: at last the cloud does not take in more.
    let request = b"GET /assets/app.css HTTP/1.1\r\nHost: localhost\r\n\r\n";
    let mut idle_ended = false;
    let deadline = Instant::now() + 2 * PATIENCE;
    loop {
        assert!(Instant::now() < deadline, "it is still held");
        match slow.write(request) {
            Ok(_) => {}
            Err(why) if why.kind() == ErrorKind::WouldBlock => {
                std::thread::park_timeout(Duration::from_millis(50));
            }
            Err(_) => break,
        }
        if !idle_ended {
            idle.set_nonblocking(true).expect("set");
            idle_ended = matches!((&idle).read(&mut [0]), Ok(0));
        }
    }
    assert!(idle_ended, "an idle connection ends sooner");
    everybody_gets_in(&home, &up);
}

/// A flood that is over when this is dropped.
struct Flood<'a>(&'a AtomicBool);

impl Drop for Flood<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::SeqCst);
    }
}

#[test]
fn a_flood_of_wrong_passwords_keeps_the_owner_out_for_seconds_at_most() {
    let home = Home::new();
    let up = home.up();
    let app = text(&up, "app").to_owned();
    let (is_over, guesses) = (AtomicBool::new(false), AtomicU32::new(0));
    std::thread::scope(|scope| {
        for _ in 0..12 {
            scope.spawn(|| {
                let mut attacker = Browser::new();
                while !is_over.load(Ordering::SeqCst) {
                    let answer = attacker.sign_in(&app, "owner", "wrong-wrong");
                    if answer.status == 401 {
                        guesses.fetch_add(1, Ordering::SeqCst);
                    }
                }
            });
        }
        // However this ends, the flood ends with it.
        let flood = Flood(&is_over);
        let begun = Instant::now();
        // As many as are looked at without waiting, and then some.
        while guesses.load(Ordering::SeqCst) < 40 {
            assert!(begun.elapsed() < PATIENCE, "a flood");
            std::thread::park_timeout(Duration::from_millis(20));
        }
        let knocked = Instant::now();
        let mut owner = Browser::new();
        let status = owner.sign_in(&app, text(&up, "account"), text(&up, "password")).status;
        let (waited, looked_at) = (knocked.elapsed(), guesses.load(Ordering::SeqCst));
        drop(flood);
        assert_eq!(status, 303);
        assert!(waited < Duration::from_secs(20), "{waited:?}");
        let most = 20 + begun.elapsed().as_millis() / 100;
        assert!(u128::from(looked_at) <= most, "{looked_at} guesses where {most} are the most");
    });
}
