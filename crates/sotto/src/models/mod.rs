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
use crate::models::error::ModelError;
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
    Fetch {
        /// The models to get, by their names in the list; without any, all that are not optional.
        #[arg(value_name = "MODEL")]
        models: Vec<String>,
    },
    /// Check every byte of every file against its recorded hash
    Verify,
}

/// Runs the command.
pub(crate) fn run(command: &ModelsCommand, places: &Places) -> Result<(), Failure> {
    let dir = places.models();
    match command {
        ModelsCommand::List { json } => list(*json, dir),
        ModelsCommand::Fetch { models } if models.is_empty() => {
            ensure(dir)?;
            crate::say(&format!("every model is here and whole, in {}", dir.display()));
            Ok(())
        }
        ModelsCommand::Fetch { models } => fetch_named(models, dir),
        ModelsCommand::Verify => verify(dir),
    }
}

/// Makes sure that every model is here and whole: looks at all, fetches what is not. Costs a few milliseconds where
/// nothing is to be done.
///
/// # Errors
/// One line with the package and the reason: offline, another hash, a full disk, a folder that cannot be written.
pub(crate) fn ensure(dir: &Path) -> Result<(), Failure> {
    let models: Vec<Model> = manifest()?.into_iter().filter(|model| !model.optional).collect();
    Ok(fetch::ensure(&models, dir, &python(dir)?)?)
}

/// Whether the folder of the model `id` is there.
///
/// # Errors
/// In words: not fetched, or there and not to be read.
pub(crate) fn is_here(folder: &Path, id: &str) -> Result<(), Failure> {
    let why = match (std::fs::metadata(folder), check::missing(folder)) {
        (Ok(found), _) if found.is_dir() => return Ok(()),
        (Ok(_), _) => "not a folder".to_owned(),
        (_, Some(check::Fault::Missing)) => format!("the model is not here (sotto models fetch {id} gets it)"),
        (_, Some(fault)) => fault.to_string(),
        (Err(why), None) => format!("cannot be read: {why}"),
    };
    Err(Failure::no(format!("{}: {why}", folder.display())))
}

fn fetch_named(names: &[String], dir: &Path) -> Result<(), Failure> {
    let models = manifest()?;
    if let Some(unknown) = names.iter().find(|name| models.iter().all(|model| model.id != **name)) {
        let known: Vec<&str> = models.iter().map(|model| model.id.as_str()).collect();
        return Err(Failure::usage(format!("{unknown}: no such model (there are {})", known.join(", "))));
    }
    let wanted: Vec<Model> = models.into_iter().filter(|model| names.contains(&model.id)).collect();
    fetch::ensure(&wanted, dir, &python(dir)?)?;
    crate::say(&format!("{} in {}", names.join(", "), dir.display()));
    Ok(())
}

fn python(models: &Path) -> Result<Python, Failure> {
    // In the cache wherever the models are; with them where there is none.
    let cache = xdg("XDG_CACHE_HOME", ".cache").map(|cache| cache.join("sotto/python"));
    Ok(Python::new(cache.unwrap_or_else(|_| models.join(".python")), Vec::new()))
}

fn verify(dir: &Path) -> Result<(), Failure> {
    let mut broken = 0;
    let is_wanted = |model: &Model| {
        !model.optional || !matches!(check::missing(&dir.join(&model.id)), Some(check::Fault::Missing))
    };
    for model in manifest()?.into_iter().filter(is_wanted) {
        let faults = check::faults(&model, dir);
        if faults.is_empty() {
            crate::print_line(&format!("{:<18} whole", model.id))?;
        }
        for (file, fault) in faults {
            broken += 1;
            crate::print_line(&format!("{:<18} {}: {fault}", model.id, file.name))?;
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
        crate::print_line(&if json { as_json(&model, &here) } else { as_text(&model, &here) })?;
    }
    Ok(())
}

fn as_json(model: &Model, here: &Result<bool, ModelError>) -> String {
    let mut line = serde_json::json!({
        "id": model.id, "purpose": model.purpose, "licence": model.licence, "origin": model.origin,
        "package": model.package, "version": model.version, "bytes": model.bytes(),
        "download_bytes": model.download_bytes(), "optional": model.optional, "here": matches!(here, Ok(true)),
    });
    if let Err(why) = here {
        line["unreadable"] = why.to_string().into();
    }
    line.to_string()
}

#[expect(clippy::cast_precision_loss, reason = "a size to show, with one digit")]
fn as_text(model: &Model, here: &Result<bool, ModelError>) -> String {
    let text = format!(
        "{:<18} {:<8} {:>5.1} MB  {:<10}  {}\n{:<18} {} ({} {})",
        model.id,
        match (here, model.optional) {
            (Ok(true), _) => "here",
            (Ok(false), true) => "optional",
            (Ok(false), false) => "missing",
            (Err(_), _) => "unreadable",
        },
        model.bytes() as f64 / 1e6,
        model.licence,
        model.purpose,
        "",
        model.origin,
        model.package,
        model.version
    );
    match here {
        Ok(_) => text,
        Err(why) => format!("{text}\n{:<18} {why}", ""),
    }
}
