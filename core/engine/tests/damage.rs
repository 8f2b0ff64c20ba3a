//! A disk that fails or lies: what is whole is still delivered, and nothing fails in silence.

#![allow(clippy::unwrap_used)]

mod common;

use std::path::Path;
use std::sync::Arc;

use common::{START, queue};
use trunkline_engine::{
    Clock, Code, Engine, OpenOptions, Outgoing, Queue, Receive, Result, standard_queue,
};

fn open(path: &Path) -> Arc<Engine> {
    let clock = Arc::new(Clock::virtual_at(START));
    let options = OpenOptions { clock, segment_bytes: 64 << 10, ..OpenOptions::at(path) };
    Engine::open(OpenOptions { background: false, ..options }).unwrap()
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
        let engine = open(folder.path());
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
