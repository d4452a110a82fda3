//! The two files of link's own: the device's key, and the cloud it is paired with.
//!
//! Each is written whole or not at all, in this order: open(temporary, O_EXCL, 0600), write, fsync, rename, fsync of the folder.

use std::fs::{DirBuilder, File};
use std::io::{self, Write as _};
use std::os::fd::OwnedFd;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};

use base::DeviceId;
use rcgen::{CertificateParams, DnType, KeyPair, PKCS_ED25519};
use rustix::fs::{AtFlags, CWD, Mode, OFlags, fsync, openat, renameat, unlinkat};
use rustix::io::Errno;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};

use crate::error::LinkError;

/// What is read of either file at most.
const FILE_BYTES_MAX: u64 = 4_096;

/// The two files.
const KEY: &str = "device.key";
const PIN: &str = "cloud.pin";

/// The first line of `cloud.pin`.
const PIN_HEADER: &str = "sotto cloud pin 1";

/// The device's key, with a certificate around it for TLS. Nothing but the key counts.
#[derive(Debug)]
pub(crate) struct Identity {
    pub(crate) key: PrivateKeyDer<'static>,
    pub(crate) certificate: CertificateDer<'static>,
    /// SHA-256 of its public half.
    pub(crate) fingerprint: [u8; 32],
}

/// The cloud that this device is paired with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Pin {
    /// What the cloud calls this device.
    pub(crate) device: DeviceId,
    /// SHA-256 of the cloud's public key.
    pub(crate) cloud_key: [u8; 32],
}

/// The folder they are in: held open, for the way to it may lead through folders that are shut to whoever link becomes.
#[derive(Debug)]
pub(crate) struct Store {
    folder: PathBuf,
    open: OwnedFd,
}

impl Store {
    /// Opens the folder; makes it, for its owner alone, where there is none.
    ///
    /// # Errors
    /// [`LinkError::File`].
    pub(crate) fn open(folder: &Path) -> Result<Self, LinkError> {
        let failed = |source| LinkError::File { path: folder.to_owned(), source };
        DirBuilder::new().recursive(true).mode(0o700).create(folder).map_err(failed)?;
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let open = openat(CWD, folder, flags, Mode::empty()).map_err(|error| failed(error.into()))?;
        Ok(Self { folder: folder.to_owned(), open })
    }

    /// The device's key; drawn at the first start.
    ///
    /// # Errors
    /// [`LinkError::File`], [`LinkError::Damaged`], [`LinkError::Key`].
    pub(crate) fn identity(&self) -> Result<Identity, LinkError> {
        let pair = match self.read(KEY)? {
            Some(pem) => {
                let path = self.folder.join(KEY);
                let damaged =
                    LinkError::Damaged { path, what: "not a private key; remove it and pair the device anew" };
                KeyPair::from_pem(&pem).map_err(|_| damaged)?
            }
            None if self.read(PIN)?.is_some() => {
                // Made anew in silence, it would be a device that no cloud knows.
                let what = "missing, though this device is paired; put it back, or remove cloud.pin and pair the device anew";
                return Err(LinkError::Damaged { path: self.folder.join(KEY), what });
            }
            None => {
                let pair = KeyPair::generate_for(&PKCS_ED25519).map_err(|error| LinkError::Key(error.to_string()))?;
                self.write(KEY, pair.serialize_pem().as_bytes())?;
                pair
            }
        };
        identity_of(&pair).map_err(|error| LinkError::Key(error.to_string()))
    }

    /// The cloud this device is paired with, if any.
    ///
    /// # Errors
    /// [`LinkError::File`], [`LinkError::Damaged`].
    pub(crate) fn pin(&self) -> Result<Option<Pin>, LinkError> {
        let Some(text) = self.read(PIN)? else { return Ok(None) };
        let path = self.folder.join(PIN);
        let damaged = LinkError::Damaged { path, what: "not a pinned cloud; remove it and pair the device anew" };
        parse_pin(&text).map(Some).ok_or(damaged)
    }

    /// Pins a cloud; once this returns, the pin is on the disk.
    ///
    /// # Errors
    /// [`LinkError::File`]; what was pinned before still is.
    pub(crate) fn set_pin(&self, pin: &Pin) -> Result<(), LinkError> {
        let key = DeviceId::LEN;
        // Two ids' worth of hexadecimal digits make a fingerprint's.
        let halves = [&pin.cloud_key[..key], &pin.cloud_key[key..]]
            .map(|half| half.iter().map(|byte| format!("{byte:02x}")).collect::<String>());
        let text = format!("{PIN_HEADER}\ndevice {}\ncloud {}\n", pin.device, halves.concat());
        self.write(PIN, text.as_bytes())
    }

    fn read(&self, name: &str) -> Result<Option<String>, LinkError> {
        use io::Read as _;
        let failed = |source| LinkError::File { path: self.folder.join(name), source };
        let file = match openat(&self.open, name, OFlags::RDONLY | OFlags::CLOEXEC, Mode::empty()) {
            Ok(file) => File::from(file),
            Err(Errno::NOENT) => return Ok(None),
            Err(error) => return Err(failed(error.into())),
        };
        let mut text = String::new();
        file.take(FILE_BYTES_MAX).read_to_string(&mut text).map_err(failed)?;
        Ok(Some(text))
    }

    fn write(&self, name: &str, bytes: &[u8]) -> Result<(), LinkError> {
        let temporary = format!("{name}.new");
        let write = || -> io::Result<()> {
            // One left behind by a crash holds nothing that anybody relies on.
            match unlinkat(&self.open, &temporary, AtFlags::empty()) {
                Err(error) if error != Errno::NOENT => return Err(error.into()),
                _ => {}
            }
            let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::CLOEXEC;
            let mut file = File::from(openat(&self.open, &temporary, flags, Mode::RUSR | Mode::WUSR)?);
            file.write_all(bytes)?;
            file.sync_all()?;
            renameat(&self.open, &temporary, &self.open, name)?;
            Ok(fsync(&self.open)?)
        };
        write().map_err(|source| LinkError::File { path: self.folder.join(name), source })
    }
}

fn identity_of(pair: &KeyPair) -> Result<Identity, rcgen::Error> {
    use rcgen::PublicKeyData as _;
    let mut params = CertificateParams::new(Vec::new())?;
    params.distinguished_name.push(DnType::CommonName, "sotto device");
    let certificate = params.self_signed(pair)?;
    Ok(Identity {
        key: PrivatePkcs8KeyDer::from(pair.serialize_der()).into(),
        certificate: certificate.der().clone(),
        fingerprint: wire::pairing::fingerprint(&pair.subject_public_key_info()),
    })
}

fn parse_pin(text: &str) -> Option<Pin> {
    let mut lines = text.lines();
    let (PIN_HEADER, device, cloud, None) = (lines.next()?, lines.next()?, lines.next()?, lines.next()) else {
        return None;
    };
    let device = device.strip_prefix("device ")?.parse().ok()?;
    let cloud = cloud.strip_prefix("cloud ")?;
    let (first, second) = cloud.split_at_checked(2 * DeviceId::LEN)?;
    let (first, second): (DeviceId, DeviceId) = (first.parse().ok()?, second.parse().ok()?);
    let mut cloud_key = [0; 32];
    cloud_key[..DeviceId::LEN].copy_from_slice(first.as_bytes());
    cloud_key[DeviceId::LEN..].copy_from_slice(second.as_bytes());
    Some(Pin { device, cloud_key })
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    #[test]
    fn the_key_is_drawn_once_and_is_its_owners_alone() {
        let folder = tempfile::tempdir().expect("a folder");
        let folder = folder.path().join("device");
        let store = Store::open(&folder).expect("made");
        let first = store.identity().expect("drawn");
        let again = Store::open(&folder).and_then(|store| store.identity()).expect("read");
        assert_eq!(first.fingerprint, again.fingerprint);
        let mode = |path: &Path| fs::metadata(path).expect("there").permissions().mode() & 0o777;
        assert_eq!((mode(&folder), mode(&folder.join("device.key"))), (0o700, 0o600));
    }

    #[test]
    fn a_key_that_is_missing_while_the_device_is_paired_is_not_made_anew() {
        let folder = tempfile::tempdir().expect("a folder");
        let store = Store::open(folder.path()).expect("there");
        store.identity().expect("drawn");
        store.set_pin(&Pin { device: DeviceId::from_bytes([3; 16]), cloud_key: [4; 32] }).expect("pinned");
        fs::remove_file(folder.path().join("device.key")).expect("removed");
        let complaint = store.identity().expect_err("missing").to_string();
        assert!(complaint.contains("device.key: missing"), "{complaint}");
        assert!(!folder.path().join("device.key").exists());
        fs::remove_file(folder.path().join("cloud.pin")).expect("removed");
        store.identity().expect("a device that is paired with nobody begins anew");
    }

    #[test]
    fn a_pin_reads_back_and_is_replaced_whole() {
        let folder = tempfile::tempdir().expect("a folder");
        let store = Store::open(folder.path()).expect("there");
        assert_eq!(store.pin().expect("readable"), None);
        for seed in [3, 0xfe] {
            let pin =
                Pin { device: DeviceId::from_bytes([seed; 16]), cloud_key: std::array::from_fn(|i| i as u8 ^ seed) };
            fs::write(folder.path().join("cloud.pin.new"), "left behind by a crash").expect("written");
            store.set_pin(&pin).expect("pinned");
            assert_eq!(store.pin().expect("readable"), Some(pin));
        }
        assert!(!folder.path().join("cloud.pin.new").exists());
    }

    #[test]
    fn damaged_files_are_named_and_not_taken() {
        let folder = tempfile::tempdir().expect("a folder");
        let store = Store::open(folder.path()).expect("there");
        for text in
            ["", "sotto cloud pin 1\n", "sotto cloud pin 1\ndevice zz\ncloud é\n", "sotto cloud pin 2\na\nb\n"]
        {
            fs::write(folder.path().join("cloud.pin"), text).expect("written");
            let complaint = store.pin().expect_err("damaged").to_string();
            assert!(complaint.contains("cloud.pin: not a pinned cloud"), "{complaint}");
        }
        fs::write(folder.path().join("device.key"), "no key").expect("written");
        let complaint = store.identity().expect_err("damaged").to_string();
        assert!(complaint.contains("device.key: not a private key"), "{complaint}");
    }
}
