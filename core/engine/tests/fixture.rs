//! Data folders of released formats: every later version must open them and find the same.
//!
//! `TRUNKLINE_WRITE_FIXTURE=1 cargo test -p trunkline-engine --test fixture` writes the folder of
//! the current format. Do that once a format; a folder of a released one never changes.

#![allow(clippy::unwrap_used)]

mod common;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use common::{START, bodies, counts, find, queue, receive, send, send_to};
use trunkline_engine::{
    Clock, DeadLetter, Engine, OpenOptions, Outgoing, QueueConfig, attributes, fifo_queue,
    standard_queue,
};

/// The format that is written.
const CURRENT: u32 = 2;

fn folder(format: u32) -> PathBuf {
    let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/fixtures");
    fixtures.join(format!("format-{format}"))
}

fn open(path: &Path, now: u64) -> Arc<Engine> {
    let clock = Arc::new(Clock::virtual_at(now));
    let segment_bytes = 8 << 10;
    let options = OpenOptions { clock, segment_bytes, seed: Some(1), ..OpenOptions::at(path) };
    Engine::open(options).unwrap()
}

/// Everything the format can say: each kind of record, and more than one segment.
fn write(path: &Path) {
    std::fs::create_dir_all(path).unwrap();
    let engine = open(path, START);
    let dead = queue(&engine, "dead", standard_queue());
    let dead_letter = Some(DeadLetter { queue: dead.id(), max_receive_count: 1 });
    let plain = queue(&engine, "plain", QueueConfig { dead_letter, ..standard_queue() });
    let fifo = queue(&engine, "orders.fifo", fifo_queue());
    let gone = queue(&engine, "gone", standard_queue());
    send(&plain, "poison");
    receive(&plain, 1);
    engine.advance(30_000).unwrap();
    assert!(receive(&plain, 1).is_empty(), "it went to the dead letters");
    let attribute = attributes::Attribute {
        name: "kind".into(),
        data_type: "String".into(),
        value: b"order".to_vec(),
        system: false,
    };
    let attributes = attributes::encode(&[attribute]);
    let message = Outgoing { body: b"attributes", attributes: &attributes, ..Outgoing::default() };
    plain.send(&message).unwrap();
    let (group, delay) = (Some("tenant"), Some(600_000));
    plain.send(&Outgoing { body: b"later", group, delay, ..Outgoing::default() }).unwrap();
    for (group, id) in [("a", "1"), ("a", "2"), ("b", "3")] {
        send_to(&fifo, group, id);
    }
    let first = receive(&fifo, 1).remove(0);
    fifo.extend(&first.receipt, 600_000).unwrap();
    let third = receive(&fifo, 1).remove(0);
    fifo.delete(&third.receipt).unwrap();
    send(&gone, &"x".repeat(10_000));
    gone.purge().unwrap();
    gone.remove().unwrap();
    engine.put_document("control/one", Some(b"1")).unwrap();
    engine.put_document("control/two", Some(b"2")).unwrap();
    engine.put_document("control/two", None).unwrap();
    engine.close().unwrap();
}

fn check(path: &Path) {
    let engine = open(path, START + 30_000);
    assert_eq!(engine.queues(None, None, "").unwrap().len(), 3);
    let (plain, fifo) = (find(&engine, "plain"), find(&engine, "orders.fifo"));
    assert_eq!(counts(&plain), (1, 0, 1));
    assert_eq!(counts(&fifo), (1, 1, 0));
    assert_eq!(bodies(&receive(&find(&engine, "dead"), 1)), ["poison"]);
    assert_eq!(plain.config().dead_letter.unwrap().queue, find(&engine, "dead").id());
    let mut kind = String::new();
    let see = |message: trunkline_engine::Delivery<'_>| {
        let attribute = attributes::decode(message.attributes).unwrap().remove(0);
        kind = String::from_utf8(attribute.value).unwrap();
    };
    plain.peek(1, false, see).unwrap();
    assert_eq!(kind, "order");
    assert!(send_to(&fifo, "b", "3"), "the dedup id of a deleted message is remembered");
    assert!(receive(&fifo, 10).is_empty(), "the lease of the first message goes on");
    assert_eq!(engine.documents("control/"), [("control/one".to_owned(), b"1".to_vec())]);
    engine.advance(600_000).unwrap();
    assert_eq!(bodies(&receive(&fifo, 10)), ["1", "2"]);
    let mut rest = receive(&plain, 10);
    rest.sort_by(|a, b| a.body.cmp(&b.body));
    assert_eq!(bodies(&rest), ["attributes", "later"]);
}

#[test]
fn every_released_format_opens() {
    if std::env::var_os("TRUNKLINE_WRITE_FIXTURE").is_some() {
        let _ = std::fs::remove_dir_all(folder(CURRENT));
        write(&folder(CURRENT));
        // Ownership is of a process, not of the format.
        std::fs::remove_file(folder(CURRENT).join("LOCK")).unwrap();
    }
    for format in 1..=CURRENT {
        let copy = tempfile::tempdir().unwrap();
        for entry in std::fs::read_dir(folder(format)).unwrap() {
            let entry = entry.unwrap();
            std::fs::copy(entry.path(), copy.path().join(entry.file_name())).unwrap();
        }
        check(copy.path());
    }
}
