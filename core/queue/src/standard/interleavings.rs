//! Every interleaving of two or three threads on pages of two slots, tried by loom.
//!
//! `make test-loom` runs a bounded form, `make test-loom-all` all of it.

use loom::sync::Arc;
use loom::thread::{JoinHandle, spawn};
use trunkline_types::Seq;

use super::types::{
    BodyRef, Counts, Extend, Fire, MessageState, NewBody, Restored, SlotRef, Visibility,
};
use super::{Reserved, SharedBody, StandardLog};

const NOW: u64 = 1_000_000;
const LEASE: u64 = 30_000;

/// Tries `model` with up to `preemptions` forced changes of thread, or fewer if
/// `LOOM_MAX_PREEMPTIONS` says so: the builder starts with that bound.
fn explore(preemptions: usize, model: impl Fn() + Sync + Send + 'static) {
    let mut builder = loom::model::Builder::new();
    let bound = builder.preemption_bound.map_or(preemptions, |bound| bound.min(preemptions));
    builder.preemption_bound = Some(bound);
    builder.max_branches = 20_000;
    builder.check(model);
}

fn publish(reserved: Reserved<'_>, name: u8) -> SlotRef {
    reserved.publish(NOW, name, NewBody::Inline(&[&[name; 8]]), Visibility::Ready)
}

fn send(log: &StandardLog, name: u8) -> SlotRef {
    publish(log.reserve(8, true), name)
}

/// Receives one message: its name, from body and flags, which must agree, and its place.
fn receive(log: &StandardLog) -> Option<(u8, SlotRef, Seq)> {
    let claimed = log.claim()?;
    let name = claimed.flags();
    assert_eq!(claimed.body(), BodyRef::Bytes(&[name; 8]));
    let (place, seq) = (claimed.place(), claimed.seq());
    claimed.lease(NOW + LEASE, NOW).ok()?;
    Some((name, place, seq))
}

fn names(found: impl IntoIterator<Item = Option<(u8, SlotRef, Seq)>>) -> Vec<u8> {
    found.into_iter().flatten().map(|(name, _, _)| name).collect()
}

fn drain(log: &StandardLog) -> Vec<u8> {
    names(std::iter::from_fn(|| receive(log).map(Some)))
}

fn thread<T: 'static>(
    log: &Arc<StandardLog>,
    work: impl FnOnce(&StandardLog) -> T + 'static,
) -> JoinHandle<T> {
    let log = Arc::clone(log);
    spawn(move || work(&log))
}

fn done<T>(handle: JoinHandle<T>) -> T {
    handle.join().expect("no thread panics")
}

fn sorted(mut names: Vec<u8>) -> Vec<u8> {
    names.sort_unstable();
    names
}

/// A log with a message that was delivered once already and is in flight.
fn leased(name: u8, due: u64) -> (Arc<StandardLog>, SlotRef) {
    let mut log = StandardLog::new(1);
    let body = [name; 8];
    let message = Restored {
        seq: 500,
        sent: NOW,
        flags: name,
        body: NewBody::Inline(&[&body]),
        deliveries: 1,
        first_received: Some(NOW),
        state: MessageState::Leased(due),
        fair: false,
    };
    let place = log.restore(1, |restoring| restoring.push(message));
    (Arc::new(log), place)
}

#[test]
fn two_senders_turn_a_page_together_and_lose_nothing() {
    explore(3, || {
        let log = Arc::new(StandardLog::new(1));
        send(&log, 1);
        let other = thread(&log, |log| send(log, 2));
        send(&log, 3);
        done(other);
        assert_eq!(log.counts(), Counts { visible: 3, in_flight: 0, delayed: 0 });
        let mut found = drain(&log);
        assert_eq!(found.remove(0), 1);
        assert_eq!(sorted(found), [2, 3]);
    });
}

#[test]
fn two_receivers_and_a_sender_deliver_each_message_once() {
    explore(2, || {
        let log = Arc::new(StandardLog::new(1));
        send(&log, 1);
        let sender = thread(&log, |log| send(log, 2));
        let receiver = thread(&log, receive);
        let mine = receive(&log);
        done(sender);
        let mut found = names([mine, done(receiver)]);
        assert!(!found.is_empty(), "one message was there all the time");
        found.extend(drain(&log));
        assert_eq!(sorted(found), [1, 2]);
        assert_eq!(log.counts(), Counts { visible: 0, in_flight: 2, delayed: 0 });
    });
}

#[test]
fn a_run_of_sends_meets_a_sender_and_a_receiver_and_loses_nothing() {
    explore(2, || {
        let log = Arc::new(StandardLog::new(1));
        let runs = thread(&log, |log| {
            let (bodies, mut numbers) = ([[7_u8; 8]; 3], Vec::new());
            log.append_all(NOW, 7, bodies.iter().map(|body| &body[..]), |seq| numbers.push(seq));
            numbers
        });
        send(&log, 1);
        let mut found: Vec<_> = receive(&log).into_iter().collect();
        assert_eq!(found.len(), 1, "one message was sent before");
        let numbers = done(runs);
        found.extend(std::iter::from_fn(|| receive(&log)));
        let sevens = found.iter().filter(|(name, _, _)| *name == 7);
        let mut received: Vec<Seq> = sevens.map(|(_, _, seq)| *seq).collect();
        received.sort_unstable();
        assert_eq!(received, numbers, "each once, under the number its sender was told");
        assert_eq!(log.counts(), Counts { visible: 0, in_flight: 4, delayed: 0 });
    });
}

#[test]
fn an_old_receipt_deletes_a_message_that_is_being_received() {
    explore(3, || {
        let (log, place) = leased(1, NOW);
        assert_eq!(log.fire(place.slot, NOW), Fire::BecameVisible(place));
        let deleter = thread(&log, move |log| log.delete(place));
        let found = receive(&log);
        assert!(done(deleter), "no other thread deletes it");
        assert!(!log.delete(place));
        assert!(found.is_none_or(|(_, at, _)| at == place));
        assert_eq!(log.counts(), Counts::default());
        assert!(drain(&log).is_empty());
    });
}

#[test]
fn of_two_deletes_one_counts() {
    explore(3, || {
        let (log, place) = leased(1, NOW + LEASE);
        let other = thread(&log, move |log| log.delete(place));
        let mine = log.delete(place);
        assert!(mine != done(other));
        assert_eq!(log.counts(), Counts::default());
    });
}

#[test]
fn a_lease_that_ends_while_it_is_deleted_leaves_nothing() {
    explore(3, || {
        let (log, place) = leased(1, NOW);
        let timer = thread(&log, move |log| log.fire(place.slot, NOW));
        assert!(log.delete(place));
        done(timer);
        assert!(drain(&log).is_empty());
        assert_eq!(log.counts(), Counts::default());
    });
}

#[test]
fn a_lease_is_either_extended_or_ended() {
    explore(3, || {
        let (log, place) = leased(1, NOW);
        // The extender's clock is a moment behind.
        let timer = thread(&log, move |log| log.fire(place.slot, NOW));
        let extended = log.extend(place, NOW + LEASE, NOW - 1);
        let fired = done(timer);
        let found = drain(&log);
        match extended {
            Extend::Changed => assert!(found.is_empty() && fired != Fire::BecameVisible(place)),
            Extend::NotInFlight => {
                assert_eq!((fired, found), (Fire::BecameVisible(place), vec![1]));
            }
            other => panic!("{other:?}"),
        }
    });
}

#[test]
fn a_message_always_has_a_timer_entry_that_is_not_too_late() {
    explore(3, || {
        let log = Arc::new(StandardLog::new(1));
        let place = send(&log, 1);
        assert!(log.arm(place.slot, NOW));
        // The entry of an earlier message in this slot fires while the message is leased.
        let timer = thread(&log, move |log| log.fire(place.slot, NOW));
        let found = receive(&log);
        assert_eq!(names([found]), [1]);
        let pushed = log.arm(place.slot, NOW + LEASE);
        let again = matches!(done(timer), Fire::Later(_));
        assert!(pushed || again, "the lease would never end");
    });
}

#[test]
fn pages_are_reused_under_a_sender_and_a_receiver_that_lag() {
    explore(2, || {
        let log = Arc::new(StandardLog::new(1));
        // Five slots on pages of two: the first page is needed again.
        let first = send(&log, 1);
        let mut found = names([receive(&log)]);
        assert!(log.delete(first));
        let other = thread(&log, |log| {
            send(log, 9);
            receive(log)
        });
        for name in 2..=4 {
            send(&log, name);
            if let Some((name, place, _)) = receive(&log) {
                found.push(name);
                assert!(log.delete(place));
            }
        }
        found.extend(names([done(other)]));
        found.extend(drain(&log));
        assert_eq!(sorted(found), [1, 2, 3, 4, 9]);
        assert_eq!(log.counts().visible, 0);
    });
}

#[test]
fn a_slow_sender_is_stepped_over_and_its_message_arrives_with_its_number() {
    explore(3, || {
        let log = Arc::new(StandardLog::new(1));
        let slow = thread(&log, |log| {
            let reserved = log.reserve(8, true);
            let seq = reserved.seq();
            publish(reserved, 1);
            seq
        });
        send(&log, 2);
        send(&log, 3);
        let mut found: Vec<_> = [receive(&log), receive(&log)].into_iter().flatten().collect();
        assert_eq!(found.len(), 2, "two messages were sent before");
        let seq = done(slow);
        found.extend(std::iter::from_fn(|| receive(&log)));
        assert!(found.iter().all(|(name, _, at)| (*name == 1) == (*at == seq)));
        assert_eq!(sorted(names(found.into_iter().map(Some))), [1, 2, 3]);
    });
}

#[test]
fn a_body_that_two_logs_share_is_read_by_both_and_ends_with_the_last() {
    explore(2, || {
        let logs = [Arc::new(StandardLog::new(1)), Arc::new(StandardLog::new(1))];
        let shared = SharedBody::new(&[7; 8], 2);
        logs[0].append_shared(NOW, 7, &shared);
        let other = thread(&logs[0], |log| {
            let (name, place, _) = receive(log).expect("it was sent");
            (name, log.delete(place))
        });
        // Receivers may step over the slot: the reference goes to another one.
        let receiver = thread(&logs[1], receive);
        logs[1].append_shared(NOW, 7, &shared);
        drop(shared);
        assert_eq!(done(other), (7, true));
        let mut found = names([done(receiver)]);
        found.extend(drain(&logs[1]));
        assert_eq!(found, [7]);
    });
}

#[test]
fn a_message_looked_at_in_place_is_not_left_behind() {
    explore(3, || {
        let log = Arc::new(StandardLog::new(1));
        let first = send(&log, 1);
        send(&log, 2);
        let peek = thread(&log, move |log| {
            if let Some(claimed) = log.claim_at(first) {
                assert_eq!(claimed.body(), BodyRef::Bytes(&[1; 8]));
                claimed.put_back();
            }
        });
        let mut found = names([receive(&log)]);
        assert_eq!(found.len(), 1);
        done(peek);
        found.extend(drain(&log));
        assert_eq!(sorted(found), [1, 2]);
    });
}

#[test]
fn a_message_that_returns_is_received_once_by_two_receivers() {
    explore(2, || {
        let (log, place) = leased(1, NOW);
        // Receivers of this one pass the other.
        send(&log, 2);
        let timer = thread(&log, move |log| log.fire(place.slot, NOW));
        let receiver = thread(&log, receive);
        let mut found = names([receive(&log)]);
        done(timer);
        found.extend(names([done(receiver)]));
        found.extend(drain(&log));
        assert_eq!(sorted(found), [1, 2]);
        assert_eq!(log.counts(), Counts { visible: 0, in_flight: 2, delayed: 0 });
    });
}
