//! Strangers at the devices' door: as many as they like, from wherever they like, saying nothing, little or anything.

use std::net::Ipv4Addr;
use std::time::{Duration, Instant};

use gateway::limits::{HANDSHAKES_MAX, LINES_A_MINUTE, STRANGERS_MAX};
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use tokio::task::JoinHandle;
use wire::{FromCloud, FromDevice, RefusedReason};

use crate::cloud::{Choice, Cloud};
use crate::device::Key;
use crate::limits::{keep_the_log, logged};
use crate::turns::Says;

/// A second on a machine of one's own; this one may be busy. Shorter than any deadline of a handshake.
const AT_ONCE: Duration = Duration::from_secs(4);

/// The beginning of a TLS greeting, of which the rest does not come.
const GREETING: [u8; 11] = [0x16, 3, 1, 2, 0, 1, 0, 1, 0xfc, 3, 3];

async fn cloud() -> Option<Cloud> {
    Cloud::start(Choice::hearing(Says("what time is it"))).await
}

fn address(n: usize, of: usize) -> Ipv4Addr {
    Ipv4Addr::new(127, 0, 0, u8::try_from(2 + n % of).expect("few addresses"))
}

/// Somebody who sends nothing, or a greeting byte by byte, and comes again when hung up on. Ends when it is aborted.
fn stay(cloud: &Cloud, from: Ipv4Addr, drips: bool) -> JoinHandle<()> {
    let cloud = cloud.address;
    tokio::spawn(async move {
        loop {
            let Ok(mut stream) = stranger::tcp_from(from.into(), cloud).await else { continue };
            for byte in GREETING.iter().cycle() {
                if drips && stream.write_all(&[*byte]).await.is_err() {
                    break;
                }
                if tokio::time::timeout(Duration::from_millis(50), until_closed(&stream)).await.is_ok() {
                    break;
                }
            }
        }
    })
}

async fn until_closed(stream: &TcpStream) {
    loop {
        let _ = stream.readable().await;
        match stream.try_read(&mut [0; 64]) {
            Ok(0) => return,
            Err(error) if error.kind() != std::io::ErrorKind::WouldBlock => return,
            _ => {}
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_known_device_gets_in_however_many_strangers_there_are() {
    let Some(cloud) = cloud().await else { return };
    let key = Key::new();
    drop(key.pair(&cloud).await);
    // From the device's own address, from one other, and from many.
    for (strangers, addresses, drips) in
        [(64, 0, false), (200, 0, false), (200, 1, true), (200, 0, true), (2 * HANDSHAKES_MAX, 100, true)]
    {
        let accepted = cloud.counts().connections_accepted;
        let from = |n| if addresses == 0 { Ipv4Addr::LOCALHOST } else { address(n, addresses) };
        let crowd: Vec<_> = (0..strangers).map(|n| stay(&cloud, from(n), drips)).collect();
        cloud.until(|counts| accepted + strangers as u64 <= counts.connections_accepted).await;
        let since = Instant::now();
        let mut device = key.return_to(&cloud).await;
        assert_eq!(device.ask(FromDevice::Ping).await, Some(FromCloud::Pong));
        let took = since.elapsed();
        assert!(took < AT_ONCE, "{strangers} strangers from {addresses} addresses, drips: {drips}: {took:?}");
        for stranger in crowd {
            stranger.abort();
            let _ = stranger.await;
        }
    }
}

#[tokio::test]
async fn strangers_who_wait_to_be_paired_do_not_keep_the_owners_device_out() {
    let Some(cloud) = cloud().await else { return };
    let known = Key::new();
    drop(known.pair(&cloud).await);
    let mut strangers = Vec::new();
    for n in 0..3 * STRANGERS_MAX {
        let mut stranger = Key::new().connect_from(address(n, 3), &cloud).await;
        assert_eq!(stranger.ask(FromDevice::Hello { paired: false }).await, Some(FromCloud::Unpaired));
        strangers.push(stranger);
    }
    let busy = Some(FromCloud::Refused { reason: RefusedReason::Busy });
    assert_eq!(strangers[0].receive().await, busy, "the oldest is told why it goes");
    drop(Key::new().pair(&cloud).await);
    let mut device = known.return_to(&cloud).await;
    assert_eq!(device.ask(FromDevice::Ping).await, Some(FromCloud::Pong), "a known device has a place of its own");
}

#[tokio::test]
async fn a_device_that_connects_again_and_again_does_not_keep_others_out() {
    let Some(cloud) = cloud().await else { return };
    let (greedy, other) = (Key::new(), Key::new());
    drop(greedy.pair(&cloud).await);
    drop(other.pair(&cloud).await);
    let mut held = Vec::new();
    for _ in 0..20 {
        // It says nothing, so that it is not yet the device's newest connection.
        held.push(greedy.connect(&cloud).await);
    }
    let busy = Some(FromCloud::Refused { reason: RefusedReason::Busy });
    assert_eq!(held[0].receive().await, busy, "its own oldest goes");
    let mut device = other.return_to(&cloud).await;
    assert_eq!(device.ask(FromDevice::Ping).await, Some(FromCloud::Pong));
}

#[tokio::test]
async fn refused_connections_without_end_are_some_lines_and_a_count() {
    keep_the_log();
    let Some(mut cloud) = cloud().await else { return };
    for _ in 0..300 {
        let mut stream = TcpStream::connect(cloud.address).await.expect("the port is open");
        stream.write_all(b"GET / HTTP/1.1\r\n\r\n").await.expect("it can be written");
        until_closed(&stream).await;
    }
    cloud.until(|counts| counts.connections_refused == 300).await;
    cloud.stop().await;
    let log = logged();
    let lines = log.lines().filter(|line| line.contains("connection.refused reason")).count();
    let told = log.lines().filter(|line| line.contains("log.left_out")).count();
    // A minute may pass meanwhile, and give as many again.
    assert!((1..=4 * LINES_A_MINUTE as usize).contains(&lines) && told >= 1, "{lines} lines, {told} counts:\n{log}");
    assert!(!log.contains("127.0.0."), "and no address");
}
