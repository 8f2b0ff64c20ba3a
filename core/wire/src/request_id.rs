//! Ids of requests: random-looking UUIDs, made without a lock and without a system call.

use std::cell::Cell;
use std::hash::{BuildHasher, RandomState};

const HEX: &[u8; 16] = b"0123456789abcdef";

thread_local! {
    // Each thread starts somewhere else; the standard library's hash keys are random.
    static STATE: Cell<u64> = Cell::new(RandomState::new().hash_one(0u8) | 1);
}

/// The next id.
pub fn next() -> String {
    let (high, low) = (random(), random());
    let mut text = [b'-'; 36];
    let mut place = 0;
    for (word, first) in [(high, 0), (low, 8)] {
        for index in 0..8 {
            if matches!(first + index, 4 | 6 | 8 | 10) {
                place += 1;
            }
            let byte = (word >> (56 - 8 * index)) as u8;
            text[place] = HEX[usize::from(byte >> 4)];
            text[place + 1] = HEX[usize::from(byte & 15)];
            place += 2;
        }
    }
    text[14] = b'4';
    // All of it is ASCII, so nothing is ever replaced.
    String::from_utf8_lossy(&text).into_owned()
}

// SplitMix64: every state gives another number, and the numbers look random.
pub(crate) fn random() -> u64 {
    STATE.with(|state| {
        state.set(state.get().wrapping_add(0x9e37_79b9_7f4a_7c15));
        let mut mixed = state.get();
        mixed = (mixed ^ mixed >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ mixed >> 31
    })
}

#[cfg(test)]
mod tests {
    #[test]
    fn ids_have_the_form_of_a_uuid_and_differ() {
        let (one, two) = (super::next(), super::next());
        assert_ne!(one, two);
        assert_eq!(one.len(), 36);
        for place in [8, 13, 18, 23] {
            assert_eq!(one.as_bytes()[place], b'-');
        }
    }
}
