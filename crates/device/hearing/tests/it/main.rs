//! The real `sotto-ear`, with the test at the other end of each of its pipes.

#![expect(clippy::print_stdout, reason = "a test says what it measured")]

mod rig;
mod sandbox;
mod stages;
mod streams;
