//! Sealed blobs in local files: `xx/<id>.<kind>`, `xx` being the id's first two digits.
//!
//! Through [`object_store`], so that a store elsewhere can take their place. What comes in is sealed already.

use std::error::Error as StdError;
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use base::UtteranceId;
use object_store::local::LocalFileSystem;
use object_store::{ObjectStoreExt, PutPayload};

use crate::error::{VaultError, io_at};
use crate::files::{FILE_MODE, private_dir, set_mode, sync_parent};
use crate::place::Kind;
use crate::seal::Sealed;
use crate::steps::Steps;

/// The largest blob: 15 s of sound take 480,000 bytes.
pub const BLOB_BYTES_MAX: usize = 1 << 20;

/// Sealed blobs of one marketplace.
///
/// Durability: [`Blobs::put`] and [`Blobs::remove`] are on the disk when they return; after a crash a blob is there
/// whole or not at all, and what a crash left half-written is found by [`Blobs::walk`].
pub struct Blobs {
    path: PathBuf,
    store: LocalFileSystem,
    steps: Arc<dyn Steps>,
}

/// A file that lies among the blobs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// Where.
    pub path: PathBuf,
    /// Whose blob it is by its name; nothing where it is no blob (a write that was cut off).
    pub id: Option<UtteranceId>,
}

impl std::fmt::Debug for Blobs {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Blobs").field("path", &self.path).finish_non_exhaustive()
    }
}

impl Blobs {
    /// Opens the folder `path`, making it where it is missing (its parent must exist).
    ///
    /// # Errors
    /// [`VaultError::Io`].
    pub fn open(path: &Path, steps: Arc<dyn Steps>) -> Result<Self, VaultError> {
        private_dir(path)?;
        let store = LocalFileSystem::new_with_prefix(path).map_err(|error| store_error("open", path, &error))?;
        Ok(Self { path: path.to_path_buf(), store: store.with_fsync(true), steps })
    }

    /// Keeps `sealed` as the blob of kind `K` of `id`.
    ///
    /// # Errors
    /// [`VaultError::TooLarge`], [`VaultError::Io`] (a full disk: nothing is left of it).
    pub async fn put<K: Kind>(&self, id: UtteranceId, sealed: Sealed<K>) -> Result<(), VaultError> {
        let bytes = sealed.into_bytes();
        if bytes.len() > BLOB_BYTES_MAX {
            return Err(VaultError::TooLarge { bytes: bytes.len(), max: BLOB_BYTES_MAX });
        }
        let path = self.file::<K>(id);
        self.steps.before("blob: write").map_err(io_at("write", &path))?;
        if let Some(folder) = path.parent() {
            private_dir(folder)?;
        }
        let put = self.store.put(&name::<K>(id), PutPayload::from(bytes)).await;
        put.map_err(|error| store_error("write", &path, &error))?;
        // The library makes it by the umask; the folders above let nobody else this far even for a moment.
        set_mode(&path, FILE_MODE)
    }

    /// The blob of kind `K` of `id`; nothing where there is none.
    ///
    /// # Errors
    /// [`VaultError::TooLarge`] where a file lies there that no [`Blobs::put`] wrote, [`VaultError::Io`].
    pub async fn get<K: Kind>(&self, id: UtteranceId) -> Result<Option<Sealed<K>>, VaultError> {
        let path = self.file::<K>(id);
        let result = match self.store.get(&name::<K>(id)).await {
            Ok(result) => result,
            Err(object_store::Error::NotFound { .. }) => return Ok(None),
            Err(error) => return Err(store_error("read", &path, &error)),
        };
        let bytes = usize::try_from(result.meta.size).unwrap_or(usize::MAX);
        if bytes > BLOB_BYTES_MAX {
            return Err(VaultError::TooLarge { bytes, max: BLOB_BYTES_MAX });
        }
        let bytes = result.bytes().await.map_err(|error| store_error("read", &path, &error))?;
        Ok(Some(Sealed::from_bytes(bytes.into())))
    }

    /// Removes the blob of kind `K` of `id`; there being none is as good.
    ///
    /// # Errors
    /// [`VaultError::Io`].
    pub async fn remove<K: Kind>(&self, id: UtteranceId) -> Result<(), VaultError> {
        self.remove_file(self.file::<K>(id)).await
    }

    /// Removes what [`Blobs::walk`] found.
    ///
    /// # Errors
    /// [`VaultError::Io`].
    pub async fn remove_found(&self, found: Found) -> Result<(), VaultError> {
        self.remove_file(found.path).await
    }

    /// Every file in folder `first_byte` of the 256 there are, blob or not.
    ///
    /// # Errors
    /// [`VaultError::Io`].
    pub async fn walk(&self, first_byte: u8) -> Result<Vec<Found>, VaultError> {
        let folder = self.path.join(format!("{first_byte:02x}"));
        blocking(&folder.clone(), move || {
            let entries = match std::fs::read_dir(&folder) {
                Ok(entries) => entries,
                Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
                Err(error) => return Err(io_at("list", &folder)(error)),
            };
            let found = entries.map(|entry| {
                let path = entry.map_err(io_at("list", &folder))?.path();
                Ok(Found { id: id_of(&path), path })
            });
            found.collect()
        })
        .await
    }

    /// `unlink fsync(folder)`: the library removes, but does not wait for the disk.
    async fn remove_file(&self, path: PathBuf) -> Result<(), VaultError> {
        self.steps.before("blob: remove").map_err(io_at("remove", &path))?;
        blocking(&path.clone(), move || match std::fs::remove_file(&path) {
            Ok(()) => sync_parent(&path),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
            Err(error) => Err(io_at("remove", &path)(error)),
        })
        .await
    }

    fn file<K: Kind>(&self, id: UtteranceId) -> PathBuf {
        self.path.join(relative::<K>(id))
    }
}

/// Runs `work` where blocking is allowed.
async fn blocking<T: Send + 'static>(
    path: &Path,
    work: impl FnOnce() -> Result<T, VaultError> + Send + 'static,
) -> Result<T, VaultError> {
    let cut_off = |_| io_at("finish the work on", path)(io::ErrorKind::Interrupted.into());
    tokio::task::spawn_blocking(work).await.map_err(cut_off)?
}

fn relative<K: Kind>(id: UtteranceId) -> String {
    let id = id.to_string();
    format!("{}/{id}.{}", &id[..2], K::NAME)
}

fn name<K: Kind>(id: UtteranceId) -> object_store::path::Path {
    object_store::path::Path::from(relative::<K>(id))
}

fn id_of(path: &Path) -> Option<UtteranceId> {
    let name = std::str::from_utf8(path.file_name()?.as_bytes()).ok()?;
    let (id, kind) = name.split_once('.')?;
    let known = [crate::Audio::NAME, crate::Text::NAME, crate::Voice::NAME].contains(&kind);
    if known { id.parse().ok() } else { None }
}

/// The library wraps the system's error; the kind (a full disk) is what has to come through.
fn store_error(what: &'static str, path: &Path, error: &object_store::Error) -> VaultError {
    let mut cause: Option<&(dyn StdError + 'static)> = Some(error);
    while let Some(link) = cause {
        if let Some(found) = link.downcast_ref::<io::Error>() {
            let source = found.raw_os_error().map_or_else(|| found.kind().into(), io::Error::from_raw_os_error);
            return io_at(what, path)(source);
        }
        cause = link.source();
    }
    io_at(what, path)(io::Error::other("the blob store refused"))
}

#[cfg(test)]
mod tests;
