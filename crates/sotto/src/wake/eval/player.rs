//! Labelled recordings, played to the whole detector.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use base::SAMPLE_RATE_HZ;
use ear::features::STEP;
use ear::{Heard, Models, Tuning, WakeDetector, Word, WordModel, logit};
use learn::bounds::word_bounds;
use learn::random::Chance;
use learn::scene::room::Rooms;
use learn::scene::{Props, WordClip};
use learn::wake::{Condition, counts_for, heard_in};

use super::count::Count;
use super::{EvalArgs, cost};
use crate::failure::Failure;
use crate::places::Places;
use crate::recordings::Refused;
use crate::wake::material::{Table, decode};
use crate::wake::spotter::spotter;
use crate::wake::{cpu_time, weights};

/// Quiet before and behind a recording without the word, in samples, and its noise.
const AROUND: usize = 16_000;
const QUIET_NOISE: f32 = 8.0;
/// The margin of a clip that nothing came of, and the highest of one that did not wake.
const MISSED: f32 = f32::NEG_INFINITY;
const JUST_MISSED: f32 = -1e-6;
/// A recording without the word is left after so many samples: ten minutes.
const OTHER_SAMPLES_MAX: usize = 600 * 16_000;

/// Prints the figures.
pub(super) fn run(args: &EvalArgs, table: &Path, models: &Models, places: &Places) -> Result<(), Failure> {
    let model = model(args)?;
    let (recordings, kinds) = recordings(args, table)?;
    let verifier = (args.stage == 2).then(|| spotter(places.models(), &model.verify)).transpose()?;
    let verifier = verifier.map(|verifier| Box::new(verifier) as Box<dyn ear::WordVerifier>);
    let tuning = Tuning { threshold: args.threshold, shift: 0.0 };
    let detector = WakeDetector::tuned(models, Arc::clone(&model), tuning, verifier);
    let threshold = if args.stage == 2 { model.verify.accept } else { model.threshold };
    let threshold = logit(args.threshold.unwrap_or(threshold));
    let mut player = Player { threshold, tuning, detector, count: Count { kinds, ..Count::default() } };
    let props = props(args, &recordings)?;
    let mut refused = Refused::default();
    for (path, holds_word) in &recordings {
        let pcm = match decode(path) {
            Ok(pcm) => pcm,
            Err(why) => {
                refused.take(why, recordings.len())?;
                continue;
            }
        };
        let name = path.display().to_string();
        if *holds_word { player.word(name, pcm, &props) } else { player.other(&name, &pcm) }
    }
    let cost = cost::measure(&args.word, args.making.data().as_deref(), places);
    crate::print_line(&if args.json {
        player.count.as_json(&model.name, args.stage, &cost).to_string()
    } else {
        player.count.as_text(&cost)
    })?;
    refused.end(recordings.len())
}

fn model(args: &EvalArgs) -> Result<Arc<WordModel>, Failure> {
    if args.weights.is_some() {
        return weights(Word::Alexa, args.weights.as_deref());
    }
    let word = Word::from_name(&args.word)
        .ok_or_else(|| Failure::usage(format!("{}: no such word ships; give --weights", args.word)))?;
    weights(word, None)
}

/// The table's recordings, and whether each begins with the word; and who speaks in them. What holds the word elsewhere is
/// left out.
fn recordings(args: &EvalArgs, path: &Path) -> Result<(BTreeMap<PathBuf, bool>, BTreeSet<String>), Failure> {
    let table = Table::read(path)?;
    let folder = path.parent().unwrap_or(Path::new("."));
    let mut recordings: BTreeMap<PathBuf, Option<bool>> = BTreeMap::new();
    let mut kinds = BTreeSet::new();
    for row in table.rows() {
        if !args.source.is_empty() && !args.source.iter().any(|source| source == row.get("source")) {
            continue;
        }
        let name = if row.get("path").is_empty() { row.get("file") } else { row.get("path") };
        let label = row.get("label").to_lowercase();
        let holds_word = match (label.starts_with(&args.word), label.contains(&args.word)) {
            (true, _) => Some(true),
            (false, true) => None,
            (false, false) => Some(false),
        };
        kinds.extend(Some(row.get("kind").to_owned()).filter(|kind| !kind.is_empty()));
        let known = recordings.entry(folder.join(name)).or_insert(holds_word);
        *known = if *known == holds_word { holds_word } else { None };
    }
    if recordings.is_empty() {
        return Err(Failure::usage(format!("{}: no recordings in it", path.display())));
    }
    Ok((recordings.into_iter().filter_map(|(path, holds_word)| Some((path, holds_word?))).collect(), kinds))
}

/// Noise as given, and a babble of the table's other recordings.
fn props(args: &EvalArgs, recordings: &BTreeMap<PathBuf, bool>) -> Result<Props, Failure> {
    let noises = args.noise.iter().map(|path| decode(path)).collect::<Result<Vec<_>, _>>()?;
    let others = recordings.iter().filter(|(_, holds_word)| !**holds_word);
    // What cannot be heard is told when its turn comes.
    let speech = others.filter_map(|(path, _)| Some(decode(path).ok()?.into())).take(60).collect();
    Ok(Props { speech, noises, rooms: Rooms::new(&[]) })
}

/// Something that raised the first stage.
struct Candidate {
    woke: bool,
    at: usize,
    margin: f32,
}

struct Player {
    /// The logit of what wakes.
    threshold: f32,
    tuning: Tuning,
    detector: WakeDetector,
    count: Count,
}

impl Player {
    /// The conditions that there is something to make of.
    fn conditions(props: &Props) -> impl Iterator<Item = Condition> + use<> {
        let (has_noise, has_speech) = (!props.noises.is_empty(), !props.speech.is_empty());
        Condition::ALL.into_iter().filter(move |condition| match condition {
            Condition::Clean | Condition::Far => true,
            Condition::Kitchen(_) => has_noise,
            Condition::Babble(_) => has_speech,
        })
    }

    fn word(&mut self, name: String, pcm: Vec<i16>, props: &Props) {
        let bounds = word_bounds(&pcm).unwrap_or(0..pcm.len());
        let clip = WordClip { name, pcm, bounds };
        self.count.clips += 1;
        let mut chance = Chance::new(9_000 + self.count.clips as u64);
        for condition in Self::conditions(props) {
            let pcm = heard_in(&clip, condition, props, &mut chance);
            let counts = counts_for(&clip);
            // A near miss is told when it is over.
            let is_its = |one: &Candidate| if one.woke { counts.contains(&one.at) } else { one.at >= counts.start };
            let margin =
                self.play(&pcm).iter().filter(|one| is_its(one)).map(|one| one.margin).fold(MISSED, f32::max);
            self.count.words.push((condition, margin));
            if margin < 0.0 {
                self.count.missed.push((condition, clip.name.clone()));
            }
        }
    }

    fn other(&mut self, name: &str, pcm: &[i16]) {
        let mut chance = Chance::new(1);
        let mut quiet = || (0..AROUND).map(|_| (chance.normal() * QUIET_NOISE) as i16).collect::<Vec<_>>();
        let pcm = &pcm[..pcm.len().min(OTHER_SAMPLES_MAX)];
        let padded = [quiet(), pcm.to_vec(), quiet()].concat();
        let candidates = self.play(&padded);
        self.count.other_samples += pcm.len();
        self.count.others.extend(candidates.iter().map(|one| one.margin));
        let at = |at: usize| format!("{name} at {:.2} s", (at as f64 - AROUND as f64) / f64::from(SAMPLE_RATE_HZ));
        self.count.false_accepts.extend(candidates.iter().filter(|one| one.woke).map(|one| at(one.at)));
    }

    /// Where a device would wake, and where nearly. What wakes is at least at the threshold, whatever its logit's rounding.
    fn play(&mut self, pcm: &[i16]) -> Vec<Candidate> {
        self.detector.restart(self.tuning);
        let start = cpu_time();
        let mut candidates = Vec::new();
        let threshold = self.threshold;
        for chunk in pcm.chunks(STEP) {
            self.detector.hear(chunk, &mut |heard| {
                let (woke, at, score) = match heard {
                    Heard::Wake(wake) => (true, wake.at, wake.score),
                    Heard::NearMiss(miss) => (false, miss.at, miss.scores.score),
                };
                let margin = logit(score) - threshold;
                let margin = if woke { margin.max(0.0) } else { margin.min(JUST_MISSED) };
                candidates.push(Candidate { woke, at: usize::try_from(at.0).unwrap_or(usize::MAX), margin });
            });
        }
        self.count.cpu_s += (cpu_time() - start).as_secs_f64();
        self.count.samples += pcm.len();
        candidates
    }
}
