//! Every limit of the gateway. Those of the protocol itself are in [`wire::limits`].

use std::time::Duration;

use base::SampleCount;

/// Connections at once. An idle device costs some 40 KB and a wake every 15 s.
pub const CONNECTIONS_MAX: usize = 4_096;

/// Connections at once that have not yet shown a key: whoever opens more is dropped.
pub const HANDSHAKES_MAX: usize = 64;

/// Connections at once of keys that belong to no paired device. One household pairs one at a time.
pub const STRANGERS_MAX: usize = 16;

/// From accepting a connection to its WebSocket, TLS included.
pub const HANDSHAKE_WITHIN: Duration = Duration::from_secs(10);

/// A frame that the device does not take in so long is not waited for; the connection is ended.
pub const SEND_WITHIN: Duration = Duration::from_secs(10);

/// After a failed accept (no file descriptors left, say), before the next.
pub const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// How long the turns under way may take to be sealed once the gateway is told to stop.
pub const SHUTDOWN_WITHIN: Duration = Duration::from_secs(5);

/// Turns at once, from the opened stream to the sealed utterance. Each holds up to 16 s of sound twice: 1 MB.
pub const TURNS_MAX: usize = 64;

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
