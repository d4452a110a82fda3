//! Embeddings of long sounds in files: making them is most of a training's first minutes, and most of them are the same for
//! every word.

use std::path::PathBuf;

use ear::{EMBEDDING_SIZE, Embedding};
use learn::wake::Memory;
use sha2::{Digest, Sha256};

/// A folder of embeddings, or none, where nothing is kept.
#[derive(Debug)]
pub(crate) struct Folder(pub(crate) Option<PathBuf>);

impl Folder {
    fn path(&self, key: &str) -> Option<PathBuf> {
        let name: String = Sha256::digest(key.as_bytes()).iter().take(12).map(|byte| format!("{byte:02x}")).collect();
        self.0.as_ref().map(|folder| folder.join(name))
    }
}

impl Memory for Folder {
    fn recall(&mut self, key: &str) -> Option<Vec<Embedding>> {
        let bytes = std::fs::read(self.path(key)?).ok()?;
        let values: Vec<f32> =
            bytes.chunks_exact(4).map(|four| f32::from_le_bytes(four.try_into().unwrap_or_default())).collect();
        values.chunks(EMBEDDING_SIZE).map(|row| row.try_into().ok()).collect()
    }

    /// Where it cannot be kept it is made anew next time.
    fn keep(&mut self, key: &str, embeddings: &[Embedding]) {
        let Some(path) = self.path(key) else { return };
        let bytes: Vec<u8> = embeddings.as_flattened().iter().flat_map(|value| value.to_le_bytes()).collect();
        let half = path.with_extension("half");
        let _ = std::fs::write(&half, bytes).and_then(|()| std::fs::rename(&half, &path));
    }
}
