//! Cleaning: disk space comes back, and what lives stays readable and survives a restart.

#![allow(clippy::unwrap_used)]

mod common;

use std::sync::Arc;

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, Ordering};

use common::{START, bodies, counts, find, queue, receive, receive_for, send, send_to};
use trunkline_engine::{
    Clock, DeadLetter, Durability, Engine, Notification, OpenOptions, Queue, QueueConfig,
    fifo_queue, standard_queue, topic_name,
};

const SEGMENT: u32 = 64 << 10;

fn open(path: &std::path::Path, now: u64) -> Arc<Engine> {
    let clock = Arc::new(Clock::virtual_at(now));
    let options = OpenOptions { clock, segment_bytes: SEGMENT, ..OpenOptions::at(path) };
    Engine::open(OpenOptions { durability: Durability::Os, ..options }).unwrap()
}

fn bytes_on_disk(path: &std::path::Path) -> u64 {
    // A file may be removed behind the scenes while this looks.
    let sizes = std::fs::read_dir(path).unwrap().filter_map(|entry| entry.unwrap().metadata().ok());
    sizes.map(|about| about.len()).sum()
}

#[test]
fn traffic_leaves_no_growing_log_and_takes_nothing_that_lives() {
    let folder = tempfile::tempdir().unwrap();
    {
        let engine = open(folder.path(), START);
        let busy = queue(&engine, "busy", standard_queue());
        let quiet = queue(&engine, "quiet", standard_queue());
        let fifo = queue(&engine, "q.fifo", fifo_queue());
        engine.put_document("key", Some(b"value")).unwrap();
        send(&quiet, "kept");
        send_to(&fifo, "g", "kept");
        let leased = receive(&quiet, 1).remove(0);
        let body = "x".repeat(1_000);
        for round in 0..2_000 {
            send(&busy, &body);
            let got = receive(&busy, 1).remove(0);
            busy.delete(&got.receipt).unwrap();
            if round % 100 == 0 {
                engine.flush().unwrap();
                engine.compact().unwrap();
            }
        }
        engine.flush().unwrap();
        engine.compact().unwrap();
        assert!(bytes_on_disk(folder.path()) < 16 * u64::from(SEGMENT), "the log has grown");
        assert_eq!(counts(&quiet), (0, 1, 0));
        assert_eq!(leased.body, "kept");
        // The body was carried to another place, and is found there.
        assert_eq!(bodies(&receive(&fifo, 1)), ["kept"]);
    }
    let engine = open(folder.path(), START + 30_000);
    assert_eq!(counts(&find(&engine, "busy")), (0, 0, 0));
    assert_eq!(bodies(&receive(&find(&engine, "quiet"), 1)), ["kept"]);
    assert!(send_to(&find(&engine, "q.fifo"), "g", "kept"), "the window was carried too");
    assert_eq!(engine.document("key").as_deref(), Some(b"value".as_slice()));
}

/// What a queue holds, visible or in flight.
fn held(queue: &Queue) -> BTreeSet<String> {
    let mut held = BTreeSet::new();
    let see = |message: trunkline_engine::Delivery<'_>| {
        held.insert(String::from_utf8(message.body.to_vec()).unwrap());
    };
    queue.peek(usize::MAX >> 1, true, see).unwrap();
    held
}

/// Cleaning that carried a message between its move and its end in the source would write it behind
/// the move, and the next opening would find it in both queues.
#[test]
fn a_message_that_changes_queues_while_the_log_is_cleaned_is_in_one_of_them() {
    const ROUNDS: usize = 30;
    const EACH: usize = 20;
    let folder = tempfile::tempdir().unwrap();
    let small = |now| {
        let clock = Arc::new(Clock::virtual_at(now));
        let options =
            OpenOptions { clock, segment_bytes: 8 << 10, ..OpenOptions::at(folder.path()) };
        Engine::open(OpenOptions { durability: Durability::Os, ..options }).unwrap()
    };
    {
        let engine = small(START);
        let dead =
            [queue(&engine, "dead", standard_queue()), queue(&engine, "dead.fifo", fifo_queue())];
        let after = |dead: &Queue| Some(DeadLetter { queue: dead.id(), max_receive_count: 1 });
        let plain = QueueConfig { dead_letter: after(&dead[0]), ..standard_queue() };
        let fifo = QueueConfig { dead_letter: after(&dead[1]), ..fifo_queue() };
        let (plain, fifo) = (queue(&engine, "plain", plain), queue(&engine, "q.fifo", fifo));
        let done = AtomicBool::new(false);
        std::thread::scope(|scope| {
            scope.spawn(|| {
                while !done.load(Ordering::Acquire) {
                    engine.compact_oldest().unwrap();
                }
            });
            for round in 0..ROUNDS {
                // Several segments, so that what moves is often what is being carried.
                for number in 0..EACH {
                    send(&plain, &format!("plain {round} {number:0700}"));
                    send_to(&fifo, "g", &format!("fifo {round} {number:0700}"));
                }
                for source in [&plain, &fifo] {
                    // The first receive delivers without a lease, a later one gives up.
                    for _ in 0..EACH / 4 {
                        receive_for(source, 10, Some(0));
                    }
                }
            }
            done.store(true, Ordering::Release);
        });
        engine.flush().unwrap();
    }
    let engine = small(START);
    for (source, dead) in [("plain", "dead"), ("q.fifo", "dead.fifo")] {
        let (source, dead) = (held(&find(&engine, source)), held(&find(&engine, dead)));
        assert_eq!(source.intersection(&dead).count(), 0, "in both queues");
        assert_eq!(source.len() + dead.len(), ROUNDS * EACH, "in neither queue");
    }
}

#[test]
fn an_emptied_engine_gives_its_disk_space_back() {
    const FULL_SEGMENT: u32 = 16 << 20;
    let folder = tempfile::tempdir().unwrap();
    let open = || {
        let clock = Arc::new(Clock::virtual_at(START));
        let options =
            OpenOptions { clock, segment_bytes: FULL_SEGMENT, ..OpenOptions::at(folder.path()) };
        Engine::open(OpenOptions { durability: Durability::Os, ..options }).unwrap()
    };
    {
        let engine = open();
        let busy = queue(&engine, "busy", standard_queue());
        engine.put_document("key", Some(b"value")).unwrap();
        let body = "x".repeat(100_000);
        for _ in 0..500 {
            send(&busy, &body);
        }
        engine.flush().unwrap();
        assert!(bytes_on_disk(folder.path()) > 50_000_000);
        busy.purge().unwrap();
        send(&busy, "kept");
        engine.compact().unwrap();
        let left = bytes_on_disk(folder.path());
        assert!(left < 4 << 20, "{left} bytes are left");
        send(&busy, "and more");
    }
    let engine = open();
    assert_eq!(bodies(&receive(&find(&engine, "busy"), 10)), ["kept", "and more"]);
    assert_eq!(engine.documents("key").len(), 1);
}

#[test]
fn a_deduplication_id_is_remembered_although_nothing_lives_in_its_segment() {
    let folder = tempfile::tempdir().unwrap();
    let open = || {
        let clock = Arc::new(Clock::virtual_at(START));
        let options =
            OpenOptions { clock, segment_bytes: 8 << 10, ..OpenOptions::at(folder.path()) };
        Engine::open(OpenOptions { background: false, ..options }).unwrap()
    };
    let pass_by = |engine: &Engine| {
        let busy = find(engine, "busy");
        for _ in 0..12 {
            send(&busy, &"x".repeat(1_000));
            busy.delete(&receive(&busy, 1)[0].receipt).unwrap();
        }
        engine.flush().unwrap();
    };
    let is_duplicate = |engine: &Engine, id: &str| {
        let topic = engine.topic(topic_name("t.fifo"), None, b"").unwrap().0;
        let (group, dedup_id) = (Some("g"), Some(id));
        let message = Notification { body: b"m", group, dedup_id, ..Notification::default() };
        engine.publish(&topic, &message).unwrap().duplicate
    };
    {
        let engine = open();
        let fifo = queue(&engine, "q.fifo", fifo_queue());
        queue(&engine, "busy", standard_queue());
        assert!(!is_duplicate(&engine, "first"));
        pass_by(&engine);
        assert!(!send_to(&fifo, "g", "id"));
        fifo.delete(&receive(&fifo, 1)[0].receipt).unwrap();
        pass_by(&engine);
        assert!(!is_duplicate(&engine, "id"));
        pass_by(&engine);
        // The newest message of a topic lives; those before it are only remembered.
        assert!(!is_duplicate(&engine, "newest"));
        engine.close().unwrap();
    }
    for _ in 0..3 {
        let engine = open();
        pass_by(&engine);
        for _ in 0..3 {
            engine.compact_oldest().unwrap();
        }
        engine.close().unwrap();
        // The journal alone tells as much.
        for entry in std::fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap()) {
            if entry.file_name().to_string_lossy().starts_with("checkpoint-") {
                std::fs::remove_file(entry.path()).unwrap();
            }
        }
        let engine = open();
        assert!(send_to(&find(&engine, "q.fifo"), "g", "id"), "it was forgotten");
        for id in ["first", "id", "newest"] {
            assert!(is_duplicate(&engine, id), "{id} was forgotten");
        }
        engine.close().unwrap();
    }
}

#[test]
fn a_definition_alone_keeps_no_segment_from_being_used_again() {
    let folder = tempfile::tempdir().unwrap();
    let engine = open(folder.path(), START);
    let busy = queue(&engine, "busy", standard_queue());
    let body = "x".repeat(1_000);
    for _ in 0..10 {
        for _ in 0..100 {
            send(&busy, &body);
            busy.delete(&receive(&busy, 1).remove(0).receipt).unwrap();
        }
        engine.flush().unwrap();
        engine.compact().unwrap();
        let names = std::fs::read_dir(folder.path()).unwrap();
        let is_segment = |name: std::ffi::OsString| name.to_string_lossy().starts_with("segment-");
        let segments = names.filter(|entry| is_segment(entry.as_ref().unwrap().file_name()));
        // The present one, the one behind it, and one that is made ready.
        let count = segments.count();
        assert!(count <= 3, "{count} segments");
    }
    drop(engine);
    let engine = open(folder.path(), START);
    assert_eq!(counts(&find(&engine, "busy")), (0, 0, 0));
}

#[test]
fn a_purge_is_told_of_although_its_segment_is_used_again() {
    let folder = tempfile::tempdir().unwrap();
    let pass_by = |engine: &Engine| {
        let busy = find(engine, "busy");
        for _ in 0..300 {
            send(&busy, &"x".repeat(1_000));
            busy.delete(&receive(&busy, 1)[0].receipt).unwrap();
        }
        engine.flush().unwrap();
        engine.compact().unwrap();
    };
    {
        let engine = open(folder.path(), START);
        queue(&engine, "busy", standard_queue());
        for (name, config) in [("q", standard_queue()), ("q.fifo", fifo_queue())] {
            let queue = queue(&engine, name, config);
            let put = |body| match name {
                "q" => send(&queue, body),
                _ => assert!(!send_to(&queue, "g", body), "{body}"),
            };
            put("gone");
            queue.purge().unwrap();
            put("gone");
            queue.delete(&receive(&queue, 1)[0].receipt).unwrap();
            put("kept");
        }
        pass_by(&engine);
    }
    for _ in 0..2 {
        let engine = open(folder.path(), START + 30_000);
        pass_by(&engine);
        for name in ["q", "q.fifo"] {
            let queue = find(&engine, name);
            assert_eq!((queue.purged_at(), held(&queue).len()), (Some(START), 1), "{name}");
        }
        assert!(send_to(&find(&engine, "q.fifo"), "g", "gone"), "it was forgotten");
    }
    pass_by(&open(folder.path(), START + 60_000));
    assert_eq!(find(&open(folder.path(), START + 60_000), "q").purged_at(), None);
}
