//! Archives of FIFO topics: what is kept, in which order it comes again, how a subscription goes
//! live, and what restarts, crashes and copies leave of it.

#![allow(clippy::unwrap_used)]

mod common;

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use common::{START, find, memory, queue, receive};
use trunkline_engine::{
    Clock, Code, Delivery, Engine, NewSubscription, Notification, OpenOptions, Queue, Receive,
    ReplayState, ResourceId, Result, SubscriptionReplay, TargetResource, Topic, attributes,
    fifo_queue, standard_queue, topic_name,
};
use trunkline_journal::sim::SimStorage;

const DAY: u64 = 86_400_000;

fn on_disk(path: &Path, now: u64) -> Arc<Engine> {
    let clock = Arc::new(Clock::virtual_at(now));
    let options = OpenOptions { clock, segment_bytes: 8 << 10, ..OpenOptions::at(path) };
    Engine::open(OpenOptions { background: false, seed: Some(1), ..options }).unwrap()
}

/// Tries a claim in memory and on disk.
fn everywhere(claim: impl Fn(&Arc<Engine>)) {
    claim(&memory());
    let folder = tempfile::tempdir().unwrap();
    claim(&on_disk(folder.path(), START));
}

fn topic(engine: &Engine) -> Arc<Topic> {
    engine.topic(topic_name("orders.fifo"), None, b"").unwrap().0
}

fn archived(engine: &Engine) -> Arc<Topic> {
    let orders = topic(engine);
    orders.set_archive(Some(DAY)).unwrap();
    orders
}

fn to(queue: &Queue) -> NewSubscription<'static> {
    NewSubscription {
        target: TargetResource::Resource(queue.id()),
        is_raw: true,
        is_pending: false,
        protocol: trunkline_engine::Protocol::Default,
        filter: None,
        filters_body: false,
        dead_letter: None,
        retry: None,
        endpoint: "",
        name: None,
    }
}

fn subscribe(engine: &Engine, topic: &Topic, queue: &Queue) -> ResourceId {
    engine.subscribe(topic, &to(queue)).unwrap().0
}

fn publish(engine: &Engine, topic: &Topic, numbers: std::ops::Range<usize>) {
    for number in numbers {
        let (body, group) = (number.to_string(), (number % 3).to_string());
        let message = Notification {
            body: body.as_bytes(),
            group: Some(&group),
            dedup_id: Some(&body),
            ..Notification::default()
        };
        engine.publish(topic, &message).unwrap();
    }
}

/// The bodies of all messages, which are deleted.
fn take(queue: &Queue) -> Vec<String> {
    let mut taken = Vec::new();
    loop {
        let got = receive(queue, 10);
        if got.is_empty() {
            return taken;
        }
        got.iter().for_each(|message| _ = queue.delete(&message.receipt).unwrap());
        taken.extend(got.into_iter().map(|message| message.body));
    }
}

fn numbers(queue: &Queue) -> Vec<usize> {
    take(queue).iter().map(|body| body.parse().unwrap()).collect()
}

/// Each group in the order of its numbers; whole.
fn check_groups(found: &[usize], wanted: std::ops::Range<usize>) {
    for group in 0..3 {
        let of = |all: &mut dyn Iterator<Item = usize>| -> Vec<usize> {
            all.filter(|number| number % 3 == group).collect()
        };
        assert_eq!(of(&mut found.iter().copied()), of(&mut wanted.clone()), "group {group}");
    }
}

fn replay(engine: &Engine, topic: &Topic, id: ResourceId, start: u64) -> SubscriptionReplay {
    topic.start_replay(id, start, None).unwrap();
    engine.advance(10_000).unwrap();
    topic.replay_of(id).unwrap().unwrap()
}

fn code<T>(result: Result<T>) -> Code {
    result.err().unwrap().code()
}

#[test]
fn a_subscription_gets_the_archive_and_then_what_is_published() {
    everywhere(|engine| {
        let orders = archived(engine);
        publish(engine, &orders, 0..700);
        let late = queue(engine, "late.fifo", fifo_queue());
        let id = subscribe(engine, &orders, &late);
        let status = replay(engine, &orders, id, 0);
        assert_eq!((status.state, status.replayed), (ReplayState::Completed, 700));
        publish(engine, &orders, 700..710);
        check_groups(&numbers(&late), 0..710);
        assert_eq!(orders.archive().unwrap().unwrap().messages, 710);
        let counted = orders.statistics().unwrap();
        assert_eq!((counted.published, counted.delivered), (710, 710));
        // Again, within the window in which its queue knows their deduplication ids.
        assert_eq!(replay(engine, &orders, id, 0).replayed, 710);
        check_groups(&numbers(&late), 0..710);
    });
}

#[test]
fn what_is_published_while_a_replay_runs_comes_behind_the_archive() {
    everywhere(|engine| {
        let orders = archived(engine);
        let end = queue(engine, "end.fifo", fifo_queue());
        let id = subscribe(engine, &orders, &end);
        publish(engine, &orders, 0..600);
        assert_eq!(numbers(&end).len(), 600);
        orders.start_replay(id, 0, None).unwrap();
        engine.advance(1).unwrap();
        let running = orders.replay_of(id).unwrap().unwrap();
        assert_eq!(running.state, ReplayState::Running);
        publish(engine, &orders, 600..620);
        engine.advance(10_000).unwrap();
        publish(engine, &orders, 620..630);
        check_groups(&numbers(&end), 0..630);
    });
}

#[test]
fn a_replay_with_an_end_pauses_its_subscription_until_it_is_stopped() {
    everywhere(|engine| {
        let orders = archived(engine);
        let end = queue(engine, "end.fifo", fifo_queue());
        let id = subscribe(engine, &orders, &end);
        publish(engine, &orders, 0..3);
        engine.advance(1_000).unwrap();
        publish(engine, &orders, 3..6);
        numbers(&end);
        orders.start_replay(id, START, Some(START + 1_000)).unwrap();
        engine.advance(10_000).unwrap();
        publish(engine, &orders, 6..9);
        check_groups(&numbers(&end), 0..3);
        assert_eq!(orders.replay_of(id).unwrap().unwrap().state, ReplayState::Completed);
        orders.stop_replay(id).unwrap();
        orders.stop_replay(id).unwrap();
        assert_eq!(orders.replay_of(id).unwrap(), None);
        publish(engine, &orders, 9..12);
        check_groups(&numbers(&end), 9..12);
    });
}

#[test]
fn a_replay_waits_for_an_end_that_has_not_come() {
    everywhere(|engine| {
        let orders = archived(engine);
        let end = queue(engine, "end.fifo", fifo_queue());
        let id = subscribe(engine, &orders, &end);
        orders.start_replay(id, START, Some(START + 1_000)).unwrap();
        engine.advance(100).unwrap();
        publish(engine, &orders, 0..3);
        engine.advance(10).unwrap();
        check_groups(&numbers(&end), 0..3);
        assert_eq!(orders.replay_of(id).unwrap().unwrap().state, ReplayState::Running);
        engine.advance(890).unwrap();
        publish(engine, &orders, 3..6);
        engine.advance(10).unwrap();
        assert!(numbers(&end).is_empty());
        assert_eq!(orders.replay_of(id).unwrap().unwrap().state, ReplayState::Completed);
    });
}

#[test]
fn envelopes_attributes_and_filters_are_those_of_the_message() {
    everywhere(|engine| {
        let orders = archived(engine);
        let raw = queue(engine, "raw", standard_queue());
        let told = queue(engine, "told.fifo", fifo_queue());
        let block = attributes::encode(&[attributes::Attribute {
            name: "state".to_owned(),
            data_type: "String".to_owned(),
            value: b"paid".to_vec(),
            system: false,
        }]);
        for (body, attributes) in [("one", &*block), ("two", b"")] {
            let (group, dedup_id) = (Some("g"), Some(body));
            let body = body.as_bytes();
            let message =
                Notification { body, attributes, group, dedup_id, ..Notification::default() };
            engine.publish(&orders, &message).unwrap();
        }
        engine.advance(1_000).unwrap();
        let filter = Some(r#"{"state":["paid"]}"#);
        let filtered = NewSubscription { filter, ..to(&raw) };
        let (of_raw, _) = engine.subscribe(&orders, &filtered).unwrap();
        let enveloped = NewSubscription { is_raw: false, ..to(&told) };
        let (of_told, _) = engine.subscribe(&orders, &enveloped).unwrap();
        assert_eq!(replay(engine, &orders, of_raw, 0).replayed, 1);
        assert_eq!(replay(engine, &orders, of_told, 0).replayed, 2);
        let mut got = Vec::new();
        let see = |message: Delivery<'_>| {
            got.push(message.body.to_vec());
            got.extend(
                attributes::decode(message.attributes)
                    .unwrap()
                    .into_iter()
                    .map(|one| one.name.into_bytes()),
            );
        };
        raw.try_receive(&Receive { max: 10, ..Receive::default() }, see).unwrap();
        assert_eq!(got, [&b"one"[..], b"state", b"Replayed"]);
        let told = take(&told);
        let told: Vec<serde_json::Value> =
            told.iter().map(|body| serde_json::from_str(body).unwrap()).collect();
        assert_eq!(told[0]["Replayed"], true);
        assert_eq!(told[0]["Message"], "one");
        assert_eq!(told[1]["SequenceNumber"], "18840000000000000002");
        assert_eq!(told[0]["Timestamp"], told[1]["Timestamp"]);
    });
}

#[test]
fn messages_expire_and_an_archive_that_is_switched_off_is_gone() {
    everywhere(|engine| {
        let orders = archived(engine);
        let end = queue(engine, "end.fifo", fifo_queue());
        let id = subscribe(engine, &orders, &end);
        publish(engine, &orders, 0..3);
        engine.advance(DAY / 2).unwrap();
        publish(engine, &orders, 3..6);
        numbers(&end);
        engine.advance(DAY / 2 + 1).unwrap();
        let beginning = orders.archive().unwrap().unwrap().beginning;
        assert_eq!(beginning, START + 1);
        assert_eq!(replay(engine, &orders, id, 0).replayed, 3);
        check_groups(&numbers(&end), 3..6);
        assert_eq!(code(engine.remove_topic(&orders)), Code::ResourceInUseException);
        orders.set_archive(None).unwrap();
        orders.set_archive(None).unwrap();
        assert_eq!(orders.archive().unwrap(), None);
        assert_eq!(code(orders.start_replay(id, 0, None)), Code::InvalidParameterValue);
        orders.set_archive(Some(DAY)).unwrap();
        assert_eq!(replay(engine, &orders, id, 0).replayed, 0);
        orders.set_archive(None).unwrap();
        engine.remove_topic(&orders).unwrap();
    });
}

#[test]
fn a_replay_fails_when_its_archive_is_switched_off_and_its_subscription_goes_live() {
    everywhere(|engine| {
        let orders = archived(engine);
        let end = queue(engine, "end.fifo", fifo_queue());
        let id = subscribe(engine, &orders, &end);
        publish(engine, &orders, 0..600);
        numbers(&end);
        orders.start_replay(id, 0, None).unwrap();
        orders.set_archive(None).unwrap();
        let failed = orders.replay_of(id).unwrap().unwrap();
        assert_eq!(failed.state, ReplayState::Failed);
        assert!(failed.failure.unwrap().contains("switched off"));
        numbers(&end);
        publish(engine, &orders, 600..603);
        check_groups(&numbers(&end), 600..603);
    });
}

#[test]
fn what_cannot_be_replayed_is_refused() {
    let engine = memory();
    let (plain, _) = engine.topic(topic_name("plain"), None, b"").unwrap();
    assert_eq!(code(plain.set_archive(Some(DAY))), Code::InvalidParameterValue);
    let orders = topic(&engine);
    assert_eq!(code(orders.set_archive(Some(0))), Code::InvalidParameterValue);
    assert_eq!(code(orders.set_archive(Some(366 * DAY))), Code::InvalidParameterValue);
    orders.set_archive(Some(DAY)).unwrap();
    let unknown = orders.start_replay(ResourceId(99), 0, None);
    assert_eq!(code(unknown), Code::ResourceNotFoundException);
    for number in 0..11 {
        let queue = queue(&engine, &format!("q{number}.fifo"), fifo_queue());
        let id = subscribe(&engine, &orders, &queue);
        assert_eq!(code(orders.start_replay(id, 5, Some(5))), Code::InvalidParameterValue);
        let started = orders.start_replay(id, 0, None);
        match number {
            10 => assert_eq!(code(started), Code::OverLimit),
            // One that runs is replaced.
            _ => drop((started.unwrap(), orders.start_replay(id, 0, None).unwrap())),
        }
    }
}

#[test]
fn a_replay_goes_on_behind_a_restart_and_archives_are_in_copies() {
    let folder = tempfile::tempdir().unwrap();
    let (path, copy) = (folder.path().join("engine"), folder.path().join("copy"));
    let id = {
        let engine = on_disk(&path, START);
        let orders = archived(&engine);
        publish(&engine, &orders, 0..2_000);
        let end = queue(&engine, "end.fifo", fifo_queue());
        let id = subscribe(&engine, &orders, &end);
        orders.start_replay(id, 0, None).unwrap();
        engine.advance(1).unwrap();
        let done = orders.replay_of(id).unwrap().unwrap().replayed;
        assert!((1..2_000).contains(&done), "{done}");
        engine.compact_oldest().unwrap();
        engine.snapshot(&copy).unwrap();
        let fork = engine.fork(Arc::new(Clock::virtual_at(START + 1))).unwrap();
        fork.advance(60_000).unwrap();
        let forked = fork.find_topic(&topic_name("orders.fifo")).unwrap().unwrap();
        assert_eq!(forked.replay_of(id).unwrap().unwrap().replayed, 2_000);
        check_groups(&numbers(&find(&fork, "end.fifo")), 0..2_000);
        engine.close().unwrap();
        id
    };
    for path in [path, copy] {
        let engine = on_disk(&path, START + 1);
        let orders = topic(&engine);
        publish(&engine, &orders, 2_000..2_003);
        engine.advance(60_000).unwrap();
        assert_eq!(orders.replay_of(id).unwrap().unwrap().state, ReplayState::Completed);
        publish(&engine, &orders, 2_003..2_006);
        check_groups(&numbers(&find(&engine, "end.fifo")), 0..2_006);
        assert_eq!(orders.archive().unwrap().unwrap().messages, 2_006);
    }
}

#[test]
fn publishes_beside_a_replay_lose_and_double_nothing() {
    let engine = Engine::open(OpenOptions::memory()).unwrap();
    let orders = archived(&engine);
    let end = queue(&engine, "end.fifo", fifo_queue());
    let id = subscribe(&engine, &orders, &end);
    orders.start_replay(id, 0, Some(1)).unwrap();
    const COUNT: usize = 4_000;
    let is_over = AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            publish(&engine, &orders, 0..COUNT);
            is_over.store(true, Ordering::Release);
        });
        // Catches up again and again while messages come; each time from the beginning.
        while !is_over.load(Ordering::Acquire) {
            orders.start_replay(id, 0, None).unwrap();
            std::thread::sleep(std::time::Duration::from_millis(20));
        }
    });
    let mut wait = 0;
    while orders.replay_of(id).unwrap().unwrap().state == ReplayState::Running {
        std::thread::sleep(std::time::Duration::from_millis(5));
        wait += 1;
        assert!(wait < 12_000, "the replay does not end");
    }
    take(&end);
    orders.start_replay(id, 0, None).unwrap();
    publish(&engine, &orders, COUNT..COUNT + 1_000);
    while orders.replay_of(id).unwrap().unwrap().state == ReplayState::Running {
        std::thread::sleep(std::time::Duration::from_millis(5));
        wait += 1;
        assert!(wait < 24_000, "the replay does not end");
    }
    check_groups(&numbers(&end), 0..COUNT + 1_000);
}

#[test]
fn a_crash_at_any_time_of_a_replay_doubles_and_loses_nothing() {
    let storage = SimStorage::new();
    let open = |storage: &SimStorage| {
        let options = OpenOptions {
            storage: Some(Arc::new(storage.clone())),
            clock: Arc::new(Clock::virtual_at(START)),
            seed: Some(7),
            segment_bytes: 8 << 10,
            background: false,
            ..OpenOptions::memory()
        };
        Engine::open(options).unwrap()
    };
    let engine = open(&storage);
    let orders = archived(&engine);
    publish(&engine, &orders, 0..300);
    let end = queue(&engine, "end.fifo", fifo_queue());
    let id = subscribe(&engine, &orders, &end);
    orders.start_replay(id, 0, None).unwrap();
    engine.flush().unwrap();
    let begun = storage.steps();
    engine.advance(1).unwrap();
    engine.flush().unwrap();
    publish(&engine, &orders, 300..330);
    engine.advance(1_000).unwrap();
    engine.compact_oldest().unwrap();
    engine.flush().unwrap();
    for step in begun..=storage.steps() {
        let image = match step % 3 {
            0 => storage.killed(step),
            _ => storage.power_loss(step, step as u64),
        };
        let engine = open(&SimStorage::from_image(image));
        let orders = topic(&engine);
        engine.advance(60_000).unwrap();
        let kept = orders.archive().unwrap().unwrap().messages as usize;
        assert!((300..=330).contains(&kept));
        publish(&engine, &orders, kept..kept + 3);
        check_groups(&numbers(&find(&engine, "end.fifo")), 0..kept + 3);
    }
}
