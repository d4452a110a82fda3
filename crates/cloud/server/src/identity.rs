//! The cloud's own key and certificate, which devices pin. Made once; its loss means pairing every device anew.

use std::fs;
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use gateway::CloudIdentity;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};

use crate::ServerError;

/// Certificate and key, PEM, in one file.
const FILE: &str = "cloud.pem";
/// The only name in it; devices look at the key alone.
const NAME: &str = "sotto";

/// Reads the identity of this data directory, or makes it.
pub(crate) fn load_or_make(data: &Path) -> Result<CloudIdentity, ServerError> {
    let path = data.join(FILE);
    let file = |why| ServerError::File { path: path.clone(), why };
    let pem = match fs::read(&path) {
        Ok(pem) => pem,
        Err(why) if why.kind() == io::ErrorKind::NotFound => {
            let pem = make()?.into_bytes();
            write_whole(&path, &pem).map_err(file)?;
            pem
        }
        Err(why) => return Err(file(why)),
    };
    let unreadable = |what: &str| ServerError::Identity(format!("{} holds no readable {what}", path.display()));
    let certificate = CertificateDer::from_pem_slice(&pem).map_err(|_| unreadable("certificate"))?;
    let key = PrivateKeyDer::from_pem_slice(&pem).map_err(|_| unreadable("key"))?;
    CloudIdentity::new(certificate, key).map_err(|why| ServerError::Identity(why.to_string()))
}

fn make() -> Result<String, ServerError> {
    let own = rcgen::generate_simple_self_signed([NAME.to_owned()])
        .map_err(|why| ServerError::Identity(why.to_string()))?;
    Ok(own.cert.pem() + &own.signing_key.serialize_pem())
}

/// Written beside its place, synced, then moved there: a crash leaves the whole file or none.
fn write_whole(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let fresh = path.with_extension("pem.new");
    let _ = fs::remove_file(&fresh);
    let mut file = fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(&fresh)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    fs::rename(&fresh, path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_identity_stays_the_same_from_start_to_start() {
        let dir = tempfile::tempdir().expect("a directory");
        let first = load_or_make(dir.path()).expect("made").fingerprint();
        assert_eq!(load_or_make(dir.path()).expect("read").fingerprint(), first);
        fs::write(dir.path().join(FILE), "half a certificate").expect("writes");
        assert!(load_or_make(dir.path()).is_err(), "a damaged one is not silently replaced");
    }
}
