//! `sotto bench wake`: our wake word engine and, where they are installed, the free ones in Python, over the same streams
//! in one run. Peers are compared with and never shipped. The weights that ship were trained on these recordings of the
//! word, which their line says; what they miss of recordings they never met is `sotto wake eval`'s to tell.

mod engines;
mod streams;

use std::path::PathBuf;

use clap::Args;
use serde::Serialize;

use self::engines::{Engine, Heard};
use self::streams::{Stream, Streams};
use crate::bench::splice;
use crate::failure::Failure;
use crate::places::Places;

/// Measures the wake word engine, beside its peers.
#[derive(Args, Debug)]
pub(crate) struct WakeArgs {
    /// One JSON object.
    #[arg(long)]
    json: bool,
    /// The word; peers have "alexa" alone
    #[arg(long, default_value = "alexa")]
    word: String,
    /// How many recordings of the word
    #[arg(long, default_value_t = 60, value_parser = clap::builder::RangedU64ValueParser::<usize>::new().range(1..=1_000))]
    clips: usize,
    /// How many minutes of other speech
    #[arg(long, default_value_t = 20, value_parser = clap::builder::RangedU64ValueParser::<usize>::new().range(1..=600))]
    minutes: usize,
    /// The Python that has `pymicro-wakeword` and `pyopen-wakeword`
    #[arg(long, default_value = "python3", value_name = "FILE")]
    python: PathBuf,
}

/// What one engine came to.
#[derive(Debug, PartialEq, Serialize)]
struct Figures {
    engine: &'static str,
    /// Whether its weights have met these recordings of the word.
    trained_on_these: bool,
    /// Parts of the clips that did not wake it, by condition.
    missed: Vec<Missed>,
    false_accepts: usize,
    false_accepts_per_hour: f64,
    /// Parts of one core while it listens.
    cpu: f64,
    /// The process at its largest, in megabytes of 10^6 bytes.
    memory_mb: f64,
    /// Ours divided by this engine's.
    cpu_ratio: f64,
    memory_ratio: f64,
}

/// How many were missed in one condition.
#[derive(Debug, PartialEq, Serialize)]
struct Missed {
    condition: &'static str,
    clips: usize,
    missed: usize,
}

/// Runs the benchmark and prints its figures.
pub(crate) fn run(args: &WakeArgs, places: &Places) -> Result<(), Failure> {
    let data = splice::development_data()?;
    let folder = places.data().join(format!("bench-wake-{}", std::process::id()));
    let streams = Streams::write(folder, &data, &args.word, args.clips, args.minutes)?;
    let mut all = Vec::new();
    for engine in Engine::ALL {
        crate::say(&format!("{} listens to {:.0} min", engine.name(), streams.seconds() / 60.0));
        match engine.listen(&args.word, &args.python, places, &streams)? {
            Some(heard) => all.push(figures(engine, &streams, &heard)),
            None => crate::say(&format!("{}: not installed for {}", engine.name(), args.python.display())),
        }
    }
    if let Some((cpu, memory)) = all.first().map(|ours| (ours.cpu, ours.memory_mb)) {
        for figures in &mut all {
            figures.cpu_ratio = cpu / figures.cpu;
            figures.memory_ratio = memory / figures.memory_mb;
        }
    }
    print(args.json, &args.word, &streams, &all)
}

fn figures(engine: Engine, streams: &Streams, heard: &Heard) -> Figures {
    let of = |condition: Option<&'static str>| {
        streams.all.iter().zip(&heard.wakes).filter(move |(s, _)| s.condition == condition)
    };
    let missed = |(stream, wakes): &(&Stream, &Vec<f64>)| !wakes.iter().any(|at| stream.word_s.contains(at));
    let conditions = streams::CONDITIONS.iter().map(|condition| Missed {
        condition: condition.name(),
        clips: of(Some(condition.name())).count(),
        missed: of(Some(condition.name())).filter(missed).count(),
    });
    let false_accepts = of(None).map(|(_, wakes)| wakes.len()).sum();
    let hours = of(None).map(|(stream, _)| stream.seconds).sum::<f64>() / 3_600.0;
    Figures {
        engine: engine.name(),
        trained_on_these: !engine.is_peer(),
        missed: conditions.collect(),
        false_accepts,
        false_accepts_per_hour: false_accepts as f64 / hours.max(1e-9),
        cpu: heard.cpu_s / streams.seconds(),
        memory_mb: heard.memory_bytes as f64 / 1e6,
        cpu_ratio: 1.0,
        memory_ratio: 1.0,
    }
}

fn print(json: bool, word: &str, streams: &Streams, all: &[Figures]) -> Result<(), Failure> {
    if json {
        let object =
            serde_json::json!({ "word": word, "seconds": streams.seconds(), "speech": "human", "engines": all });
        crate::print_line(&object.to_string());
        return Ok(());
    }
    for figures in all {
        let missed: Vec<_> =
            figures.missed.iter().map(|m| format!("{} {} of {}", m.condition, m.missed, m.clips)).collect();
        crate::print_line(&format!(
            "{}: missed {}{}; {} false accepts ({:.2} an hour); {:.2} % of a core (ratio {:.2}); {:.0} MB (ratio {:.2})",
            figures.engine,
            missed.join(", "),
            if figures.trained_on_these { " (trained on these)" } else { "" },
            figures.false_accepts,
            figures.false_accepts_per_hour,
            figures.cpu * 100.0,
            figures.cpu_ratio,
            figures.memory_mb,
            figures.memory_ratio,
        ));
    }
    Ok(())
}
