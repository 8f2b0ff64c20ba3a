//! What the model test does to a queue, and the log an engine would write meanwhile.

use proptest::prelude::*;
use trunkline_queue::{Admitted, DedupEntry, FifoState, Payload};

use super::admitted;

#[derive(Debug, Clone)]
pub enum Step {
    Send { group: u8, key: Option<u8> },
    Receive { max: usize, visibility: Option<u64>, attempt: Option<u8> },
    Delete { receipt: usize },
    Extend { receipt: usize, visibility: u64 },
    Advance { by: u64 },
    SetDelay { to: u64 },
    SetRetention { to: u64 },
    SetDeadLetter { after: Option<u32> },
    Take { max: usize },
    Purge,
    Restart { carried: usize, dropped: bool },
}

/// A record of the log, as the engine would write it.
#[derive(Debug, Clone)]
pub enum Record {
    Held {
        seq: u64,
        group: u8,
        sent: u64,
        key: Option<u128>,
        deliveries: u32,
        first: u64,
        due: u64,
    },
    Leased {
        seq: u64,
        delivery: u32,
        due: u64,
        at: u64,
    },
    Extended {
        seq: u64,
        due: u64,
        now: u64,
    },
    Deleted {
        seq: u64,
    },
    Remembered {
        key: u128,
        seq: u64,
        at: u64,
    },
    Purged,
}

pub const NAMES: [&str; 4] = ["a", "b", "c", "d"];
pub const EVEN: u64 = !1;

pub fn step() -> impl Strategy<Value = Step> {
    let span = || prop_oneof![0u64..40, 0u64..2_000].prop_map(|span| span & EVEN);
    let visibility = prop_oneof![
        3 => Just(None),
        1 => Just(Some(0)),
        3 => span().prop_map(Some),
    ];
    let max = prop_oneof![0usize..4, Just(10)];
    prop_oneof![
        8 => (0u8..4, prop::option::of(0u8..4)).prop_map(|(group, key)| Step::Send { group, key }),
        8 => (max, visibility, prop::option::weighted(0.3, 0u8..2))
            .prop_map(|(max, visibility, attempt)| Step::Receive { max, visibility, attempt }),
        5 => any::<usize>().prop_map(|receipt| Step::Delete { receipt }),
        4 => (any::<usize>(), prop_oneof![Just(0), span()])
            .prop_map(|(receipt, visibility)| Step::Extend { receipt, visibility }),
        5 => span().prop_map(|by| Step::Advance { by }),
        1 => prop_oneof![Just(0), span()].prop_map(|to| Step::SetDelay { to }),
        1 => (50u64..3_000).prop_map(|to| Step::SetRetention { to: to | 1 }),
        1 => prop::option::of(1u32..4).prop_map(|after| Step::SetDeadLetter { after }),
        1 => (0usize..4).prop_map(|max| Step::Take { max }),
        1 => prop::bool::weighted(0.2).prop_map(|purge| match purge {
            true => Step::Purge,
            false => Step::Advance { by: 2 },
        }),
        2 => (any::<usize>(), any::<bool>())
            .prop_map(|(carried, dropped)| Step::Restart { carried, dropped }),
    ]
}

/// Applies a record that lies at `place`, as recovery does.
pub fn replay(state: &mut FifoState, record: &Record, place: u64) {
    match *record {
        Record::Held { seq, group, sent, key, deliveries, first, due } => {
            let payload = Payload::At { lsn: place, len: 1 };
            let message = admitted(seq, NAMES[usize::from(group)], key, sent, payload);
            state.apply_sent(Admitted { deliveries, first_received: first, due, ..message });
        }
        Record::Leased { seq, delivery, due, at } => {
            if let Some(slot) = state.lookup(seq) {
                state.apply_leased(slot, delivery, due, at);
            }
        }
        Record::Extended { seq, due, now } => {
            if let Some(slot) = state.lookup(seq) {
                state.apply_visibility(slot, due, now);
            }
        }
        Record::Deleted { seq } => {
            if let Some(slot) = state.lookup(seq) {
                state.apply_deleted(slot);
            }
        }
        Record::Remembered { key, seq, at } => {
            state.apply_dedup(DedupEntry { key, seq, at, location: place });
        }
        Record::Purged => drop(state.purge()),
    }
}
