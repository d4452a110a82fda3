//! Room kept back on the disk, so that forgetting works when there is none left.
//!
//! Clearing a row takes a few pages of the database's journal, and a deletion must not wait for somebody to buy a
//! disk. So a file of zeros lies beside the database, is given up when a deletion finds the disk full, and is
//! written anew once there is room.

use std::io::Write;
use std::path::{Path, PathBuf};

/// Its size: a deletion writes about ten pages of 4 KiB, and its journal is moved into the database once.
const ROOM_BYTES: usize = 128 * 1_024;
/// Its name.
const FILE: &str = "room";

/// The file that is given up.
pub(crate) struct Room {
    path: PathBuf,
}

impl Room {
    /// The room beside the database in `folder`. Nothing is written yet.
    pub(crate) fn beside(folder: &Path) -> Self {
        Self { path: folder.join(FILE) }
    }

    /// Takes the room, where it is not taken. A disk that is full leaves it for another time.
    pub(crate) async fn keep(&self) {
        let path = self.path.clone();
        let keeping = tokio::task::spawn_blocking(move || {
            let Ok(mut file) = vault::private_file(&path) else { return };
            let whole = file.metadata().is_ok_and(|about| about.len() == ROOM_BYTES as u64);
            if !whole && (file.set_len(0).and_then(|()| file.write_all(&[0; ROOM_BYTES]))).is_err() {
                drop(file);
                // What there was room for is of no use, and is in others' way.
                let _ = std::fs::remove_file(&path);
            }
        });
        let _ = keeping.await;
    }

    /// Gives the room up.
    pub(crate) async fn give_up(&self) {
        let path = self.path.clone();
        let _ = tokio::task::spawn_blocking(move || std::fs::remove_file(path)).await;
    }
}
