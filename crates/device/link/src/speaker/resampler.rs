//! From a reply's sample rate to a card's: a windowed sinc, evaluated where each output sample falls.

use std::f64::consts::PI;

/// Input samples on either side of an output sample: enough for a stop band of 60 dB in speech.
const REACH: usize = 16;

/// Resamples one voice, piece by piece.
pub(super) struct Resampler {
    step: f64,
    cutoff: f64,
    /// The last samples, and the position among them of the next output sample.
    window: Vec<f32>,
    position: f64,
}

impl Resampler {
    pub(super) fn new(from_hz: u32, to_hz: u32) -> Self {
        let step = f64::from(from_hz) / f64::from(to_hz);
        // Silence before the first sample, so that it has neighbours on both sides.
        Self { step, cutoff: (1.0 / step).min(1.0), window: vec![0.0; REACH], position: REACH as f64 }
    }

    /// Takes samples, and appends what can be told from them.
    pub(super) fn push(&mut self, samples: &[i16], out: &mut Vec<i16>) {
        self.window.extend(samples.iter().map(|sample| f32::from(*sample)));
        while self.position + (REACH as f64) < self.window.len() as f64 {
            out.push(self.at(self.position));
            self.position += self.step;
        }
        let behind = (self.position as usize).saturating_sub(REACH).min(self.window.len());
        self.window.drain(..behind);
        self.position -= behind as f64;
    }

    /// Appends what is left, as though silence followed.
    pub(super) fn finish(&mut self, out: &mut Vec<i16>) {
        self.push(&[0; REACH], out);
    }

    #[expect(clippy::cast_possible_truncation, reason = "clamped to 16 bits; a position is small and not negative")]
    fn at(&self, position: f64) -> i16 {
        let first = (position as usize + 1).saturating_sub(REACH);
        let sum: f64 = self.window[first..].iter().take(2 * REACH).enumerate().fold(0.0, |sum, (index, sample)| {
            sum + f64::from(*sample) * self.kernel((first + index) as f64 - position)
        });
        sum.round().clamp(f64::from(i16::MIN), f64::from(i16::MAX)) as i16
    }

    fn kernel(&self, offset: f64) -> f64 {
        let reach = REACH as f64;
        if offset.abs() >= reach {
            return 0.0;
        }
        let window = 0.5 + 0.5 * (PI * offset / reach).cos();
        let x = PI * offset * self.cutoff;
        let sinc = if x.abs() < 1e-9 { 1.0 } else { x.sin() / x };
        self.cutoff * sinc * window
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A tone of 1 kHz comes out as a tone of 1 kHz, in step, at every pair of rates and in pieces of any length.
    #[test]
    fn a_tone_stays_the_tone_it_was() {
        for (from_hz, to_hz) in
            [(16_000, 48_000), (22_050, 48_000), (22_050, 44_100), (48_000, 16_000), (16_000, 16_000)]
        {
            let tone =
                |rate_hz: u32, index: usize| (index as f64 / f64::from(rate_hz) * 2.0 * PI * 1_000.0).sin() * 8_000.0;
            let input: Vec<i16> =
                (0..from_hz as usize / 2).map(|index| tone(from_hz, index).round() as i16).collect();
            let (mut resampler, mut out) = (Resampler::new(from_hz, to_hz), Vec::new());
            for piece in input.chunks(700) {
                resampler.push(piece, &mut out);
            }
            resampler.finish(&mut out);
            assert!(out.len().abs_diff(to_hz as usize / 2) <= 1, "{from_hz} to {to_hz}: {}", out.len());
            let edge = 200;
            for (index, sample) in out.iter().enumerate().skip(edge).take(out.len() - 2 * edge) {
                let error = f64::from(*sample) - tone(to_hz, index);
                assert!(error.abs() < 40.0, "{from_hz} to {to_hz}: off by {error} at {index}");
            }
        }
    }
}
