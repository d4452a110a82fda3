//! Makes a model's compact file of CTranslate2's three, as `sotto models fetch` does.
//!
//! `cargo run --release -p asr --example compact -- MODEL_DIR FILE`

use std::error::Error;
use std::fs;
use std::path::Path;

use asr::ModelBytes;

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [folder, file] = arguments.as_slice() else { return Err("usage: compact MODEL_DIR FILE".into()) };
    let read = |name: &str| fs::read(Path::new(folder).join(name));
    let (model, config, vocabulary) = (read("model.bin")?, read("config.json")?, read("vocabulary.txt")?);
    fs::write(file, asr::compact(ModelBytes { model: &model, config: &config, vocabulary: &vocabulary })?)?;
    Ok(())
}
