//! The gate between what hears and what speaks: permit, ring, pre-roll and light lease, as state machines and nothing else.
//!
//! ```text
//!        cause              lit                 end of stream          drained            turn over
//!  Idle ───────► Asking ───────────► Open ──────────────────► Draining ─────────► Waiting ─────────► Idle
//!                  (light comes on)   └─ owns the Permit ─┘ └─ still ─┘ (light goes out)
//! ```
//!
//! * [`Gate`] is the ear's half. A [`Permit`] exists only between "lit" and "drained"; samples leave only as [`Passed`],
//!   which borrows it and cannot be made elsewhere (invariants I1, I2, I5, I10).
//! * [`Lamp`] is the panel's half: which light is on, and whether the microphones are (invariants I2, I3).
//!
//! Architecture Invariant: no I/O, no clock, no thread, no allocation after [`Gate::new`]; it compiles for wasm32.

mod gate;
mod light;
mod permit;
mod ring;

pub use gate::{AFTER_TURN, Books, Gate, LIT_MAX, Late, Outlet, Phase, STALL_MAX, TURN_MAX};
pub use light::{Lamp, Light, MicChange};
pub use permit::{Cause, CloseReason, Closing, Opening, Passed, Permit};
pub use ring::{RING, Ring};
