//! A disk that fails or lies: what is whole is still delivered, and nothing fails in silence.

#![allow(clippy::unwrap_used)]

mod common;

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use common::{START, bodies, queue, receive, send};
use trunkline_engine::{
    Clock, Code, Engine, OpenOptions, Outgoing, Queue, Receive, Result, standard_queue,
};

fn open(path: &Path, background: bool) -> Arc<Engine> {
    let clock = Arc::new(Clock::virtual_at(START));
    let options = OpenOptions { clock, segment_bytes: 8 << 10, ..OpenOptions::at(path) };
    Engine::open(OpenOptions { background, ..options }).unwrap()
}

/// Changes one byte of the first place in the journal that reads `text`.
fn damage(path: &Path, text: &str) {
    let mut files: Vec<_> = std::fs::read_dir(path).unwrap().map(|file| file.unwrap()).collect();
    files.sort_by_key(|file| file.file_name());
    for file in files {
        let mut bytes = std::fs::read(file.path()).unwrap();
        if let Some(at) = bytes.windows(text.len()).position(|part| part == text.as_bytes()) {
            bytes[at] ^= 1;
            std::fs::write(file.path(), bytes).unwrap();
            return;
        }
    }
    panic!("{text} is in no file");
}

fn try_receive(queue: &Queue, max: usize) -> Result<Vec<String>> {
    let mut got = Vec::new();
    let request = Receive { max, ..Receive::default() };
    queue.try_receive(&request, |message| {
        got.push(String::from_utf8(message.body.to_vec()).unwrap());
    })?;
    got.sort();
    Ok(got)
}

#[test]
fn a_receive_that_fails_takes_no_message_away() {
    for group in [None, Some("tenant")] {
        let folder = tempfile::tempdir().unwrap();
        let engine = open(folder.path(), false);
        let orders = queue(&engine, "orders", standard_queue());
        for body in ["first order", "second order", "third order"] {
            let body = body.as_bytes();
            orders.send(&Outgoing { body, group, ..Outgoing::default() }).unwrap();
        }
        engine.flush().unwrap();
        damage(folder.path(), "second order");
        assert_eq!(try_receive(&orders, 10).unwrap_err().code(), Code::CorruptJournal);
        let mut got = Vec::new();
        for _ in 0..10 {
            got.extend(try_receive(&orders, 1).unwrap_or_default());
        }
        got.sort();
        assert_eq!(got, ["first order", "third order"], "group: {group:?}");
    }
}

#[test]
fn cleaning_that_fails_says_so_and_goes_on_when_it_can() {
    let folder = tempfile::tempdir().unwrap();
    let engine = open(folder.path(), true);
    let (kept, busy) =
        (queue(&engine, "kept", standard_queue()), queue(&engine, "busy", standard_queue()));
    send(&kept, "a message that stays");
    engine.flush().unwrap();
    damage(folder.path(), "a message that stays");
    // Each round fills segments, and each new one wakes the compactor.
    let until = |done: &dyn Fn() -> bool| {
        let end = Instant::now() + Duration::from_secs(120);
        while !done() {
            assert!(Instant::now() < end, "the compactor did not come: {:?}", engine.check_space());
            for _ in 0..20 {
                send(&busy, &"x".repeat(1_000));
                let got = receive(&busy, 1).remove(0);
                busy.delete(&got.receipt).unwrap();
            }
            engine.flush().unwrap();
        }
    };
    until(&|| engine.check_space().is_err());
    assert_eq!(engine.check_space().unwrap_err().code(), Code::CorruptJournal);
    // The same byte again: the message is as it was.
    damage(folder.path(), "` message that stays");
    until(&|| engine.check_space().is_ok());
    let first = || folder.path().join("segment-00000001").exists();
    until(&|| !first());
    assert_eq!(bodies(&receive(&kept, 1)), ["a message that stays"]);
}
