//! Which crate may use which: the "←" lines of the design, in code.

use super::Finding;
use super::manifests::Package;

/// Who may use a crate.
enum Users {
    Everyone,
    Only(&'static [&'static str]),
}

use Users::{Everyone, Only};

/// A crate, its folder, and who may use it besides [`JOINERS`]. In the order of the design.
const CRATES: [(&str, &str, Users); 25] = [
    ("base", "crates/base", Everyone),
    ("wire", "crates/wire", Only(&["link", "echo", "gateway"])),
    ("asr", "crates/asr", Only(&["ear", "speech", "learn"])),
    ("sound", "crates/sound", Only(&["mic", "link", "history", "learn", "test-speech"])),
    ("ear", "crates/device/ear", Only(&["hearing", "echo", "speech", "gateway", "learn"])),
    ("gate", "crates/device/gate", Only(&["hearing", "panel", "echo"])),
    ("pipe", "crates/device/pipe", Only(&["launcher", "panel", "mic", "hearing", "link"])),
    ("launcher", "crates/device/launcher", Only(&[])),
    ("panel", "crates/device/panel", Only(&[])),
    ("mic", "crates/device/mic", Only(&[])),
    ("hearing", "crates/device/hearing", Only(&[])),
    ("link", "crates/device/link", Only(&[])),
    ("speech", "crates/mind/speech", Only(&["gateway", "learn"])),
    ("grammar", "crates/mind/grammar", Only(&["sense", "speech"])),
    ("sense", "crates/mind/sense", Only(&["skills", "gateway", "learn"])),
    ("skills", "crates/mind/skills", Only(&["gateway"])),
    ("learn", "crates/mind/learn", Only(&[])),
    ("vault", "crates/memory/vault", Only(&["history", "app"])),
    ("history", "crates/memory/history", Only(&["gateway", "app"])),
    ("gateway", "crates/cloud/gateway", Only(&[])),
    ("app", "crates/cloud/app", Only(&[])),
    ("server", "crates/cloud/server", Only(&[])),
    ("sotto", "crates/sotto", Only(&[])),
    // Tests use them, and tests are outside the rule.
    ("stranger", "crates/cloud/stranger", Only(&[])),
    ("test-speech", "crates/test-speech", Only(&[])),
];

/// Where everything is joined: they may use any crate.
const JOINERS: [&str; 2] = ["server", "sotto"];

/// Not part of what runs; it uses none of the crates.
const OUTSIDE: [&str; 1] = ["xtask"];

/// Crates in the wrong place, unknown ones, and uses that no line of the table allows.
pub(crate) fn check(packages: &[Package]) -> Vec<Finding> {
    let mut findings = Vec::new();
    for package in packages {
        let known = CRATES.iter().find(|(name, _, _)| *name == package.name);
        match known {
            _ if OUTSIDE.contains(&package.name.as_str()) => {}
            None => findings.push(Finding::new(&package.manifest, 0, "this crate is not in the design")),
            Some((_, folder, _)) if *folder != package.folder => {
                findings.push(Finding::new(&package.manifest, 0, format!("this crate's folder is {folder}")));
            }
            Some(_) => {}
        }
        for (used, line) in &package.uses {
            if let Some((_, _, users)) = CRATES.iter().find(|(name, _, _)| name == used)
                && !may_use(&package.name, used, users)
            {
                findings.push(Finding::new(&package.manifest, *line, format!("{} may not use {used}", package.name)));
            }
        }
    }
    findings
}

fn may_use(user: &str, used: &str, users: &Users) -> bool {
    // Nothing uses a joiner but `sotto` the server.
    if JOINERS.contains(&used) {
        return (user, used) == ("sotto", "server");
    }
    match users {
        _ if JOINERS.contains(&user) => true,
        Everyone => !OUTSIDE.contains(&user),
        Only(users) => users.contains(&user),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check_use(user: &str, used: &str) -> bool {
        let folder = CRATES.iter().find(|(name, _, _)| *name == user).map_or("xtask", |(_, folder, _)| *folder);
        let package = Package {
            name: user.to_owned(),
            folder: folder.to_owned(),
            manifest: format!("{folder}/Cargo.toml"),
            uses: vec![(used.to_owned(), 7), ("serde".to_owned(), 8)],
        };
        check(&[package]).is_empty()
    }

    #[test]
    fn only_the_designs_directions_pass() {
        for (user, used) in
            [("hearing", "ear"), ("link", "wire"), ("speech", "asr"), ("server", "vault"), ("sotto", "learn")]
        {
            assert!(check_use(user, used), "{user} uses {used}");
        }
        assert!(check_use("sotto", "server"));
        for (user, used) in [
            ("hearing", "wire"),
            ("hearing", "link"),
            ("panel", "ear"),
            ("base", "wire"),
            ("grammar", "sense"),
            ("gateway", "server"),
            ("server", "sotto"),
            ("app", "gateway"),
            ("xtask", "base"),
        ] {
            assert!(!check_use(user, used), "{user} uses {used}");
        }
    }

    #[test]
    fn a_crate_that_is_unknown_or_elsewhere_is_found() {
        let package = |name: &str, folder: &str| Package {
            name: name.to_owned(),
            folder: folder.to_owned(),
            manifest: format!("{folder}/Cargo.toml"),
            uses: Vec::new(),
        };
        assert!(check(&[package("ear", "crates/device/ear")]).is_empty());
        assert_eq!(check(&[package("ear", "crates/ear")]).len(), 1);
        assert_eq!(check(&[package("brain", "crates/mind/brain")]).len(), 1);
    }
}
