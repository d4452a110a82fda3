//! `sotto bench`: the figures that the documents state, each reproducible by one command.

mod latency;
mod recogniser;
pub(crate) mod splice;
mod wake;

use clap::Subcommand;

use crate::cloud::ClockSource;
use crate::failure::Failure;
use crate::places::Places;

/// What can be measured.
#[derive(Subcommand, Debug)]
pub(crate) enum BenchCommand {
    /// From the end of speech to the first sample of the reply, on human recordings in real time
    Latency(latency::LatencyArgs),
    /// What recognition costs, beside faster-whisper where a Python has it
    Recogniser(recogniser::RecogniserArgs),
    /// The wake word engine beside its peers, over the same human recordings
    Wake(wake::WakeArgs),
}

/// Runs a benchmark.
pub(crate) fn run(command: &BenchCommand, places: &Places, clock: ClockSource) -> Result<(), Failure> {
    match command {
        BenchCommand::Latency(args) => latency::run(args, places, clock),
        BenchCommand::Recogniser(args) => recogniser::run(args, places),
        BenchCommand::Wake(args) => wake::run(args, places),
    }
}
