//! Accounts, devices and utterances: what is kept of what was said, and how it is forgotten.
//!
//! [`History`] is the whole of it for one data directory. An utterance lives in memory, is sealed, and is deleted
//! (`live → sealed → deleted`); `docs/DATA.md` follows one through all its tables and files.
//!
//! Architecture Invariant: nothing that was said or answered is written anywhere but sealed, under a key of its own
//! utterance (I7), in its marketplace's own folder (I12).
//!
//! Architecture Invariant: keys go first. A deletion is noted, then the key is destroyed, then the rest is removed;
//! a start finishes what a crash left half-done.

mod audit;
mod details;
mod directory;
mod error;
mod facade;
mod market;
mod password;
mod playback;
mod recover;
mod room;
mod standing;
mod store;
mod types;

pub use details::REPLY_CHARS_MAX;
pub use directory::{ACCOUNTS_MAX, Account, NAME_CHARS_MAX, SESSION_LIFE, SESSIONS_MAX};
pub use error::HistoryError;
pub use facade::{History, Opened};
pub use market::{PAGE_ROWS_MAX, SAMPLES_MAX};
pub use password::{PASSWORD_CHARS_MAX, PASSWORD_CHARS_MIN, generate_password};
pub use playback::{PLAYBACKS_MAX, Playback};
pub use recover::Recovery;
pub use standing::Attendance;
pub use store::devices::DEVICES_MAX;
pub use types::{
    BadCursor, Cause, Cursor, Details, Device, Intent, NewUtterance, Page, Receipt, ReceiptNumber, Row, RowState,
    SignIn,
};

#[cfg(test)]
mod tests;
