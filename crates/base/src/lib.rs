//! What every other crate of Sotto stands on: ids, units, the clock, redaction and limits.
//!
//! Architecture Invariant: this crate does no I/O, knows no async runtime and no serialisation. What crosses a
//! boundary (wire, row, view) has a type of its own at that boundary.

pub mod clock;
pub mod ids;
pub mod limits;
pub mod lines;
pub mod redacted;
pub mod units;

pub use clock::{Clock, SetClock, SystemClock, Timestamp};
pub use ids::{AccountId, DeviceId, Marketplace, TurnId, UtteranceId};
pub use lines::LineLimit;
pub use redacted::Redacted;
pub use units::{SAMPLE_RATE_HZ, SampleCount, SampleIndex};
