//! Rooms: made up, or measured and read in.

use std::ops::Range;
use std::sync::Arc;

use realfft::num_complex::Complex;
use realfft::{ComplexToReal, RealFftPlanner, RealToComplex};

use crate::random::Chance;

/// Samples that are transformed at once: sounds of 6 s with a second of room behind them.
const LEN: usize = 131_072;
/// Times in which a made-up room's sound falls by 60 dB.
const DECAY_S: Range<f32> = 0.12..0.7;
/// How far the direct sound lies above the rest, in decibels.
const DIRECT_DB: Range<f32> = -3.0..12.0;
/// The same for a microphone across the room.
const FAR_DECAY_S: Range<f32> = 0.4..0.8;
const FAR_DB: Range<f32> = -6.0..0.0;
/// How often a measured room is taken where there is one.
const MEASURED: f32 = 0.2;

/// Puts sounds into rooms. The direct sound stays where it was.
pub struct Rooms {
    measured: Vec<Vec<f32>>,
    forward: Arc<dyn RealToComplex<f32>>,
    backward: Arc<dyn ComplexToReal<f32>>,
}

impl Rooms {
    /// Made-up rooms and these measured impulse responses.
    #[must_use]
    pub fn new(measured: &[Vec<i16>]) -> Self {
        let mut planner = RealFftPlanner::new();
        Self {
            measured: measured.iter().map(|pcm| from_direct(pcm)).collect(),
            forward: planner.plan_fft_forward(LEN),
            backward: planner.plan_fft_inverse(LEN),
        }
    }

    /// Puts `sound` into a chance room, piece by piece where it is long.
    pub fn apply(&self, sound: &mut [f32], chance: &mut Chance) {
        let room = match chance.pick(&self.measured) {
            Some(room) if chance.happens(MEASURED) => room.clone(),
            _ => made_up(DECAY_S, DIRECT_DB, chance),
        };
        self.apply_room(sound, &room);
    }

    fn apply_room(&self, sound: &mut [f32], room: &[f32]) {
        let spectrum = self.transform(room);
        let piece_len = LEN - room.len();
        let dry = sound.to_vec();
        sound.fill(0.0);
        for (index, piece) in dry.chunks(piece_len).enumerate() {
            let wet = self.convolve(piece, &spectrum);
            let rest = &mut sound[index * piece_len..];
            rest.iter_mut().zip(&wet).for_each(|(sum, value)| *sum += value);
        }
    }

    /// Puts `sound` where a far microphone stands: a measured room where there is one, else a made-up one whose sound is
    /// as loud as what comes straight from the mouth, or up to 6 dB louder.
    pub fn apply_far(&self, sound: &mut [f32], chance: &mut Chance) {
        let measured = chance.pick(&self.measured).cloned();
        let room = measured.filter(|_| chance.happens(0.5)).unwrap_or_else(|| made_up(FAR_DECAY_S, FAR_DB, chance));
        self.apply_room(sound, &room);
    }

    fn transform(&self, sound: &[f32]) -> Vec<Complex<f32>> {
        let mut padded = vec![0.0; LEN];
        padded.iter_mut().zip(sound).for_each(|(slot, value)| *slot = *value);
        let mut spectrum = self.forward.make_output_vec();
        self.forward.process(&mut padded, &mut spectrum).expect("both buffers are of the planned length");
        spectrum
    }

    #[expect(clippy::cast_precision_loss, reason = "a power of two")]
    fn convolve(&self, sound: &[f32], room: &[Complex<f32>]) -> Vec<f32> {
        let mut spectrum = self.transform(sound);
        spectrum.iter_mut().zip(room).for_each(|(value, room)| *value = *value * room / LEN as f32);
        // The first and last bin of a real sound are real; rounding may have left them a trace of imagination.
        let last = spectrum.len() - 1;
        spectrum[0].im = 0.0;
        spectrum[last].im = 0.0;
        let mut output = vec![0.0; LEN];
        self.backward.process(&mut spectrum, &mut output).expect("both buffers are of the planned length");
        output
    }
}

impl std::fmt::Debug for Rooms {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Rooms({} measured)", self.measured.len())
    }
}

/// A measured response from its loudest sample on, scaled to 1 there.
fn from_direct(pcm: &[i16]) -> Vec<f32> {
    let start = (0..pcm.len()).max_by_key(|index| pcm[*index].unsigned_abs()).unwrap_or(0);
    let peak = pcm.get(start).map_or(1.0, |sample| f32::from(*sample));
    let peak = if peak == 0.0 { 1.0 } else { peak };
    pcm[start..].iter().take(LEN / 8).map(|sample| f32::from(*sample) / peak).collect()
}

/// The direct sound, some early reflections, and noise that dies away.
#[expect(clippy::cast_precision_loss, clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "small")]
fn made_up(decay_s: Range<f32>, direct_db: Range<f32>, chance: &mut Chance) -> Vec<f32> {
    let decay_s = chance.between(decay_s.start, decay_s.end);
    let len = (decay_s * 16_000.0) as usize;
    let start = 16 + chance.index(120);
    // 60 dB are a factor of 1,000 in amplitude.
    let fall = -(1_000.0_f32.ln()) / len as f32;
    let mut room: Vec<f32> = (0..len)
        .map(|index| if index < start { 0.0 } else { chance.normal() * (fall * index as f32).exp() })
        .collect();
    for _ in 0..chance.index(8) {
        let at = start + chance.index(400);
        if let Some(value) = room.get_mut(at) {
            *value += chance.between(-4.0, 4.0);
        }
    }
    let energy: f32 = room.iter().map(|value| value * value).sum();
    let wanted = 10.0_f32.powf(-chance.between(direct_db.start, direct_db.end) / 10.0);
    let gain = (wanted / energy.max(1e-9)).sqrt();
    room.iter_mut().for_each(|value| *value *= gain);
    room[0] = 1.0;
    room
}
