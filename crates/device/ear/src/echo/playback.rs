//! Whether what woke is what was played: the mel frames of the candidate held against those of the reference, at every
//! delay that a room and a sound card may have.

use base::{SampleCount, SampleIndex};

use crate::features::{STEP, frame_of_sample};
use crate::models::{EMBEDDING_HOP, MEL_BANDS, MEL_HOP, MEL_WINDOW, MelFrame, MelState, Models, SILENT_FRAME};

/// The longest way from the reference to the microphone that is looked for.
pub const DELAY_MAX: SampleCount = SampleCount::from_ms(500);
/// A correlation from which on a wake is taken for playback. On 14 human recordings in 14 rooms, playback that still woke
/// behind the subtraction came to 0.68 to 0.91 and people who spoke over it to at most 0.54; the test
/// `own_playback_does_not_wake_and_a_person_does` prints both for others.
pub const REFUSE_FROM: f32 = 0.6;

/// Frames that are kept of both: 3 s.
const KEPT: usize = 300;
/// Frames that are compared: at least those of a short word, at most those of a second and a half.
const COMPARED_MIN: usize = 30;
const COMPARED_MAX: usize = 150;
/// Frames of delay that are tried.
const DELAYS: usize = (DELAY_MAX.0 / MEL_HOP as u64) as usize;
/// The mean difference of the reference's values from their band's mean (decibels / 10) under which nothing was played.
const SILENT_BELOW: f32 = 0.05;

/// Follows a microphone's stream and the reference's beside it.
#[derive(Debug)]
pub struct Playback {
    models: Models,
    heard: MelStream,
    played: MelStream,
}

impl Playback {
    /// Two streams that have been silent until now.
    #[must_use]
    pub fn new(models: &Models) -> Self {
        Self { models: models.clone(), heard: MelStream::new(), played: MelStream::new() }
    }

    /// Takes the next samples of both: what the wake word is looked for in, and what was played meanwhile.
    pub fn push(&mut self, heard: &[i16], played: &[i16]) {
        self.heard.push(&self.models, heard);
        self.played.push(&self.models, played);
    }

    /// How much alike what was heard from `onset` to `at` and what was played up to [`DELAY_MAX`] before are: 1 where
    /// they are the same but for their loudness in each band, 0 where they have nothing in common or nothing was played.
    /// Both count from the first sample; what is older than three seconds is not known any more.
    #[must_use]
    pub fn correlation(&self, onset: SampleIndex, at: SampleIndex) -> f32 {
        let newest = self.heard.next_frame.min(self.played.next_frame);
        let end = frame_of_sample(at).min(newest);
        let len = usize::try_from(end.saturating_sub(frame_of_sample(onset))).unwrap_or(COMPARED_MAX);
        let len = len.clamp(COMPARED_MIN, COMPARED_MAX);
        let Some(heard) = self.heard.frames_before(end, len) else { return 0.0 };
        let alike = |delay: usize| {
            let end = end.checked_sub(delay as u64)?;
            Some(correlation(heard, self.played.frames_before(end, len)?))
        };
        (0..=DELAYS).filter_map(alike).fold(0.0, f32::max)
    }
}

/// The last mel frames of one stream.
#[derive(Debug)]
struct MelStream {
    state: MelState,
    samples: Vec<f32>,
    frames: Vec<MelFrame>,
    next_frame: u64,
}

impl MelStream {
    fn new() -> Self {
        let mut samples = Vec::with_capacity(MEL_WINDOW - MEL_HOP + STEP);
        samples.resize(MEL_WINDOW - MEL_HOP, 0.0);
        Self { state: MelState::new(), samples, frames: vec![SILENT_FRAME; KEPT], next_frame: 0 }
    }

    fn push(&mut self, models: &Models, pcm: &[i16]) {
        for sample in pcm {
            self.samples.push(f32::from(*sample));
            if self.samples.len() == MEL_WINDOW - MEL_HOP + STEP {
                self.frames.rotate_left(EMBEDDING_HOP);
                models.mel_step(&mut self.state, &self.samples, &mut self.frames[KEPT - EMBEDDING_HOP..]);
                self.samples.copy_within(STEP.., 0);
                self.samples.truncate(MEL_WINDOW - MEL_HOP);
                self.next_frame += EMBEDDING_HOP as u64;
            }
        }
    }

    /// The `len` frames before frame `end`, where they are known.
    fn frames_before(&self, end: u64, len: usize) -> Option<&[MelFrame]> {
        let back = usize::try_from(self.next_frame.checked_sub(end)?).ok()?;
        let end = KEPT.checked_sub(back)?;
        self.frames.get(end.checked_sub(len)?..end)
    }
}

/// The correlation coefficient of all values, each band's own mean taken away; 0 where the second is silent.
fn correlation(a: &[MelFrame], b: &[MelFrame]) -> f32 {
    let (means_a, means_b) = (means(a), means(b));
    let (mut product, mut square_a, mut square_b) = (0.0_f32, 0.0_f32, 0.0_f32);
    for (a, b) in a.iter().zip(b) {
        for band in 0..MEL_BANDS {
            let (a, b) = (a[band] - means_a[band], b[band] - means_b[band]);
            product += a * b;
            square_a += a * a;
            square_b += b * b;
        }
    }
    let values = (b.len() * MEL_BANDS) as f32;
    if (square_b / values).sqrt() < SILENT_BELOW || square_a <= 0.0 {
        return 0.0;
    }
    product / (square_a * square_b).sqrt()
}

fn means(frames: &[MelFrame]) -> MelFrame {
    let mut sums = [0.0; MEL_BANDS];
    for frame in frames {
        for (sum, value) in sums.iter_mut().zip(frame) {
            *sum += value;
        }
    }
    sums.map(|sum| sum / frames.len().max(1) as f32)
}
