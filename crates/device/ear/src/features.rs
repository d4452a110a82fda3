//! The streaming front end: samples in, mel frames and embeddings out, one step of 80 ms at a time.
//!
//! How the samples are cut into calls makes no difference to what comes out. Frame `f` looks at the samples from
//! `160 f - 352` up to `160 f + 160`; before the first sample lies silence.

use base::SampleIndex;

use crate::models::{EMBEDDING_HOP, Embedding, MEL_HOP, MEL_WINDOW, MelFrame, ModelState, Models, SILENT_FRAME};

/// Samples of one step: 80 ms.
pub const STEP: usize = EMBEDDING_HOP * MEL_HOP;
/// Samples that a step's first frame reaches back before the step.
const OVERLAP: usize = MEL_WINDOW - MEL_HOP;
/// Mel frames that are kept: what the onset locator looks at, and never less than an embedding's window.
pub const FRAMES_KEPT: usize = 200;
/// From a frame's first new sample back to the middle of its window: where a frame's sound lies.
const FRAME_CENTRE: u64 = (MEL_WINDOW / 2 - MEL_HOP) as u64;

/// The frame whose window has its middle nearest to sample `at`.
#[must_use]
pub const fn frame_of_sample(at: SampleIndex) -> u64 {
    at.0.saturating_add(FRAME_CENTRE + MEL_HOP as u64 / 2) / MEL_HOP as u64
}

/// The sample in the middle of frame `frame`'s window.
#[must_use]
pub const fn sample_of_frame(frame: u64) -> SampleIndex {
    SampleIndex((frame * MEL_HOP as u64).saturating_sub(FRAME_CENTRE))
}

/// Turns a stream of samples into steps. Holds the last 2 s of mel frames and, at most, the last 102 ms of sound.
#[derive(Debug)]
pub struct Features {
    models: Models,
    state: ModelState,
    /// The overlap with the step before, then what has come of the step under way.
    samples: Vec<f32>,
    /// The newest [`FRAMES_KEPT`] frames, the newest last.
    frames: Vec<MelFrame>,
    steps: u64,
}

impl Features {
    /// A stream that has been silent until now.
    #[must_use]
    pub fn new(models: &Models) -> Self {
        let mut samples = Vec::with_capacity(OVERLAP + STEP);
        samples.resize(OVERLAP, 0.0);
        Self {
            models: models.clone(),
            state: models.start(),
            samples,
            frames: vec![SILENT_FRAME; FRAMES_KEPT],
            steps: 0,
        }
    }

    /// Takes samples up to the end of the step under way; returns what is left of them, and the embedding where the
    /// step is complete.
    pub fn push<'p>(&mut self, pcm: &'p [i16]) -> (&'p [i16], Option<Embedding>) {
        let wanted = (OVERLAP + STEP).saturating_sub(self.samples.len()).min(pcm.len());
        let (taken, rest) = pcm.split_at(wanted);
        self.samples.extend(taken.iter().map(|sample| f32::from(*sample)));
        if self.samples.len() < OVERLAP + STEP {
            return (rest, None);
        }
        self.frames.rotate_left(EMBEDDING_HOP);
        let fresh = &mut self.frames[FRAMES_KEPT - EMBEDDING_HOP..];
        let embedding = self.models.step(&mut self.state, &self.samples, fresh);
        self.samples.copy_within(STEP.., 0);
        self.samples.truncate(OVERLAP);
        self.steps += 1;
        (rest, Some(embedding))
    }

    /// The newest [`FRAMES_KEPT`] frames, the newest last.
    #[must_use]
    pub fn frames(&self) -> &[MelFrame] {
        &self.frames
    }

    /// The number of the frame that will come next: frames are counted from the first sample's.
    #[must_use]
    pub const fn next_frame(&self) -> u64 {
        self.steps * EMBEDDING_HOP as u64
    }

    /// The end of the last complete step.
    #[must_use]
    pub const fn position(&self) -> SampleIndex {
        SampleIndex(self.steps * STEP as u64)
    }
}
