//! What one thread sees of the log of a standard queue.
#![cfg(not(loom))]

use trunkline_queue::{
    BodyRef, Counts, Extend, Fire, Gone, MessageState, NewBody, Restored, SlotRef, StandardLog,
    Visibility,
};

const NOW: u64 = 1_900_000_000_000;

fn send(log: &StandardLog, body: &[u8]) -> SlotRef {
    log.reserve(body.len(), true).publish(NOW, 0, NewBody::Inline(&[body]), Visibility::Ready)
}

fn send_as(log: &StandardLog, body: &[u8], visibility: Visibility) -> SlotRef {
    log.reserve(body.len(), true).publish(NOW, 0, NewBody::Inline(&[body]), visibility)
}

/// Receives one message until `NOW + 30 s`; its body and place.
fn receive(log: &StandardLog) -> Option<(Vec<u8>, SlotRef)> {
    let claimed = log.claim()?;
    let body = match claimed.body() {
        BodyRef::Bytes(bytes) => bytes.to_vec(),
        BodyRef::At { .. } => panic!("the body was sent inline"),
    };
    let place = claimed.place();
    claimed.lease(NOW + 30_000, NOW).expect("no other thread deletes it");
    Some((body, place))
}

fn counts(visible: u32, in_flight: u32, delayed: u32) -> Counts {
    Counts { visible, in_flight, delayed }
}

#[test]
fn messages_are_received_in_the_order_of_sending_over_many_pages() {
    let log = StandardLog::new(1);
    for number in 0..5_000_u32 {
        send(&log, &number.to_le_bytes());
    }
    assert_eq!(log.counts(), counts(5_000, 0, 0));
    for number in 0..5_000_u32 {
        let (body, place) = receive(&log).expect("it was sent");
        assert_eq!(body, number.to_le_bytes());
        assert!(log.delete(place));
        assert!(!log.delete(place), "a message is deleted once");
    }
    assert!(receive(&log).is_none());
    assert_eq!(log.counts(), counts(0, 0, 0));
}

#[test]
fn sequence_numbers_rise_from_the_base_and_are_the_same_for_sender_and_receiver() {
    let log = StandardLog::new(700);
    let mut last = 699;
    for _ in 0..3_000 {
        let reserved = log.reserve(4, true);
        let seq = reserved.seq();
        assert!(seq > last);
        assert_eq!(log.next_seq(), seq + 1);
        last = seq;
        let place = reserved.publish(NOW, 0, NewBody::Inline(&[b"ab", b"cd"]), Visibility::Ready);
        assert_eq!(log.info(place).map(|info| info.seq), Some(seq));
        let claimed = log.claim().expect("it was sent");
        assert_eq!((claimed.seq(), claimed.place()), (seq, place));
        claimed.finish();
    }
}

#[test]
fn a_busy_shallow_queue_reuses_its_pages() {
    let log = StandardLog::new(0);
    let cycle = |count: u32| {
        for _ in 0..count {
            send(&log, &[7; 100]);
            let (_, place) = receive(&log).expect("it was sent");
            assert!(log.delete(place));
        }
    };
    cycle(1_000);
    let memory = log.memory();
    cycle(100_000);
    assert_eq!(log.memory(), memory);
    assert!(memory < 64 * 1_024, "{memory}");
}

#[test]
fn a_message_costs_about_forty_bytes_beyond_its_body() {
    let log = StandardLog::new(0);
    for _ in 0..500_000 {
        log.reserve(0, false).publish(NOW, 0, NewBody::At { lsn: 1, len: 9 }, Visibility::Ready);
    }
    let bytes = log.memory() as f64 / 500_000.0;
    assert!(bytes < 41.5, "{bytes}");
}

#[test]
fn bodies_of_all_sizes_come_back_whole() {
    let log = StandardLog::new(0);
    let sizes = [0, 1, 7, 100, 511, 512, 513, 2_048, 65_536, 70_000, 300_000, 1_048_576];
    for round in 0..3_u8 {
        let places: Vec<_> =
            sizes.iter().map(|size| send(&log, &vec![round ^ (*size as u8); *size])).collect();
        for size in sizes {
            let (body, _) = receive(&log).expect("it was sent");
            assert_eq!(body, vec![round ^ (size as u8); size]);
        }
        for place in places {
            assert!(log.delete(place));
        }
    }
    assert!(log.memory() < 1_048_576, "large bodies are freed");
}

#[test]
fn a_body_in_the_journal_is_named_and_may_move() {
    let log = StandardLog::new(0);
    let body = NewBody::At { lsn: 1 << 40, len: 77 };
    let place = log.reserve(0, false).publish(NOW, 3, body, Visibility::Ready);
    let mut claimed = log.claim().expect("it was sent");
    assert_eq!(claimed.body(), BodyRef::At { lsn: 1 << 40, len: 77 });
    claimed.set_body(5);
    claimed.lease(NOW + 1, NOW).expect("no other thread deletes it");
    let info = log.info(place).expect("it is there");
    assert_eq!((info.at, info.flags), (Some((5, 77)), 3));
}

#[test]
fn a_claim_that_is_dropped_puts_the_message_back() {
    let log = StandardLog::new(0);
    send(&log, b"a");
    send(&log, b"b");
    drop(log.claim().expect("it was sent"));
    assert_eq!(log.counts(), counts(2, 0, 0));
    let received = [receive(&log), receive(&log)].map(|found| found.expect("both are there").0);
    assert_eq!(received, [b"b".to_vec(), b"a".to_vec()]);
    assert!(receive(&log).is_none());
}

#[test]
fn a_look_at_a_message_in_place_keeps_its_turn_and_costs_nothing() {
    let log = StandardLog::new(0);
    let first = send(&log, b"a");
    send(&log, b"b");
    let next = log.next_seq();
    for _ in 0..1_000 {
        log.claim_at(first).expect("it is ready").put_back();
    }
    assert_eq!(log.next_seq(), next, "no reference was appended");
    assert_eq!(receive(&log).map(|found| found.0), Some(b"a".to_vec()));
    assert!(log.claim_at(first).is_none(), "it is in flight");
}

#[test]
fn a_message_claimed_in_place_is_found_again_though_the_head_went_past() {
    let log = StandardLog::new(0);
    let first = send(&log, b"a");
    send(&log, b"b");
    let claimed = log.claim_at(first).expect("it is ready");
    assert_eq!(receive(&log).map(|found| found.0), Some(b"b".to_vec()));
    assert!(receive(&log).is_none());
    claimed.put_back();
    assert_eq!(receive(&log).map(|found| found.0), Some(b"a".to_vec()));
}

#[test]
fn a_lease_that_ends_makes_the_message_visible_behind_the_others() {
    let log = StandardLog::new(0);
    send(&log, b"a");
    let (_, place) = receive(&log).expect("it was sent");
    send(&log, b"b");
    assert!(log.arm(place.slot, NOW + 30_000));
    assert_eq!(log.fire(place.slot, NOW + 29_999), Fire::Gone, "the entry is not due");
    assert_eq!(log.fire(place.slot, NOW + 30_000), Fire::BecameVisible(place));
    assert_eq!(log.counts(), counts(2, 0, 0));
    assert_eq!(receive(&log).map(|found| found.0), Some(b"b".to_vec()));
    let claimed = log.claim().expect("it is visible again");
    assert_eq!((claimed.place(), claimed.deliveries()), (place, 1));
    assert_eq!(claimed.first_received(), Some(NOW));
    let leased = claimed.lease(NOW + 90_000, NOW + 60_000).expect("no other thread deletes it");
    assert_eq!(leased.deliveries, 2);
    let info = log.info(place).expect("it is there");
    assert_eq!((info.first_received, info.deliveries), (Some(NOW), 2));
    assert_eq!(info.state, MessageState::Leased(NOW + 90_000));
}

#[test]
fn a_delay_that_ends_makes_the_message_visible() {
    let log = StandardLog::new(0);
    let place = send_as(&log, b"late", Visibility::Delayed(NOW + 500));
    assert_eq!(log.counts(), counts(0, 0, 1));
    assert!(receive(&log).is_none());
    assert!(log.arm(place.slot, NOW + 100), "an early entry");
    assert_eq!(log.fire(place.slot, NOW + 100), Fire::Later(NOW + 500));
    assert_eq!(log.fire(place.slot, NOW + 500), Fire::BecameVisible(place));
    assert_eq!(log.fire(place.slot, NOW + 501), Fire::Visible(place));
    assert_eq!(log.counts(), counts(1, 0, 0));
    assert_eq!(receive(&log), Some((b"late".to_vec(), place)));
}

#[test]
fn a_slot_is_armed_only_for_an_earlier_time_than_before() {
    let log = StandardLog::new(0);
    let place = send(&log, b"a");
    assert!(log.arm(place.slot, NOW + 30));
    assert!(!log.arm(place.slot, NOW + 30));
    assert!(!log.arm(place.slot, NOW + 31));
    assert!(log.arm(place.slot, NOW + 29));
    assert!(!log.arm(place.slot, NOW + 30));
    assert_eq!(log.fire(place.slot, NOW + 29), Fire::Visible(place));
    assert!(log.arm(place.slot, NOW + 30), "the entry was used up");
    let far = NOW + 20 * 86_400_000;
    assert!(!log.arm(place.slot, far), "a near entry comes first anyway");
    assert_eq!(log.fire(place.slot, NOW + 30), Fire::Visible(place));
    assert!(log.arm(place.slot, far) && log.arm(place.slot, far), "too far to be remembered");
    assert!(log.arm(place.slot, NOW + 40));
}

#[test]
fn a_lease_ends_even_if_time_jumps_by_weeks() {
    for days in [1, 25, 40, 60] {
        let log = StandardLog::new(0);
        send(&log, b"a");
        let (_, place) = receive(&log).expect("it was sent");
        assert!(log.arm(place.slot, NOW + 30_000));
        let now = NOW + days * 86_400_000;
        assert_eq!(log.fire(place.slot, now), Fire::BecameVisible(place));
    }
}

#[test]
fn an_entry_that_was_overtaken_adds_no_further_entry() {
    let log = StandardLog::new(0);
    send(&log, b"a");
    assert!(log.arm(0, NOW + 10) && log.arm(0, NOW + 5));
    let (_, place) = receive(&log).expect("it was sent");
    assert!(!log.arm(place.slot, NOW + 30_000));
    assert_eq!(log.fire(place.slot, NOW + 5), Fire::Later(NOW + 30_000));
    assert_eq!(log.fire(place.slot, NOW + 10), Fire::Gone);
    assert_eq!(log.fire(place.slot, NOW + 30_000), Fire::BecameVisible(place));
}

#[test]
fn the_timer_of_a_reused_slot_still_serves() {
    let log = StandardLog::new(0);
    let mut entries = 0;
    for tick in 0..10_000_u64 {
        let now = NOW + tick;
        send(&log, b"x");
        let claimed = log.claim().expect("it was sent");
        let place = claimed.place();
        claimed.lease(now + 30_000, now).expect("no other thread deletes it");
        entries += u32::from(log.arm(place.slot, now + 30_000));
        assert!(log.delete(place));
    }
    assert!(entries <= 16 + 64 * 2, "a hot cycle arms nothing: {entries}");
}

#[test]
fn extending_changes_the_lease_there_is() {
    let log = StandardLog::new(0);
    send(&log, b"a");
    let (_, place) = receive(&log).expect("it was sent");
    assert_eq!(log.extend(place, NOW + 60_000, NOW), Extend::Changed);
    assert_eq!(log.info(place).map(|info| info.state), Some(MessageState::Leased(NOW + 60_000)));
    assert_eq!(log.extend(place, NOW + 99_000, NOW + 60_000), Extend::NotInFlight);
    assert_eq!(log.extend(place, NOW, NOW), Extend::Visible);
    assert_eq!(log.counts(), counts(1, 0, 0));
    assert_eq!(log.extend(place, NOW + 60_000, NOW), Extend::NotInFlight);
    let (_, again) = receive(&log).expect("it was released");
    assert_eq!(again, place);
    assert!(log.delete(place));
    assert_eq!(log.extend(place, NOW + 60_000, NOW), Extend::Gone);
}

#[test]
fn an_old_receipt_deletes_wherever_the_message_stands() {
    let log = StandardLog::new(0);
    let ready = send(&log, b"ready");
    assert!(log.delete(ready));
    let delayed = send_as(&log, b"delayed", Visibility::Delayed(NOW + 5));
    assert!(log.delete(delayed));
    let held = send_as(&log, b"held", Visibility::Held);
    assert!(log.delete(held));
    let place = send(&log, b"claimed");
    let claimed = log.claim().expect("it was sent");
    assert!(log.delete(place));
    assert!(!log.delete(place));
    assert_eq!(claimed.lease(NOW + 5, NOW).err(), Some(Gone));
    assert_eq!(log.counts(), counts(0, 0, 0));
    assert!(log.info(place).is_none() && log.slot_of(place.slot).is_none());
    assert!(receive(&log).is_none());
}

#[test]
fn the_lane_holds_its_messages_through_delay_and_lease() {
    let log = StandardLog::new(0);
    let place = send_as(&log, b"g", Visibility::HeldAfter(NOW + 5));
    assert_eq!(log.fire(place.slot, NOW + 5), Fire::BecameVisible(place));
    assert_eq!(log.counts(), counts(1, 0, 0));
    assert!(log.claim().is_none(), "only the fair scheduler hands it out");
    let claimed = log.claim_at(place).expect("it is held");
    claimed.lease(NOW + 9, NOW + 5).expect("no other thread deletes it");
    assert_eq!(log.fire(place.slot, NOW + 9), Fire::BecameVisible(place));
    assert!(log.claim().is_none());
    let info = log.info(place).expect("it is there");
    assert_eq!((info.state, info.fair), (MessageState::Held, true));
}

#[test]
fn restored_messages_keep_their_past() {
    let mut log = StandardLog::new(10_000);
    let state = MessageState::Leased(NOW + 10);
    let message = |seq, state| Restored {
        seq,
        sent: NOW - 5,
        flags: 9,
        body: NewBody::Inline(&[b"old"]),
        deliveries: 3,
        first_received: Some(NOW - 2),
        state,
        fair: false,
    };
    let [leased, ready] = log.restore(2, |restoring| {
        [(41, state), (77, MessageState::Ready)]
            .map(|(seq, state)| restoring.push(message(seq, state)))
    });
    assert_eq!(log.counts(), counts(1, 1, 0));
    assert!(log.next_seq() >= 10_000);
    let info = log.info(leased).expect("it is there");
    assert_eq!((info.seq, info.state, info.deliveries), (41, state, 3));
    let claimed = log.claim().expect("one is ready");
    assert_eq!((claimed.seq(), claimed.place(), claimed.flags()), (77, ready, 9));
    assert_eq!(claimed.first_received(), Some(NOW - 2));
    assert_eq!(claimed.lease(NOW, NOW).map(|leased| leased.deliveries), Ok(4));
    let moved = log.claim_leased(leased).expect("it is in flight");
    assert_eq!((moved.seq(), moved.due()), (41, NOW + 10));
    moved.finish();
    assert_eq!(log.counts(), counts(0, 1, 0));
}

#[test]
fn a_reservation_that_is_given_up_is_skipped() {
    let log = StandardLog::new(0);
    for round in 0..2_000_u32 {
        drop(log.reserve(10, true));
        send(&log, &round.to_le_bytes());
        let (body, place) = receive(&log).expect("it was sent");
        assert_eq!(body, round.to_le_bytes());
        assert!(log.delete(place));
    }
    assert!(log.memory() < 64 * 1_024);
}

#[test]
fn a_sender_that_stops_holds_up_no_other_and_keeps_its_sequence_number() {
    let log = StandardLog::new(0);
    let stopped = log.reserve(3, true);
    let (seq, before) = (stopped.seq(), stopped.place());
    for round in 0..500_u32 {
        send(&log, &round.to_le_bytes());
        let (body, place) = receive(&log).expect("what was sent is received");
        assert_eq!(body, round.to_le_bytes());
        assert!(log.delete(place));
    }
    let place = stopped.publish(NOW, 0, NewBody::Inline(&[b"old"]), Visibility::Ready);
    assert_ne!(Some(place), before, "receivers gave its slot up");
    assert_eq!(log.info(place).map(|info| info.seq), Some(seq));
    assert_eq!(receive(&log), Some((b"old".to_vec(), place)));
}

#[test]
fn only_messages_at_the_front_that_are_old_enough_expire() {
    let log = StandardLog::new(0);
    for age in 0..10_u64 {
        let body = NewBody::Inline(&[]);
        log.reserve(0, true).publish(NOW + age, 0, body, Visibility::Ready);
    }
    assert_eq!(log.oldest_sent(), Some(NOW));
    assert_eq!(log.expire_front(NOW + 4), 4);
    assert_eq!(log.oldest_sent(), Some(NOW + 4));
    assert_eq!(log.claim().map(|claimed| claimed.sent()), Some(NOW + 4));
    // Put back, it stands behind the others as a reference; the front is young.
    assert_eq!(log.expire_front(NOW + 5), 0);
    assert_eq!(log.counts(), counts(6, 0, 0));
}

#[test]
fn the_oldest_message_is_known_while_older_ones_go() {
    let log = StandardLog::new(0);
    let places: Vec<_> = (0..3_000_u64)
        .map(|age| {
            let body = NewBody::Inline(&[]);
            log.reserve(0, true).publish(NOW + age, 0, body, Visibility::Ready)
        })
        .collect();
    for (age, place) in places.into_iter().enumerate() {
        assert_eq!(log.oldest_sent(), Some(NOW + age as u64));
        receive(&log).expect("it was sent");
        assert_eq!(log.oldest_sent(), Some(NOW + age as u64), "in flight counts");
        assert!(log.delete(place));
    }
    assert_eq!(log.oldest_sent(), None);
}

#[test]
fn a_scan_shows_every_message_once_in_order_and_a_purge_leaves_a_working_queue() {
    let log = StandardLog::new(0);
    for number in 0..3_000_u32 {
        send(&log, &number.to_le_bytes());
    }
    for _ in 0..100 {
        receive(&log).expect("it was sent");
    }
    let mut seen = Vec::new();
    log.scan(|info| {
        seen.push(info);
        true
    });
    assert_eq!(seen.len(), 3_000);
    assert!(seen.windows(2).all(|pair| pair[0].seq < pair[1].seq));
    assert!(seen.iter().all(|info| log.delete(info.place)));
    assert_eq!(log.counts(), counts(0, 0, 0));
    assert!(receive(&log).is_none() && log.oldest_sent().is_none());
    let last = send(&log, b"new");
    assert_eq!(receive(&log), Some((b"new".to_vec(), last)));
}
