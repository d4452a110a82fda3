//! The wake word: its models' files, read before the sandbox; its detector, made within.

use std::path::PathBuf;

use base::SampleIndex;
use ear::{Models, Wake, WakeDetector, Word};
use pipe::Sensitivity;

use crate::args::Args;
use crate::error::EarStop;

/// Where the models lie below their folder.
const MEL_FILE: &str = "speech-embedding/melspectrogram.onnx";
const EMBEDDING_FILE: &str = "speech-embedding/embedding_model.onnx";

/// The models' bytes and the choice of word.
pub(crate) struct Files {
    mel: Vec<u8>,
    embedding: Vec<u8>,
    word: Word,
    threshold: Option<f32>,
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
            word: args.word,
            threshold: args.threshold,
        })
    }

    pub(crate) fn listen(self) -> Result<Listener, EarStop> {
        let models = Models::from_bytes(self.mel, self.embedding)?;
        let threshold = match self.threshold {
            Some(threshold) => threshold,
            None => self.word.model()?.threshold,
        };
        let detector = WakeDetector::new(&models, self.word, Some(threshold))?;
        Ok(Listener { models, word: self.word, threshold, detector, first: SampleIndex(0) })
    }
}

/// A detector on the microphone's own sample clock.
pub(crate) struct Listener {
    models: Models,
    pub(crate) word: Word,
    threshold: f32,
    detector: WakeDetector,
    /// Where the detector's first sample stands in the microphone's stream.
    first: SampleIndex,
}

impl Listener {
    /// Whether the word was heard in these samples.
    pub(crate) fn push(&mut self, pcm: &[i16]) -> Option<Wake> {
        let from_start = |index: SampleIndex| self.first + (index - SampleIndex(0));
        self.detector.push(pcm).map(|wake| Wake { onset: from_start(wake.onset), at: from_start(wake.at), ..wake })
    }

    /// Forgets all it heard; its next sample stands at `first`.
    pub(crate) fn forget(&mut self, first: SampleIndex, sensitivity: Sensitivity) -> Result<(), EarStop> {
        let threshold = threshold(self.threshold, sensitivity);
        self.detector = WakeDetector::new(&self.models, self.word, Some(threshold))?;
        self.first = first;
        Ok(())
    }
}

/// The score from which on the word counts as said. These steps are all that a setting from the network can do.
fn threshold(normal: f32, sensitivity: Sensitivity) -> f32 {
    match sensitivity {
        Sensitivity::Low => normal + (1.0 - normal) * 0.5,
        Sensitivity::Normal => normal,
        Sensitivity::High => normal * 0.7,
    }
}
