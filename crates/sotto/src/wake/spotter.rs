//! The second stage, where a command cannot do without it.

use std::path::Path;

use ear::Verify;
use ear::verifier::{Recogniser, WhisperVerifier};

use crate::failure::Failure;

/// The recogniser, listening for one word.
pub(super) fn spotter(models: &Path, verify: &Verify) -> Result<WhisperVerifier, Failure> {
    let no = |why: ear::EarError| Failure::no(why.to_string());
    let recogniser = Recogniser::open(models).map_err(no)?;
    let missing = || Failure::no(format!("{}: no whisper-tiny-en; run `sotto models fetch`", models.display()));
    recogniser.ok_or_else(missing)?.verifier(verify).map_err(no)
}
