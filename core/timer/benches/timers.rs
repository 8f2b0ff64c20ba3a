//! What arming and firing cost, and that a million entries cost no more each than a thousand.
//! Run with `cargo bench -p trunkline-timer`.

use std::hint::black_box;
use std::time::Instant;

use trunkline_timer::Timers;

const ROUNDS: usize = 5;

fn main() {
    for count in [1_000u64, 1_000_000] {
        let (mut arm, mut fire) = (Vec::new(), Vec::new());
        for _ in 0..ROUNDS {
            let timers = Timers::new(0);
            let start = Instant::now();
            for key in 0..count {
                // As leases of 30 s that start one after the other.
                timers.arm((1u32, key as u32), 30_000 + key / 100);
            }
            black_box(timers.next_due());
            arm.push(start.elapsed().as_nanos() as u64 / count);
            let start = Instant::now();
            let mut now = 0;
            let mut fired = 0;
            while fired < count as usize {
                now += 1;
                if timers.is_due(now) {
                    fired += timers
                        .sweep(now, 4_096, |key, _| {
                            black_box(key);
                            None
                        })
                        .fired;
                }
            }
            fire.push(start.elapsed().as_nanos() as u64 / count);
        }
        println!("{count:>9} entries: arm {} ns, fire {} ns each", median(arm), median(fire));
    }
}

fn median(mut values: Vec<u64>) -> u64 {
    values.sort_unstable();
    values[values.len() / 2]
}
