//! `sotto uninstall`: what Sotto has put on this machine, listed, and removed when agreed.

mod debian;

use std::io::{BufRead, IsTerminal};
use std::path::{Path, PathBuf};

use clap::Args;

use crate::cloud;
use crate::failure::Failure;
use crate::places::{Places, xdg};

/// What a data directory holds from its first start on. A folder without them is not taken for one.
const SIGNS_OF_DATA: [&str; 2] = ["root.key", "directory.db"];
/// Where the scripts write down what they installed, below the state directory.
const PACKAGES_RECORD: &str = "packages";
/// Left by the scripts where they ran rustup's own installer.
const RUSTUP_RECORD: &str = "rustup";

/// Lists what would be removed, and removes it when you agree.
#[derive(Args, Debug)]
pub(crate) struct UninstallArgs {
    /// Do not ask.
    #[arg(long)]
    yes: bool,
    /// Keep the data directory: history, keys, devices.
    #[arg(long)]
    keep_data: bool,
}

/// What is there to remove.
#[derive(Debug, Default)]
struct Found {
    /// Each with what it holds.
    folders: Vec<(PathBuf, &'static str)>,
    /// The state directory, which goes last: until then it tells what is left to do.
    state: Option<PathBuf>,
    packages: Vec<String>,
    rustup: bool,
}

/// Runs the command.
pub(crate) fn run(args: &UninstallArgs, places: &Places) -> Result<(), Failure> {
    if cloud::running(places).is_some() {
        return Err(Failure::no("the cloud is running: sotto stop ends it"));
    }
    let found = look(args, places)?;
    if found.folders.is_empty() && found.packages.is_empty() && found.state.is_none() {
        crate::print_line("nothing of Sotto's is here")?;
        return Ok(());
    }
    found.tell()?;
    if !args.yes && !agreed()? {
        return Err(Failure::no("nothing was removed"));
    }
    found.remove()
}

fn look(args: &UninstallArgs, places: &Places) -> Result<Found, Failure> {
    let mut folders = Vec::new();
    if !args.keep_data && places.data().exists() {
        if !is_data(places.data()) {
            let data = places.data().display();
            return Err(Failure::no(format!(
                "{data} does not look like Sotto's data directory (--keep-data leaves it)"
            )));
        }
        folders.push((places.data().to_owned(), "history, keys, accounts, devices, logs: for good"));
    }
    // A folder that SOTTO_MODELS names is its owner's.
    let cache = xdg("XDG_CACHE_HOME", ".cache").map(|cache| cache.join("sotto"));
    folders.extend(cache.map(|dir| (dir, "models, and the Python environment that fetches them")));
    folders.extend(target_dir().map(|dir| (dir, "what was built")));
    folders.retain(|(dir, _)| dir.exists());
    let state = xdg("XDG_STATE_HOME", ".local/state").ok().map(|dir| dir.join("sotto")).filter(|dir| dir.exists());
    let (packages, rustup) = match &state {
        Some(dir) => {
            (debian::still_installed(debian::recorded(&dir.join(PACKAGES_RECORD))), dir.join(RUSTUP_RECORD).exists())
        }
        None => (Vec::new(), false),
    };
    Ok(Found { folders, state, packages, rustup })
}

impl Found {
    fn tell(&self) -> Result<(), Failure> {
        crate::print_line("This would be removed:")?;
        for (dir, what) in &self.folders {
            crate::print_line(&format!("  {}  ({what})", dir.display()))?;
        }
        if let Some(state) = &self.state {
            crate::print_line(&format!("  {}  (the record of what was installed)", state.display()))?;
        }
        if !self.packages.is_empty() {
            crate::print_line(&format!(
                "  {} Debian packages that were installed for Sotto, but for those that something else needs by now:",
                self.packages.len()
            ))?;
            crate::print_line(&format!("    {}", self.packages.join(" ")))?;
        }
        if self.rustup {
            crate::print_line("Rust was installed through rustup, and stays; \"rustup self uninstall\" removes it.")?;
        }
        Ok(())
    }

    /// Removes all of it, as far as it can be: what fails is told at the end, and stays written down.
    fn remove(&self) -> Result<(), Failure> {
        let mut failed = Vec::new();
        if let Err(why) = debian::remove(&self.packages) {
            failed.push(why);
        }
        for (dir, _) in &self.folders {
            if let Err(why) = std::fs::remove_dir_all(dir) {
                failed.push(format!("{}: {why}", dir.display()));
            }
        }
        let done = failed.is_empty();
        if let Some(Err(why)) = self.state.as_ref().filter(|_| done).map(std::fs::remove_dir_all) {
            failed.push(format!("the record of what was installed: {why}"));
        }
        if !failed.is_empty() {
            return Err(Failure::no(format!("not everything could be removed: {}", failed.join("; "))));
        }
        crate::print_line("Removed. The folder with the sources is yours to delete.")?;
        Ok(())
    }
}

fn agreed() -> Result<bool, Failure> {
    if !std::io::stdin().is_terminal() {
        crate::say("nobody to ask here: --yes agrees");
        return Ok(false);
    }
    crate::print_line("Remove all of it? It cannot be undone. [y/N]")?;
    let mut answer = String::new();
    let read = std::io::stdin().lock().read_line(&mut answer);
    Ok(read.is_ok() && matches!(answer.trim(), "y" | "Y" | "yes"))
}

/// Guards against `--data` with the name of somebody else's folder.
fn is_data(dir: &Path) -> bool {
    let is_empty = || std::fs::read_dir(dir).is_ok_and(|mut entries| entries.next().is_none());
    SIGNS_OF_DATA.iter().all(|sign| dir.join(sign).is_file()) || is_empty()
}

/// The build's folder, where this program lies in one.
fn target_dir() -> Option<PathBuf> {
    let target = std::env::current_exe().ok()?.parent()?.parent()?.to_owned();
    target.join("CACHEDIR.TAG").is_file().then_some(target)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_of_something_else_is_not_taken_for_data() {
        let dir = tempfile::tempdir().expect("a directory");
        assert!(is_data(dir.path()));
        std::fs::write(dir.path().join("thesis.txt"), "").expect("writes");
        assert!(!is_data(dir.path()));
        for sign in SIGNS_OF_DATA {
            assert!(!is_data(dir.path()));
            std::fs::write(dir.path().join(sign), "").expect("writes");
        }
        assert!(is_data(dir.path()));
    }

    #[test]
    fn what_cannot_be_removed_stays_written_down() {
        let dir = tempfile::tempdir().expect("a directory");
        let path = |name: &str| dir.path().join(name);
        std::fs::create_dir(path("models")).expect("makes");
        std::fs::create_dir(path("state")).expect("makes");
        let mut found = Found {
            folders: vec![(path("models"), ""), (path("gone"), "")],
            state: Some(path("state")),
            ..Found::default()
        };
        let failure = found.remove().expect_err("one of them is not there").to_string();
        assert!(failure.contains("gone") && !path("models").exists() && path("state").exists(), "{failure}");
        found.folders.clear();
        found.remove().expect("removes");
        assert!(!path("state").exists());
    }
}
