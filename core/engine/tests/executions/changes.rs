//! A Map state over many items writes what its steps change: bytes linear in the items.

use trunkline_engine::{Durability, ExecutionState};
use trunkline_journal::sim::SimStorage;

use super::load::{START, World, definitions, input};
use super::replayed;

/// The bytes that an inline map over so many items writes.
fn written(items: usize) -> u64 {
    let storage = SimStorage::new();
    let mut world = World::new(&storage, START, Durability::Memory);
    let definition = map();
    world.start("map", &definition, items);
    world.run_to_the_end(&["map"]);
    assert_eq!(world.status("map"), Some(ExecutionState::Succeeded));
    world.engine.host().journal_statistics().unwrap().appended_bytes
}

fn map() -> serde_json::Value {
    definitions().into_iter().find(|(name, _)| *name == "map").unwrap().1
}

#[test]
fn the_bytes_of_an_inline_map_are_linear_in_its_items() {
    let (few, many) = (written(40), written(320));
    assert!(many < 12 * few, "{few} bytes for 40 items, {many} for 320");
}

#[test]
fn a_map_goes_on_after_each_reopening_and_each_compaction() {
    const ITEMS: usize = 30;
    let storage = SimStorage::new();
    let mut world = World::new(&storage, START, Durability::Disk);
    let definition = map();
    world.start("map", &definition, ITEMS);
    let mut turns = 0;
    while world.status("map") == Some(ExecutionState::Running) {
        turns += 1;
        match turns % 4 {
            0 => world.engine.compact_oldest().unwrap(),
            2 => {
                world.engine.close().unwrap();
                let now = START + turns;
                world = World::new(&storage, now, Durability::Disk);
            }
            _ => {}
        }
        assert!(world.work(), "the tasks of three items are always there");
    }
    let history = world.history("map");
    let (machine, input) = (world.machine("map"), input("map", ITEMS));
    replayed::check(&world.engine, &machine, &definition, ("map", &input), &history);
}
