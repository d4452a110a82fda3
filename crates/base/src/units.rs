//! Units of the sample clock, which is the only clock the device's hearing knows.

use std::ops::{Add, Sub};
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

    /// What they take as signed 16-bit PCM.
    #[must_use]
    pub const fn bytes(self) -> u64 {
        self.0 * BYTES_PER_SAMPLE as u64
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
}
