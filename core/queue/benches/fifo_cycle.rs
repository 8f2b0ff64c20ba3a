//! What the verbs of a FIFO queue cost, and that depth and groups do not matter.
//!
//! Run with `cargo bench -p trunkline-queue --bench fifo_cycle`; `FULL=1` goes to the sizes of the
//! budget (10,000,000 messages, 1,000,000 groups).

use std::hint::black_box;
use std::time::Instant;

use trunkline_queue::{Admitted, FifoRules, FifoState, Payload, SendDecision};

const START: u64 = 1_766_000_000_000;
const WINDOW: u64 = 300_000;
const CYCLES: usize = 200_000;
const BODY: [u8; 100] = [7; 100];

fn main() {
    let full = std::env::var_os("FULL").is_some();
    let sizes: &[(usize, usize)] = match full {
        true => &[(1_000, 1), (1_000, 1_000), (1_000_000, 1_000_000), (10_000_000, 1_000_000)],
        false => &[(1_000, 1), (1_000, 1_000), (300_000, 1), (300_000, 300_000)],
    };
    println!("depth      groups     |  send  receive  delete  ns (p50/p99)  | bytes a message");
    for (depth, groups) in sizes {
        measure(*depth, *groups);
    }
}

/// A queue of this depth, through which messages go: one in at the end, one out at the front. Time
/// goes by so that the dedup window holds as many keys as the queue holds messages.
fn measure(depth: usize, groups: usize) {
    let mut state = FifoState::new(rules(), 1, 42);
    let names: Vec<String> = (0..groups).map(|group| format!("group-{group:08}")).collect();
    for n in 0..depth {
        send(&mut state, &names[n % groups], n as u128, now(n, depth));
    }
    let (mut sends, mut receives, mut deletes) = (Vec::new(), Vec::new(), Vec::new());
    for n in depth..depth + CYCLES {
        let now = now(n, depth);
        let start = Instant::now();
        send(&mut state, &names[n % groups], n as u128, now);
        let sent = Instant::now();
        let picked = state.decide_receive(1, None, None, now);
        let pick = picked.messages[0];
        state.apply_leased(pick.place.slot, pick.delivery, pick.due, now);
        black_box(state.arm(pick.place.slot, pick.due));
        black_box(state.payload(pick.place.slot));
        let received = Instant::now();
        black_box(state.decide_delete(pick.place, pick.delivery, now).is_ok());
        black_box(state.apply_deleted(pick.place.slot));
        let deleted = Instant::now();
        sends.push((sent - start).as_nanos() as u32);
        receives.push((received - sent).as_nanos() as u32);
        deletes.push((deleted - received).as_nanos() as u32);
    }
    let memory = (state.memory() as f64) / depth as f64;
    let text = [sends, receives, deletes].map(percentiles).join("  ");
    println!("{depth:<10} {groups:<10} | {text} | {memory:.0}");
}

fn now(n: usize, depth: usize) -> u64 {
    START + n as u64 * WINDOW / depth as u64
}

fn send(state: &mut FifoState, group: &str, key: u128, now: u64) {
    // Spread as a digest would be.
    let key = key.wrapping_mul(0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c835);
    let SendDecision::Admit(seq) = state.decide_send(Some(key), now) else { return };
    state.apply_sent(Admitted {
        seq,
        group,
        dedup_key: Some(key),
        sent: now,
        flags: 0,
        payload: Payload::Bytes(BODY.into()),
        deliveries: 0,
        first_received: 0,
        due: 0,
    });
    black_box(state.arm_front());
}

fn percentiles(mut times: Vec<u32>) -> String {
    times.sort_unstable();
    format!("{}/{}", times[times.len() / 2], times[times.len() * 99 / 100])
}

fn rules() -> FifoRules {
    FifoRules {
        delay: 0,
        retention: u64::MAX,
        visibility: 30_000,
        dedup_window: WINDOW,
        attempt_window: 300_000,
        visibility_max: 43_200_000,
        in_flight_max: 120_000,
        dead_letter_after: None,
    }
}
