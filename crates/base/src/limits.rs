//! Limits that more than one crate must agree on. Those of one crate alone stand in that crate.

use std::time::Duration;

use crate::units::SampleCount;

/// What a stream holds before the onset of the wake word (invariant I5).
pub const PREROLL: SampleCount = SampleCount::from_ms(500);

/// The hard limit of a stream, whatever the cloud says (invariant I5).
pub const STREAM_MAX: SampleCount = SampleCount::from_ms(15_000);

/// Audio goes through the gate and over the wire in pieces of this length.
pub const CHUNK: SampleCount = SampleCount::from_ms(80);

/// How long link may take to send or throw away what the gate let through, once the gate is closed (invariant I2).
pub const DRAIN_MAX: Duration = Duration::from_millis(300);

/// Characters of a transcript that are kept; no 15 seconds of speech hold more.
pub const TRANSCRIPT_CHARS_MAX: usize = 2_000;

/// A reply is spoken for at most this long.
pub const REPLY_SECONDS_MAX: u32 = 60;

/// Wrong pairing codes before the code is void.
pub const PAIRING_TRIES_MAX: u8 = 5;

/// How long a pairing code is good for.
pub const PAIRING_CODE_LIFE: Duration = Duration::from_secs(600);
