//! One loudness for everything that is said, and no waiting before it.

/// The level that speech is brought to: RMS over what is spoken, without its pauses. For a voice that is within a
/// decibel of −16 LUFS.
pub const LEVEL_DBFS: f32 = -15.5;

/// No sample of speech is louder than this.
pub const PEAK_DBFS_MAX: f32 = -1.0;

/// A frame this far below the loudest one is a pause.
const PAUSE_DB: f32 = 35.0;

/// A whisper from an engine is not raised by more than this.
const GAIN_DB_MAX: f32 = 30.0;

const FRAMES_PER_SECOND: usize = 100;

const FULL_SCALE: f32 = i16::MAX as f32;

/// The limiter turns down this long before a peak, and up as long after it.
const LIMITER_FRACTION_OF_SECOND: usize = 200;

/// What stays around the spoken part, so that no first or last sound is clipped.
const MARGIN_FRAMES: usize = 3;

/// Cuts silence off both ends and brings the rest to [`LEVEL_DBFS`], its peaks held under [`PEAK_DBFS_MAX`]. Pure
/// silence comes back empty.
pub(crate) fn level(samples: &[i16], rate_hz: u32) -> Vec<i16> {
    let rate = usize::try_from(rate_hz).unwrap_or(usize::MAX);
    let frame = (rate / FRAMES_PER_SECOND).max(1);
    let powers: Vec<f32> = samples.chunks(frame).map(mean_square).collect();
    let loudest = powers.iter().copied().fold(0.0, f32::max);
    let floor = loudest * db_to_gain(-2.0 * PAUSE_DB);
    let is_spoken = |power: &f32| *power > floor;
    let (Some(first), Some(last)) = (powers.iter().position(is_spoken), powers.iter().rposition(is_spoken)) else {
        return Vec::new();
    };
    let start = first.saturating_sub(MARGIN_FRAMES) * frame;
    let end = (last + 1 + MARGIN_FRAMES).saturating_mul(frame).min(samples.len());

    let spoken = powers.iter().filter(|power| is_spoken(power));
    let (sum, n_frames) = spoken.fold((0.0, 0.0), |(sum, n), power| (sum + power, n + 1.0));
    let rms = f32::sqrt(sum / n_frames);
    let gain = (db_to_gain(LEVEL_DBFS) * FULL_SCALE / rms).min(db_to_gain(GAIN_DB_MAX));
    let mut raised: Vec<f32> = samples[start..end].iter().map(|sample| f32::from(*sample) * gain).collect();
    limit(&mut raised, db_to_gain(PEAK_DBFS_MAX) * FULL_SCALE, (rate / LIMITER_FRACTION_OF_SECOND).max(1));
    raised.into_iter().map(to_i16).collect()
}

/// Holds every sample within `ceiling` by a gain that moves slowly: the least gain needed within `reach` samples on
/// either side, averaged over as many. A mean of values none of which is above what a sample needs is not either.
fn limit(samples: &mut [f32], ceiling: f32, reach: usize) {
    let n_samples = samples.len();
    let around = |i: usize| i.saturating_sub(reach)..(i + reach + 1).min(n_samples);
    let mut least = vec![1.0_f32; n_samples];
    for (i, sample) in samples.iter().enumerate().filter(|(_, sample)| ceiling < sample.abs()) {
        let needed = ceiling / sample.abs();
        least[around(i)].iter_mut().for_each(|gain| *gain = gain.min(needed));
    }
    let mut sums = vec![0.0_f64; n_samples + 1];
    for (i, gain) in least.iter().enumerate() {
        sums[i + 1] = sums[i] + f64::from(*gain);
    }
    for (i, sample) in samples.iter_mut().enumerate() {
        let window = around(i);
        let gain = (sums[window.end] - sums[window.start]) / window.len() as f64;
        *sample = (*sample * gain as f32).clamp(-ceiling, ceiling);
    }
}

fn mean_square(frame: &[i16]) -> f32 {
    let (sum, n) = frame.iter().fold((0.0, 0.0), |(sum, n), sample| (f32::from(*sample).powi(2) + sum, n + 1.0));
    sum / n
}

fn db_to_gain(db: f32) -> f32 {
    10_f32.powf(db / 20.0)
}

#[expect(clippy::cast_possible_truncation, reason = "a float to integer cast saturates, which is what is wanted")]
fn to_i16(sample: f32) -> i16 {
    sample.round() as i16
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tone(amplitude: f32, n_samples: usize) -> Vec<i16> {
        (0..n_samples).map(|i| to_i16((i as f32 * 0.2).sin() * amplitude)).collect()
    }

    fn dbfs(samples: &[i16]) -> f32 {
        10.0 * (mean_square(samples) / FULL_SCALE.powi(2)).log10()
    }

    #[test]
    fn quiet_and_loud_come_out_alike_and_without_their_silence() {
        for amplitude in [300.0, 3_000.0, 32_000.0] {
            let padded = [vec![0; 8_000], tone(amplitude, 16_000), vec![0; 12_000]].concat();
            let levelled = level(&padded, 16_000);
            assert!((16_000..17_000).contains(&levelled.len()), "{} samples", levelled.len());
            assert!((dbfs(&levelled[1_000..15_000]) - LEVEL_DBFS).abs() < 0.5, "{} dBFS", dbfs(&levelled));
        }
    }

    #[test]
    fn a_peak_bounds_the_gain() {
        let mut clicks = vec![0; 16_000];
        clicks.iter_mut().step_by(200).for_each(|sample| *sample = 20_000);
        let peak = level(&clicks, 16_000).iter().map(|sample| sample.unsigned_abs()).max();
        let limit = to_i16(db_to_gain(PEAK_DBFS_MAX) * FULL_SCALE).unsigned_abs();
        assert!(peak <= Some(limit), "{peak:?}");
    }

    #[test]
    fn silence_and_nothing_come_back_empty() {
        assert!(level(&[0; 4_000], 16_000).is_empty());
        assert!(level(&[], 16_000).is_empty());
        assert!(level(&[], 1).is_empty());
    }
}
