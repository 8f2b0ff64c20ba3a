//! Order, leases and groups of a FIFO queue, one story a test. The orders are recorded from AWS.
#![cfg(not(loom))]

mod fifo_support;

use fifo_support::{Handle, Rig, SECOND, rules};
use trunkline_queue::{DeleteDecision, FifoMessageState, Payload, Refusal};
use trunkline_types::Problem;

/// Three messages of group "a", numbers 1 to 3, in flight for 30 s.
fn three_in_flight() -> (Rig, Vec<Handle>) {
    let mut rig = Rig::new(rules());
    for _ in 0..3 {
        rig.put("a");
    }
    let handles = rig.receive();
    assert_eq!(handles.len(), 3);
    (rig, handles)
}

#[test]
fn a_receive_fills_from_one_group_before_the_next() {
    let mut rig = Rig::new(rules());
    for group in ["g1", "g2", "g1", "g1"] {
        rig.put(group);
    }
    assert_eq!(rig.receive_seqs(), [1, 3, 4, 2]);
}

#[test]
fn a_group_in_flight_delivers_nothing_not_even_what_is_sent_later() {
    let mut rig = Rig::new(rules());
    rig.put("a");
    rig.put("a");
    assert_eq!(rig.receive_with(1, None, None).messages.len(), 1);
    rig.put("a");
    assert_eq!(rig.receive_seqs(), []);
    assert_eq!(rig.counts(), (2, 1, 0), "only what was received is in flight");
    assert_eq!(rig.state.counts().groups_in_flight, 1);
}

#[test]
fn a_partial_delete_keeps_the_group_blocked_until_the_rest_is_done() {
    let (mut rig, handles) = three_in_flight();
    rig.put("a");
    rig.delete(handles[0]).expect("in flight");
    assert_eq!(rig.receive_seqs(), []);
    rig.delete(handles[2]).expect("in flight");
    assert_eq!(rig.receive_seqs(), []);
    rig.delete(handles[1]).expect("in flight");
    assert_eq!(rig.receive_seqs(), [4]);
}

#[test]
fn only_what_lies_before_the_first_extended_message_is_delivered() {
    for extended in 0..3 {
        let (mut rig, handles) = three_in_flight();
        rig.extend(handles[extended], 60 * SECOND).expect("in flight");
        rig.advance(30 * SECOND);
        let expected: Vec<u64> = (1..=extended as u64).collect();
        assert_eq!(rig.receive_seqs(), expected, "message {extended} extended");
    }
}

#[test]
fn a_released_first_message_is_delivered_alone_while_the_second_is_in_flight() {
    let (mut rig, handles) = three_in_flight();
    rig.extend(handles[0], 0).expect("in flight");
    assert_eq!(rig.receive_seqs(), [1]);
    assert_eq!(rig.receive_seqs(), []);
}

#[test]
fn a_released_later_message_waits_for_the_first() {
    let (mut rig, handles) = three_in_flight();
    rig.extend(handles[1], 0).expect("in flight");
    assert_eq!(rig.receive_seqs(), []);
    rig.delete(handles[0]).expect("in flight");
    assert_eq!(rig.receive_seqs(), [2], "the third is still in flight");
}

#[test]
fn a_freed_group_queues_behind_those_already_waiting() {
    let mut rig = Rig::new(rules());
    rig.put("g1");
    rig.put("g1");
    let first = rig.receive_with(1, None, None).messages[0];
    rig.put("g2");
    rig.delete(Handle::from(&first)).expect("in flight");
    assert_eq!(rig.receive_seqs(), [3, 2]);
}

#[test]
fn groups_take_turns_when_nothing_is_ever_leased() {
    let mut rig = Rig::new(rules());
    for group in ["a", "b", "c"] {
        rig.put(group);
    }
    let mut order = Vec::new();
    for _ in 0..6 {
        order.push(rig.receive_with(1, Some(0), None).messages[0].seq);
    }
    assert_eq!(order, [1, 2, 3, 1, 2, 3]);
    assert_eq!(rig.counts(), (3, 0, 0));
}

#[test]
fn no_group_starves_beside_a_busy_one() {
    let mut rig = Rig::new(rules());
    for _ in 0..100 {
        rig.put("busy");
    }
    rig.put("quiet");
    let seen = (0..2).map(|_| {
        let pick = rig.receive_with(1, None, None).messages[0];
        rig.delete(Handle::from(&pick)).expect("in flight");
        pick.seq
    });
    assert_eq!(seen.collect::<Vec<_>>(), [1, 101]);
}

#[test]
fn a_lease_that_ends_makes_the_message_visible_and_its_receipt_expire() {
    let (mut rig, handles) = three_in_flight();
    rig.advance(30 * SECOND - 1);
    assert_eq!(rig.counts(), (0, 3, 0));
    rig.advance(1);
    assert_eq!(rig.counts(), (3, 0, 0));
    assert_eq!(rig.delete(handles[0]), Err(Refusal::Expired));
    let again = rig.receive();
    assert_eq!(again.iter().map(|handle| handle.delivery).collect::<Vec<_>>(), [2, 2, 2]);
    assert_eq!(rig.delete(handles[0]), Err(Refusal::Expired), "an earlier delivery's receipt");
    assert_eq!(rig.delete(again[0]), Ok(DeleteDecision::Delete));
    assert_eq!(rig.delete(again[0]), Ok(DeleteDecision::AlreadyGone));
}

#[test]
fn a_lease_that_is_over_is_over_before_any_timer_fires() {
    let (mut rig, handles) = three_in_flight();
    rig.now += 30 * SECOND;
    assert_eq!(rig.delete(handles[0]), Err(Refusal::Expired));
    assert_eq!(rig.extend(handles[0], SECOND), Err(Refusal::NotInFlight));
}

#[test]
fn an_extended_lease_can_be_deleted_within_the_extension() {
    let (mut rig, handles) = three_in_flight();
    rig.extend(handles[0], 100 * SECOND).expect("in flight");
    rig.advance(99 * SECOND);
    assert_eq!(rig.delete(handles[0]), Ok(DeleteDecision::Delete));
}

#[test]
fn a_lease_ends_at_most_twelve_hours_after_the_receive() {
    let (mut rig, handles) = three_in_flight();
    let hour = 3_600 * SECOND;
    rig.advance(20 * SECOND);
    let refusal = rig.extend(handles[0], 12 * hour).expect_err("20 s too long");
    let expected = Problem::LeaseBeyondMax { lease: 12 * hour, max: 12 * hour };
    assert_eq!(refusal.into_error().problem(), Some(&expected));
    rig.extend(handles[0], 12 * hour - 20 * SECOND).expect("exactly twelve hours");
}

#[test]
fn refusals_say_what_is_wrong_as_data() {
    for (refusal, problem) in
        [(Refusal::Expired, Problem::ReceiptExpired), (Refusal::NotInFlight, Problem::NotInFlight)]
    {
        assert_eq!(refusal.into_error().problem(), Some(&problem));
    }
}

#[test]
fn a_message_delivered_often_enough_is_a_dead_letter_and_the_next_one_is_delivered() {
    let mut rig = Rig::new(rules());
    rig.set_rules(|rules| rules.dead_letter_after = Some(2));
    rig.put("a");
    rig.receive_with(1, Some(0), None);
    rig.receive_with(1, Some(0), None);
    rig.put("a");
    let picked = rig.receive_with(10, None, None);
    assert_eq!(picked.dead.iter().map(|dead| dead.seq).collect::<Vec<_>>(), [1]);
    assert_eq!(picked.dead[0].delivery, 2);
    assert_eq!(picked.messages.iter().map(|pick| pick.seq).collect::<Vec<_>>(), [2]);
}

#[test]
fn a_receive_of_many_dead_letters_ends_and_says_that_there_is_more() {
    let mut rig = Rig::new(rules());
    for _ in 0..1_000 {
        rig.put("a");
    }
    rig.receive_with(1_000, Some(0), None);
    rig.put("b");
    rig.set_rules(|rules| rules.dead_letter_after = Some(1));
    let (mut dead, mut rounds) = (0, 0);
    loop {
        let picked = rig.receive_with(10, None, None);
        dead += picked.dead.len();
        rounds += 1;
        if !picked.messages.is_empty() {
            assert_eq!(picked.messages[0].seq, 1_001);
            break;
        }
        assert!(picked.more, "nothing delivered, so the search must go on");
    }
    assert_eq!(dead, 1_000);
    assert!(rounds > 2, "one receive must not look through all of them");
}

#[test]
fn a_receive_returns_no_more_than_may_be_in_flight() {
    let mut rig = Rig::new(rules());
    rig.set_rules(|rules| rules.in_flight_max = 3);
    for group in 0..5 {
        rig.put(&group.to_string());
    }
    let handles = rig.receive();
    assert_eq!(handles.len(), 3);
    assert!(!rig.state.has_deliverable());
    assert_eq!(rig.receive_seqs(), []);
    rig.delete(handles[1]).expect("in flight");
    assert_eq!(rig.receive_seqs(), [4]);
}

#[test]
fn deciding_changes_nothing() {
    let mut rig = Rig::new(rules());
    rig.put("a");
    rig.put("b");
    let first = rig.decide(10, None, None);
    assert_eq!(rig.decide(10, None, None), first);
    assert_eq!(rig.counts(), (2, 0, 0));
    assert_eq!(rig.receive_with(10, None, None), first);
}

#[test]
fn a_task_that_takes_messages_takes_them_in_order_and_without_a_lease() {
    let mut rig = Rig::new(rules());
    rig.set_rules(|rules| (rules.in_flight_max, rules.dead_letter_after) = (1, Some(1)));
    for group in ["a", "a", "b"] {
        rig.put(group);
    }
    let taken = rig.state.decide_take(2, rig.now);
    assert_eq!(taken.iter().map(|pick| pick.seq).collect::<Vec<_>>(), [1, 2]);
    for pick in taken {
        rig.state.apply_deleted(pick.place.slot);
    }
    assert_eq!(rig.counts(), (1, 0, 0));
}

#[test]
fn peek_shows_the_oldest_first_and_those_in_flight_only_when_asked() {
    let mut rig = Rig::new(rules());
    for group in ["a", "b", "a"] {
        rig.put(group);
    }
    rig.receive_with(1, None, None);
    let peek = |include| {
        let mut seen = Vec::new();
        rig.state.peek(2, include, |info| seen.push((info.seq, info.state)));
        seen
    };
    use FifoMessageState::{Leased, Visible};
    assert_eq!(peek(false), [(2, Visible), (3, Visible)]);
    assert_eq!(peek(true), [(1, Leased), (2, Visible)]);
}

#[test]
fn a_busy_slot_needs_one_timer_entry_and_not_one_a_lease() {
    let mut rig = Rig::new(rules());
    for _ in 0..10_000 {
        rig.put("a");
        let handles = rig.receive();
        rig.delete(handles[0]).expect("in flight");
    }
    assert!(rig.pushed <= 2, "{} entries", rig.pushed);
}

#[test]
fn an_empty_group_is_forgotten_and_a_drained_queue_is_small() {
    let mut rig = Rig::new(rules());
    let small = rig.state.memory();
    for group in 0..100_000u32 {
        rig.put(&group.to_string());
    }
    assert_eq!(rig.state.groups(), 100_000);
    let large = rig.state.memory();
    for pick in rig.state.decide_take(100_000, rig.now) {
        rig.state.apply_deleted(pick.place.slot);
    }
    assert_eq!(rig.state.groups(), 0);
    let left = rig.state.memory() - small;
    assert!(left < large / 4, "{left} of {large} bytes are left");
}

#[test]
fn a_purge_hands_out_everything_that_was_in_the_queue() {
    let (mut rig, handles) = three_in_flight();
    rig.put("b");
    let mut purged = rig.state.purge();
    assert_eq!(purged.len(), 4);
    let mut homes: Vec<u64> = purged
        .payloads()
        .map(|payload| match payload {
            Payload::At { lsn, .. } => lsn,
            Payload::Bytes(_) => unreachable!("the rig keeps places"),
        })
        .collect();
    homes.sort_unstable();
    assert_eq!(homes, [1, 2, 3, 4]);
    assert_eq!((rig.counts(), rig.state.groups()), ((0, 0, 0), 0));
    let next = rig.put("a");
    assert_eq!(rig.delete(handles[0]), Ok(DeleteDecision::AlreadyGone));
    rig.advance(60 * SECOND);
    assert_eq!(rig.receive_seqs(), [next]);
}
