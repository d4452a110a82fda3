//! Requests made of human recordings: one person's "Alexa", another's "what time is it", with known places.

use std::path::{Path, PathBuf};

use base::SampleCount;

use crate::failure::Failure;

/// Silence between the wake word and the request.
const GAP: SampleCount = SampleCount::from_ms(150);
/// Frames of this length are speech or not.
const FRAME: usize = 160;
/// Speech is what is at most this much fainter than the loudest frame …
const FLOOR_DB: f64 = 35.0;
/// … and this much louder than the recording's own noise, which is what a fifth of its frames stay below.
const ABOVE_NOISE_DB: f64 = 8.0;
const NOISE_SHARE: usize = 5;

/// A request and where its speech ends.
#[derive(Clone, Debug)]
pub(crate) struct Splice {
    /// The recordings it was made of.
    pub(crate) name: String,
    /// 16 kHz mono.
    pub(crate) samples: Vec<i16>,
    /// The first sample after the last speech.
    pub(crate) speech_end: u64,
}

/// One line of the recordings' manifest.
#[derive(Clone, Debug)]
pub(crate) struct Clip {
    path: PathBuf,
    source: String,
    label: String,
}

impl Clip {
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    pub(crate) fn source(&self) -> &str {
        &self.source
    }
}

/// The development recordings: `SOTTO_DEV_DATA`, or `../shared/data` where the command is run.
pub(crate) fn development_data() -> Result<PathBuf, Failure> {
    let dir = std::env::var_os("SOTTO_DEV_DATA").map_or_else(|| PathBuf::from("../shared/data"), PathBuf::from);
    if dir.join("speech/manifest.tsv").is_file() {
        Ok(dir)
    } else {
        Err(Failure::usage(format!("{}: no recordings here (set SOTTO_DEV_DATA to their folder)", dir.display())))
    }
}

/// Reads the manifest.
pub(crate) fn clips(data: &Path) -> Result<Vec<Clip>, Failure> {
    let manifest = data.join("speech/manifest.tsv");
    let text =
        std::fs::read_to_string(&manifest).map_err(|why| Failure::usage(format!("{}: {why}", manifest.display())))?;
    let clip = |line: &str| {
        let mut fields = line.split('\t');
        let (path, source, _licence, label) = (fields.next()?, fields.next()?, fields.next()?, fields.next()?);
        Some(Clip { path: data.join("speech").join(path), source: source.into(), label: label.into() })
    };
    Ok(text.lines().skip(1).filter_map(clip).collect())
}

/// `count` requests, each of a different human "Alexa" before one of the human requests for the time or the date.
pub(crate) fn requests(data: &Path, count: usize) -> Result<Vec<Splice>, Failure> {
    let clips = clips(data)?;
    let words: Vec<&Clip> = clips
        .iter()
        .filter(|clip| clip.source == "picovoice-wwb" && clip.label.eq_ignore_ascii_case("alexa"))
        .collect();
    let is_request = |clip: &&Clip| {
        let label = clip.label.to_lowercase();
        clip.source == "speech-to-phrase" && (label.contains("time is it") || label.contains("the date"))
    };
    let requests: Vec<&Clip> = clips.iter().filter(is_request).collect();
    if words.is_empty() || requests.is_empty() {
        return Err(Failure::usage("the recordings hold no \"alexa\" or no request for the time or the date"));
    }
    // Spread over all voices: neighbouring numbers are often one person.
    let step = (words.len() / count.max(1)).max(1);
    (0..count).map(|at| splice(words[at * step % words.len()], requests[at % requests.len()])).collect()
}

fn splice(word: &Clip, request: &Clip) -> Result<Splice, Failure> {
    let mut samples = speech(word)?;
    samples.resize(samples.len() + GAP.0 as usize, 0);
    samples.extend(speech(request)?);
    let name = format!("{} + {}", file_name(&word.path), file_name(&request.path));
    Ok(Splice { name, speech_end: samples.len() as u64, samples })
}

fn speech(clip: &Clip) -> Result<Vec<i16>, Failure> {
    let samples = sound::decode_file(&clip.path).map_err(|why| Failure::usage(why.to_string()))?;
    Ok(trim(&samples).to_vec())
}

/// Cuts off what is not speech at both ends.
pub(crate) fn trim(samples: &[i16]) -> &[i16] {
    let energy = |frame: &[i16]| frame.iter().map(|sample| f64::from(*sample).powi(2)).sum::<f64>();
    let frames: Vec<f64> = samples.chunks(FRAME).map(energy).collect();
    let loudest = frames.iter().copied().fold(0.0, f64::max);
    let mut sorted = frames.clone();
    sorted.sort_by(f64::total_cmp);
    let noise = sorted.get(sorted.len() / NOISE_SHARE).copied().unwrap_or(0.0);
    let above_noise = (noise * 10_f64.powf(ABOVE_NOISE_DB / 10.0)).min(loudest / 2.0);
    let floor = above_noise.max(loudest / 10_f64.powf(FLOOR_DB / 10.0));
    let first = frames.iter().position(|energy| *energy > floor).unwrap_or(0);
    let last = frames.iter().rposition(|energy| *energy > floor).unwrap_or(0);
    &samples[first * FRAME..((last + 1) * FRAME).min(samples.len())]
}

fn file_name(path: &Path) -> String {
    path.file_stem().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn trimming_leaves_the_speech() {
        // In a quiet room, and in one whose noise is only 22 dB below.
        for noise in [3_i16, 700] {
            let mut samples = vec![noise; 1_600];
            samples.extend((0..3_200).map(|at| if at % 2 == 0 { 9_000 } else { -9_000 }));
            samples.extend(vec![-noise; 800]);
            assert_eq!(trim(&samples).len(), 3_200);
        }
        assert_eq!(trim(&[]), &[] as &[i16]);
    }
}
