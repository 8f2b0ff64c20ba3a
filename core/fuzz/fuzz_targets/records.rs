//! A sound journal full of arbitrary records opens, or is refused as corrupt; never a panic. What
//! opened once opens again, and shows the same.
#![no_main]

use std::sync::Arc;

use libfuzzer_sys::fuzz_target;
use trunkline_engine::{Clock, Code, Durability, Engine, OpenOptions, Storage};
use trunkline_journal::{Journal, MemoryStorage, Options};

const NOW: u64 = 1_000_000;
const SEGMENT_BYTES: u32 = 64 << 10;

fuzz_target!(|data: &[u8]| {
    let storage: Arc<dyn Storage> = Arc::new(MemoryStorage::new());
    write(Arc::clone(&storage), data);
    let Some(first) = counts(Arc::clone(&storage)) else { return };
    assert_eq!(Some(first), counts(storage), "a second opening shows the same");
});

/// Writes the input as records: each starts with its length in one byte.
fn write(storage: Arc<dyn Storage>, mut data: &[u8]) {
    let options = Options {
        segment_bytes: SEGMENT_BYTES,
        segment_bytes_first: SEGMENT_BYTES,
        background: false,
        ..Options::default()
    };
    let journal = Journal::open(storage, options, &mut |_, _| Ok(())).expect("an empty storage");
    while let Some((length, rest)) = data.split_first() {
        let (record, rest) = rest.split_at(usize::from(*length).min(rest.len()));
        journal.lock().expect("an open journal").append(&[record]);
        journal.wait_for_capacity().expect("a storage in memory");
        data = rest;
    }
    journal.close().expect("a storage in memory");
}

/// Visible, in flight and delayed of every queue by name; `None` when the engine refuses to open.
fn counts(storage: Arc<dyn Storage>) -> Option<Vec<(String, u64, u64, u64)>> {
    let options = OpenOptions {
        storage: Some(storage),
        durability: Durability::Disk,
        clock: Arc::new(Clock::virtual_at(NOW)),
        segment_bytes: SEGMENT_BYTES,
        background: false,
        ..OpenOptions::memory()
    };
    let engine = match Engine::open(options) {
        Ok(engine) => engine,
        Err(error) => {
            assert_ne!(error.code(), Code::InternalError, "{error}");
            return None;
        }
    };
    let queues = engine.queues(None, None, "").expect("an open engine");
    let counts = queues
        .iter()
        .map(|queue| {
            let counted = queue.statistics().expect("an open engine");
            let name = format!("{:?}", queue.name());
            (name, counted.visible as u64, counted.in_flight as u64, counted.delayed as u64)
        })
        .collect();
    engine.close().expect("a storage in memory");
    Some(counts)
}
