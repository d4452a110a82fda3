//! Both sides' sessions against each other, in one process, on a clock that the test moves.

mod edges;
mod order;
mod pairing;
mod silence;
mod simulation;
mod support;
