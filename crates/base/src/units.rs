//! Units of the sample clock, which is the only clock the device's hearing knows.

use std::ops::{Add, AddAssign, Sub};
use std::time::Duration;

/// Everything between a microphone and the recogniser runs at this rate, one channel, signed 16 bit.
pub const SAMPLE_RATE_HZ: u32 = 16_000;

/// Bytes of one sample on every pipe and on the wire.
pub const BYTES_PER_SAMPLE: usize = 2;

/// A position in a microphone's samples, counted from its first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SampleIndex(pub u64);

/// A number of samples.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SampleCount(pub u64);

impl SampleIndex {
    /// The position `count` samples earlier; the first sample where there are not so many.
    #[must_use]
    pub const fn back(self, count: SampleCount) -> Self {
        Self(self.0.saturating_sub(count.0))
    }

    /// Seconds since the first sample.
    #[must_use]
    pub fn seconds(self) -> f64 {
        SampleCount(self.0).seconds()
    }
}

impl SampleCount {
    /// How many samples `ms` milliseconds hold.
    #[must_use]
    pub const fn from_ms(ms: u64) -> Self {
        Self(ms.saturating_mul(SAMPLE_RATE_HZ as u64) / 1_000)
    }

    /// The time they last, in seconds.
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "exact to 2^53 samples, which is 17,000 years")]
    pub fn seconds(self) -> f64 {
        self.0 as f64 / f64::from(SAMPLE_RATE_HZ)
    }

    /// The time they last.
    #[must_use]
    pub const fn duration(self) -> Duration {
        Duration::from_micros(self.0.saturating_mul(1_000_000) / SAMPLE_RATE_HZ as u64)
    }

    /// What they take as signed 16-bit PCM. A count may come from the other side of a wire: like every sum here, it stays
    /// at the end of the range.
    #[must_use]
    pub const fn bytes(self) -> u64 {
        self.0.saturating_mul(BYTES_PER_SAMPLE as u64)
    }

    /// How many samples these are.
    #[must_use]
    pub const fn of(samples: &[i16]) -> Self {
        Self(samples.len() as u64)
    }
}

impl Add for SampleCount {
    type Output = Self;

    fn add(self, more: Self) -> Self {
        Self(self.0.saturating_add(more.0))
    }
}

impl AddAssign for SampleCount {
    fn add_assign(&mut self, more: Self) {
        *self = *self + more;
    }
}

/// From one count to a larger one; zero where the other is not smaller.
impl Sub for SampleCount {
    type Output = Self;

    fn sub(self, fewer: Self) -> Self {
        Self(self.0.saturating_sub(fewer.0))
    }
}

impl Add<SampleCount> for SampleIndex {
    type Output = Self;

    fn add(self, count: SampleCount) -> Self {
        Self(self.0.saturating_add(count.0))
    }
}

/// From one position to a later one; zero where the other is not later.
impl Sub for SampleIndex {
    type Output = SampleCount;

    fn sub(self, earlier: Self) -> SampleCount {
        SampleCount(self.0.saturating_sub(earlier.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn half_a_second_is_eight_thousand_samples() {
        assert_eq!(SampleCount::from_ms(500), SampleCount(8_000));
        assert_eq!(SampleCount(8_000).duration(), Duration::from_millis(500));
        assert_eq!(SampleIndex(9_000).back(SampleCount(8_000)), SampleIndex(1_000));
        assert_eq!(SampleIndex(900).back(SampleCount(8_000)), SampleIndex(0));
    }

    /// Every number here may have come over a wire.
    #[test]
    fn no_number_is_too_large_to_be_counted_with() {
        let edges = [0, 1, 2, u64::from(u32::MAX), 1 << 53, 1 << 63, u64::MAX / 2 + 1, u64::MAX - 1, u64::MAX];
        for (a, b) in edges.iter().flat_map(|a| edges.iter().map(move |b| (*a, *b))) {
            let (count, more, index) = (SampleCount(a), SampleCount(b), SampleIndex(a));
            assert!((count + more).0 >= a && (count - more).0 <= a);
            assert!((index + more).0 >= a && index.back(more) <= index && (index - SampleIndex(b)).0 <= a);
            assert!(count.bytes() >= a && SampleCount::from_ms(a).0 <= u64::MAX / 1_000);
            assert!(count.seconds().is_finite() && count.duration() <= Duration::from_micros(u64::MAX));
        }
        assert_eq!(SampleCount(u64::MAX).bytes(), u64::MAX);
    }
}
