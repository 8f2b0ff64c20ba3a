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

/// The state of an engine on disk as a checkpoint holds it, to be compared with another one's.
/// What may differ between an opening from a checkpoint and one without is left out: how far
/// messages and payloads are counted, deduplication ids whose window has passed, and facts that
/// compaction drops with their segments.
pub fn state(engine: &Engine) -> Vec<Vec<u8>> {
    const RECORD: u8 = 1;
    // Of a part before its record.
    const HEAD_BYTES: usize = 13;
    const NOWHERE: [u8; 8] = [0; 8];
    // Kinds of records.
    const DEFINED: u8 = 2;
    const REMEMBERED: u8 = 9;
    let now = engine.clock().now();
    let window = engine.limits().dedup_window;
    let mut parts = Vec::new();
    let add = &mut |part: &[u8]| {
        match (part[0], part.get(HEAD_BYTES)) {
            (RECORD, _) if part[1..9] == NOWHERE => {}
            (RECORD, Some(&DEFINED)) => parts.push(part[..=HEAD_BYTES].to_vec()),
            (RECORD, Some(&REMEMBERED)) => {
                let at = u64::from_le_bytes(*part.last_chunk().unwrap());
                if at + window > now {
                    parts.push(part.to_vec());
                }
            }
            _ => parts.push(part.to_vec()),
        }
        Ok(())
    };
    assert!(engine.host().export_checkpoint(add).unwrap(), "a kind has no checkpoint");
    parts.sort_unstable();
    parts
}

/// How the resources of all kinds look.
pub fn look(engine: &Engine) -> Vec<String> {
    NOUNS.iter().flat_map(|noun| noun.look(engine)).collect()
}
