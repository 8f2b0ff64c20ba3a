//! What a FIFO queue remembers for a time: deduplication, receive attempts, delay and retention.
#![cfg(not(loom))]

mod fifo_support;

use fifo_support::{Handle, Rig, SECOND, START, rules};
use trunkline_queue::{DedupEntry, DeleteDecision, FifoState, Payload, Refusal, SendDecision};

#[test]
fn a_duplicate_is_answered_with_the_first_and_does_not_extend_the_window() {
    let mut rig = Rig::new(rules());
    assert_eq!(rig.send("a", Some(9)), SendDecision::Admit(1));
    rig.advance(200 * SECOND);
    assert_eq!(rig.send("b", Some(9)), SendDecision::Duplicate(1));
    rig.advance(100 * SECOND - 1);
    assert_eq!(rig.send("a", Some(9)), SendDecision::Duplicate(1));
    rig.advance(1);
    assert_eq!(rig.send("a", Some(9)), SendDecision::Admit(2), "though the first is still there");
    assert_eq!(rig.send("a", Some(9)), SendDecision::Duplicate(2));
}

#[test]
fn a_duplicate_is_known_after_the_delete_but_not_after_a_purge() {
    let mut rig = Rig::new(rules());
    rig.send("a", Some(9));
    let handles = rig.receive();
    rig.delete(handles[0]).expect("in flight");
    assert_eq!(rig.send("a", Some(9)), SendDecision::Duplicate(1));
    let mut purged = rig.state.purge();
    assert!(purged.is_empty() && purged.payloads().next().is_none());
    assert_eq!(rig.send("a", Some(9)), SendDecision::Admit(2));
}

#[test]
fn the_dedup_window_is_empty_some_time_after_the_last_send() {
    let mut rig = Rig::new(rules());
    for key in 0..1_000 {
        rig.send("a", Some(key));
        rig.advance(10);
    }
    assert_eq!(rig.state.dedup_len(), 1_000);
    // The entries of the first half are dropped, and their places free.
    rig.advance(296 * SECOND);
    let seen = |state: &FifoState| {
        let (mut seen, mut next) = (Vec::new(), Some(0));
        while let Some(from) = next {
            next = state.scan_dedup(from, 7, |entry| seen.push(entry.seq));
        }
        seen
    };
    let (count, mut steps) = (rig.state.dedup_len(), seen(&rig.state));
    steps.sort_unstable();
    assert!((1..1_000).contains(&count), "{count}");
    assert_eq!(steps, (1_001 - count as u64..=1_000).collect::<Vec<_>>());
    rig.advance(10 * SECOND);
    assert_eq!((rig.state.dedup_len(), seen(&rig.state)), (0, Vec::new()));
}

#[test]
fn a_repeated_receive_gives_the_same_deliveries_and_renews_their_leases() {
    let mut rig = Rig::new(rules());
    rig.put("a");
    rig.put("a");
    let first = rig.receive_with(10, None, Some("attempt"));
    rig.advance(20 * SECOND);
    let second = rig.receive_with(10, None, Some("attempt"));
    assert!(second.repeated && !first.repeated);
    let handles = |picks: &[trunkline_queue::Pick]| -> Vec<Handle> {
        picks.iter().map(Handle::from).collect()
    };
    assert_eq!(handles(&first.messages), handles(&second.messages));
    rig.advance(20 * SECOND);
    assert_eq!(rig.counts(), (0, 2, 0), "the leases count from the repetition");
    assert_eq!(rig.delete(Handle::from(&first.messages[0])), Ok(DeleteDecision::Delete));
}

#[test]
fn a_receive_is_not_repeated_once_a_delivery_of_it_was_touched() {
    type Touch = fn(&mut Rig, Handle);
    let touches: [(&str, Touch); 4] = [
        ("deleted", |rig, handle| assert!(rig.delete(handle).is_ok())),
        ("extended", |rig, handle| assert!(rig.extend(handle, 30 * SECOND).is_ok())),
        ("expired", |rig, _| rig.advance(30 * SECOND)),
        ("released", |rig, handle| assert!(rig.extend(handle, 0).is_ok())),
    ];
    for (name, touch) in touches {
        let mut rig = Rig::new(rules());
        rig.put("a");
        rig.put("a");
        let first = rig.receive_with(10, None, Some("attempt"));
        touch(&mut rig, Handle::from(&first.messages[1]));
        assert!(!rig.decide(10, None, Some("attempt")).repeated, "{name}");
    }
}

#[test]
fn an_attempt_id_that_is_used_again_names_the_last_receive() {
    let mut rig = Rig::new(rules());
    rig.set_rules(|rules| rules.in_flight_max = 2);
    for _ in 0..3 {
        rig.put("a");
        let picked = rig.receive_with(1, None, Some("attempt"));
        assert!(!picked.repeated, "the message of the receive before is deleted");
        let repeated = rig.receive_with(1, None, Some("attempt"));
        assert!(repeated.repeated && repeated.messages[0].seq == picked.messages[0].seq);
        rig.delete(Handle::from(&picked.messages[0])).expect("in flight");
    }
}

#[test]
fn a_receive_can_be_repeated_for_five_minutes_after_the_first() {
    let mut rig = Rig::new(rules());
    rig.put("a");
    rig.receive_with(10, Some(400 * SECOND), Some("attempt"));
    rig.advance(299 * SECOND);
    assert!(rig.receive_with(10, Some(400 * SECOND), Some("attempt")).repeated);
    rig.advance(SECOND);
    assert!(!rig.decide(10, None, Some("attempt")).repeated);
}

#[test]
fn retention_takes_messages_exactly_then_in_flight_ones_too() {
    let mut rig = Rig::new(rules());
    rig.set_rules(|rules| rules.retention = 60 * SECOND);
    rig.put("a");
    let pick = rig.receive_with(1, Some(100 * SECOND), None).messages[0];
    rig.advance(SECOND);
    rig.put("a");
    rig.advance(59 * SECOND - 1);
    assert_eq!(rig.counts(), (1, 1, 0));
    rig.advance(1);
    assert_eq!(rig.expired, [1]);
    assert_eq!(rig.counts(), (1, 0, 0));
    assert_eq!(rig.state.oldest_sent(), Some(START + SECOND));
    assert_eq!(rig.delete(Handle::from(&pick)), Ok(DeleteDecision::AlreadyGone));
    assert_eq!(rig.extend(Handle::from(&pick), SECOND), Err(Refusal::NotInFlight));
    assert_eq!(rig.receive_seqs(), [2], "what is gone blocks no message");
    rig.advance(SECOND);
    assert_eq!((rig.counts(), rig.state.groups()), ((0, 0, 0), 0));
}

#[test]
fn an_expired_message_is_not_delivered_even_before_its_timer_fires() {
    let mut rig = Rig::new(rules());
    rig.set_rules(|rules| rules.retention = 60 * SECOND);
    rig.put("a");
    rig.advance(SECOND);
    rig.put("a");
    rig.now += 59 * SECOND;
    assert_eq!(rig.receive_seqs(), [2]);
}

#[test]
fn the_delay_is_the_queues_and_changing_it_affects_what_is_queued() {
    let mut rig = Rig::new(rules());
    rig.set_rules(|rules| rules.delay = 10 * SECOND);
    rig.put("a");
    rig.advance(9 * SECOND);
    assert_eq!((rig.counts(), rig.receive_seqs()), ((0, 0, 1), vec![]));
    rig.set_rules(|rules| rules.delay = 20 * SECOND);
    rig.advance(SECOND);
    assert_eq!(rig.receive_seqs(), [], "the longer delay counts");
    rig.set_rules(|rules| rules.delay = 5 * SECOND);
    assert_eq!(rig.counts(), (1, 0, 0));
    rig.set_rules(|rules| rules.delay = 60 * SECOND);
    assert_eq!(rig.counts(), (0, 0, 1), "held back again");
    rig.advance(50 * SECOND);
    assert_eq!(rig.receive_seqs(), [1]);
    rig.set_rules(|rules| rules.delay = 900 * SECOND);
    rig.advance(30 * SECOND);
    assert_eq!(rig.counts(), (1, 0, 0), "what was received is not held back");
}

#[test]
fn a_delayed_message_blocks_what_follows_it_in_its_group() {
    let mut rig = Rig::new(rules());
    rig.put("a");
    rig.advance(10 * SECOND);
    rig.put("a");
    rig.put("b");
    rig.set_rules(|rules| rules.delay = 5 * SECOND);
    assert_eq!(rig.receive_seqs(), [1]);
    rig.advance(5 * SECOND);
    assert_eq!(rig.receive_seqs(), [3], "the first of group a is in flight");
}

#[test]
fn a_clock_that_was_set_back_keeps_retention_exact() {
    let mut rig = Rig::new(rules());
    rig.set_rules(|rules| rules.retention = 600 * SECOND);
    for _ in 0..5 {
        rig.put("a");
    }
    // A restart after the clock was set back: later messages are sent at an earlier time.
    let early = START - 300 * SECOND;
    for _ in 0..5 {
        let SendDecision::Admit(seq) = rig.state.decide_send(None, early) else { unreachable!() };
        let payload = Payload::At { lsn: seq, len: 1 };
        rig.state.apply_sent(fifo_support::admitted(seq, "b", None, early, payload));
        rig.arm_front();
    }
    rig.advance(300 * SECOND);
    assert_eq!(rig.expired, [6, 7, 8, 9, 10]);
    rig.advance(300 * SECOND);
    assert_eq!(rig.expired.len(), 10);
}

#[test]
fn a_carried_deduplication_key_is_one_entry_at_its_newest_home() {
    let mut state = Rig::new(rules()).state;
    state.begin_recovery();
    for location in [5, 90] {
        state.apply_dedup(DedupEntry { key: 9, seq: 3, at: START, location });
    }
    state.apply_dedup(DedupEntry { key: 8, seq: 1, at: START - 300 * SECOND, location: 91 });
    state.end_recovery(START, |_, _| {});
    let mut seen = Vec::new();
    state.for_each_dedup(|entry| {
        seen.push((entry.key, entry.location));
        None
    });
    assert_eq!(seen, [(9, 90)], "and what is out of the window is not kept");
}
