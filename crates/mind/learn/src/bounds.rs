//! Where the one word in a clip begins and ends, told once from its loudness: the truth that onsets are learned from
//! and measured by. Only for isolated words recorded close by, where nothing else is as loud.

use std::ops::Range;

/// Loudness is taken over 10 ms, every 5 ms.
const HOP: usize = 80;
const WINDOW: usize = 160;
/// A vowel: this close to the loudest, for this many hops.
const VOWEL_DB: f32 = 14.0;
const VOWEL_HOPS: usize = 5;
/// What still belongs to the word: louder than this below the loudest (the second and third only where the clip is too
/// noisy for the first), and than this above the clip's own noise.
const FAINT_DB: [f32; 3] = [28.0, 21.0, 15.0];
const NOISE_DB: f32 = 9.0;
/// A pause this long ends the word (in hops): longer than the closure before "x" stays within it.
const PAUSE_HOPS: usize = 8;
/// Softer than this (a root mean square of 10 in 16-bit PCM) there is no word.
const AUDIBLE_DB: f32 = 20.0;
/// How long a word can last, in samples.
const WORD_SAMPLES: Range<usize> = 4_000..19_200;

/// The samples from the word's onset to its end, or none where the clip does not hold one clear word.
#[must_use]
pub fn word_bounds(pcm: &[i16]) -> Option<Range<usize>> {
    let loudness = loudness(pcm);
    let peak = loudness.iter().copied().fold(f32::MIN, f32::max);
    if peak < AUDIBLE_DB {
        return None;
    }
    let mut sorted: Vec<f32> = loudness.iter().copied().filter(|value| *value > 0.0).collect();
    sorted.sort_by(f32::total_cmp);
    let noise = sorted.get(sorted.len() / 8).copied().unwrap_or(0.0);
    let levels = FAINT_DB.map(|db| (peak - db).max(noise + NOISE_DB).min(peak - VOWEL_DB));
    levels.into_iter().find_map(|faint| bounds_at(&loudness, peak, faint, pcm.len()))
}

fn bounds_at(loudness: &[f32], peak: f32, faint: f32, len: usize) -> Option<Range<usize>> {
    let is_vowel = |start: &usize| {
        let hops = loudness.get(*start..*start + VOWEL_HOPS);
        hops.is_some_and(|hops| hops.iter().all(|value| *value > peak - VOWEL_DB))
    };
    let first = (0..loudness.len()).find(is_vowel)?;
    let last = (0..loudness.len()).rev().find(is_vowel)? + VOWEL_HOPS - 1;
    let onset = edge(first, loudness[..first].iter().rev(), faint, |hop, step| hop - step);
    let end = edge(last, loudness[last + 1..].iter(), faint, |hop, step| hop + step);
    // A hop's window reaches from 2.5 ms before its middle half to as much behind: count from there.
    let bounds = onset * HOP + HOP / 2..((end + 1) * HOP + HOP / 2).min(len);
    WORD_SAMPLES.contains(&bounds.len()).then_some(bounds)
}

/// Walks from a vowel's hop until the sound has stayed below `faint` for a pause; the last hop above it.
fn edge<'l>(
    from: usize,
    hops: impl Iterator<Item = &'l f32>,
    faint: f32,
    step_by: impl Fn(usize, usize) -> usize,
) -> usize {
    let (mut last, mut quiet) = (0, 0);
    for (index, value) in hops.enumerate() {
        if *value > faint {
            last = index + 1;
            quiet = 0;
        } else {
            quiet += 1;
            if quiet > PAUSE_HOPS {
                break;
            }
        }
    }
    step_by(from, last)
}

#[expect(clippy::cast_precision_loss, reason = "a window has 160 samples")]
fn loudness(pcm: &[i16]) -> Vec<f32> {
    pcm.windows(WINDOW)
        .step_by(HOP)
        .map(|window| {
            let mean = window.iter().map(|sample| f32::from(*sample)).sum::<f32>() / WINDOW as f32;
            let square = |sample: &i16| (f32::from(*sample) - mean) * (f32::from(*sample) - mean);
            10.0 * (window.iter().map(square).sum::<f32>() / WINDOW as f32 + 1e-3).log10()
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tone_in_faint_noise_is_found_to_a_hop() {
        let mut pcm: Vec<i16> = (0..32_000_i32).map(|index| ((index * 7_919) % 13 - 6) as i16).collect();
        for (index, sample) in pcm[10_000..18_000].iter_mut().enumerate() {
            *sample = ((index as f32 * 0.1).sin() * 8_000.0) as i16;
        }
        let bounds = word_bounds(&pcm).expect("one word");
        assert!(bounds.start.abs_diff(10_000) <= 2 * HOP, "{bounds:?}");
        assert!(bounds.end.abs_diff(18_000) <= 2 * HOP, "{bounds:?}");
    }

    #[test]
    fn where_no_word_is_none_is_found() {
        assert_eq!(word_bounds(&[]), None);
        assert_eq!(word_bounds(&[0; 16_000]), None);
        assert_eq!(word_bounds(&[500; 100]), None);
    }
}
