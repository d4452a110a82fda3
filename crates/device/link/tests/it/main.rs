//! `sotto-link` as it is started by the launcher, against a cloud over real TLS.
//!
//! Every wait has a deadline of its own ([`device::WITHIN`]); none of the tests sleeps.

mod cloud;
mod device;
mod middle;

use std::sync::Arc;
use std::time::{Duration, Instant};

use base::limits::REPLY_SECONDS_MAX;
use base::{SampleCount, TurnId};
use pipe::{CloseReason, EarToLink, LinkToEar};
use tokio_tungstenite::tungstenite::Message;
use wire::FromDevice;

use crate::cloud::{Cloud, Identity, Manner};
use crate::device::Device;
use crate::middle::{Middle, TarPit};

const CODE: &str = "042137";

/// What a busy machine may add to the draining, which link ends in real time: far less than what else would end a turn.
const BUSY: Duration = Duration::from_secs(2);

fn paired() -> (Cloud, Device) {
    let cloud = Cloud::start();
    let mut device = Device::start(&cloud.address());
    assert_eq!(device.event("link")["state"], "unpaired");
    cloud.show(CODE);
    device.control(&format!("pair {CODE}"));
    assert_eq!(device.event("paired")["device"], "d0".repeat(16));
    device.link("online");
    (cloud, device)
}

#[test]
fn i4_link_stands_behind_its_walls_with_all_its_threads() {
    // What the walls refuse is tested beside them, in `pipe`; here, that no thread of the real process is left outside.
    let (_cloud, device) = paired();
    let mut threads = 0;
    for task in std::fs::read_dir(format!("/proc/{}/task", device.pid())).expect("a process") {
        let status = std::fs::read_to_string(task.expect("a thread").path().join("status")).expect("readable");
        let value = |name: &str| status.lines().find_map(|line| line.strip_prefix(name)).map(str::trim);
        assert_eq!((value("Seccomp:"), value("NoNewPrivs:")), (Some("2"), Some("1")), "{status}");
        threads += 1;
    }
    assert!(threads >= 2, "the engine and its loudspeaker, at least: {threads}");
}

#[test]
fn a_device_is_paired_asks_and_is_answered() {
    let (cloud, mut device) = paired();
    let began = Instant::now();
    device.open(1);
    device.pcm(1, 10);
    assert_eq!(device.told(), LinkToEar::StopCapture { turn: TurnId(1), at: SampleCount(12_800) });
    let closed = Instant::now();
    device.close(1, 10);
    assert_eq!(device.told(), LinkToEar::Drained { turn: TurnId(1) });
    assert!(closed.elapsed() < base::limits::DRAIN_MAX + BUSY, "{:?}", closed.elapsed());
    assert_eq!(device.told(), LinkToEar::TurnOver { turn: TurnId(1) });
    assert!(began.elapsed() < Duration::from_secs(20));
    let books = device.event("books");
    assert_eq!((&books["sent"], &books["received"], &books["lost"]), (&25_600.into(), &25_600.into(), &0.into()));
    let caption = device.event("caption");
    assert_eq!(caption["transcript"], "what time is it");
    assert_eq!(caption["slots"]["place"], "here");
    assert_eq!(caption["timings_ms"]["recognise"], 12.5);
    device.event("speaking");
    assert_eq!(device.event("turn")["outcome"], "answered");
    let reply = std::fs::read(device.path("reply.wav")).expect("a reply");
    assert_eq!(reply.len(), 44 + 2 * 22_050);
    assert_eq!(device.ask(2)["outcome"], "answered");
    assert!(device.path("reply-2.wav").exists());
    assert_eq!(device.end(), Some(0));
    assert_eq!(cloud.state().played.first(), Some(&TurnId(1)));
}

#[test]
fn a_paired_device_comes_back_after_a_restart_of_either_side() {
    let (cloud, device) = paired();
    let cloud = cloud.restart(None);
    assert!(device.link("offline")["reason"].is_string());
    device.link("online");
    let mut device = device.restart(&cloud.address());
    device.link("online");
    assert_eq!(device.ask(1)["outcome"], "answered");
}

#[test]
fn five_wrong_codes_void_the_right_one() {
    let cloud = Cloud::start();
    let mut device = Device::start(&cloud.address());
    cloud.show(CODE);
    for tries_left in [4, 3, 2, 1] {
        device.control("pair 000000");
        let reason = device.event("pairing_failed")["reason"].to_string();
        assert!(reason.contains(&format!("not the code; tries left: {tries_left}")), "{reason}");
    }
    for code in ["000000", CODE] {
        device.control(&format!("pair {code}"));
        let reason = device.event("pairing_failed")["reason"].to_string();
        assert!(reason.contains("the code is void"), "{reason}");
    }
    assert!(cloud.state().known.is_empty() && !device.path("data/cloud.pin").exists());
}

#[test]
fn pairing_without_a_code_or_a_cloud_says_so() {
    let mut cloud = Cloud::start();
    let mut device = Device::start(&cloud.address());
    device.control("pair 123456");
    let reason = device.event("pairing_failed")["reason"].to_string();
    assert!(reason.contains("no pairing code is open"), "{reason}");
    cloud.stop();
    device.control("pair 123456");
    let reason = device.event("pairing_failed")["reason"].to_string();
    assert!(reason.contains("cannot be reached") && !reason.contains("127.0.0.1"), "i9: {reason}");
    device.control("sing");
    assert!(device.event("error")["message"].to_string().contains("pair CODE"));
}

#[test]
fn somebody_in_the_middle_with_the_right_code_passing_through_gains_nothing() {
    let cloud = Cloud::start();
    let middle = Middle::between(cloud.address());
    let mut device = Device::start(&middle.address);
    cloud.show(CODE);
    device.control(&format!("pair {CODE}"));
    let reason = device.event("pairing_failed")["reason"].to_string();
    assert!(reason.contains("not the code"), "{reason}");
    assert_eq!(cloud.state().tries_left, 4);
    assert!(cloud.state().known.is_empty() && !device.path("data/cloud.pin").exists());
}

#[test]
fn a_paired_device_speaks_to_no_other_key_at_the_same_address() {
    let (cloud, mut device) = paired();
    let cloud = cloud.restart(Some(Identity::draw()));
    cloud.state().frames.clear();
    let event = device.link("refused");
    assert!(event["reason"].to_string().contains("another key"), "{event}");
    assert_eq!(device.ask_in_vain(1)["outcome"], "offline");
    assert!(cloud.state().frames.is_empty());
}

#[test]
fn a_revoked_device_says_so_and_sends_no_sound() {
    let (cloud, mut device) = paired();
    cloud.state().known.clear();
    let cloud = cloud.restart(None);
    cloud.state().frames.clear();
    let event = device.link("refused");
    assert!(event["reason"].to_string().contains("no longer, paired"), "{event}");
    assert_eq!(device.ask_in_vain(1)["outcome"], "offline");
    assert_spoken(&device, "revoked.wav");
    let only_greets = |frame: &Vec<u8>| matches!(FromDevice::decode(frame), Ok(FromDevice::Hello { paired: true }));
    assert!(cloud.state().frames.iter().all(only_greets));
}

#[test]
fn an_unpaired_device_says_so_and_connects_to_nothing() {
    let cloud = Cloud::start();
    let mut device = Device::start(&cloud.address());
    assert_eq!(device.ask_in_vain(1)["outcome"], "offline");
    assert_spoken(&device, "not_paired.wav");
    assert!(cloud.state().frames.is_empty());
}

#[test]
fn a_cloud_that_is_down_when_the_wake_word_comes_is_excused_and_found_again() {
    let (mut cloud, mut device) = paired();
    cloud.stop();
    device.link("offline");
    assert_eq!(device.ask_in_vain(1)["outcome"], "offline");
    assert_spoken(&device, "offline.wav");
    let cloud = cloud.restart(None);
    device.link("online");
    assert_eq!(device.ask(2)["outcome"], "answered");
    drop(cloud);
}

#[test]
fn a_connection_that_breaks_in_a_stream_ends_the_turn_at_once() {
    let (cloud, mut device) = paired();
    cloud.state().manner = Manner::Breaks;
    let turn = TurnId(1);
    device.open(1);
    device.pcm(1, 6);
    assert!(matches!(device.told(), LinkToEar::StopCapture { turn: TurnId(1), .. }));
    device.close(1, 6);
    device.expect_told(&[LinkToEar::Drained { turn }, LinkToEar::TurnOver { turn }]);
    assert_eq!(device.event("turn")["outcome"], "offline");
    assert_spoken(&device, "offline.wav");
    (cloud.state().manner, cloud.state().samples) = (Manner::Answers, 0);
    device.link("online");
    assert_eq!(device.ask(2)["outcome"], "answered");
}

#[test]
fn a_cloud_that_fails_is_excused() {
    let (cloud, mut device) = paired();
    cloud.state().manner = Manner::Fails;
    assert_eq!(device.ask(1)["outcome"], "failed");
    assert_spoken(&device, "failed.wav");
}

#[test]
fn what_is_no_frame_or_out_of_order_ends_the_session_with_one_line() {
    let (cloud, mut device) = paired();
    let cases = [
        (Message::binary(vec![2, 0x8f]), "version 2 of the protocol"),
        (Message::binary(vec![1]), "cut inside kind"),
        (Message::binary(vec![1, 0x87, 1, 0]), "cut inside turn"),
        (Message::binary(vec![1, 0x7f]), "unknown kind of message"),
        (Message::binary(vec![1, 0x81]), "Unpaired out of order while listening"),
        (Message::binary(vec![0; 70_000]), "too long"),
        (Message::text("hello"), "not binary"),
    ];
    for (turn, (message, complaint)) in (1..).zip(cases) {
        cloud.state().manner = Manner::Sends(message);
        device.open(turn);
        let reason = device.link("offline")["reason"].to_string();
        assert!(reason.contains(complaint), "{complaint}: {reason}");
        assert!(matches!(device.told(), LinkToEar::StopCapture { .. }));
        device.close(turn, 0);
        device.expect_told(&[LinkToEar::Drained { turn: TurnId(turn) }, LinkToEar::TurnOver { turn: TurnId(turn) }]);
        device.link("online");
    }
}

#[test]
fn another_request_silences_the_reply_to_the_one_before() {
    let (_cloud, mut device) = paired();
    device.open(1);
    device.pcm(1, 10);
    assert!(matches!(device.told(), LinkToEar::StopCapture { .. }));
    device.close(1, 10);
    device.open(2);
    let mut told = vec![device.told(), device.told()];
    assert!(
        told.contains(&LinkToEar::Drained { turn: TurnId(1) })
            && told.contains(&LinkToEar::TurnOver { turn: TurnId(1) })
    );
    device.pcm(2, 10);
    told = vec![device.told()];
    assert!(matches!(told[..], [LinkToEar::StopCapture { turn: TurnId(2), .. }]));
    device.close(2, 10);
    device.expect_told(&[LinkToEar::Drained { turn: TurnId(2) }, LinkToEar::TurnOver { turn: TurnId(2) }]);
}

#[test]
fn i2_a_network_that_stands_still_holds_no_permit_open() {
    let cloud = Cloud::start();
    let pit = TarPit::before(cloud.address());
    let mut device = Device::start(&pit.address);
    cloud.show(CODE);
    device.control(&format!("pair {CODE}"));
    device.link("online");
    pit.stands_still.send_replace(true);
    device.open(1);
    device.pcm(1, 180);
    let closed = Instant::now();
    device.close(1, 180);
    let turn = TurnId(1);
    assert_eq!(device.told(), LinkToEar::Drained { turn });
    assert!(closed.elapsed() < base::limits::DRAIN_MAX + BUSY, "{:?}", closed.elapsed());
    assert_eq!(device.told(), LinkToEar::TurnOver { turn });
    assert!(device.link("offline")["reason"].to_string().contains("did not take the stream"));
    assert_eq!(device.event("turn")["outcome"], "offline");
}

#[test]
fn i2_what_only_the_kernel_has_taken_is_not_drained() {
    let cloud = Cloud::start();
    let pit = TarPit::before(cloud.address());
    let mut device = Device::start(&pit.address);
    cloud.show(CODE);
    device.control(&format!("pair {CODE}"));
    device.link("online");
    pit.stands_still.send_replace(true);
    // A second and a quarter: no more than the kernel takes at once.
    device.open(1);
    device.pcm(1, 15);
    device.close(1, 15);
    device.expect_told(&[LinkToEar::Drained { turn: TurnId(1) }]);
    let reason = device.link("offline")["reason"].to_string();
    assert!(reason.contains("did not take the stream"), "i2: drained meant handed to the kernel: {reason}");
}

#[test]
fn i3_microphones_off_ends_the_connection_before_the_stream_counts_as_drained() {
    let (cloud, mut device) = paired();
    cloud.state().manner = Manner::Listens;
    device.open(1);
    device.pcm(1, 5);
    device.close_because(1, 5, CloseReason::MicOff);
    device.tell(&EarToLink::MicOff);
    let turn = TurnId(1);
    let mut told = vec![device.told(), device.told(), device.told()];
    assert_eq!(told.remove(0), LinkToEar::Drained { turn });
    assert!(told.contains(&LinkToEar::Silenced) && told.contains(&LinkToEar::TurnOver { turn }), "{told:?}");
    // It was no failure, and the next request finds the cloud again.
    assert_eq!(device.event("turn")["outcome"], "nothing_heard");
    device.link("online");
    cloud.state().manner = Manner::Answers;
    cloud.state().samples = 0;
    assert_eq!(device.ask(2)["outcome"], "answered");
    // Nothing is on its way now: the connection may stay.
    device.tell(&EarToLink::MicOff);
    assert_eq!(device.told(), LinkToEar::Silenced);
}

#[test]
fn a_reply_that_is_too_long_is_cut_off_and_says_so() {
    let (cloud, mut device) = paired();
    let samples = Arc::new(vec![1; 8_000 * (REPLY_SECONDS_MAX as usize + 5)]);
    cloud.state().manner = Manner::Recites { samples, rate_hz: 8_000 };
    device.open(1);
    device.pcm(1, 10);
    assert!(matches!(device.told(), LinkToEar::StopCapture { .. }));
    device.close(1, 10);
    assert_eq!(device.event("reply_cut")["reason"], "too_long");
    device.expect_told(&[LinkToEar::Drained { turn: TurnId(1) }, LinkToEar::TurnOver { turn: TurnId(1) }]);
    let heard = sound::decode_file(&device.path("reply.wav")).expect("spoken");
    assert_eq!(heard.len(), 16_000 * REPLY_SECONDS_MAX as usize);
}

/// What a request and its answer said is in no memory of link's once it was shown. Only root, or whoever may trace the
/// process, can look.
#[test]
fn i9_a_caption_is_not_left_in_links_memory_once_it_was_shown() {
    let (cloud, mut device) = paired();
    // Another each time, in the middle of a long sentence: what is said next covers little of it.
    let canaries: Vec<String> =
        (1..=4).map(|turn| format!("quetzalcoatlus number {turn} of northern Texas")).collect();
    for (turn, canary) in (1..).zip(&canaries) {
        let filler = "and so on and on ".repeat(usize::try_from(turn).expect("small") * 11);
        cloud.state().transcript = format!("{filler}{canary} {filler}");
        assert_eq!(device.ask(turn)["outcome"], "answered");
    }
    assert!(device.path("reply.wav").exists(), "it was answered aloud");
    for canary in canaries {
        match device.memory_holding(canary.as_bytes()) {
            Ok(places) => assert_eq!(places, Vec::<String>::new(), "i9: {canary} stands in link's memory"),
            Err(error) => return skip(&format!("link's memory cannot be read: {error}")),
        }
    }
}

#[test]
fn a_cloud_that_falls_silent_leaves_no_turn_open_beyond_twenty_seconds() {
    let (cloud, mut device) = paired();
    cloud.state().manner = Manner::FallsSilent;
    let began = Instant::now();
    assert_eq!(device.ask(1)["outcome"], "failed");
    assert!(began.elapsed() < Duration::from_secs(20), "{:?}", began.elapsed());
}

#[expect(clippy::print_stderr, reason = "how a test says that it was skipped")]
fn skip(why: &str) {
    eprintln!("SKIPPED: {why}");
}

/// The first reply's file holds this prompt.
fn assert_spoken(device: &Device, prompt: &str) {
    let spoken = sound::decode_file(&device.path("reply.wav")).expect("spoken");
    let prompts = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("prompts");
    assert!(spoken == sound::decode_file(&prompts.join(prompt)).expect("a prompt"), "another prompt than {prompt}");
}
