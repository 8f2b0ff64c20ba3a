//! Tests of the journal as a whole.

mod checker;
mod checkpoints;
mod closing;
mod crashes;
mod damage;
mod faults;
mod folders;
mod format_1;
mod frames;
mod mutants;
mod repair;
mod retained;
mod sealed_files;
mod steps;
mod threads;
mod unsealed_reads;
mod workload;

/// When an entry came, by a clock that was never wrong.
fn as_it_says(time: u64) -> u64 {
    time
}
