//! What a device and its cloud say to each other: the frames, both sides' session, and how two strangers are paired.
//!
//! * [`frame`]: one message, one frame, as types ([`FromDevice`], [`FromCloud`]) and as bytes.
//! * [`device::Session`] and [`cloud::Session`]: what may be said when, as state machines that are given frames and the
//!   time and return what to do.
//! * [`pairing`]: a six-digit code becomes two pinned keys (SPAKE2, bound to the TLS session that carries it).
//!
//! Architecture Invariant: this crate does no I/O, reads no clock and draws no random number; it is given all three.
//! Architecture Invariant: [`FromCloud`] has no message that opens a microphone.

mod bytes;
pub mod cloud;
pub mod device;
mod error;
pub mod frame;
pub mod limits;
pub mod name;
pub mod pairing;

pub use error::{FrameError, NotNow, SessionError};
pub use frame::{
    Caption, Cause, CloseReason, FromCloud, FromDevice, Outcome, PairFailure, RefusedReason, Sensitivity, Settings,
    Slot, StopReason, StreamClose, StreamOpen, Timing,
};

/// The first byte of every frame. A side that meets another says so and ends the session.
pub const VERSION: u8 = 1;
