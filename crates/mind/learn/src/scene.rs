//! Scenes: a word laid into a room, with other sounds before, behind and under it, and known to the sample.

use std::ops::Range;
use std::sync::Arc;

use crate::random::Chance;
use crate::scene::room::Rooms;

pub mod room;

/// What lies before the word at most and at least, and behind it, in samples.
const BEFORE: Range<f32> = 26_000.0..36_000.0;
const BEHIND: usize = 21_000;
/// A fade at every cut, so that none clicks: 4 ms.
const FADE: usize = 64;
/// What is kept of a clip before its word's onset, faded in.
const LEAD: usize = 160;
/// The word's loudness in a scene, root mean square in units of 16-bit PCM.
const LOUDNESS: Range<f32> = 60.0..7_000.0;

/// How often scenes have what under them, in parts of all; the rest has coloured noise.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Surroundings {
    /// Nothing but what no room is without.
    pub nothing: f32,
    /// Recorded noise.
    pub recorded: f32,
    /// Other voices, three to eight.
    pub babble: f32,
}

impl Surroundings {
    /// Where one voice speaks at a time, mostly.
    pub const HOME: Self = Self { nothing: 0.15, recorded: 0.45, babble: 0.2 };
    /// Where many do.
    pub const CROWD: Self = Self { nothing: 0.12, recorded: 0.38, babble: 0.35 };
}

/// A clip of one word.
#[derive(Clone, Debug)]
pub struct WordClip {
    /// What it is called in reports.
    pub name: String,
    /// 16 kHz mono.
    pub pcm: Vec<i16>,
    /// Where in it the word lies.
    pub bounds: Range<usize>,
}

/// What scenes are furnished with.
#[derive(Debug)]
pub struct Props {
    /// Long speech without the word.
    pub speech: Vec<Arc<[i16]>>,
    /// Noise of any kind.
    pub noises: Vec<Vec<i16>>,
    /// Rooms to hear it in.
    pub rooms: Rooms,
}

/// A word in a scene.
#[derive(Clone, Debug)]
pub struct Scene {
    /// 16 kHz mono.
    pub pcm: Vec<i16>,
    /// Where in it the word lies.
    pub word: Range<usize>,
    /// Whether it was cut off in the middle, so that nothing in the scene may wake.
    pub is_broken: bool,
}

impl Props {
    /// A scene around `clip`, furnished by chance. `broken` is how often the word is cut off halfway.
    pub fn scene(&self, clip: &WordClip, broken: f32, surroundings: Surroundings, chance: &mut Chance) -> Scene {
        let is_broken = chance.happens(broken);
        let (mut spoken, lead) = cut_word(clip, is_broken, chance);
        fade(&mut spoken, FADE);
        let loudness = rms(&spoken[lead..]).max(1.0);
        let onset = chance.between(BEFORE.start, BEFORE.end) as usize;
        let end = onset + spoken.len() - lead;
        let mut sound = vec![0.0; end + BEHIND];
        if chance.happens(0.55) {
            let gap = if chance.happens(0.6) { chance.between(0.0, 1_200.0) } else { chance.between(0.0, 16_000.0) };
            self.lay_before(&mut sound, onset.saturating_sub(gap as usize), loudness, chance);
        }
        if chance.happens(0.65) {
            // Mostly the command follows without a breath.
            let gap = if chance.happens(0.6) { chance.between(0.0, 700.0) } else { chance.between(0.0, 8_000.0) };
            self.lay_behind(&mut sound, end + gap as usize, loudness, chance);
        }
        add(&mut sound, &spoken, onset - lead, 1.0);
        if chance.happens(0.25) {
            tilt(&mut sound, chance);
        }
        if chance.happens(0.6) {
            self.rooms.apply(&mut sound, chance);
        }
        let loudness = rms(&sound[onset..end]).max(1.0);
        self.add_noise(&mut sound, loudness, surroundings, chance);
        let wanted = LOUDNESS.start * (LOUDNESS.end / LOUDNESS.start).powf(chance.unit());
        Scene { pcm: to_pcm(&sound, wanted / loudness), word: onset..end, is_broken }
    }

    /// The same sound as somewhere else: other speed, room, noise and loudness. For recordings without the word.
    pub fn elsewhere(&self, pcm: &[i16], surroundings: Surroundings, chance: &mut Chance) -> Vec<i16> {
        let mut sound = resample(pcm, chance.between(0.8, 1.25));
        if chance.happens(0.25) {
            tilt(&mut sound, chance);
        }
        if chance.happens(0.6) {
            self.rooms.apply(&mut sound, chance);
        }
        let loudness = rms(&sound).max(1.0);
        self.add_noise(&mut sound, loudness, surroundings, chance);
        let wanted = LOUDNESS.start * (LOUDNESS.end / LOUDNESS.start).powf(chance.unit());
        to_pcm(&sound, wanted / loudness)
    }

    /// Noise at a chance level under a sound of that loudness; always some, since no room is silent.
    fn add_noise(&self, sound: &mut [f32], loudness: f32, surroundings: Surroundings, chance: &mut Chance) {
        let Surroundings { nothing, recorded, babble: voices } = surroundings;
        let faint = loudness * 10.0_f32.powf(-chance.between(35.0, 60.0) / 20.0);
        sound.iter_mut().for_each(|value| *value += faint * chance.normal());
        let kind = chance.unit();
        let noise = if kind < nothing {
            return;
        } else if kind < nothing + recorded {
            self.recorded_noise(sound.len(), chance)
        } else if kind < nothing + recorded + voices {
            babble(&self.speech, sound.len(), 3 + chance.index(6), chance)
        } else {
            coloured_noise(sound.len(), chance)
        };
        add_at_ratio(sound, &noise, loudness, chance.between(-2.0, 28.0));
    }

    /// Recorded noise from a chance place on, over and over.
    pub(crate) fn recorded_noise(&self, len: usize, chance: &mut Chance) -> Vec<f32> {
        let Some(noise) = chance.pick(&self.noises) else { return vec![0.0; len] };
        let start = chance.index(noise.len());
        noise.iter().cycle().skip(start).take(len).map(|sample| f32::from(*sample)).collect()
    }

    /// Speech that ends, in the middle of its loudness, at `end`.
    pub(crate) fn lay_before(&self, sound: &mut [f32], end: usize, loudness: f32, chance: &mut Chance) {
        let Some(recording) = chance.pick(&self.speech) else { return };
        let end = end.min(sound.len());
        for _ in 0..12 {
            let start = chance.index(recording.len().saturating_sub(end));
            let Some(piece) = recording.get(start..start + end) else { return };
            let mut piece: Vec<f32> = piece.iter().map(|sample| f32::from(*sample)).collect();
            let whole = rms(&piece);
            if whole > 30.0 && rms(&piece[end.saturating_sub(1_200)..]) > 0.5 * whole {
                fade(&mut piece, FADE);
                add(sound, &piece, 0, neighbour_gain(loudness, whole, chance));
                return;
            }
        }
    }

    /// Speech that begins, with a sound, at `start`.
    fn lay_behind(&self, sound: &mut [f32], start: usize, loudness: f32, chance: &mut Chance) {
        let Some(recording) = chance.pick(&self.speech) else { return };
        let len = sound.len().saturating_sub(start);
        for _ in 0..12 {
            let from = chance.index(recording.len().saturating_sub(len));
            let Some(piece) = recording.get(from..from + len) else { return };
            let mut piece: Vec<f32> = piece.iter().map(|sample| f32::from(*sample)).collect();
            let whole = rms(&piece);
            if whole > 30.0 && rms(&piece[..len.min(1_200)]) > 0.5 * whole {
                fade(&mut piece, FADE);
                add(sound, &piece, start, neighbour_gain(loudness, whole, chance));
                return;
            }
        }
    }
}

/// Many voices at once, of one loudness each.
#[must_use]
pub fn babble<S: AsRef<[i16]>>(speech: &[S], len: usize, voices: usize, chance: &mut Chance) -> Vec<f32> {
    let mut sum = vec![0.0; len];
    for _ in 0..voices {
        let Some(recording) = chance.pick(speech).map(AsRef::as_ref) else { return sum };
        let start = chance.index(recording.len().saturating_sub(len));
        let piece: Vec<f32> = recording.iter().skip(start).take(len).map(|sample| f32::from(*sample)).collect();
        add(&mut sum, &piece, 0, 1_000.0 / rms(&piece).max(30.0));
    }
    sum
}

/// Adds `noise` so that it lies `ratio_db` below `loudness`.
pub fn add_at_ratio(sound: &mut [f32], noise: &[f32], loudness: f32, ratio_db: f32) {
    let level = rms(noise);
    if level > 0.0 {
        add(sound, noise, 0, loudness * 10.0_f32.powf(-ratio_db / 20.0) / level);
    }
}

/// The root mean square; 0 for nothing.
#[must_use]
#[expect(clippy::cast_precision_loss, reason = "a few hundred thousand samples")]
pub fn rms(sound: &[f32]) -> f32 {
    (sound.iter().map(|value| value * value).sum::<f32>() / sound.len().max(1) as f32).sqrt()
}

/// 16-bit PCM, clipped.
#[must_use]
#[expect(clippy::cast_possible_truncation, reason = "a cast from float to integer stays within the integer's range")]
pub fn to_pcm(sound: &[f32], gain: f32) -> Vec<i16> {
    sound.iter().map(|value| (value * gain).round() as i16).collect()
}

/// The word with a little of what lies before it, at a chance speed; and how much that little is.
fn cut_word(clip: &WordClip, is_broken: bool, chance: &mut Chance) -> (Vec<f32>, usize) {
    let rate = chance.between(0.88, 1.14);
    let lead = LEAD.min(clip.bounds.start);
    let part = if is_broken { chance.between(0.3, 0.5) } else { 1.0 };
    let end = clip.bounds.start + (clip.bounds.len() as f32 * part) as usize;
    let piece = clip.pcm.get(clip.bounds.start - lead..end).unwrap_or_default();
    (resample(piece, rate), (lead as f32 / rate) as usize)
}

/// Plays at `rate` times the speed, between samples along a straight line.
fn resample(pcm: &[i16], rate: f32) -> Vec<f32> {
    let len = (pcm.len().saturating_sub(1) as f32 / rate) as usize;
    let at = |index: usize| f32::from(pcm.get(index).copied().unwrap_or(0));
    (0..len)
        .map(|index| {
            let place = index as f64 * f64::from(rate);
            let (whole, part) = (place as usize, place.fract() as f32);
            at(whole) * (1.0 - part) + at(whole + 1) * part
        })
        .collect()
}

fn neighbour_gain(loudness: f32, own: f32, chance: &mut Chance) -> f32 {
    loudness / own * 10.0_f32.powf(chance.between(-9.0, 5.0) / 20.0)
}

fn add(sound: &mut [f32], other: &[f32], start: usize, gain: f32) {
    sound.iter_mut().skip(start).zip(other).for_each(|(sum, value)| *sum += gain * value);
}

fn fade(sound: &mut [f32], len: usize) {
    let len = len.min(sound.len() / 2);
    for index in 0..len {
        let gain = (index as f32 + 0.5) / len as f32;
        sound[index] *= gain;
        let back = sound.len() - 1 - index;
        sound[back] *= gain;
    }
}

/// A cheap microphone's colour: highs raised or lowered by up to a few decibels.
fn tilt(sound: &mut [f32], chance: &mut Chance) {
    let amount = chance.between(-0.6, 0.6);
    let mut last = 0.0;
    for value in sound {
        let now = *value;
        *value += amount * last;
        last = now;
    }
}

/// White noise through a chance low-pass: from a hiss to a rumble.
fn coloured_noise(len: usize, chance: &mut Chance) -> Vec<f32> {
    let smooth = chance.between(0.0, 0.98);
    let mut state = 0.0;
    (0..len)
        .map(|_| {
            state = smooth * state + chance.normal();
            state
        })
        .collect()
}
