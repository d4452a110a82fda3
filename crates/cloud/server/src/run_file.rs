//! `run.json`: what a running cloud tells the other commands of the same owner. Written when it is ready, removed when
//! it stops, and readable by the owner alone, for its token is the owner's word at this machine.

use std::fs;
use std::io::{self, Write};
use std::net::SocketAddr;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

/// Where a running cloud is and how the owner's commands speak to it.
#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RunFile {
    /// The process that serves.
    pub pid: u32,
    /// The app, by plain HTTP on the loopback interface.
    pub app: SocketAddr,
    /// The host name under which browsers reach the app.
    pub host: String,
    /// The devices' port, by TLS.
    pub devices: SocketAddr,
    /// The bearer token of `/control`.
    pub token: String,
}

impl RunFile {
    /// The app's address for browsers.
    #[must_use]
    pub fn app_url(&self) -> String {
        format!("http://{}:{}", self.host, self.app.port())
    }

    /// Reads the file; `None` where there is none or it is not one of ours (a cloud that was killed while writing).
    #[must_use]
    pub fn read(path: &Path) -> Option<Self> {
        serde_json::from_slice(&fs::read(path).ok()?).ok()
    }

    /// Writes the file whole or not at all.
    ///
    /// # Errors
    /// What the file system says.
    pub fn write(&self, path: &Path) -> io::Result<()> {
        let fresh = fresh_name(path);
        let _ = fs::remove_file(&fresh);
        let mut file = fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(&fresh)?;
        file.write_all(&serde_json::to_vec(self)?)?;
        fs::rename(&fresh, path)
    }
}

impl std::fmt::Debug for RunFile {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("RunFile").field("pid", &self.pid).field("app", &self.app).finish_non_exhaustive()
    }
}

fn fresh_name(path: &Path) -> PathBuf {
    path.with_extension("json.new")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_reads_back_and_a_torn_one_is_none() {
        let dir = tempfile::tempdir().expect("a directory");
        let path = dir.path().join("run.json");
        let file = RunFile {
            pid: 7,
            app: SocketAddr::from(([127, 0, 0, 1], 80)),
            host: "sotto-0123abcd.localhost".into(),
            devices: SocketAddr::from(([127, 0, 0, 1], 81)),
            token: "secret".into(),
        };
        file.write(&path).expect("writes");
        let read = RunFile::read(&path).expect("reads");
        assert_eq!((read.pid, read.app, read.token.as_str()), (7, file.app, "secret"));
        assert_eq!(read.app_url(), "http://sotto-0123abcd.localhost:80");
        assert!(!format!("{read:?}").contains("secret"));
        fs::write(&path, b"{\"pid\":7,").expect("writes");
        assert!(RunFile::read(&path).is_none());
    }
}
