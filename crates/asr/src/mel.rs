//! Sound to the log-mel spectrogram that Whisper was trained on: 25 ms under a Hann window each 10 ms, 80 bands on
//! Slaney's mel scale, logarithm, and the loudest 80 dB of it.

use std::f64::consts::PI;
use std::sync::Arc;

use base::SAMPLE_RATE_HZ;
use realfft::num_complex::Complex;
use realfft::{RealFftPlanner, RealToComplex};

/// Samples under one window.
const WINDOW: usize = 400;

/// Samples from one frame to the next.
pub(crate) const HOP: usize = 160;

/// Mel bands.
pub(crate) const BANDS: usize = 80;

/// Frequencies of a window's spectrum.
const BINS: usize = WINDOW / 2 + 1;

/// Below this a power is taken for it.
const POWER_MIN: f32 = 1e-10;

/// How far below the loudest the spectrogram reaches, as a power of ten.
const RANGE: f32 = 8.0;

/// The front end: filters and window, made once.
pub struct LogMel {
    fft: Arc<dyn RealToComplex<f32>>,
    window: Vec<f32>,
    filters: Vec<Filter>,
}

/// Room for what a spectrogram needs, and the spectrogram itself.
#[derive(Debug, Default)]
pub(crate) struct Scratch {
    /// 80 bands a frame, frame after frame.
    pub(crate) frames: Vec<f32>,
    frame: Vec<f32>,
    spectrum: Vec<Complex<f32>>,
    fft: Vec<Complex<f32>>,
}

/// One band: the frequencies it begins with, and their weights.
struct Filter {
    first: usize,
    weights: Vec<f32>,
}

impl LogMel {
    /// Computes the filters and the window.
    #[must_use]
    pub fn new() -> Self {
        let hann = |i: usize| (0.5 - 0.5 * (2.0 * PI * i as f64 / WINDOW as f64).cos()) as f32;
        Self {
            fft: RealFftPlanner::new().plan_fft_forward(WINDOW),
            window: (0..WINDOW).map(hann).collect(),
            filters: filters(),
        }
    }

    /// The spectrogram of `sound` (16 kHz, full scale 1): 80 bands a frame, frame after frame, one frame for each full
    /// 10 ms. What is not a number counts as silence, and what is beyond full scale is clipped.
    #[must_use]
    pub fn compute(&self, sound: &[f32]) -> Vec<f32> {
        let mut scratch = Scratch::default();
        self.compute_in(&mut scratch, sound);
        scratch.frames
    }

    /// The same, left in `scratch`.
    pub(crate) fn compute_in(&self, scratch: &mut Scratch, sound: &[f32]) {
        let Scratch { frames: mel, frame, spectrum, fft: scratch } = scratch;
        mel.clear();
        mel.resize(sound.len() / HOP * BANDS, 0.0);
        frame.resize(WINDOW, 0.0);
        spectrum.resize(BINS, Complex::default());
        scratch.resize(self.fft.get_scratch_len(), Complex::default());
        let mut powers = [0.0; BINS];
        for (i, bands) in mel.chunks_exact_mut(BANDS).enumerate() {
            for (j, (sample, weight)) in frame.iter_mut().zip(&self.window).enumerate() {
                *sample = sample_at(sound, i * HOP + j) * weight;
            }
            // The lengths are those that the transform itself asked for.
            if self.fft.process_with_scratch(frame, spectrum, scratch).is_err() {
                continue;
            }
            powers.iter_mut().zip(spectrum.iter()).for_each(|(power, bin)| *power = bin.norm_sqr());
            for (band, filter) in bands.iter_mut().zip(&self.filters) {
                let products =
                    filter.weights.iter().zip(&powers[filter.first..]).map(|(weight, power)| weight * power);
                *band = products.sum::<f32>().max(POWER_MIN).log10();
            }
        }
        let loudest = mel.iter().copied().fold(f32::MIN, f32::max);
        mel.iter_mut().for_each(|value| *value = (value.max(loudest - RANGE) + 4.0) / 4.0);
    }
}

impl Default for LogMel {
    fn default() -> Self {
        Self::new()
    }
}

/// Frames are centred on their time: half a window is mirrored before the start, and one hop of silence follows the
/// end before the mirror there.
fn sample_at(sound: &[f32], at: usize) -> f32 {
    let padded = sound.len() + HOP;
    let distance = at.abs_diff(WINDOW / 2);
    let index =
        if at < WINDOW / 2 || distance < padded { distance } else { (2 * padded).saturating_sub(distance + 2) };
    let sample = sound.get(index).copied().unwrap_or(0.0);
    if sample.is_finite() { sample.clamp(-1.0, 1.0) } else { 0.0 }
}

/// Triangles of equal area, evenly spaced on the mel scale from 0 Hz to half the sample rate.
fn filters() -> Vec<Filter> {
    let nyquist_hz = f64::from(SAMPLE_RATE_HZ) / 2.0;
    let edge_hz = |i: usize| mel_to_hz(hz_to_mel(nyquist_hz) * i as f64 / (BANDS + 1) as f64);
    let bin_hz = |bin: usize| bin as f64 * nyquist_hz / (BINS - 1) as f64;
    let band = |i: usize| {
        let [low, middle, high] = [edge_hz(i), edge_hz(i + 1), edge_hz(i + 2)];
        let height = |hz: f64| ((hz - low) / (middle - low)).min((high - hz) / (high - middle)).max(0.0);
        let weight = |bin: usize| (height(bin_hz(bin)) * 2.0 / (high - low)) as f32;
        let first = (0..BINS).find(|bin| 0.0 < weight(*bin)).unwrap_or(BINS);
        Filter { first, weights: (first..BINS).map(weight).take_while(|weight| 0.0 < *weight).collect() }
    };
    (0..BANDS).map(band).collect()
}

/// Slaney's scale: linear to 1 kHz, then logarithmic, 27 steps to a factor of 6.4.
const LINEAR_HZ: f64 = 200.0 / 3.0;
const BREAK_HZ: f64 = 1_000.0;
const BREAK_MEL: f64 = BREAK_HZ / LINEAR_HZ;
const LOG_STEPS: f64 = 27.0;
const LOG_FACTOR: f64 = 6.4;

fn hz_to_mel(hz: f64) -> f64 {
    if hz < BREAK_HZ { hz / LINEAR_HZ } else { BREAK_MEL + LOG_STEPS * (hz / BREAK_HZ).ln() / LOG_FACTOR.ln() }
}

fn mel_to_hz(mel: f64) -> f64 {
    if mel < BREAK_MEL { mel * LINEAR_HZ } else { BREAK_HZ * LOG_FACTOR.powf((mel - BREAK_MEL) / LOG_STEPS) }
}

#[cfg(test)]
mod tests {
    use std::f32::consts::TAU;

    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_tone_is_loudest_in_its_own_band() {
        let tone: Vec<f32> = (0..16_000).map(|i| (i as f32 * TAU / 16.0).sin()).collect();
        let mel = LogMel::new().compute(&tone);
        assert_eq!(mel.len(), 100 * BANDS);
        let middle = &mel[50 * BANDS..51 * BANDS];
        let loudest = (0..BANDS).max_by(|a, b| middle[*a].total_cmp(&middle[*b]));
        // 1 kHz is the 15th of 45.2 mel, which are shared by 81 steps: between bands 25 and 26.
        assert!(matches!(loudest, Some(25 | 26)), "{loudest:?}");
    }

    #[test]
    fn filters_cover_every_frequency_but_the_ends() {
        let filters = filters();
        for bin in 1..BINS - 1 {
            let covers = |filter: &Filter| (filter.first..filter.first + filter.weights.len()).contains(&bin);
            assert!(filters.iter().any(covers), "bin {bin}");
        }
        assert!(filters.iter().all(|filter| !filter.weights.is_empty()));
    }

    #[test]
    fn no_sound_has_no_frames_and_silence_is_finite() {
        assert!(LogMel::new().compute(&[]).is_empty());
        assert!(LogMel::new().compute(&[0.5; HOP - 1]).is_empty());
        assert!(LogMel::new().compute(&[0.0; 200]).iter().all(|value| (value + 1.5).abs() < 1e-6));
    }

    proptest! {
        #[test]
        fn any_sound_gives_finite_values(bits in proptest::collection::vec(any::<u32>(), 0..1_200)) {
            let sound: Vec<f32> = bits.into_iter().map(f32::from_bits).collect();
            let mel = LogMel::new().compute(&sound);
            prop_assert!(mel.iter().all(|value| value.is_finite()));
            prop_assert_eq!(mel.len(), sound.len() / HOP * BANDS);
        }
    }
}
