//! The wake word: its models' files, read before the sandbox; its detector with both stages, made within.

use std::path::PathBuf;
use std::sync::Arc;

use base::SampleIndex;
use ear::verifier::RecogniserFiles;
use ear::{Heard, Models, NearMiss, Tuning, Wake, WakeDetector, Word, WordVerifier};
use pipe::{Sensitivity, WordName};

use crate::args::Args;
use crate::error::EarStop;

/// Where the models lie below their folder.
const MEL_FILE: &str = "speech-embedding/melspectrogram.onnx";
const EMBEDDING_FILE: &str = "speech-embedding/embedding_model.onnx";

/// What one step of sensitivity adds to or takes from the score's logit. At the scores that decide, a step more than
/// doubles the odds.
const SENSITIVITY_STEP: f32 = 1.0;

/// The models' bytes and the choice of word.
pub(crate) struct Files {
    mel: Vec<u8>,
    embedding: Vec<u8>,
    recogniser: Option<RecogniserFiles>,
    word: Word,
    threshold: Option<f32>,
    sensitivity: Sensitivity,
}

impl Files {
    pub(crate) fn read(args: &Args) -> Result<Self, EarStop> {
        let read = |name: &str| {
            let path: PathBuf = args.models.join(name);
            std::fs::read(&path).map_err(|source| EarStop::Read { path: path.display().to_string(), source })
        };
        Ok(Self {
            mel: read(MEL_FILE)?,
            embedding: read(EMBEDDING_FILE)?,
            recogniser: if args.is_light { None } else { RecogniserFiles::open(&args.models)? },
            word: args.word,
            threshold: args.threshold,
            sensitivity: args.sensitivity.unwrap_or_default(),
        })
    }

    pub(crate) fn listen(self) -> Result<Listener, EarStop> {
        let models = Models::from_bytes(self.mel, self.embedding)?;
        let model = Arc::new(self.word.model()?);
        let name = WordName::new(&model.name).ok_or(ear::EarError::Weights("the word's name is too long"))?;
        let verifier = match self.recogniser {
            Some(files) => Some(Box::new(files.load()?.verifier(&model.verify)?) as Box<dyn WordVerifier>),
            None => None,
        };
        let has_second_stage = verifier.is_some();
        let tuning = tuning(self.threshold, self.sensitivity);
        let detector = WakeDetector::tuned(&models, model, tuning, verifier);
        Ok(Listener { name, has_second_stage, threshold: self.threshold, detector, first: SampleIndex(0) })
    }
}

/// A detector on the microphone's own sample clock.
pub(crate) struct Listener {
    pub(crate) name: WordName,
    pub(crate) has_second_stage: bool,
    threshold: Option<f32>,
    detector: WakeDetector,
    /// Where the detector's first sample stands in the microphone's stream.
    first: SampleIndex,
}

impl Listener {
    /// Tells what was heard in these samples.
    pub(crate) fn push(&mut self, pcm: &[i16], tell: &mut dyn FnMut(Heard)) {
        let since_start = self.first - SampleIndex(0);
        let place = |index: SampleIndex| index + since_start;
        self.detector.hear(pcm, &mut |heard| {
            tell(match heard {
                Heard::Wake(wake) => Heard::Wake(Wake { onset: place(wake.onset), at: place(wake.at), ..wake }),
                Heard::NearMiss(miss) => Heard::NearMiss(NearMiss { at: place(miss.at), ..miss }),
            });
        });
    }

    /// Forgets all it heard; its next sample stands at `first`.
    pub(crate) fn forget(&mut self, first: SampleIndex, sensitivity: Sensitivity) {
        self.detector.restart(tuning(self.threshold, sensitivity));
        self.first = first;
    }
}

/// What decides whether the word was said. These steps are all that a setting from the network can do.
fn tuning(threshold: Option<f32>, sensitivity: Sensitivity) -> Tuning {
    let shift = match sensitivity {
        Sensitivity::Low => -SENSITIVITY_STEP,
        Sensitivity::Normal => 0.0,
        Sensitivity::High => SENSITIVITY_STEP,
    };
    Tuning { threshold, shift }
}
