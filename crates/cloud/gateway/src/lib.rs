//! The cloud's end of every device: who may connect, and what becomes of a stream of sound.
//!
//! A turn: stream → where does the request end? → text → intent → reply → speech → sealed. The reply's sound goes out
//! before the utterance is sealed; the last word on the turn comes after, so that a turn that was acknowledged is kept.
//!
//! Architecture Invariant: nothing here opens a microphone; the gateway answers streams that a device opened.
//! Architecture Invariant: no log line, counter or error of this crate holds a word that was said, a name or an address
//! (I9); and what is kept goes through `history` alone.

mod connection;
mod counters;
mod desk;
mod door;
mod error;
mod gateway;
mod hearing;
pub mod limits;
mod lines;
mod places;
mod registry;
mod room;
mod stages;
mod tls;
mod turn;

pub use counters::Counts;
pub use desk::{DeskState, PairingDesk};
pub use error::GatewayError;
pub use gateway::{Gateway, GatewayConfig, GatewayParts};
pub use stages::NOT_UNDERSTOOD;
pub use tls::CloudIdentity;
