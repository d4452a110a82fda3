//! The gate against a room, a panel and a link that do anything in any order.

mod lamp;
mod simulation;
mod streams;
mod witness;
