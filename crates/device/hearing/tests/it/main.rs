//! The real `sotto-ear`, with the test at the other end of each of its pipes.

mod rig;
mod sandbox;
mod streams;
