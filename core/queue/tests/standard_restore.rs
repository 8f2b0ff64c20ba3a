//! Messages that are put back into a log at opening, beside what is sent afterwards.

use trunkline_queue::{Counts, Extend, Fire, MessageState, NewBody, Restored, StandardLog};

const NOW: u64 = 1_900_000_000_000;
/// The number of the first new message; those of old ones are smaller.
const BASE: u64 = 1_000_000;
/// So many that memory is laid beneath them by another thread.
const MANY: (usize, usize) = (120_000, 120_000);

fn counts(visible: u32, in_flight: u32, delayed: u32) -> Counts {
    Counts { visible, in_flight, delayed }
}

#[test]
fn restored_messages_are_received_in_their_order_before_new_ones() {
    for (count, announced) in
        [(0, 0), (5, 5), (16, 16), (17, 17), (3_000, 3_000), (700, 2_000), MANY]
    {
        let mut log = StandardLog::new(BASE);
        // Every third number is missing.
        let seqs: Vec<u64> = (1..).filter(|seq| seq % 3 != 0).take(count).collect();
        log.restore(announced, |restoring| {
            for seq in &seqs {
                restoring.push(Restored {
                    seq: *seq,
                    sent: NOW,
                    flags: 0,
                    body: NewBody::At { lsn: 9 * *seq, len: 7 },
                    deliveries: 0,
                    first_received: None,
                    state: MessageState::Ready,
                    fair: false,
                });
            }
        });
        let new = log.append(NOW, 0, b"new");
        assert!(new >= BASE, "{new} was used before");
        assert_eq!(log.counts(), counts(count as u32 + 1, 0, 0));
        let mut scanned = Vec::new();
        log.scan(|info| {
            scanned.push((info.seq, info.at));
            true
        });
        let mut expected: Vec<_> = seqs.iter().map(|seq| (*seq, Some((9 * seq, 7)))).collect();
        expected.push((new, None));
        assert_eq!(scanned, expected);
        for seq in seqs.iter().chain([&new]) {
            let claimed = log.claim().expect("it is visible");
            assert_eq!(claimed.seq(), *seq);
            claimed.finish();
        }
        assert_eq!(log.counts(), counts(0, 0, 0));
    }
}

#[test]
fn a_delayed_message_that_is_looked_at_stays_delayed_even_if_it_was_delivered_before() {
    let mut log = StandardLog::new(BASE);
    let due = NOW + 500;
    let delivered = Restored {
        seq: 5,
        sent: NOW,
        flags: 0,
        body: NewBody::At { lsn: 9, len: 7 },
        deliveries: 3,
        first_received: Some(NOW),
        state: MessageState::Delayed(due),
        fair: false,
    };
    let place = log.restore(1, |restoring| restoring.push(delivered));
    let is_delayed = |log: &StandardLog| {
        log.counts() == counts(0, 0, 1)
            && log.info(place).is_some_and(|info| info.state == MessageState::Delayed(due))
    };
    let claimed = log.claim_delayed(place).expect("its delay has not ended");
    assert!(is_delayed(&log) && log.claim_delayed(place).is_none());
    assert_eq!(log.extend(place, NOW + 9_000, NOW), Extend::NotInFlight);
    assert!(matches!(log.fire(place.slot, due), Fire::Later(_)));
    claimed.put_back();
    assert!(is_delayed(&log));
    let claimed = log.claim_delayed(place).expect("it was put back");
    assert!(log.delete(place));
    claimed.put_back();
    assert_eq!(log.counts(), counts(0, 0, 0));
}
