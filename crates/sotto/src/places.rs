//! Where things live, as people expect of a service: data and logs in the XDG data directory (or `--data`), models
//! in the XDG cache.

use std::path::{Path, PathBuf};

use crate::failure::Failure;

/// The folders of one installation.
#[derive(Clone, Debug)]
pub(crate) struct Places {
    data: PathBuf,
    models: PathBuf,
}

impl Places {
    /// `data` as given with `--data`, or the XDG data directory; models by `SOTTO_MODELS`, in the XDG cache, or with the
    /// data where nothing says where a cache is.
    pub(crate) fn new(data: Option<PathBuf>) -> Result<Self, Failure> {
        let data = match data {
            Some(dir) => {
                std::path::absolute(&dir).map_err(|why| Failure::usage(format!("{}: {why}", dir.display())))?
            }
            None => xdg("XDG_DATA_HOME", ".local/share")?.join("sotto"),
        };
        let models = match std::env::var_os("SOTTO_MODELS").filter(|dir| !dir.is_empty()) {
            Some(dir) => PathBuf::from(dir),
            None => xdg("XDG_CACHE_HOME", ".cache")
                .map_or_else(|_| data.join("models"), |cache| cache.join("sotto/models")),
        };
        Ok(Self { data, models })
    }

    /// Everything that is kept: keys, history, accounts, devices, logs.
    pub(crate) fn data(&self) -> &Path {
        &self.data
    }

    /// The verified model files.
    pub(crate) fn models(&self) -> &Path {
        &self.models
    }

    /// What a running cloud tells the other commands; gone when it stops.
    pub(crate) fn run_file(&self) -> PathBuf {
        self.data.join("run.json")
    }

    /// The home of a device that this machine runs itself.
    pub(crate) fn device(&self, name: &str) -> PathBuf {
        self.data.join("devices").join(name)
    }

    /// A binary of ours, which lies beside this one.
    pub(crate) fn binary(name: &str) -> Result<PathBuf, Failure> {
        let here = std::env::current_exe()
            .map_err(|why| Failure::no(format!("cannot find this program's folder: {why}")))?;
        let path = here.with_file_name(name);
        if path.is_file() {
            Ok(path)
        } else {
            Err(Failure::no(format!("{} is missing: build it with ./sotto", path.display())))
        }
    }
}

/// A base directory of the XDG specification: by its variable, or at its default place under the home directory, which is
/// the account's own (in the password database) where HOME does not say.
pub(crate) fn xdg(variable: &str, under_home: &str) -> Result<PathBuf, Failure> {
    match std::env::var_os(variable).map(PathBuf::from) {
        // The XDG specification tells programs to ignore a relative path.
        Some(dir) if dir.is_absolute() => Ok(dir),
        _ => std::env::var_os("HOME")
            .filter(|home| !home.is_empty())
            .map(PathBuf::from)
            .or_else(home_of_the_account)
            .filter(|home| home.is_absolute())
            .map(|home| home.join(under_home))
            .ok_or_else(|| Failure::usage("HOME is not set: say where to keep data with --data DIR")),
    }
}

/// As the password database has it. Services and cron jobs often have no HOME.
fn home_of_the_account() -> Option<PathBuf> {
    let uid = rustix::process::getuid().as_raw().to_string();
    let accounts = std::fs::read_to_string("/etc/passwd").ok()?;
    // NAME:PASSWORD:UID:GID:COMMENT:HOME:SHELL (passwd(5))
    let mut homes = accounts.lines().filter_map(|line| {
        let fields: Vec<&str> = line.split(':').collect();
        (fields.get(2) == Some(&uid.as_str())).then(|| fields.get(5).copied()).flatten()
    });
    homes.next().map(PathBuf::from)
}
