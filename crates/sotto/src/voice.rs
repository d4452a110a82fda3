//! A synthetic voice for those without a microphone or a recording.

use base::Redacted;
use sound::Converter;
use speech::{Espeak, EspeakConfig, Synthesizer};

use crate::failure::Failure;

/// Speaks a text; 16 kHz mono, as a microphone would have it. Nothing touches the disk.
pub(crate) fn say(text: &str) -> Result<Vec<i16>, Failure> {
    let voice = Espeak::new(EspeakConfig::english());
    let spoken = voice.speak(&Redacted::new(text.to_owned())).map_err(|why| Failure::no(why.to_string()))?;
    let mut converter = Converter::new(spoken.rate_hz, 1).map_err(Failure::no)?;
    let mut samples = Vec::new();
    let spoken: Vec<f32> = spoken.samples.expose().iter().map(|sample| f32::from(*sample) / 32_768.0).collect();
    converter.push(&spoken, &mut samples);
    converter.finish(&mut samples);
    Ok(samples)
}
