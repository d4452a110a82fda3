//! `sotto bench latency`: end of speech → first sample of the reply, in real time, through the whole path.
//!
//! The end of speech is where the splice ends, known to the sample; the moment at which that sample was "spoken" comes
//! from the schedule by which the device's microphone is fed. The first sample of the reply is the device's event
//! `speaking`, when link hands it to the loudspeaker. Both are read off the same monotonic clock.

use std::collections::BTreeMap;

use clap::Args;
use serde::Serialize;

use crate::ask::rig::{Recording, Rig, RigSpec};
use crate::bench::splice;
use crate::cloud::ClockSource;
use crate::device_run::HearingArgs;
use crate::failure::Failure;
use crate::places::Places;

/// Runs at least this often.
const RUNS_MIN: usize = 30;
/// And at most.
const RUNS_MAX: usize = 1_000;

/// Measures how long an answer takes.
#[derive(Args, Debug)]
pub(crate) struct LatencyArgs {
    /// One JSON object.
    #[arg(long)]
    json: bool,
    /// How many requests.
    #[arg(long, default_value_t = 32, value_parser = clap::builder::RangedU64ValueParser::<usize>::new().range(RUNS_MIN as u64..=RUNS_MAX as u64))]
    runs: usize,
}

/// Quantiles of one measure, in milliseconds.
#[derive(Debug, PartialEq, Serialize)]
struct Spread {
    p50: f64,
    p95: f64,
}

/// Runs the benchmark and prints its figures.
pub(crate) fn run(args: &LatencyArgs, places: &Places, clock: ClockSource) -> Result<(), Failure> {
    let requests = splice::requests(&splice::development_data()?, args.runs)?;
    let spec = RigSpec {
        device: "bench".into(),
        name: "Benchmark".into(),
        speaker: "none".into(),
        fast: false,
        hearing: HearingArgs::default(),
    };
    let mut rig = Rig::start(places, clock, spec)?;
    let (mut latency, mut stages, mut unanswered) = (Vec::new(), BTreeMap::<String, Vec<f64>>::new(), Vec::new());
    let total = requests.len();
    for (done, request) in requests.into_iter().enumerate() {
        let recording = Recording { name: request.name.clone(), samples: request.samples };
        let (place, turns) = rig.ask(recording)?;
        let answered = turns.into_iter().find(|turn| turn.speaking_ms.is_some() && turn.intent.is_some());
        match answered.as_ref().and_then(|turn| turn.speaking_ms) {
            Some(speaking_ms) => {
                let end_ms = place.due_ms + base::SampleCount(request.speech_end).seconds() * 1e3;
                latency.push(speaking_ms - end_ms);
            }
            None => unanswered.push(request.name),
        }
        for (stage, ms) in answered.into_iter().flat_map(|turn| turn.timings_ms) {
            stages.entry(stage).or_default().push(ms);
        }
        crate::say(&format!("{}/{total} requests", done + 1));
    }
    rig.stop();
    let (Some(spread), answered) = (Spread::of(&mut latency), latency.len()) else {
        return Err(Failure::no("no request was answered"));
    };
    let stages: BTreeMap<String, Spread> =
        stages.into_iter().filter_map(|(stage, mut ms)| Some((stage, Spread::of(&mut ms)?))).collect();
    print(args.json, total, answered, &spread, &stages, &unanswered)?;
    Ok(())
}

fn print(
    json: bool,
    total: usize,
    answered: usize,
    spread: &Spread,
    stages: &BTreeMap<String, Spread>,
    unanswered: &[String],
) -> Result<(), Failure> {
    if json {
        let line = serde_json::json!({
            "bench": "latency", "runs": total, "answered": answered, "speech": "human",
            "p50_ms": spread.p50, "p95_ms": spread.p95, "stages_ms": stages, "unanswered": unanswered,
        });
        return crate::print_line(&line.to_string());
    }
    crate::print_line("end of speech to first sample of the reply, human recordings in real time")?;
    crate::print_line(&format!(
        "  p50 {:.0} ms   p95 {:.0} ms   {answered} of {total} answered",
        spread.p50, spread.p95
    ))?;
    for (stage, Spread { p50, p95 }) in stages {
        crate::print_line(&format!("  {stage:<14} p50 {p50:>6.1} ms   p95 {p95:>6.1} ms"))?;
    }
    for name in unanswered {
        crate::print_line(&format!("  unanswered: {name}"))?;
    }
    Ok(())
}

impl Spread {
    /// Quantiles by the nearest rank; `None` of nothing.
    fn of(values: &mut [f64]) -> Option<Self> {
        values.sort_by(f64::total_cmp);
        let rank = |share: f64| {
            let at = (share * values.len() as f64).ceil() as usize;
            values.get(at.saturating_sub(1)).map(|value| (value * 10.0).round() / 10.0)
        };
        Some(Self { p50: rank(0.5)?, p95: rank(0.95)? })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_are_by_the_nearest_rank() {
        let mut values: Vec<f64> = (1..=100).rev().map(f64::from).collect();
        assert_eq!(Spread::of(&mut values), Some(Spread { p50: 50.0, p95: 95.0 }));
        assert_eq!(Spread::of(&mut []), None);
    }
}
