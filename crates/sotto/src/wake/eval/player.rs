//! Labelled recordings, played to the whole detector.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use base::SAMPLE_RATE_HZ;
use ear::features::STEP;
use ear::{Models, Tuning, WakeDetector, Word, WordModel};
use learn::bounds::word_bounds;
use learn::random::Chance;
use learn::scene::room::Rooms;
use learn::scene::{Props, WordClip};
use learn::wake::scores::{poisson_upper, wilson};
use learn::wake::{Condition, counts_for, heard_in};
use serde_json::{Value, json};

use super::{EvalArgs, cost};
use crate::failure::Failure;
use crate::places::Places;
use crate::wake::material::{Table, decode};
use crate::wake::spotter::spotter;
use crate::wake::{cpu_time, thousandths, weights};

/// Quiet before and behind a recording without the word, in samples, and its noise.
const AROUND: usize = 16_000;
const QUIET_NOISE: f32 = 8.0;
/// A recording without the word is left after so many samples: ten minutes.
const OTHER_SAMPLES_MAX: usize = 600 * 16_000;

/// What is counted.
#[derive(Debug, Default)]
struct Count {
    clips: usize,
    missed: Vec<(Condition, String)>,
    other_samples: usize,
    false_accepts: Vec<String>,
    samples: usize,
    cpu_s: f64,
}

/// Prints the figures.
pub(super) fn run(args: &EvalArgs, table: &Path, models: &Models, places: &Places) -> Result<(), Failure> {
    let model = model(args)?;
    let recordings = recordings(args, table)?;
    let verifier = (args.stage == 2).then(|| spotter(places.models(), &model.verify)).transpose()?;
    let verifier = verifier.map(|verifier| Box::new(verifier) as Box<dyn ear::WordVerifier>);
    let tuning = Tuning { threshold: args.threshold, shift: 0.0 };
    let detector = WakeDetector::tuned(models, Arc::clone(&model), tuning, verifier);
    let mut player = Player { args, model, tuning, detector, count: Count::default() };
    let props = props(args, &recordings)?;
    for (path, holds_word) in &recordings {
        let pcm = decode(path)?;
        let name = path.display().to_string();
        if *holds_word { player.word(name, pcm, &props)? } else { player.other(&name, &pcm)? }
    }
    player.print(&cost::measure(&args.word, args.making.data().as_deref(), places));
    Ok(())
}

fn model(args: &EvalArgs) -> Result<Arc<WordModel>, Failure> {
    if args.weights.is_some() {
        return weights(Word::Alexa, args.weights.as_deref());
    }
    let word = Word::from_name(&args.word)
        .ok_or_else(|| Failure::usage(format!("{}: no such word ships; give --weights", args.word)))?;
    weights(word, None)
}

/// The table's recordings, and whether each begins with the word. What holds the word elsewhere is left out.
fn recordings(args: &EvalArgs, path: &Path) -> Result<BTreeMap<PathBuf, bool>, Failure> {
    let table = Table::read(path)?;
    let folder = path.parent().unwrap_or(Path::new("."));
    let mut recordings: BTreeMap<PathBuf, Option<bool>> = BTreeMap::new();
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
        let known = recordings.entry(folder.join(name)).or_insert(holds_word);
        *known = if *known == holds_word { holds_word } else { None };
    }
    if recordings.is_empty() {
        return Err(Failure::usage(format!("{}: no recordings in it", path.display())));
    }
    Ok(recordings.into_iter().filter_map(|(path, holds_word)| Some((path, holds_word?))).collect())
}

/// Noise as given, and a babble of the table's other recordings.
fn props(args: &EvalArgs, recordings: &BTreeMap<PathBuf, bool>) -> Result<Props, Failure> {
    let noises = args.noise.iter().map(|path| decode(path)).collect::<Result<Vec<_>, _>>()?;
    let others = recordings.iter().filter(|(_, holds_word)| !**holds_word).take(60);
    let speech = others.map(|(path, _)| Ok(decode(path)?.into())).collect::<Result<Vec<_>, Failure>>()?;
    Ok(Props { speech, noises, rooms: Rooms::new(&[]) })
}

struct Player<'p> {
    args: &'p EvalArgs,
    model: Arc<WordModel>,
    tuning: Tuning,
    detector: WakeDetector,
    count: Count,
}

impl Player<'_> {
    /// The conditions that there is something to make of.
    fn conditions(&self, props: &Props) -> impl Iterator<Item = Condition> + use<> {
        let (has_noise, has_speech) = (!props.noises.is_empty(), !props.speech.is_empty());
        Condition::ALL.into_iter().filter(move |condition| match condition {
            Condition::Clean | Condition::Far => true,
            Condition::Kitchen(_) => has_noise,
            Condition::Babble(_) => has_speech,
        })
    }

    fn word(&mut self, name: String, pcm: Vec<i16>, props: &Props) -> Result<(), Failure> {
        let bounds = word_bounds(&pcm).unwrap_or(0..pcm.len());
        let clip = WordClip { name, pcm, bounds };
        self.count.clips += 1;
        let mut chance = Chance::new(9_000 + self.count.clips as u64);
        for condition in self.conditions(props) {
            let pcm = heard_in(&clip, condition, props, &mut chance);
            let counts = counts_for(&clip);
            let wakes = self.play(&pcm);
            if !wakes.iter().any(|at| counts.contains(at)) {
                self.count.missed.push((condition, clip.name.clone()));
            }
        }
        Ok(())
    }

    fn other(&mut self, name: &str, pcm: &[i16]) -> Result<(), Failure> {
        let mut chance = Chance::new(1);
        let mut quiet = || (0..AROUND).map(|_| (chance.normal() * QUIET_NOISE) as i16).collect::<Vec<_>>();
        let pcm = &pcm[..pcm.len().min(OTHER_SAMPLES_MAX)];
        let padded = [quiet(), pcm.to_vec(), quiet()].concat();
        let wakes = self.play(&padded);
        self.count.other_samples += pcm.len();
        let at = |at: usize| format!("{name} at {:.2} s", (at as f64 - AROUND as f64) / f64::from(SAMPLE_RATE_HZ));
        self.count.false_accepts.extend(wakes.into_iter().map(at));
        Ok(())
    }

    /// Where a device would wake.
    fn play(&mut self, pcm: &[i16]) -> Vec<usize> {
        self.detector.restart(self.tuning);
        let start = cpu_time();
        let wakes = pcm.chunks(STEP).filter_map(|chunk| self.detector.push(chunk));
        let wakes = wakes.map(|wake| usize::try_from(wake.at.0).unwrap_or(usize::MAX)).collect();
        self.count.cpu_s += (cpu_time() - start).as_secs_f64();
        self.count.samples += pcm.len();
        wakes
    }

    fn print(&self, cost: &Result<cost::Cost, Failure>) {
        let Count { clips, missed, false_accepts, .. } = &self.count;
        let rate = f64::from(SAMPLE_RATE_HZ);
        let hours = self.count.other_samples as f64 / rate / 3_600.0;
        let bound = if hours > 0.0 { poisson_upper(false_accepts.len()) / hours } else { f64::INFINITY };
        let per_hour = if hours > 0.0 { false_accepts.len() as f64 / hours } else { 0.0 };
        let cpu_part = self.count.cpu_s / (self.count.samples as f64 / rate).max(1e-9);
        let missed_in = |condition| missed.iter().filter(|(own, _)| *own == condition).count();
        if self.args.json {
            let by: BTreeMap<&str, usize> = Condition::ALL.map(|one| (one.name(), missed_in(one))).into();
            crate::print_line(
                &json!({
                    "word": self.model.name, "stage": self.args.stage, "clips": clips, "missed": by,
                    "hours": thousandths(hours), "false_accepts": false_accepts,
                    "false_accepts_per_hour": thousandths(per_hour), "at_most_per_hour": thousandths(bound),
                    "cpu_per_stream": thousandths(cpu_part), "cost": cost.as_ref().map_or(Value::Null, cost::Cost::as_json),
                })
                .to_string(),
            );
            return;
        }
        missed
            .iter()
            .for_each(|(condition, name)| crate::print_line(&format!("missed, {}: {name}", condition.name())));
        false_accepts.iter().for_each(|name| crate::print_line(&format!("false accept: {name}")));
        for condition in Condition::ALL {
            let [low, high] = wilson(missed_in(condition), *clips);
            let count = missed_in(condition);
            crate::print_line(&format!("{}: {count} of {clips} missed ({low:.1}–{high:.1} %)", condition.name()));
        }
        let count = false_accepts.len();
        crate::print_line(&format!("{count} false accepts in {hours:.2} h: {per_hour:.2} an hour, below {bound:.2}"));
        crate::print_line(&format!("{:.2} % of a core per stream\n", 100.0 * cpu_part));
        crate::print_line(&cost::told(cost));
    }
}
