//! The last seconds of what the microphone heard.

use base::limits::CHUNK;
use base::{SampleCount, SampleIndex};

/// What the ring holds: the pre-roll (0.5 s), the longest word and the time to notice it (2.5 s), and a second to spare.
/// No more, because it is what somebody who takes the device's memory would find.
pub const RING: SampleCount = SampleCount::from_ms(4_000);

const RING_SAMPLES: usize = 64_000;
pub(crate) const CHUNK_SAMPLES: usize = 1_280;
const _: () = assert!(RING_SAMPLES as u64 == RING.0 && CHUNK_SAMPLES as u64 == CHUNK.0);

/// A ring of samples, each known by its position in the microphone's stream.
pub struct Ring {
    /// The first chunk stands once more after the last, so that a chunk is whole wherever it begins.
    samples: Box<[i16]>,
    oldest: SampleIndex,
    end: SampleIndex,
}

/// Shows what it holds in numbers and never in sound.
impl std::fmt::Debug for Ring {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Ring").field("oldest", &self.oldest).field("end", &self.end).finish_non_exhaustive()
    }
}

impl Default for Ring {
    fn default() -> Self {
        Self { samples: vec![0; RING_SAMPLES + CHUNK_SAMPLES].into(), oldest: SampleIndex(0), end: SampleIndex(0) }
    }
}

impl Ring {
    /// The position of the oldest sample still there.
    #[must_use]
    pub const fn oldest(&self) -> SampleIndex {
        self.oldest
    }

    /// The position after the newest.
    #[must_use]
    pub const fn end(&self) -> SampleIndex {
        self.end
    }

    /// Appends samples over the oldest ones.
    pub fn push(&mut self, pcm: &[i16]) {
        let kept = &pcm[pcm.len().saturating_sub(RING_SAMPLES)..];
        let first = self.end + SampleCount((pcm.len() - kept.len()) as u64);
        let at = place(first);
        let (head, tail) = kept.split_at(kept.len().min(RING_SAMPLES - at));
        self.samples[at..at + head.len()].copy_from_slice(head);
        self.samples[..tail.len()].copy_from_slice(tail);
        if at < CHUNK_SAMPLES || !tail.is_empty() {
            self.samples.copy_within(..CHUNK_SAMPLES, RING_SAMPLES);
        }
        self.end = self.end + SampleCount(pcm.len() as u64);
        self.oldest = self.oldest.max(self.end.back(RING));
    }

    /// Lets positions go on without keeping what stood there.
    pub fn skip(&mut self, count: SampleCount) {
        self.end = self.end + count;
        self.wipe();
    }

    /// Overwrites everything; positions go on.
    pub fn wipe(&mut self) {
        self.samples.fill(0);
        self.oldest = self.end;
    }

    /// The samples from `from` on: `count` of them or as many as there are, at most a chunk. Empty where `from` is gone or
    /// not yet there.
    #[must_use]
    pub fn from(&self, from: SampleIndex, count: SampleCount) -> &[i16] {
        if from < self.oldest {
            return &[];
        }
        let there = (self.end - from).min(count).min(CHUNK);
        let at = place(from);
        &self.samples[at..at + usize::try_from(there.0).unwrap_or(0)]
    }
}

/// Where a position's sample stands.
fn place(index: SampleIndex) -> usize {
    // Less than the ring's length, so it always fits.
    usize::try_from(index.0 % RING.0).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_four_seconds_are_there_and_no_more() {
        let mut ring = Ring::default();
        for n in 0..100 {
            ring.push(&[n; 777]);
        }
        assert_eq!((ring.oldest(), ring.end()), (SampleIndex(77_700 - 64_000), SampleIndex(77_700)));
        assert_eq!(ring.from(SampleIndex(77_699), RING), [99]);
        assert_eq!(ring.from(SampleIndex(777 * 50), SampleCount(3)), [50; 3]);
        assert!(ring.from(SampleIndex(13_699), RING).is_empty());
        assert!(ring.from(SampleIndex(77_700), RING).is_empty());
        ring.push(&vec![7; 70_000]);
        assert_eq!((ring.oldest(), ring.end()), (SampleIndex(83_700), SampleIndex(147_700)));
    }

    #[test]
    fn i3_a_wiped_ring_holds_nothing_of_what_was_heard() {
        let mut ring = Ring::default();
        ring.push(&[5; 70_000]);
        ring.wipe();
        assert!(ring.samples.iter().all(|sample| *sample == 0));
        assert_eq!(ring.oldest(), ring.end());
        assert!(ring.from(SampleIndex(69_999), RING).is_empty());
    }
}
