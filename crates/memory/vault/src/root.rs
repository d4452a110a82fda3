//! The root key: one file of 32 random bytes, from which all else follows.

use std::fs::File;
use std::io::{ErrorKind, Read};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use base::Marketplace;
use hkdf::Hkdf;
use sha2::Sha256;

use crate::error::{VaultError, io_at};
use crate::files::write_durably;
use crate::seal::{KEY_LEN, Key};

/// Bytes in the root key's file.
pub const ROOT_KEY_LEN: usize = KEY_LEN;

/// The key that wraps all others. Lost, everything that was sealed is lost with it.
#[derive(Debug)]
pub struct RootKey(Key);

impl RootKey {
    /// Draws a new key and puts it at `path`, mode 0600, durably. For a data directory without any.
    ///
    /// # Errors
    /// [`VaultError::Io`], [`VaultError::Random`].
    pub fn create(path: &Path) -> Result<Self, VaultError> {
        let key = Key::random()?;
        write_durably(path, &key.0)?;
        Ok(Self(key))
    }

    /// Reads the key at `path`.
    ///
    /// # Errors
    /// [`VaultError::RootKeyLost`] where there is no such file, [`VaultError::RootKeyMode`] where its group or others
    /// have any right to it, [`VaultError::RootKeyLength`], [`VaultError::Io`].
    pub fn load(path: &Path) -> Result<Self, VaultError> {
        let mut file = match File::open(path) {
            Ok(file) => file,
            Err(error) if error.kind() == ErrorKind::NotFound => {
                return Err(VaultError::RootKeyLost(path.to_path_buf()));
            }
            Err(error) => return Err(io_at("open", path)(error)),
        };
        let about = file.metadata().map_err(io_at("look at", path))?;
        let mode = about.permissions().mode() & 0o7777;
        if mode & 0o077 != 0 {
            return Err(VaultError::RootKeyMode { path: path.to_path_buf(), mode });
        }
        if !about.is_file() || about.len() != ROOT_KEY_LEN as u64 {
            return Err(VaultError::RootKeyLength { path: path.to_path_buf(), found: about.len() });
        }
        let mut key = Key([0; KEY_LEN]);
        file.read_exact(&mut key.0).map_err(io_at("read", path))?;
        Ok(Self(key))
    }

    /// The key that wraps the parents of one key store (HKDF-SHA256, RFC 5869): no two marketplaces, and no two
    /// stores, share one.
    pub(crate) fn wrapping(&self, marketplace: Marketplace, store: &[u8; 16]) -> Result<Key, VaultError> {
        let mut key = Key([0; KEY_LEN]);
        let info = [b"sotto/wrap/1".as_slice(), marketplace.as_str().as_bytes()];
        Hkdf::<Sha256>::new(Some(store), &self.0.0)
            .expand_multi_info(&info, &mut key.0)
            .map_err(|_| VaultError::TooLarge { bytes: KEY_LEN, max: 255 * KEY_LEN })?;
        Ok(key)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_root_key_is_readable_by_its_owner_alone_or_refused() {
        let dir = tempfile::tempdir().expect("a temporary folder");
        let path = dir.path().join("root.key");
        assert!(matches!(RootKey::load(&path), Err(VaultError::RootKeyLost(_))));
        let made = RootKey::create(&path).expect("made");
        assert_eq!(std::fs::metadata(&path).expect("there").permissions().mode() & 0o777, 0o600);
        assert_eq!(RootKey::load(&path).expect("read").0.0, made.0.0);
        for mode in [0o640, 0o604, 0o666, 0o700 | 0o001] {
            std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).expect("mode");
            let error = RootKey::load(&path).expect_err("open to others");
            assert!(matches!(error, VaultError::RootKeyMode { .. }), "{error}");
        }
    }

    #[test]
    fn a_root_key_of_another_length_is_refused() {
        let dir = tempfile::tempdir().expect("a temporary folder");
        let path = dir.path().join("root.key");
        for length in [0, 31, 33, 4096] {
            write_durably(&path, &vec![7; length]).expect("written");
            let error = RootKey::load(&path).expect_err("not a key");
            assert!(matches!(error, VaultError::RootKeyLength { .. }), "{error}");
        }
    }
}
