//! Training and measuring: what makes the weights that `ear` ships, through `ear`'s own front end.
//!
//! Architecture Invariant: knows no storage. Recordings come in as samples and names, weights and figures go out; the
//! command line reads and writes the files. The same recordings and seed give the same weights.

pub mod bounds;
pub mod grad;
pub mod random;
pub mod scene;
pub mod voices;
pub mod wake;
