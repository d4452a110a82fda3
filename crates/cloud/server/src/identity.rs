//! The cloud's own key and certificate, which devices pin. Made once, at the first start; its loss means pairing every device
//! anew, so that it is never made in the place of one that is missing.

use std::fs;
use std::io::{self, Write};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::Path;

use gateway::CloudIdentity;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};

use crate::ServerError;

/// Certificate and key, PEM, in one file.
pub(crate) const FILE: &str = "cloud.pem";
/// The only name in it; devices look at the key alone.
const NAME: &str = "sotto";

/// Reads the identity of this data directory; nothing where there is none.
pub(crate) fn read(data: &Path) -> Result<Option<CloudIdentity>, ServerError> {
    let path = data.join(FILE);
    let file = |why| ServerError::File { path: path.clone(), why };
    let pem = match fs::read(&path) {
        Ok(pem) => pem,
        Err(why) if why.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(why) => return Err(file(why)),
    };
    let mode = fs::metadata(&path).map_err(file)?.permissions().mode() & 0o7777;
    if mode & 0o077 != 0 {
        let told = format!("{} may be read by others (mode {mode:o}): run chmod 600 on it", path.display());
        return Err(ServerError::Identity(told));
    }
    let unreadable = |what: &str| {
        ServerError::Identity(format!("{} holds no readable {what}: put the right file back", path.display()))
    };
    let certificate = CertificateDer::from_pem_slice(&pem).map_err(|_| unreadable("certificate"))?;
    let key = PrivateKeyDer::from_pem_slice(&pem).map_err(|_| unreadable("key"))?;
    CloudIdentity::new(certificate, key).map(Some).map_err(|why| ServerError::Identity(why.to_string()))
}

/// Makes the identity of a data directory that has none and never had one.
pub(crate) fn make(data: &Path) -> Result<CloudIdentity, ServerError> {
    let own = rcgen::generate_simple_self_signed([NAME.to_owned()])
        .map_err(|why| ServerError::Identity(why.to_string()))?;
    let pem = own.cert.pem() + &own.signing_key.serialize_pem();
    let path = data.join(FILE);
    write_whole(&path, pem.as_bytes()).map_err(|why| ServerError::File { path, why })?;
    read(data)?.ok_or_else(|| ServerError::Identity("the file just written is gone".to_owned()))
}

/// Written beside its place, synced, then moved there, and the folder synced: a crash leaves the whole file or none.
fn write_whole(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let fresh = path.with_extension("pem.new");
    let _ = fs::remove_file(&fresh);
    let mut file = fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(&fresh)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    fs::rename(&fresh, path)?;
    path.parent().map_or(Ok(()), |folder| fs::File::open(folder)?.sync_all())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_identity_stays_the_same_from_start_to_start() {
        let dir = tempfile::tempdir().expect("a directory");
        assert!(read(dir.path()).expect("looked").is_none());
        assert!(!dir.path().join(FILE).exists(), "looking makes none");
        let first = make(dir.path()).expect("made").fingerprint();
        assert_eq!(read(dir.path()).expect("read").expect("there").fingerprint(), first);
        fs::set_permissions(dir.path().join(FILE), fs::Permissions::from_mode(0o640)).expect("mode");
        assert!(read(dir.path()).is_err(), "others may read it");
        fs::set_permissions(dir.path().join(FILE), fs::Permissions::from_mode(0o600)).expect("mode");
        for damaged in ["half a certificate", ""] {
            fs::write(dir.path().join(FILE), damaged).expect("writes");
            assert!(read(dir.path()).is_err(), "a damaged one is not silently replaced");
        }
    }
}
