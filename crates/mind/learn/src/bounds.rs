//! Where the one word in a clip begins and ends, told once from its loudness: the truth that onsets are learned from
//! and measured by. Only for isolated words recorded close by, where nothing else is as loud.

use std::ops::Range;

/// Loudness is taken over 10 ms, every 5 ms.
const HOP: usize = 80;
const WINDOW: usize = 160;
/// A vowel: this close to the loudest, for this many hops.
const VOWEL_DB: f32 = 14.0;
const VOWEL_HOPS: usize = 5;
/// Vowels this close to each other (in hops) are of one word: between two lie an "x" or a closure of 0.3 s at most. What is
/// further off is something else as loud: the click of a button, a burst of noise, a second word.
const VOWEL_GAP_HOPS: usize = 66;
/// What still belongs to the word, before its first vowel and behind its last: louder than this below the loudest (the
/// second and third pair only where the clip is too noisy for the first), and than this above the clip's own noise. Before
/// it the limits are narrower: what is softer there is a breath or a rustle, and no ear would find it in a room.
const FAINT_DB: [(f32, f32); 3] = [(22.0, 28.0), (18.0, 21.0), (15.0, 15.0)];
const NOISE_DB: (f32, f32) = (12.0, 9.0);
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
    let (first, last) = vowels(&loudness, peak)?;
    let limit = |below_peak: f32, above_noise: f32| (peak - below_peak).max(noise + above_noise).min(peak - VOWEL_DB);
    FAINT_DB.into_iter().find_map(|(before, behind)| {
        let before = edge(first, loudness[..first].iter().rev(), limit(before, NOISE_DB.0), |hop, step| hop - step);
        let behind = edge(last, loudness[last + 1..].iter(), limit(behind, NOISE_DB.1), |hop, step| hop + step);
        // A hop's window reaches from 2.5 ms before its middle half to as much behind: count from there.
        let bounds = before * HOP + HOP / 2..((behind + 1) * HOP + HOP / 2).min(pcm.len());
        WORD_SAMPLES.contains(&bounds.len()).then_some(bounds)
    })
}

/// The first and last hop of the word's vowels: of the groups that lie far from each other, the one with the most.
fn vowels(loudness: &[f32], peak: f32) -> Option<(usize, usize)> {
    let mut groups: Vec<(usize, usize, usize)> = Vec::new();
    let mut start = 0;
    for run in loudness.chunk_by(|a, b| (*a > peak - VOWEL_DB) == (*b > peak - VOWEL_DB)) {
        let end = start + run.len();
        if run[0] > peak - VOWEL_DB && run.len() >= VOWEL_HOPS {
            match groups.last_mut() {
                Some((_, last, hops)) if start - *last <= VOWEL_GAP_HOPS => {
                    (*last, *hops) = (end - 1, *hops + run.len())
                }
                _ => groups.push((start, end - 1, run.len())),
            }
        }
        start = end;
    }
    groups.into_iter().max_by_key(|(_, _, hops)| *hops).map(|(first, last, _)| (first, last))
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
    fn a_click_and_a_rustle_before_the_word_are_not_of_it() {
        let mut pcm: Vec<i16> = (0..48_000_i32).map(|index| ((index * 7_919) % 13 - 6) as i16).collect();
        let mut lay = |range: Range<usize>, height: f32| {
            for (index, sample) in pcm[range].iter_mut().enumerate() {
                *sample = ((index as f32 * 0.1).sin() * height) as i16;
            }
        };
        // As loud as the word and shorter, half a second before it; then a breath 26 dB below it, right up to it.
        lay(4_000..5_600, 8_000.0);
        lay(12_000..14_000, 400.0);
        lay(14_000..18_000, 8_000.0);
        // The word goes on behind a closure.
        lay(21_000..24_000, 5_000.0);
        let bounds = word_bounds(&pcm).expect("one word");
        assert!(bounds.start.abs_diff(14_000) <= 2 * HOP, "{bounds:?}");
        assert!(bounds.end.abs_diff(24_000) <= 2 * HOP, "{bounds:?}");
    }

    #[test]
    fn where_no_word_is_none_is_found() {
        assert_eq!(word_bounds(&[]), None);
        assert_eq!(word_bounds(&[0; 16_000]), None);
        assert_eq!(word_bounds(&[500; 100]), None);
    }
}
