//! What the tests say to the cloud.

use base::Redacted;
use speech::{Espeak, EspeakConfig, Synthesizer};

/// Half a second before the wake word.
pub(crate) const PREROLL: usize = 8_000;

/// Faint noise: a room, with nobody in it.
pub(crate) fn room(samples: usize) -> Vec<i16> {
    let mut state = 0x2545_f491_u32;
    let next = || {
        state ^= state << 13;
        state ^= state >> 17;
        state ^= state << 5;
        // Six bits: -32 to 31.
        i16::try_from(state >> 26).expect("six bits") - 32
    };
    std::iter::repeat_with(next).take(samples).collect()
}

/// Synthetic speech at 16 kHz, in a room: half a second before, four seconds after.
pub(crate) fn say(text: &str) -> Vec<i16> {
    let espeak = Espeak::new(EspeakConfig::english());
    let spoken = espeak.speak(&Redacted::new(text.to_owned())).expect("espeak-ng speaks");
    let mut converter = sound::Converter::new(spoken.rate_hz, 1).expect("a rate that can be converted");
    let floats: Vec<f32> = spoken.samples.expose().iter().map(|sample| f32::from(*sample) / 32_768.0).collect();
    let mut speech = Vec::new();
    converter.push(&floats, &mut speech);
    converter.finish(&mut speech);
    in_a_room(&speech)
}

pub(crate) fn in_a_room(speech: &[i16]) -> Vec<i16> {
    let mut pcm = room(PREROLL + speech.len() + 4 * 16_000);
    for (sample, spoken) in pcm[PREROLL..].iter_mut().zip(speech) {
        *sample = sample.saturating_add(*spoken);
    }
    pcm
}
