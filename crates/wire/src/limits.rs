//! Every limit of the protocol.

use std::time::Duration;

use base::SampleCount;
use base::limits::{CHUNK, PREROLL, STREAM_MAX};

/// The longest frame, version and kind included.
pub const FRAME_BYTES_MAX: usize = 65_536;

/// Samples in one frame of sound, in either direction: 12 chunks, so that a pre-roll fits into one.
pub const FRAME_SAMPLES_MAX: usize = 15_360;

/// Samples in one stream. The device keeps to [`STREAM_MAX`]; the pre-roll and a chunk are the grain of that limit.
pub const STREAM_SAMPLES_MAX: SampleCount = SampleCount(STREAM_MAX.0 + PREROLL.0 + CHUNK.0);

/// Bytes of a name: a wake word, an intent, a slot, a stage, a device.
pub const NAME_BYTES_MAX: usize = 64;

/// Bytes of a transcript or a reply: [`base::limits::TRANSCRIPT_CHARS_MAX`] characters of four bytes.
pub const TEXT_BYTES_MAX: usize = 8_000;

/// Bytes of a slot's value.
pub const SLOT_BYTES_MAX: usize = 512;

/// Slots in a caption.
pub const SLOTS_MAX: usize = 32;

/// Timings in a caption.
pub const TIMINGS_MAX: usize = 32;

/// A reply's sample rates.
pub const REPLY_RATE_HZ: std::ops::RangeInclusive<u32> = 8_000..=48_000;

/// The device says Ping at this distance, whatever else it says (invariant I6).
pub const PING_EVERY: Duration = Duration::from_secs(15);

/// How long the device waits for the answer to a Ping.
pub const PONG_WITHIN: Duration = Duration::from_secs(10);

/// A cloud that has heard nothing for so long lets the session go: two Pings and a half.
pub const IDLE_MAX: Duration = Duration::from_secs(38);

/// From the first byte to Hello, and from Hello to its answer.
pub const GREETING_WITHIN: Duration = Duration::from_secs(10);

/// From one message of a pairing to the next.
pub const PAIRING_STEP_WITHIN: Duration = Duration::from_secs(15);

/// How long an unpaired device's connection may stay open without a pairing under way. A person reads a code off a
/// screen and types it meanwhile.
pub const UNPAIRED_WITHIN: Duration = Duration::from_secs(900);

/// A stream that is open carries sound at least this often.
pub const STREAM_STALL_MAX: Duration = Duration::from_secs(10);

/// From Close to the last word on the turn, on the device's clock.
pub const TURN_WITHIN: Duration = Duration::from_secs(20);

/// The same on the cloud's clock, shorter so that its answer "failed" arrives before the device stops waiting. It counts
/// up to the reply's first sample; a reply then lasts as long as it lasts.
pub const ANSWER_WITHIN: Duration = Duration::from_secs(18);

/// Streams that are closed and whose Books have not come; no device opens another beyond these. Books take one round
/// trip, so that more than two means that the cloud has stopped keeping them.
pub const UNBOOKED_MAX: usize = 4;
