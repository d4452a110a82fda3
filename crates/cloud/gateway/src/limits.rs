//! Every limit of the gateway. Those of the protocol itself are in [`wire::limits`].

use std::time::Duration;

use base::SampleCount;

/// Connections at once, of whatever kind. An idle device costs some 40 KB and a wake every 15 s.
pub const CONNECTIONS_MAX: usize = 4_096;

/// Connections at once of known devices, which have these places to themselves.
pub const KNOWN_MAX: usize = 3_840;

/// Connections at once of one device: its newest, and those that have not noticed yet that they are replaced.
pub const KNOWN_PER_DEVICE_MAX: usize = 4;

/// Connections at once that have not yet shown a key. Whoever comes on top of them pushes out the oldest of the most
/// crowded address; a device needs its place for the few milliseconds of a handshake.
pub const HANDSHAKES_MAX: usize = 256;

/// ... of them from one address: half, so that one does not have it all.
pub const HANDSHAKES_PER_ADDRESS_MAX: usize = 128;

/// ... and nobody is pushed out before this, so that whoever means it has had the time to send a greeting. From one
/// address, 640 connections a second are accepted so.
pub const HANDSHAKE_LEAST: Duration = Duration::from_millis(200);

/// Connections at once of keys that belong to no paired device. One household pairs one at a time; whoever comes on top
/// of them pushes out the oldest of the most crowded address.
pub const STRANGERS_MAX: usize = 16;

/// ... of them from one address.
pub const STRANGERS_PER_ADDRESS_MAX: usize = 8;

/// Strangers who are being told why they are refused. Others are cut off without a word.
pub const GOODBYES_MAX: usize = 32;

/// Tries at one pairing code from one address; the last two of its five are somebody else's.
pub const PAIRING_TRIES_PER_ADDRESS_MAX: u8 = 3;

/// From accepting a connection to its key. A device on a bad wireless network takes a second or two.
pub const HANDSHAKE_WITHIN: Duration = Duration::from_secs(5);

/// From the key to the WebSocket.
pub const WEBSOCKET_WITHIN: Duration = Duration::from_secs(5);

/// Lines of one kind that are logged in a minute; of the others only how many they were.
pub const LINES_A_MINUTE: u32 = 20;

/// That a device was seen is written down at most so often: one that comes and goes does not keep the disk busy.
pub const SEEN_EVERY: Duration = Duration::from_secs(60);

/// A frame that the device does not take in so long is not waited for; the connection is ended.
pub const SEND_WITHIN: Duration = Duration::from_secs(10);

/// After a failed accept (no file descriptors left, say), before the next.
pub const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// How long the turns under way may take to be sealed once the gateway is told to stop.
pub const SHUTDOWN_WITHIN: Duration = Duration::from_secs(5);

/// Turns at once, from the opened stream to the sealed utterance. Each holds up to 16 s of sound twice: 1 MB.
pub const TURNS_MAX: usize = 64;

/// ... of them of one device: the one it waits for, and those it has turned away from, which are still sealed.
pub const TURNS_PER_DEVICE_MAX: usize = 4;

/// Words of a turn to its connection that wait to be sent; a turn has four.
pub const TURN_EVENTS_MAX: usize = 16;

/// From the end of the request to its text, the wait for a recogniser included; [`wire::limits::ANSWER_WITHIN`] must
/// leave room for the reply.
pub const RECOGNISE_WITHIN: Duration = Duration::from_secs(12);

/// From StopCapture to the device's Close; what has arrived by then is the utterance.
pub const CLOSE_WITHIN: Duration = Duration::from_secs(10);

/// A device's certificate; an ECDSA one has some 400 bytes.
pub const CERTIFICATE_BYTES_MAX: usize = 4_096;

/// Bytes read at once from a connection; a stream has 2,560 every 80 ms.
pub const READ_BUFFER_BYTES: usize = 8_192;

/// The recogniser hears this much before the onset of the wake word, which is known to 50 ms.
pub const RECOGNISE_LEAD: SampleCount = SampleCount::from_ms(100);

/// ... and this much after the end of speech: a last consonant is soft.
pub const RECOGNISE_TAIL: SampleCount = SampleCount::from_ms(300);

/// From a reply's text to its sound, the wait for a voice included.
pub const SPEAK_WITHIN: Duration = Duration::from_secs(5);

/// From the last word to a device until its connection is dropped, read or not.
pub const GOODBYE_WITHIN: Duration = Duration::from_secs(2);
