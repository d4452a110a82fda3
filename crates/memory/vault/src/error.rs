//! Everything that can go wrong between a key and the disk.

use std::io;
use std::path::{Path, PathBuf};

use base::Marketplace;

/// Why the vault could not do as asked. No variant carries sealed content or a key.
#[derive(Debug, thiserror::Error)]
pub enum VaultError {
    /// The plaintext or a blob is larger than the vault takes.
    #[error("{bytes} bytes are more than the {max} that are kept in one piece")]
    TooLarge {
        /// What was offered.
        bytes: usize,
        /// The limit.
        max: usize,
    },
    /// The key this hangs on is gone: nothing and nobody can open it any more.
    #[error("this was forgotten: its key is destroyed")]
    Destroyed,
    /// The key store has as many slots as it may.
    #[error("the key store is full ({0} slots)")]
    Full(u32),
    /// Another process works in this data directory.
    #[error("{0} is in use by another sotto; stop that one first (`sotto stop`)")]
    InUse(PathBuf),
    /// The operating system refused: a full disk, a missing right, a broken file.
    #[error("cannot {what} {path}: {source}")]
    Io {
        /// What was tried, as a verb.
        what: &'static str,
        /// The file or folder.
        path: PathBuf,
        /// The system's own words.
        source: io::Error,
    },
    /// The file is no key store, or its first block is damaged.
    #[error("{0} is not a key store, or is damaged")]
    NotAKeyStore(PathBuf),
    /// The folder holds somebody else's files, and is not taken over.
    #[error("{0} exists, is open to others and is not a data directory of sotto; name an empty one")]
    NotOurs(PathBuf),
    /// The file was written by a newer version.
    #[error("{path} has format {found}, and this version knows {known}: use a newer sotto")]
    Newer {
        /// The file.
        path: PathBuf,
        /// The format it has.
        found: u16,
        /// The newest format known here.
        known: u16,
    },
    /// The system gave no random numbers.
    #[error("the system gives no random numbers")]
    Random,
    /// The root key's file has another length than a key.
    #[error("{path} has {found} bytes and a root key has {ROOT_KEY_LEN}: put the right file back", ROOT_KEY_LEN = crate::ROOT_KEY_LEN)]
    RootKeyLength {
        /// The file.
        path: PathBuf,
        /// Its length in bytes.
        found: u64,
    },
    /// There are sealed things here, and the key that opens them is missing.
    #[error("{0} is missing: without it nothing kept here can be opened; put the file back")]
    RootKeyLost(PathBuf),
    /// Others than its owner may touch the root key's file.
    #[error("{path} may be read by others (mode {mode:o}): run chmod 600 on it")]
    RootKeyMode {
        /// The file.
        path: PathBuf,
        /// Its permission bits.
        mode: u32,
    },
    /// Sealed bytes do not belong where they were found, or were changed.
    #[error("sealed bytes are damaged or not in their place")]
    Tampered,
    /// A slot of the key store holds what was written into another one.
    #[error(
        "{path} is damaged: slot {slot} holds what belongs in slot {of}; nothing was changed, put a whole copy back"
    )]
    SlotMoved {
        /// The file.
        path: PathBuf,
        /// The slot.
        slot: crate::SlotNumber,
        /// Where its bytes belong.
        of: crate::SlotNumber,
    },
    /// The sealed bytes carry a version this program does not know.
    #[error("sealed with version {0}, which this version does not know")]
    Version(u8),
    /// The key store belongs to another marketplace.
    #[error("{path} does not belong to marketplace {expected}")]
    WrongMarketplace {
        /// The file.
        path: PathBuf,
        /// Whose it should be.
        expected: Marketplace,
    },
    /// The root key is not the one this key store was made with.
    #[error("the root key does not fit {0}: put back the root.key it was made with")]
    WrongRootKey(PathBuf),
}

impl VaultError {
    /// Whether the disk is full (or a quota reached): worth saying in those words.
    #[must_use]
    pub fn is_disk_full(&self) -> bool {
        matches!(self, Self::Io { source, .. } if matches!(
            source.kind(),
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded | io::ErrorKind::FileTooLarge
        ))
    }
}

/// Says what was tried and where, for `map_err`.
pub(crate) fn io_at(what: &'static str, path: &Path) -> impl FnOnce(io::Error) -> VaultError {
    let path = path.to_path_buf();
    move |source| VaultError::Io { what, path, source }
}
