//! Any rate and any number of channels to 16 kHz mono.

use base::SAMPLE_RATE_HZ;
use rubato::audioadapter_buffers::direct::SequentialSlice;
use rubato::{Fft, FixedSync, Indexing, Resampler};

use crate::mix::Mixer;

/// Rates that sound comes in. Below, speech is gone; above, it is not sound.
pub(crate) const RATES_HZ: std::ops::RangeInclusive<u32> = 4_000..=192_000;

/// Channels of one file at most.
pub(crate) const CHANNELS_MAX: usize = 32;

/// Frames the resampler takes at a time, at least: 21 ms at 48 kHz, a filter long enough to keep the pass band to 7 kHz.
const FRAMES_AT_ONCE: usize = 1_024;

/// Turns interleaved floats of one rate into 16 kHz mono, piece by piece. The output is as long as the input (to the
/// nearest sample) and in step with it: the filter's delay is taken out.
pub struct Converter {
    mixer: Mixer,
    mono: Vec<f32>,
    resampler: Option<Resampling>,
}

struct Resampling {
    fft: Fft<f32>,
    rate_hz: u32,
    /// Mono input that does not fill a block yet.
    waiting: Vec<f32>,
    block_out: Vec<f32>,
    frames_in: u64,
    samples_out: u64,
    /// Output still to be thrown away: the filter's delay.
    delay_left: usize,
}

impl std::fmt::Debug for Converter {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let rate_hz = self.resampler.as_ref().map_or(SAMPLE_RATE_HZ, |resampling| resampling.rate_hz);
        f.debug_struct("Converter")
            .field("channels", &self.mixer.channels())
            .field("rate_hz", &rate_hz)
            .finish_non_exhaustive()
    }
}

impl Converter {
    /// A converter from `rate_hz` and `channels`.
    ///
    /// # Errors
    /// What is not supported, in words: a rate outside 4 to 192 kHz, no channel or more than 32.
    pub fn new(rate_hz: u32, channels: usize) -> Result<Self, String> {
        if !RATES_HZ.contains(&rate_hz) {
            return Err(format!("a sample rate of {rate_hz} Hz"));
        }
        if !(1..=CHANNELS_MAX).contains(&channels) {
            return Err(format!("{channels} channels"));
        }
        let resampler = if rate_hz == SAMPLE_RATE_HZ { None } else { Some(Resampling::new(rate_hz)?) };
        Ok(Self { mixer: Mixer::new(channels, rate_hz), mono: Vec::new(), resampler })
    }

    /// Converts whole frames of interleaved samples, full scale being -1 to 1, and appends what is ready to `out`.
    /// A frame that is not whole is left out; what is not a number, or is infinite, is silence. Channels are mixed so that
    /// one that is another upside down, or dead, takes nothing away.
    pub fn push(&mut self, interleaved: &[f32], out: &mut Vec<i16>) {
        self.mono.clear();
        self.mixer.push(interleaved, &mut self.mono);
        match &mut self.resampler {
            None => out.extend(self.mono.iter().copied().map(quantized)),
            Some(resampling) => {
                resampling.waiting.extend(self.mono.iter().map(|sample| sample.clamp(-4.0, 4.0)));
                resampling.frames_in += self.mono.len() as u64;
                resampling.run(out, false);
            }
        }
    }

    /// Appends what is left.
    pub fn finish(&mut self, out: &mut Vec<i16>) {
        if let Some(resampling) = &mut self.resampler {
            resampling.run(out, true);
        }
    }
}

impl Resampling {
    fn new(rate_hz: u32) -> Result<Self, String> {
        let (from, to) = (rate_hz as usize, SAMPLE_RATE_HZ as usize);
        let window = rubato::WindowFunction::BlackmanHarris2;
        let fft = Fft::new_custom(from, to, block_frames(from, to), 1, 1, window, FixedSync::Both)
            .map_err(|error| format!("a sample rate of {rate_hz} Hz ({error})"))?;
        let delay_left = fft.output_delay();
        let block_out = vec![0.0; fft.output_frames_max()];
        Ok(Self { fft, rate_hz, waiting: Vec::new(), block_out, frames_in: 0, samples_out: 0, delay_left })
    }

    /// Resamples whole blocks; at the end also the last one, with silence after it until all of the input is out.
    fn run(&mut self, out: &mut Vec<i16>, is_end: bool) {
        let wanted =
            (self.frames_in * u64::from(SAMPLE_RATE_HZ) + u64::from(self.rate_hz) / 2) / u64::from(self.rate_hz);
        let mut used = 0;
        loop {
            let needed = self.fft.input_frames_next();
            let block = &self.waiting[used..];
            let partial = (block.len() < needed).then_some(block.len());
            if partial.is_some() && (!is_end || self.samples_out >= wanted) {
                break;
            }
            let indexing = partial.map(|length| Indexing::new().partial_len(length));
            let room = self.block_out.len();
            let Ok(input) = SequentialSlice::new(block, 1, block.len()) else { break };
            let Ok(mut output) = SequentialSlice::new_mut(&mut self.block_out, 1, room) else { break };
            // Sizes are the resampler's own, so it has nothing to refuse; were it to, the sound would end here.
            let Ok((taken, made)) = self.fft.process_into_buffer(&input, &mut output, indexing.as_ref()) else {
                break;
            };
            used += taken.min(block.len());
            let skipped = self.delay_left.min(made);
            self.delay_left -= skipped;
            let left = usize::try_from(wanted.saturating_sub(self.samples_out)).unwrap_or(usize::MAX);
            let kept = (made - skipped).min(left);
            out.extend(self.block_out[skipped..skipped + kept].iter().copied().map(quantized));
            self.samples_out += kept as u64;
        }
        self.waiting.drain(..used);
    }
}

/// The block that the resampler takes: whole periods of the two rates, and an even number of them, since the filter's
/// delay is half a block and must be whole at either rate.
fn block_frames(from_hz: usize, to_hz: usize) -> usize {
    let (mut divisor, mut rest) = (from_hz, to_hz);
    while rest > 0 {
        (divisor, rest) = (rest, divisor % rest);
    }
    let two_periods = 2 * (from_hz / divisor.max(1)).max(1);
    FRAMES_AT_ONCE.div_ceil(two_periods) * two_periods
}

/// To 16 bits, rounding to the nearest and holding at full scale. What came from 16 bits comes back unchanged.
#[expect(clippy::cast_possible_truncation, reason = "held to the range of i16; what is not a number becomes 0")]
fn quantized(sample: f32) -> i16 {
    (sample * 32_768.0).round().clamp(-32_768.0, 32_767.0) as i16
}
