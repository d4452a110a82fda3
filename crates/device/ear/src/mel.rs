//! The mel spectrogram: eight frames of 10 ms at once, one in each lane of a vector.
//!
//! A frame is 512 samples under a Hann window of 400, a Fourier transform, the power of its bins summed into 32 bands
//! (all from the model's own weights: window and bands are read from the file), and the logarithm of that.

use crate::error::EarError;
use crate::models::{MEL_BANDS, MEL_HOP, MEL_WINDOW, MelFrame};
use crate::onnx::Tensors;
use crate::simd::{Work, mul_add};

/// Frames computed side by side: those of one step of 80 ms.
pub(crate) const LANES: usize = 8;
/// Samples that [`LANES`] frames look at.
pub(crate) const SAMPLES: usize = MEL_WINDOW + (LANES - 1) * MEL_HOP;

/// Decibels below which everything is the same silence. A microphone's own noise lies above it (1 bit of noise: about
/// 10, a quiet room: 30 to 45, speech: 85 to 110), exact zeros below.
pub(crate) const FLOOR_DB: f32 = 20.0;
/// The model's own least power, and its decibels for a factor of e.
const POWER_MIN: f32 = 1e-10;
const DECIBELS: f32 = 10.0 / std::f32::consts::LN_10;

/// Points of the transform: two real values make one complex one.
const POINTS: usize = MEL_WINDOW / 2;
/// Bins of the spectrum: from 0 Hz to half the sample rate.
const BINS: usize = POINTS + 1;

type Lanes = [f32; LANES];

/// The tables that the spectrogram is computed with.
#[derive(Clone, Debug)]
pub(crate) struct Mel {
    /// `[512]`.
    window: Vec<f32>,
    /// `exp(-2 pi i k / 512)` for the first 256 `k`: cosine and sine.
    turns: Vec<(f32, f32)>,
    /// Where each point goes before the transform: its bits reversed.
    order: Vec<usize>,
    /// For each band its first bin and the bins' weights.
    bands: Vec<(usize, Vec<f32>)>,
    /// One past the last bin that any band looks at.
    bins: usize,
}

/// Room for one run's numbers.
#[derive(Clone, Debug)]
pub(crate) struct Scratch {
    real: Vec<Lanes>,
    imaginary: Vec<Lanes>,
    power: Vec<Lanes>,
}

impl Scratch {
    pub(crate) fn new() -> Self {
        let zeros = |len| vec![[0.0; LANES]; len];
        Self { real: zeros(POINTS), imaginary: zeros(POINTS), power: zeros(BINS) }
    }
}

impl Mel {
    /// Reads window and bands from the model's weights. Its transform is the usual one, which is looked at.
    pub(crate) fn new(what: &'static str, mut tensors: Tensors) -> Result<Self, EarError> {
        let real = tensors.take(what, "0.stft.conv_real.weight", &[BINS, 1, MEL_WINDOW])?;
        let imaginary = tensors.take(what, "0.stft.conv_imag.weight", &[BINS, 1, MEL_WINDOW])?;
        let weights = tensors.take(what, "1.melW", &[BINS, MEL_BANDS])?;
        let angle = |k: usize| k as f64 * std::f64::consts::TAU / MEL_WINDOW as f64;
        // At 0 Hz the cosine is 1: what is left is the window.
        let window = real[..MEL_WINDOW].to_vec();
        let differs = (0..BINS * MEL_WINDOW).any(|place| {
            let (bin, index) = (place / MEL_WINDOW, place % MEL_WINDOW);
            let (sine, cosine) = angle(bin * index % MEL_WINDOW).sin_cos();
            let scale = f64::from(window[index]);
            (f64::from(real[place]) - scale * cosine).abs() > 1e-5
                || (f64::from(imaginary[place]) + scale * sine).abs() > 1e-5
        });
        if differs {
            return Err(EarError::Model { what, reason: "it is no Fourier transform".into() });
        }
        let turns =
            (0..POINTS).map(|k| angle(k).sin_cos()).map(|(sine, cosine)| (cosine as f32, -sine as f32)).collect();
        let order = (0..POINTS).map(|point| point.reverse_bits() >> (usize::BITS - POINTS.ilog2())).collect();
        let bands: Vec<_> = (0..MEL_BANDS).map(|band| band_of(&weights, band)).collect();
        let bins = bands.iter().map(|(first, weights)| first + weights.len()).max().unwrap_or(0);
        if bins > POINTS || bands.iter().any(|(first, _)| *first == 0) {
            return Err(EarError::Model { what, reason: "a band reaches to 0 Hz or to the highest bin".into() });
        }
        Ok(Self { window, turns, order, bands, bins })
    }

    /// The work of turning [`SAMPLES`] samples into [`LANES`] frames.
    pub(crate) const fn frames<'a>(
        &'a self,
        samples: &'a [f32],
        scratch: &'a mut Scratch,
        frames: &'a mut [MelFrame],
    ) -> Frames<'a> {
        Frames { mel: self, samples, scratch, frames }
    }
}

fn band_of(weights: &[f32], band: usize) -> (usize, Vec<f32>) {
    let column: Vec<f32> = weights.iter().skip(band).step_by(MEL_BANDS).copied().collect();
    let first = column.iter().position(|weight| *weight != 0.0).unwrap_or(0);
    let last = column.iter().rposition(|weight| *weight != 0.0).unwrap_or(0);
    (first, column[first..=last].to_vec())
}

/// See [`Mel::frames`].
pub(crate) struct Frames<'a> {
    mel: &'a Mel,
    samples: &'a [f32],
    scratch: &'a mut Scratch,
    frames: &'a mut [MelFrame],
}

impl Work for Frames<'_> {
    type Output = ();

    #[inline(always)]
    fn run<const FMA: bool>(self) {
        let Self { mel, samples, scratch, frames } = self;
        let Scratch { real, imaginary, power } = scratch;
        for (point, &to) in mel.order.iter().enumerate() {
            let (even, odd) = (mel.window[2 * point], mel.window[2 * point + 1]);
            for lane in 0..LANES {
                let at = lane * MEL_HOP + 2 * point;
                real[to][lane] = samples[at] * even;
                imaginary[to][lane] = samples[at + 1] * odd;
            }
        }
        transform::<FMA>(&mel.turns, real, imaginary);
        for (bin, power) in power.iter_mut().enumerate().take(mel.bins).skip(1) {
            *power = power_of(mel.turns[bin], bin, real, imaginary);
        }
        for (band, (first, weights)) in mel.bands.iter().enumerate() {
            let mut sums = [0.0; LANES];
            for (weight, power) in weights.iter().zip(&power[*first..]) {
                for lane in 0..LANES {
                    sums[lane] = mul_add::<FMA>(*weight, power[lane], sums[lane]);
                }
            }
            for (frame, sum) in frames.iter_mut().zip(sums) {
                frame[band] = (sum.max(POWER_MIN).ln() * DECIBELS).max(FLOOR_DB) / 10.0 + 2.0;
            }
        }
    }
}

/// The Fourier transform of [`POINTS`] complex values whose order is already reversed (Cooley and Tukey, radix 2).
#[inline(always)]
fn transform<const FMA: bool>(turns: &[(f32, f32)], real: &mut [Lanes], imaginary: &mut [Lanes]) {
    let mut half = 1;
    while half < POINTS {
        let stride = POINTS / half;
        let groups = real.chunks_exact_mut(2 * half).zip(imaginary.chunks_exact_mut(2 * half));
        for (real, imaginary) in groups {
            let (real_low, real_high) = real.split_at_mut(half);
            let (imaginary_low, imaginary_high) = imaginary.split_at_mut(half);
            let low = real_low.iter_mut().zip(imaginary_low);
            let high = real_high.iter_mut().zip(imaginary_high);
            for (((a, b), (c, d)), (cosine, sine)) in low.zip(high).zip(turns.iter().step_by(stride)) {
                for lane in 0..LANES {
                    let (x, y) = (c[lane], d[lane]);
                    let turned_real = mul_add::<FMA>(x, *cosine, -(y * sine));
                    let turned_imaginary = mul_add::<FMA>(x, *sine, y * cosine);
                    (c[lane], d[lane]) = (a[lane] - turned_real, b[lane] - turned_imaginary);
                    (a[lane], b[lane]) = (a[lane] + turned_real, b[lane] + turned_imaginary);
                }
            }
        }
        half *= 2;
    }
}

/// The power of one bin of the real signal, whose even samples were taken for real and whose odd ones for imaginary
/// parts. `bin` is neither the first nor the last.
#[inline(always)]
fn power_of((cosine, sine): (f32, f32), bin: usize, real: &[Lanes], imaginary: &[Lanes]) -> Lanes {
    let mirror = POINTS - bin;
    std::array::from_fn(|lane| {
        let even = (real[bin][lane] + real[mirror][lane], imaginary[bin][lane] - imaginary[mirror][lane]);
        let odd = (imaginary[bin][lane] + imaginary[mirror][lane], real[mirror][lane] - real[bin][lane]);
        let re = even.0 + odd.0 * cosine - odd.1 * sine;
        let im = even.1 + odd.0 * sine + odd.1 * cosine;
        0.25 * (re * re + im * im)
    })
}
