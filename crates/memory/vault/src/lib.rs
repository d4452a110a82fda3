//! Sealed bytes and the keys they hang on: what is kept can be opened only through its key, and forgetting it is
//! destroying that key (invariant I7).
//!
//! ```text
//! DATA/root.key ──HKDF──► one wrapping key per marketplace
//!                              └─► parent key of an utterance          DATA/us/keys.store, slot n
//!                                    ├─► audio key ─► DATA/us/blobs/…
//!                                    ├─► text key  ─► a sealed column of the history
//!                                    └─► voice key
//! ```
//!
//! Architecture Invariant: this crate knows no names and no meaning: ids, kinds and bytes are all it sees. It holds
//! no database and no policy; who may open what, and when something is forgotten, is decided above it.
//!
//! Architecture Invariant: a key leaves this crate only wrapped, and is on disk nowhere but in the key store.

mod blobs;
mod error;
mod files;
mod folder;
mod keys;
mod place;
mod root;
mod seal;
mod slot;
mod steps;

pub use blobs::{BLOB_BYTES_MAX, Blobs, Found};
pub use error::VaultError;
pub use files::{private_dir, private_file};
pub use folder::Folder;
pub use keys::{Erased, KeyStore, SLOTS_MAX};
pub use place::{Audio, Kind, Place, Text, Voice};
pub use root::{ROOT_KEY_LEN, RootKey};
pub use seal::{SEAL_OVERHEAD, Sealed};
pub use slot::{SLOT_LEN, SlotNumber, SlotState};
pub use steps::{NoSteps, Steps};
