//! `sotto bench wake`: our wake word engine and, where they are installed, the free ones in Python, over the same streams
//! in one run. Peers are compared with and never shipped. The weights that ship were trained on these recordings of the
//! word, which their line says, and on much of the speech; what their like misses of recordings they never met is told
//! beside them, from the scores out of fold. What the peers' authors trained on is not known.

mod engines;
mod streams;

use std::path::PathBuf;

use base::SAMPLE_RATE_HZ;
use clap::Args;
use learn::wake::scores::{Scores, Tier, poisson_upper, wilson};
use serde::Serialize;

use self::engines::{Engine, Heard};
use self::streams::{Stream, Streams};
use crate::bench::splice;
use crate::failure::Failure;
use crate::places::Places;
use crate::wake::ear_process;

/// Streams of the word that a `sotto-ear` is played for its memory.
const EAR_STREAMS: usize = 24;

/// Measures the wake word engine, beside its peers.
#[derive(Args, Debug)]
pub(crate) struct WakeArgs {
    /// One JSON object.
    #[arg(long)]
    json: bool,
    /// The word; peers have "alexa" alone
    #[arg(long, default_value = "alexa")]
    word: String,
    /// How many recordings of the word, at most: all of them unless told
    #[arg(long, default_value_t = 1_000, value_parser = clap::builder::RangedU64ValueParser::<usize>::new().range(1..=1_000))]
    clips: usize,
    /// How many minutes of other speech
    #[arg(long, default_value_t = 120, value_parser = clap::builder::RangedU64ValueParser::<usize>::new().range(1..=600))]
    minutes: usize,
    /// The Python that has `pymicro-wakeword` and `pyopen-wakeword`
    #[arg(long, default_value = "python3", value_name = "FILE")]
    python: PathBuf,
}

/// What one engine came to.
#[derive(Debug, Serialize)]
struct Figures {
    engine: &'static str,
    is_peer: bool,
    /// Whether its weights have met these recordings of the word: "yes" or "unknown".
    trained_on_these: &'static str,
    /// Clips that did not wake it, by condition.
    missed: Vec<Missed>,
    /// The same of clips that weights made the same way never met, from the scores out of fold.
    missed_out_of_fold: Option<Vec<Missed>>,
    false_accepts: usize,
    false_accepts_per_hour: f64,
    at_most_per_hour: f64,
    /// Parts of one core while it listens to speech without the word.
    cpu: f64,
    /// The same where each five seconds hold the word.
    cpu_on_words: f64,
    /// The process that plays files to it at its largest, in megabytes of 10^6 bytes.
    memory_mb: f64,
    /// A `sotto-ear` of this tier at its largest.
    ear_memory_mb: Option<f64>,
}

/// How many were missed in one condition, in per cent with the 95 % interval.
#[derive(Debug, PartialEq, Serialize)]
struct Missed {
    condition: &'static str,
    clips: usize,
    missed: usize,
    low: f64,
    high: f64,
}

/// One of ours beside a peer: ours divided by the peer's.
#[derive(Debug, Serialize)]
struct Ratio {
    ours: &'static str,
    peer: &'static str,
    cpu: f64,
    memory: f64,
}

/// Runs the benchmark and prints its figures.
pub(crate) fn run(args: &WakeArgs, places: &Places) -> Result<(), Failure> {
    let data = splice::development_data()?;
    let folder = places.data().join(format!("bench-wake-{}", std::process::id()));
    let streams = Streams::write(folder, &data, &args.word, args.clips, args.minutes)?;
    let out_of_fold = crate::wake::shipped_scores(&args.word).and_then(Scores::from_text);
    let mut all = Vec::new();
    for engine in Engine::ALL {
        crate::say(&format!("{} listens to {:.0} min", engine.name(), streams.seconds() / 60.0));
        let Some(heard) = engine.listen(&args.word, &args.python, places, &streams)? else {
            crate::say(&format!("{}: not installed for {}", engine.name(), args.python.display()));
            continue;
        };
        let mut figures = figures(engine, &streams, &heard);
        if let Some(tier) = engine.tier() {
            figures.missed_out_of_fold = out_of_fold.as_ref().map(|scores| out_of_fold_misses(scores, tier));
            figures.ear_memory_mb = Some(ear_memory_mb(&args.word, tier, places, &streams)?);
        }
        all.push(figures);
    }
    print(args.json, &args.word, &streams, &all)
}

fn figures(engine: Engine, streams: &Streams, heard: &Heard) -> Figures {
    let all = || streams.all.iter().zip(heard.wakes.iter().zip(&heard.cpu_s));
    let of = |condition: Option<&'static str>| all().filter(move |(stream, _)| stream.condition == condition);
    let missed =
        |(stream, (wakes, _)): &(&Stream, (&Vec<f64>, &f64))| !wakes.iter().any(|at| stream.word_s.contains(at));
    let conditions = streams::CONDITIONS.iter().map(|condition| {
        let name = condition.name();
        Missed::new(name, of(Some(name)).filter(missed).count(), of(Some(name)).count())
    });
    let cpu = |is_wanted: &dyn Fn(&Stream) -> bool| {
        let wanted = all().filter(|(stream, _)| is_wanted(stream));
        let (cpu, seconds) =
            wanted.fold((0.0, 0.0), |(cpu, seconds), (stream, (_, own))| (cpu + own, seconds + stream.seconds));
        cpu / f64::max(seconds, 1e-9)
    };
    let false_accepts = of(None).map(|(_, (wakes, _))| wakes.len()).sum();
    let hours = (of(None).map(|(stream, _)| stream.seconds).sum::<f64>() / 3_600.0).max(1e-9);
    Figures {
        engine: engine.name(),
        is_peer: engine.is_peer(),
        trained_on_these: if engine.is_peer() { "unknown" } else { "yes" },
        missed: conditions.collect(),
        missed_out_of_fold: None,
        false_accepts,
        false_accepts_per_hour: false_accepts as f64 / hours,
        at_most_per_hour: poisson_upper(false_accepts) / hours,
        cpu: cpu(&|stream| stream.condition.is_none()),
        cpu_on_words: cpu(&|stream| stream.condition.is_some()),
        memory_mb: heard.memory_bytes as f64 / 1e6,
        ear_memory_mb: None,
    }
}

/// The same three conditions, each fold heard by weights that met nothing of it.
fn out_of_fold_misses(scores: &Scores, tier: Tier) -> Vec<Missed> {
    let missed = |condition| scores.missed(tier, condition, 0.0).count();
    streams::CONDITIONS.map(|condition| Missed::new(condition.name(), missed(condition), scores.clips())).into()
}

/// The device's own process, played some of the streams with the word.
fn ear_memory_mb(word: &str, tier: Tier, places: &Places, streams: &Streams) -> Result<f64, Failure> {
    let paths = streams.paths().take(EAR_STREAMS);
    let pieces = paths.map(crate::wake::decode).collect::<Result<Vec<_>, _>>()?;
    Ok(ear_process::play(word, tier == Tier::Light, places, &pieces)?.peak_bytes as f64 / 1e6)
}

impl Missed {
    fn new(condition: &'static str, missed: usize, clips: usize) -> Self {
        let [low, high] = wilson(missed, clips);
        Self { condition, clips, missed, low, high }
    }
}

fn ratios(all: &[Figures]) -> Vec<Ratio> {
    let (peers, ours): (Vec<&Figures>, Vec<&Figures>) = all.iter().partition(|figures| figures.is_peer);
    let pairs = ours.iter().flat_map(|ours| peers.iter().map(move |peer| (ours, peer)));
    let ratio = |(ours, peer): (&&Figures, &&Figures)| Ratio {
        ours: ours.engine,
        peer: peer.engine,
        cpu: ours.cpu / peer.cpu,
        memory: ours.memory_mb / peer.memory_mb,
    };
    pairs.map(ratio).collect()
}

fn print(json: bool, word: &str, streams: &Streams, all: &[Figures]) -> Result<(), Failure> {
    let ratios = ratios(all);
    if json {
        let object = serde_json::json!({
            "bench": "wake", "word": word, "seconds": streams.seconds(), "sample_rate": SAMPLE_RATE_HZ, "speech": "human",
            "engines": all, "ratios": ratios,
        });
        crate::print_line(&object.to_string())?;
        return Ok(());
    }
    let told = |missed: &[Missed]| {
        let of = |m: &Missed| format!("{} {} of {} ({:.1}–{:.1} %)", m.condition, m.missed, m.clips, m.low, m.high);
        missed.iter().map(of).collect::<Vec<_>>().join(", ")
    };
    for figures in all {
        let trained = if figures.is_peer { "" } else { " (trained on these)" };
        crate::print_line(&format!("{}: missed {}{trained}", figures.engine, told(&figures.missed)))?;
        if let Some(missed) = &figures.missed_out_of_fold {
            crate::print_line(&format!("  out of fold: {}", told(missed)))?;
        }
        crate::print_line(&format!(
            "  {} false accepts ({:.2} an hour, below {:.2}); {:.2} % of a core, {:.2} % where each stream holds the word; {:.0} MB{}",
            figures.false_accepts,
            figures.false_accepts_per_hour,
            figures.at_most_per_hour,
            figures.cpu * 100.0,
            figures.cpu_on_words * 100.0,
            figures.memory_mb,
            figures.ear_memory_mb.map_or(String::new(), |memory| format!(" (sotto-ear: {memory:.0} MB)")),
        ))?;
    }
    for Ratio { ours, peer, cpu, memory } in &ratios {
        crate::print_line(&format!("{ours} / {peer}: CPU {cpu:.2}, memory {memory:.2}"))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn figures(engine: &'static str, is_peer: bool, cpu: f64, memory_mb: f64) -> Figures {
        Figures {
            engine,
            is_peer,
            trained_on_these: "unknown",
            missed: Vec::new(),
            missed_out_of_fold: None,
            false_accepts: 0,
            false_accepts_per_hour: 0.0,
            at_most_per_hour: 0.0,
            cpu,
            cpu_on_words: cpu,
            memory_mb,
            ear_memory_mb: None,
        }
    }

    #[test]
    fn each_of_ours_is_held_against_each_peer() {
        let all = [
            figures("light", false, 0.002, 15.0),
            figures("both", false, 0.003, 60.0),
            figures("a peer", true, 0.1, 30.0),
        ];
        let [light, both] = &ratios(&all)[..] else { panic!("two of ours, one peer") };
        assert_eq!((light.ours, light.peer, both.ours), ("light", "a peer", "both"));
        assert!((light.cpu - 0.02).abs() < 1e-9 && (both.memory - 2.0).abs() < 1e-9);
        assert!(ratios(&all[..2]).is_empty());
    }

    #[test]
    fn the_scores_out_of_fold_stand_beside_what_met_the_clips() {
        let scores = crate::wake::shipped_scores("alexa").and_then(Scores::from_text).expect("whole");
        let missed = out_of_fold_misses(&scores, Tier::Both);
        let names: Vec<_> = missed.iter().map(|missed| missed.condition).collect();
        assert_eq!(names, streams::CONDITIONS.map(learn::wake::Condition::name));
        assert!(missed.iter().all(|missed| missed.clips == scores.clips() && missed.low <= missed.high));
    }
}
