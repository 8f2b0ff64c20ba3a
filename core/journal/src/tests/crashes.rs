//! No acknowledged record is lost in any simulated crash.

use super::checker::check_seed;

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
