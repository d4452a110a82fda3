//! What a cloud says is sound in the room, and the device's own microphone hears it.

use std::sync::Arc;

use crate::cloud::{Cloud, Manner};
use crate::device::{Device, models};
use crate::room::{Room, quiet, said};

const CODE: &str = "042137";

/// What the word is said in: also how the test knows that this voice wakes the device.
const REQUEST: &str = "Alexa, what time is it";

/// The reply's length in seconds, and where in it the word is said: beyond what any answer may take to begin.
const REPLY_S: usize = 25;
const WORD_AT_S: usize = 21;

#[test]
fn i1_a_reply_that_says_the_word_opens_no_microphone_however_late_it_says_it() {
    let Some(models) = models() else { return };
    let request = said(REQUEST);
    let mut reply = quiet(REPLY_S * 16_000);
    let at = WORD_AT_S * 16_000;
    let length = request.len().min(reply.len() - at);
    reply[at..at + length].copy_from_slice(&request[..length]);
    let cloud = Cloud::start();
    cloud.show(CODE);
    cloud.state().manner = Manner::Recites { samples: Arc::new(reply.clone()), rate_hz: 16_000 };
    let folder = tempfile::tempdir().expect("a folder");
    let mut device = Device::start_before(folder, &models, "stdin", &cloud.address());
    device.wait_for("\"state\":\"unpaired\"", 1);
    device.pair(CODE);
    device.wait_for("\"state\":\"online\"", 1);
    device.wait_for("\"process\":\"mic\"", 1);
    let mut room = Room::around(&mut device);
    room.hear(&quiet(32_000));
    room.hear(&request);
    room.hear_silence_until("speaking", || device.count("\"speaking\"") == 1);
    assert_eq!(device.count("\"permit\""), 1, "{:#?}", device.events());
    // The loudspeaker stands beside the microphone.
    room.hear(&reply);
    room.hear_silence_until("the turn over", || device.count("\"outcome\"") == 1);
    room.hear(&quiet(3 * 16_000));
    let permits = device.count("\"permit\"");
    assert_eq!(permits, 1, "i1: the cloud has opened the microphone: {:#?}", device.events());
    assert_eq!(cloud.state().n_streams, 1, "i1");
    // The owner's own word still does.
    room.hear(&request);
    room.hear_silence_until("another permit", || device.count("\"permit\"") == 2);
}
