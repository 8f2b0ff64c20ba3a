//! No acknowledged record is lost in any simulated crash.

use std::sync::Arc;

use trunkline_types::Durability;

use super::checker::check_seed;
use crate::sim::SimStorage;
use crate::{Journal, Options};

/// Seeds of one run of the suite; `TRUNKLINE_SIM_RUNS` overrides it.
const RUNS: u64 = 60;

#[test]
fn every_crash_state_keeps_what_was_promised() {
    let runs = std::env::var("TRUNKLINE_SIM_RUNS").ok().and_then(|text| text.parse().ok());
    let mut states = 0;
    for seed in 0..runs.unwrap_or(RUNS) {
        match check_seed(seed, None) {
            Ok(count) => states += count,
            Err(violation) => panic!("{violation}"),
        }
    }
    println!("{states} crash states, 0 violations");
    assert!(states >= 1_000, "only {states} states were looked at");
}

/// Appends pairs of records that fill batch after batch and segment after segment, some of them
/// kept together, and says after which crashes one came back without the other.
fn torn_pairs(is_reserved: bool) -> usize {
    let options = || Options { segment_bytes: 1 << 20, background: false, ..Options::default() };
    let disk = SimStorage::new();
    let journal = Journal::open(Arc::new(disk.clone()), options(), &mut |_, _| Ok(()));
    let journal = journal.expect("a new disk");
    let opened = disk.steps();
    for number in 0..30u8 {
        let mut appender = journal.lock().expect("usable");
        if is_reserved {
            assert!(appender.reserve(2, 120_002));
        }
        let length = 40_000 + 1_000 * usize::from(number);
        appender.append(&[&[number], &vec![0; length]]);
        appender.append(&[&[number], &[1; 40_000]]);
        let ticket = appender.ticket();
        drop(appender);
        if number % 7 == 6 {
            journal.commit(ticket, Durability::Disk).expect("durable");
        }
    }
    journal.flush().expect("durable");
    let mut torn = 0;
    for step in opened..=disk.steps() {
        for seed in 0..2 {
            let mut found = [0; 30];
            let disk = SimStorage::from_image(disk.power_loss(step, seed));
            let read = Journal::open(Arc::new(disk), options(), &mut |_, record| {
                found[usize::from(record[0])] += 1;
                Ok(())
            });
            drop(read.expect("it opens"));
            torn += usize::from(found.contains(&1));
        }
    }
    torn
}

#[test]
fn records_that_are_kept_together_come_back_together_or_not_at_all() {
    assert_eq!(torn_pairs(true), 0);
    assert!(torn_pairs(false) > 0, "the crashes would not have found a pair that is torn");
}
