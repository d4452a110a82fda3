//! The command line as people and scripts use it: real processes, real recordings, a data directory of its own each.

#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a test says what it measured, and why it was skipped"
)]

mod asking;
mod bad_input;
mod browser;
mod crowds;
mod deletion;
mod home;
mod instances;
mod memory;
mod onset;
mod output;
mod owner;
mod readers;
mod refusals;
mod service;
mod shapes;
mod standing;
mod strangers;
mod surroundings;
mod training;
mod waking;
