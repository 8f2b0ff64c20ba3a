//! Durable executions: what they write, and what is left of them when the engine dies.
#![allow(clippy::unwrap_used)]

mod changes;
mod crash;
mod load;
mod replayed;
mod waits;
