//! The Debian packages that the scripts installed: only those that nothing else needs by now are removed.

use std::collections::BTreeSet;
use std::path::Path;
use std::process::{Command, Stdio};

/// Packages that were not there before Sotto's scripts installed them, dependencies included.
pub(super) fn recorded(record: &Path) -> Vec<String> {
    let text = std::fs::read_to_string(record).unwrap_or_default();
    let names: BTreeSet<&str> = text.lines().map(str::trim).filter(|name| is_name(name)).collect();
    names.into_iter().map(str::to_owned).collect()
}

/// What Debian's policy allows as a name, so that nothing else in the record reaches a command line.
fn is_name(text: &str) -> bool {
    text.len() >= 2
        && text.starts_with(|first: char| first.is_ascii_lowercase() || first.is_ascii_digit())
        && text.bytes().all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'+' | b'-' | b'.'))
}

/// Those that are still there.
pub(super) fn still_installed(names: Vec<String>) -> Vec<String> {
    if names.is_empty() {
        return names;
    }
    let query = Command::new("dpkg-query")
        .args(["-W", "-f", "${db:Status-Status} ${Package}\n"])
        .stdin(Stdio::null())
        .stderr(Stdio::null())
        .output();
    let Ok(query) = query else { return Vec::new() };
    let text = String::from_utf8_lossy(&query.stdout).into_owned();
    let there: BTreeSet<&str> = text.lines().filter_map(|line| line.strip_prefix("installed ")).collect();
    names.into_iter().filter(|name| there.contains(name.as_str())).collect()
}

/// Removes those of them that nothing else needs. apt itself is asked which those are, by telling it that nobody wants
/// them for their own sake any more.
///
/// # Errors
/// One line that says what to run as the administrator.
pub(super) fn remove(names: &[String]) -> Result<(), String> {
    if names.is_empty() {
        return Ok(());
    }
    let list = names.join(" ");
    let by_hand = || format!("as the administrator, run: apt-mark auto {list} && apt-get autoremove --purge");
    let mark = administrator("apt-mark").args(["auto", "--"]).args(names).stdout(Stdio::null()).status();
    if !mark.is_ok_and(|status| status.success()) {
        return Err(by_hand());
    }
    let simulated = Command::new("apt-get").args(["--simulate", "autoremove"]).stdin(Stdio::null()).output();
    let Ok(simulated) = simulated else { return Err(by_hand()) };
    let unneeded = ours_of(names, &String::from_utf8_lossy(&simulated.stdout));
    if unneeded.is_empty() {
        return Ok(());
    }
    let removed = administrator("apt-get")
        .args(["remove", "--purge", "--yes", "-q", "-oDpkg::Use-Pty=0", "--"])
        .args(&unneeded)
        .status();
    if removed.is_ok_and(|status| status.success()) { Ok(()) } else { Err(by_hand()) }
}

/// The packages of `names` that apt's simulation (`Remv NAME [VERSION]` a line) would remove.
fn ours_of<'n>(names: &'n [String], simulation: &str) -> Vec<&'n String> {
    let unneeded: BTreeSet<&str> = simulation
        .lines()
        .filter_map(|line| line.strip_prefix("Remv ")?.split_whitespace().next())
        .map(|name| name.split(':').next().unwrap_or(name))
        .collect();
    names.iter().filter(|name| unneeded.contains(name.as_str())).collect()
}

/// `program` with the administrator's rights: as it is for root, else through sudo.
fn administrator(program: &str) -> Command {
    if rustix::process::geteuid().is_root() {
        return Command::new(program);
    }
    let mut sudo = Command::new("sudo");
    sudo.arg(program);
    sudo
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_names_of_packages_reach_apt() {
        let dir = tempfile::tempdir().expect("a directory");
        let record = dir.path().join("packages");
        std::fs::write(&record, "mold\nmold\n--purge\n; rm -rf /\nlibc6-dev\nlibstdc++-12-dev\n\n").expect("writes");
        assert_eq!(recorded(&record), ["libc6-dev", "libstdc++-12-dev", "mold"]);
        assert!(recorded(&dir.path().join("nothing")).is_empty());
    }

    #[test]
    fn only_what_nothing_else_needs_and_sotto_brought_is_removed() {
        let names: Vec<String> = ["gcc", "libasound2", "mold"].map(str::to_owned).into();
        let simulation =
            "Reading package lists...\nRemv somebodys [1.0]\nRemv mold [1.10.1]\nRemv libasound2:amd64 [1]\n";
        assert_eq!(ours_of(&names, simulation), ["libasound2", "mold"]);
        assert!(ours_of(&names, "").is_empty());
    }
}
