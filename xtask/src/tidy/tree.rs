//! What the device's processes are built from, all the way down.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::process::Command;

use serde_json::Value;

use super::Finding;

/// Packages that reach a network, beginnings of names included.
const NETWORK: [&str; 22] = [
    "async-std",
    "axum",
    "curl",
    "h2",
    "hyper",
    "isahc",
    "link",
    "mio",
    "native-tls",
    "openssl",
    "quinn",
    "reqwest",
    "rustls",
    "smol",
    "socket2",
    "sqlx",
    "tokio",
    "tower",
    "tungstenite",
    "ureq",
    "wire",
    "zbus",
];

/// Packages that reach a sound card, beginnings of names included.
const SOUND: [&str; 9] = ["alsa", "coreaudio", "cpal", "jack", "libpulse", "oboe", "pipewire", "portaudio", "rodio"];

/// What must not be under which package.
const WALLS: [(&str, &[&[&str]]); 3] =
    [("hearing", &[&NETWORK, &SOUND]), ("mic", &[&NETWORK]), ("panel", &[&NETWORK, &SOUND])];

/// Networking or sound crates under the processes that may have none.
pub(crate) fn check(root: &Path) -> Vec<Finding> {
    match metadata(root) {
        Ok(metadata) => check_walls(&metadata),
        Err(why) => vec![Finding::new("Cargo.lock", 0, format!("cargo metadata: {why}"))],
    }
}

fn metadata(root: &Path) -> Result<Value, String> {
    // The platform's own tree: a dependency for another system alone is not in this binary.
    let host = Command::new("rustc").arg("-vV").output().map_err(|error| error.to_string())?;
    let host = String::from_utf8_lossy(&host.stdout).into_owned();
    let host = host.lines().find_map(|line| line.strip_prefix("host: ")).unwrap_or_default();
    let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo.current_dir(root).args([
        "metadata",
        "--format-version=1",
        "--offline",
        "--locked",
        "--filter-platform",
        host,
    ]);
    let output = cargo.output().map_err(|error| error.to_string())?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        return Err(said.lines().last().unwrap_or("failed").to_owned());
    }
    serde_json::from_slice(&output.stdout).map_err(|error| error.to_string())
}

fn check_walls(metadata: &Value) -> Vec<Finding> {
    let names: BTreeMap<&str, &str> = list(&metadata["packages"])
        .filter_map(|package| Some((package["id"].as_str()?, package["name"].as_str()?)))
        .collect();
    let uses: BTreeMap<&str, Vec<&str>> = list(&metadata["resolve"]["nodes"])
        .filter_map(|node| {
            Some((
                node["id"].as_str()?,
                list(&node["deps"])
                    .filter(|used| is_built_in(used))
                    .filter_map(|used| used["pkg"].as_str())
                    .collect(),
            ))
        })
        .collect();
    let mut findings = Vec::new();
    for (package, walls) in WALLS {
        let Some((start, _)) = names.iter().find(|(_, name)| **name == package) else {
            findings.push(Finding::new("Cargo.lock", 0, format!("{package} is not in it")));
            continue;
        };
        for path in paths(start, &uses, &names) {
            let last = path.last().copied().unwrap_or_default();
            if walls.iter().any(|wall| wall.iter().any(|banned| is_of(last, banned))) {
                let what = format!("under {package} there must be no {last}: {}", path.join(" → "));
                findings.push(Finding::new("Cargo.lock", 0, what));
            }
        }
    }
    findings
}

/// The shortest way to every package under `start`.
fn paths<'a>(
    start: &'a str,
    uses: &BTreeMap<&'a str, Vec<&'a str>>,
    names: &BTreeMap<&str, &'a str>,
) -> Vec<Vec<&'a str>> {
    let name = |id: &str| names.get(id).copied().unwrap_or_default();
    let mut seen = BTreeSet::from([start]);
    let mut found: Vec<(&str, Vec<&str>)> = vec![(start, vec![name(start)])];
    let mut next = 0;
    while let Some((id, path)) = found.get(next).cloned() {
        next += 1;
        for used in uses.get(id).into_iter().flatten() {
            if seen.insert(used) {
                let mut path = path.clone();
                path.push(name(used));
                found.push((used, path));
            }
        }
    }
    found.into_iter().skip(1).map(|(_, path)| path).collect()
}

/// What runs in the process: neither what its tests use nor what only its building uses.
fn is_built_in(used: &Value) -> bool {
    list(&used["dep_kinds"]).any(|kind| kind["kind"].is_null())
}

fn is_of(name: &str, banned: &str) -> bool {
    name.strip_prefix(banned).is_some_and(|rest| rest.is_empty() || rest.starts_with(['-', '_']))
}

fn list(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tree(of_base: &[(&str, Option<&str>)]) -> Value {
        let packages = ["hearing", "mic", "panel", "base", "tokio-util", "tokiology"];
        let deps: Vec<Value> = of_base
            .iter()
            .map(|(pkg, kind)| serde_json::json!({ "pkg": pkg, "dep_kinds": [{ "kind": kind }] }))
            .collect();
        let base = [("base", None)]
            .map(|(pkg, kind): (_, Option<&str>)| serde_json::json!({ "pkg": pkg, "dep_kinds": [{ "kind": kind }] }));
        serde_json::json!({
            "packages": packages.map(|name| serde_json::json!({ "id": name, "name": name })),
            "resolve": { "nodes": [{ "id": "hearing", "deps": base }, { "id": "base", "deps": deps }] },
        })
    }

    #[test]
    fn a_networking_crate_anywhere_under_the_ear_is_found_with_its_path() {
        let found = check_walls(&tree(&[("tokio-util", None)]));
        let lines: Vec<String> = found.iter().map(ToString::to_string).collect();
        assert_eq!(lines, ["Cargo.lock: under hearing there must be no tokio-util: hearing → base → tokio-util"]);
        assert!(check_walls(&tree(&[("tokio-util", Some("dev")), ("tokiology", None)])).is_empty());
    }

    #[test]
    fn a_package_that_is_gone_does_not_pass_unseen() {
        assert_eq!(check_walls(&serde_json::json!({})).len(), 3);
    }
}
