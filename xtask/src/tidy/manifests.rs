//! What every `Cargo.toml` must say, and which crates it uses.

use toml::{Table, Value};

use super::{File, Finding};

/// A package of the workspace.
#[derive(Debug)]
pub(crate) struct Package {
    pub(crate) name: String,
    /// From the workspace's folder.
    pub(crate) folder: String,
    /// The path of its `Cargo.toml`.
    pub(crate) manifest: String,
    /// What it is built from, not what its tests use besides; each with the line it stands in.
    pub(crate) uses: Vec<(String, usize)>,
}

/// The packages under `crates/`, and `xtask`.
pub(crate) fn packages(files: &[File]) -> Vec<Package> {
    manifests(files).filter_map(|file| package(file, &file.text.parse().ok()?)).collect()
}

/// Manifests that leave the workspace's lints, version or licence, binaries with other names, a workspace that has lost
/// a lint, and folders that the architecture's page does not name.
pub(crate) fn check(files: &[File]) -> Vec<Finding> {
    let mut findings = Vec::new();
    for file in manifests(files) {
        match file.text.parse::<Table>() {
            Ok(manifest) => findings.extend(check_package(file, &manifest)),
            Err(error) => findings.push(Finding::new(&file.path, 0, error.message().to_owned())),
        }
    }
    if let Some(file) = files.iter().find(|file| file.path == "Cargo.toml") {
        findings.extend(check_workspace(file));
    }
    if let Some(page) = files.iter().find(|file| file.path == "ARCHITECTURE.md") {
        let is_named = |package: &Package| {
            page.text.contains(&package.folder) || page.text.contains(&format!("`{}`", package.name))
        };
        for package in packages(files).iter().filter(|package| !is_named(package)) {
            findings.push(Finding::new(&page.path, 0, format!("says nothing of {}", package.folder)));
        }
    }
    findings
}

fn manifests(files: &[File]) -> impl Iterator<Item = &File> {
    let is_ours = |file: &&File| file.path.starts_with("crates/") || file.path.starts_with("xtask/");
    files.iter().filter(is_ours).filter(|file| file.path.ends_with("/Cargo.toml"))
}

fn package(file: &File, manifest: &Table) -> Option<Package> {
    let name = manifest.get("package")?.get("name")?.as_str()?.to_owned();
    let folder = file.path.strip_suffix("/Cargo.toml")?.to_owned();
    let mut tables = vec![manifest];
    tables.extend(
        manifest
            .get("target")
            .and_then(Value::as_table)
            .into_iter()
            .flat_map(Table::values)
            .filter_map(Value::as_table),
    );
    let kinds = ["dependencies", "build-dependencies"];
    let tables = tables.iter().flat_map(|table| kinds.iter().filter_map(|kind| table.get(*kind)?.as_table()));
    let uses = tables.flatten().map(|(key, value)| {
        let renamed = value.get("package").and_then(Value::as_str);
        (renamed.unwrap_or(key).to_owned(), line_of(file, key))
    });
    Some(Package { name, folder, manifest: file.path.clone(), uses: uses.collect() })
}

fn check_package(file: &File, manifest: &Table) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut find = |what: String| findings.push(Finding::new(&file.path, 0, what));
    let inherits =
        |value: Option<&Value>| value.and_then(|value| value.get("workspace")) == Some(&Value::Boolean(true));
    if !inherits(manifest.get("lints")) {
        find("must inherit the workspace's lints".to_owned());
    }
    let package = manifest.get("package");
    for key in ["version", "edition", "rust-version", "license", "publish"] {
        if !inherits(package.and_then(|package| package.get(key))) {
            find(format!("must inherit `{key}` from the workspace"));
        }
    }
    let name = package.and_then(|package| package.get("name")).and_then(Value::as_str).unwrap_or_default();
    let folder = file.path.trim_end_matches("/Cargo.toml").rsplit('/').next().unwrap_or_default();
    if name != folder {
        find(format!("a package is named after its last folder, {folder}"));
    }
    let binaries = manifest.get("bin").and_then(Value::as_array).into_iter().flatten();
    for binary in binaries.filter_map(|binary| binary.get("name")?.as_str()) {
        if binary != "sotto" && !binary.starts_with("sotto-") {
            find(format!("the binary {binary} must be called sotto-{binary}"));
        }
    }
    findings
}

/// The lints that the other rules lean on.
fn check_workspace(file: &File) -> Vec<Finding> {
    let manifest = file.text.parse::<Table>().unwrap_or_default();
    let lints = manifest.get("workspace").and_then(|workspace| workspace.get("lints"));
    let wanted = [("rust", "missing_docs"), ("rust", "unsafe_code"), ("clippy", "unwrap_used"), ("clippy", "todo")];
    let missing = wanted.iter().filter(|(tool, lint)| {
        let level = lints.and_then(|lints| lints.get(tool)?.get(lint)?.as_str());
        !level.is_some_and(|level| matches!(level, "warn" | "deny" | "forbid"))
    });
    missing.map(|(tool, lint)| Finding::new(&file.path, 0, format!("the {tool} lint {lint} must be on"))).collect()
}

fn line_of(file: &File, key: &str) -> usize {
    let starts = |line: &str| line.strip_prefix(key).is_some_and(|rest| rest.trim_start().starts_with(['=', '.']));
    file.text.lines().position(starts).map_or(0, |index| index + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = "[package]\nname = \"ear\"\nversion.workspace = true\nedition.workspace = true\n\
        rust-version.workspace = true\nlicense.workspace = true\npublish.workspace = true\n[lints]\nworkspace = true\n\
        [dependencies]\nbase.workspace = true\n[dev-dependencies]\nwire = \"1\"\n\
        [target.'cfg(unix)'.dependencies]\nrustix = \"1\"\n[build-dependencies]\nold = { package = \"gate\" }\n";

    fn file(path: &str, text: &str) -> File {
        File { path: path.to_owned(), text: text.to_owned() }
    }

    fn check_one(text: &str) -> Vec<String> {
        let findings = check(&[file("crates/device/ear/Cargo.toml", text)]);
        findings.into_iter().map(|finding| finding.what).collect()
    }

    #[test]
    fn uses_are_found_in_every_table_but_that_of_the_tests() {
        let found = packages(&[file("crates/device/ear/Cargo.toml", GOOD)]);
        let uses: Vec<(&str, usize)> = found[0].uses.iter().map(|(name, line)| (name.as_str(), *line)).collect();
        assert_eq!(uses, [("base", 11), ("gate", 17), ("rustix", 15)]);
    }

    #[test]
    fn a_manifest_that_goes_its_own_way_is_found() {
        assert_eq!(check_one(GOOD), Vec::<String>::new());
        assert_eq!(check_one(&GOOD.replace("[lints]\nworkspace = true", "")), ["must inherit the workspace's lints"]);
        assert_eq!(
            check_one(&GOOD.replace("\"ear\"", "\"ears\"")),
            ["a package is named after its last folder, ear"]
        );
        let binary = format!("{GOOD}[[bin]]\nname = \"ear\"\n");
        assert_eq!(check_one(&binary), ["the binary ear must be called sotto-ear"]);
        assert_eq!(
            check_one(&GOOD.replace("license.workspace = true", "license = \"MIT\"")),
            ["must inherit `license` from the workspace"]
        );
        assert_eq!(check_one("[package").len(), 1);
    }

    #[test]
    fn a_workspace_without_its_lints_and_a_page_without_a_folder_are_found() {
        assert_eq!(check(&[file("Cargo.toml", "[workspace.lints.rust]\nmissing_docs = \"allow\"")]).len(), 4);
        let files = [file("ARCHITECTURE.md", "`crates/base`"), file("crates/device/ear/Cargo.toml", GOOD)];
        assert_eq!(check(&files)[0].what, "says nothing of crates/device/ear");
    }
}
