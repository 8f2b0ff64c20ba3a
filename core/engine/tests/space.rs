//! Cleaning: disk space comes back, and what lives stays readable and survives a restart.

#![allow(clippy::unwrap_used)]

mod common;

use std::sync::Arc;

use common::{START, bodies, counts, find, queue, receive, send, send_to};
use trunkline_engine::{Clock, Durability, Engine, OpenOptions, fifo_queue, standard_queue};

const SEGMENT: u32 = 64 << 10;

fn open(path: &std::path::Path, now: u64) -> Arc<Engine> {
    let clock = Arc::new(Clock::virtual_at(now));
    let options = OpenOptions { clock, segment_bytes: SEGMENT, ..OpenOptions::at(path) };
    Engine::open(OpenOptions { durability: Durability::Os, ..options }).unwrap()
}

fn bytes_on_disk(path: &std::path::Path) -> u64 {
    std::fs::read_dir(path).unwrap().map(|entry| entry.unwrap().metadata().unwrap().len()).sum()
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
                engine.clean().unwrap();
            }
        }
        engine.flush().unwrap();
        engine.clean().unwrap();
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
