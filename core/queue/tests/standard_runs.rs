//! Messages that are added and leased together.
#![cfg(not(loom))]

use trunkline_queue::{BodyRef, Counts, StandardLog};

const NOW: u64 = 1_900_000_000_000;

/// Bodies of every kind of location: none at all, in the region, too large for a small page, alone.
fn bodies() -> Vec<Vec<u8>> {
    let lengths = [0, 1, 8, 700, 3_000, 100, 100, 20_000, 7, 200_000];
    let lengths = lengths.iter().cycle().take(1_000).enumerate();
    lengths.map(|(number, length)| vec![number as u8; *length]).collect()
}

#[test]
fn bodies_that_are_sent_together_arrive_in_order_under_the_numbers_that_were_told() {
    let (log, bodies, mut told) = (StandardLog::new(50), bodies(), Vec::new());
    log.append_all(NOW, 3, bodies.iter().map(Vec::as_slice), |seq| told.push(seq));
    assert_eq!(log.counts(), Counts { visible: 1_000, in_flight: 0, delayed: 0 });
    assert!(told.is_sorted_by(|one, next| one < next) && told[0] == 50);
    for (body, seq) in bodies.iter().zip(&told) {
        let claimed = log.claim().expect("it was sent");
        assert_eq!((claimed.body(), claimed.flags()), (BodyRef::Bytes(body), 3));
        assert_eq!((claimed.seq(), claimed.sent()), (*seq, NOW));
        claimed.finish();
    }
    assert!(told.len() == bodies.len() && log.claim().is_none());
    assert_eq!(log.counts(), Counts::default());
}

#[test]
fn leases_that_are_counted_together_count_when_the_count_ends() {
    let log = StandardLog::new(1);
    log.append_all(NOW, 0, [b"one", b"two", b"six"].map(|body| &body[..]).into_iter(), |_| ());
    let mut together = log.batch_count();
    let mut places = Vec::new();
    while let Some(claimed) = log.claim() {
        places.push(claimed.place());
        claimed.lease_in(&mut together, NOW + 1, NOW).expect("no other thread deletes it");
    }
    assert_eq!(log.counts(), Counts { visible: 3, in_flight: 0, delayed: 0 });
    // One is gone before it was counted.
    assert!(log.delete(places[0]));
    drop(together);
    assert_eq!(log.counts(), Counts { visible: 0, in_flight: 2, delayed: 0 });
}

#[test]
fn an_iterator_or_a_listener_that_panics_leaves_no_slot_behind() {
    let log = StandardLog::new(1);
    let sent = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        log.append_all(NOW, 0, [&b"a"[..]; 40].into_iter(), |seq| assert!(seq < 20));
    }));
    assert!(sent.is_err());
    // The run in which it happened was added as a whole.
    let mut count = 0;
    while let Some(claimed) = log.claim() {
        claimed.finish();
        count += 1;
    }
    assert!((20..40).contains(&count) && log.counts() == Counts::default());
    log.append(NOW, 0, b"b");
    assert_eq!(log.claim().expect("it was sent").body(), BodyRef::Bytes(b"b"));
}
