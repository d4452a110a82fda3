use std::os::unix::fs::PermissionsExt;

use super::*;
use crate::place::Audio;
use crate::steps::NoSteps;

const ID: UtteranceId = UtteranceId::from_bytes([0xab; 16]);

fn blobs(dir: &tempfile::TempDir) -> Blobs {
    Blobs::open(&dir.path().join("blobs"), Arc::new(NoSteps)).expect("opens")
}

#[tokio::test]
async fn a_blob_is_kept_found_and_removed_and_only_its_owner_may_read_it() {
    let dir = tempfile::tempdir().expect("a temporary folder");
    let blobs = blobs(&dir);
    assert!(blobs.get::<Audio>(ID).await.expect("read").is_none());
    blobs.put::<Audio>(ID, Sealed::from_bytes(vec![7; 600_000])).await.expect("kept");
    let path = dir.path().join("blobs/ab").join(format!("{ID}.audio"));
    let mode = |path: &Path| std::fs::metadata(path).expect("there").permissions().mode() & 0o777;
    assert_eq!((mode(&path), mode(path.parent().expect("a folder"))), (0o600, 0o700));
    assert_eq!(blobs.get::<Audio>(ID).await.expect("read").expect("kept").as_bytes(), vec![7; 600_000]);
    assert_eq!(blobs.walk(0xab).await.expect("walked"), [Found { path, id: Some(ID) }]);
    blobs.remove::<Audio>(ID).await.expect("removed");
    blobs.remove::<Audio>(ID).await.expect("removed already");
    assert_eq!(blobs.walk(0xab).await.expect("walked"), []);
}

#[tokio::test]
async fn what_is_too_large_is_neither_kept_nor_read() {
    let dir = tempfile::tempdir().expect("a temporary folder");
    let blobs = blobs(&dir);
    let large = || vec![0; BLOB_BYTES_MAX + 1];
    let refused = blobs.put::<Audio>(ID, Sealed::from_bytes(large())).await;
    assert!(matches!(refused, Err(VaultError::TooLarge { .. })));
    blobs.put::<Audio>(ID, Sealed::from_bytes(vec![1])).await.expect("kept");
    std::fs::write(dir.path().join("blobs/ab").join(format!("{ID}.audio")), large()).expect("replaced");
    assert!(matches!(blobs.get::<Audio>(ID).await, Err(VaultError::TooLarge { .. })));
}
