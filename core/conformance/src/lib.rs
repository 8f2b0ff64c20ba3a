//! What every kind of resource must do, tried on each of them: in the process, through crashes,
//! and over the wire. The tests of this crate name no kind; they walk the table [`NOUNS`].
//!
//! A kind enters with one line in that table, in `nouns/mod.rs`. `nouns/counter` is a whole small
//! kind, as an example: records, loader, component, verbs, a timer, and a service of the wire.
//!
//! The crate is no part of the product.
// A failure here is a failed test.
#![allow(clippy::unwrap_used)]

mod noun;
pub mod nouns;

pub use noun::{FaultyVerb, Noun, WireNoun, WireRequest};
pub use nouns::NOUNS;

use std::sync::Arc;

use trunkline_engine::{Clock, Engine, Millis, OpenOptions};
use trunkline_host::ComponentKind;

/// The time at which the virtual clocks of the tests start.
pub const START: Millis = 1_700_000_000_000;

/// The kinds that the table brings beside the engine's own.
pub fn kinds() -> Vec<&'static ComponentKind> {
    NOUNS.iter().filter_map(|noun| noun.kind()).collect()
}

/// Opens an engine that has every kind of the table.
pub fn open(options: OpenOptions) -> trunkline_engine::Result<Arc<Engine>> {
    Engine::open_with(options, &kinds())
}

/// The options of an engine in memory on a virtual clock, without threads of its own.
pub fn options() -> OpenOptions {
    let clock = Arc::new(Clock::virtual_at(START));
    OpenOptions { clock, seed: Some(1), background: false, ..OpenOptions::memory() }
}

/// How the resources of all kinds look.
pub fn look(engine: &Engine) -> Vec<String> {
    NOUNS.iter().flat_map(|noun| noun.look(engine)).collect()
}
