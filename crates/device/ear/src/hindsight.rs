//! The last two seconds of sound, for the second stage to listen to.

use base::{SampleCount, SampleIndex};
use zeroize::Zeroize;

/// What is kept: the longest word, what comes before it, and the time to notice it.
pub(crate) const KEPT: SampleCount = SampleCount::from_ms(2_200);

const KEPT_SAMPLES: usize = 35_200;
const _: () = assert!(KEPT_SAMPLES as u64 == KEPT.0);

/// The newest [`KEPT`] samples of a stream, in one piece. Overwritten when it goes.
pub(crate) struct Hindsight {
    /// The newest at the end. Before the first sample lies silence.
    samples: Vec<i16>,
    end: SampleIndex,
}

impl Default for Hindsight {
    fn default() -> Self {
        Self { samples: vec![0; KEPT_SAMPLES], end: SampleIndex(0) }
    }
}

/// Shows where it stands and never what was heard.
impl std::fmt::Debug for Hindsight {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Hindsight").field("end", &self.end).finish_non_exhaustive()
    }
}

impl Drop for Hindsight {
    fn drop(&mut self) {
        self.samples.zeroize();
    }
}

impl Hindsight {
    /// Appends samples; as many of the oldest go.
    pub(crate) fn push(&mut self, pcm: &[i16]) {
        let kept = &pcm[pcm.len().saturating_sub(KEPT_SAMPLES)..];
        self.samples.copy_within(kept.len().., 0);
        self.samples[KEPT_SAMPLES - kept.len()..].copy_from_slice(kept);
        self.end = self.end + SampleCount(pcm.len() as u64);
    }

    /// The samples from `start` to the newest: fewer where the stream or what is kept begins later.
    pub(crate) fn since(&self, start: SampleIndex) -> &[i16] {
        let wanted = usize::try_from((self.end - start).0.min(self.end.0)).unwrap_or(KEPT_SAMPLES);
        &self.samples[KEPT_SAMPLES - wanted.min(KEPT_SAMPLES)..]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_samples_are_there_in_order() {
        let mut hindsight = Hindsight::default();
        assert!(hindsight.since(SampleIndex(0)).is_empty());
        let all: Vec<i16> = (0..30_000).collect();
        hindsight.push(&all[..777]);
        assert_eq!(hindsight.since(SampleIndex(0)), &all[..777]);
        all[777..].chunks(1_280).for_each(|piece| hindsight.push(piece));
        assert_eq!(hindsight.since(SampleIndex(29_000)), &all[29_000..]);
        hindsight.push(&all[..10_000]);
        assert_eq!(hindsight.since(SampleIndex(0)).len(), KEPT_SAMPLES);
        assert_eq!(hindsight.since(SampleIndex(30_000)), &all[..10_000]);
        hindsight.push(&vec![7; 100_000]);
        assert_eq!(hindsight.since(SampleIndex(0)), [7; KEPT_SAMPLES]);
    }
}
