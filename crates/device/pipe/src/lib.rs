//! What the device's processes say to each other, and the walls between them.
//!
//! * [`messages`]: the few things that one process may tell another, each pair with its own short table; [`frame`] puts
//!   them into bytes. A message that is not in the table cannot be sent: nothing that link can say opens a microphone.
//! * [`events`]: one line of JSON for each thing that happens, for whoever runs the device.
//! * [`inherit`]: the pipes' ends that the launcher hands down.
//! * [`port`]: a pipe's end as a queue of messages, for those who wait with poll(2).
//! * [`sandbox`]: what each process gives up before it touches its first sample, key or frame.
//!
//! Architecture Invariant: this crate knows no socket, no thread and no child process; `sotto-ear` is built on it and
//! imports none.

mod codec;
mod error;
pub mod events;
pub mod frame;
pub mod inherit;
pub mod messages;
pub mod options;
pub mod port;
pub mod sandbox;
mod standing;

pub use error::PipeError;
pub use events::{Events, Line};
pub use frame::{Message, Reader, encode};
pub use messages::{
    Cause, CloseReason, EarToLink, EarToPanel, LauncherToPanel, LinkToEar, PanelToEar, PanelToLauncher, Sensitivity,
    StreamClose, StreamOpen, WordName,
};
pub use options::{Options, exit};
pub use port::{Inbox, Outbox, Received};
pub use standing::Standing;
