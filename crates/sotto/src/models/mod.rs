//! The models: which there are, whether they are here and whole, and how they are fetched.

mod check;
mod error;
mod fetch;
mod manifest;
mod python;
#[cfg(test)]
mod tests;

use std::path::Path;

use clap::Subcommand;

use crate::failure::Failure;
use crate::models::manifest::{Model, manifest};
use crate::models::python::Python;
use crate::places::{Places, xdg};

/// The models that hearing and understanding need.
#[derive(Subcommand, Debug)]
pub(crate) enum ModelsCommand {
    /// Show each model, its source, size and licence, and whether it is here
    List {
        /// One JSON object a line.
        #[arg(long)]
        json: bool,
    },
    /// Get what is missing
    Fetch,
    /// Check every byte of every file against its recorded hash
    Verify,
}

/// Runs the command.
pub(crate) fn run(command: &ModelsCommand, places: &Places) -> Result<(), Failure> {
    let dir = places.models();
    match command {
        ModelsCommand::List { json } => list(*json, dir),
        ModelsCommand::Fetch => {
            ensure(dir)?;
            crate::say(&format!("every model is here and whole, in {}", dir.display()));
            Ok(())
        }
        ModelsCommand::Verify => verify(dir),
    }
}

/// Makes sure that every model is here and whole: looks at all, fetches what is not. Costs a few milliseconds where
/// nothing is to be done.
///
/// # Errors
/// One line with the package and the reason: offline, another hash, a full disk, a folder that cannot be written.
pub(crate) fn ensure(dir: &Path) -> Result<(), Failure> {
    // In the cache wherever the models are.
    let python = Python::new(xdg("XDG_CACHE_HOME", ".cache")?.join("sotto/python"), Vec::new());
    Ok(fetch::ensure(&manifest()?, dir, &python)?)
}

fn verify(dir: &Path) -> Result<(), Failure> {
    let mut broken = 0;
    for model in manifest()? {
        let faults = check::faults(&model, dir);
        if faults.is_empty() {
            crate::print_line(&format!("{:<18} whole", model.id));
        }
        for (file, fault) in faults {
            broken += 1;
            crate::print_line(&format!("{:<18} {}: {fault}", model.id, file.name));
        }
    }
    match broken {
        0 => Ok(()),
        1 => Err(Failure::no(format!("1 file in {} is not whole (sotto models fetch gets it anew)", dir.display()))),
        _ => Err(Failure::no(format!(
            "{broken} files in {} are not whole (sotto models fetch gets them anew)",
            dir.display()
        ))),
    }
}

fn list(json: bool, dir: &Path) -> Result<(), Failure> {
    for model in manifest()? {
        let here = check::is_whole(&model, dir);
        crate::print_line(&if json { as_json(&model, here) } else { as_text(&model, here) });
    }
    Ok(())
}

fn as_json(model: &Model, here: bool) -> String {
    serde_json::json!({
        "id": model.id, "purpose": model.purpose, "licence": model.licence, "origin": model.origin,
        "package": model.package, "version": model.version, "bytes": model.bytes(),
        "download_bytes": model.wheel().map(|wheel| wheel.bytes), "here": here,
    })
    .to_string()
}

#[expect(clippy::cast_precision_loss, reason = "a size to show, with one digit")]
fn as_text(model: &Model, here: bool) -> String {
    format!(
        "{:<18} {:<7} {:>5.1} MB  {:<10}  {}\n{:<18} {} ({} {})",
        model.id,
        if here { "here" } else { "missing" },
        model.bytes() as f64 / 1e6,
        model.licence,
        model.purpose,
        "",
        model.origin,
        model.package,
        model.version
    )
}
