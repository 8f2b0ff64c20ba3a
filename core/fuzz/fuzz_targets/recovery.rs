//! A journal whose files were damaged anywhere is refused, or yields a prefix of what was written;
//! never a record that was not written, never one out of order, never a panic.
#![no_main]

use std::sync::{Arc, OnceLock};

use libfuzzer_sys::fuzz_target;
use trunkline_journal::{Journal, MemoryStorage, Options, Storage};
use trunkline_types::{Code, Durability, IdKey};

const SEGMENT_BYTES: u32 = 4_096;
const RECORDS: u32 = 60;
const EDIT_BYTES: usize = 4;

struct Written {
    files: Vec<(String, Vec<u8>)>,
    records: Vec<Vec<u8>>,
}

fuzz_target!(|data: &[u8]| {
    static WRITTEN: OnceLock<Written> = OnceLock::new();
    let written = WRITTEN.get_or_init(write);
    let (storage, is_damaged) = damaged(&written.files, data);

    let mut seen = Vec::new();
    let opened = Journal::open(storage, options(), &mut |_, payload| {
        seen.push(payload.to_vec());
        Ok(())
    });
    assert!(written.records.starts_with(&seen), "what is read was written, in this order");
    match opened {
        Ok(_) => assert!(is_damaged || seen.len() == written.records.len(), "nothing is missing"),
        Err(error) => {
            assert!(is_damaged, "{error}");
            assert_ne!(error.code(), Code::InternalError, "{error}");
        }
    }
});

fn options() -> Options {
    Options {
        segment_bytes: SEGMENT_BYTES,
        segment_bytes_first: SEGMENT_BYTES,
        key: Some(IdKey(1, 2)),
        background: false,
        ..Options::default()
    }
}

/// A journal over several segments, some of it synced and some only written.
fn write() -> Written {
    let storage: Arc<dyn Storage> = Arc::new(MemoryStorage::new());
    let journal = Journal::open(Arc::clone(&storage), options(), &mut |_, _| Ok(()))
        .expect("an empty storage");
    let mut records = Vec::new();
    for number in 0..RECORDS {
        let record = vec![number as u8; (number as usize * 37) % 500 + 1];
        let ticket = {
            let mut appender = journal.lock().expect("an open journal");
            appender.append(&[&record]);
            appender.ticket()
        };
        let level = if number % 7 == 0 { Durability::Disk } else { Durability::Os };
        journal.commit(ticket, level).expect("a storage in memory");
        records.push(record);
    }
    // Not closed: what comes after the last sync is the tail that a crash may tear.
    Written { files: files_of(&*storage), records }
}

fn files_of(storage: &dyn Storage) -> Vec<(String, Vec<u8>)> {
    let mut names = storage.list().expect("a storage in memory");
    names.sort();
    names
        .into_iter()
        .map(|name| {
            let file = storage.open(&name).expect("a storage in memory").expect("a listed file");
            let mut bytes = vec![0; file.len().expect("a file in memory") as usize];
            file.read_at(0, &mut bytes).expect("a file in memory");
            (name, bytes)
        })
        .collect()
}

/// The files with the damage that `data` describes, and whether anything differs.
fn damaged(files: &[(String, Vec<u8>)], data: &[u8]) -> (Arc<dyn Storage>, bool) {
    let mut copies = files.to_vec();
    for edit in data.chunks_exact(EDIT_BYTES) {
        let which = usize::from(edit[0] & 0x7f) % copies.len();
        let at = usize::from(u16::from_le_bytes([edit[1], edit[2]]));
        let bytes = &mut copies[which].1;
        if edit[0] & 0x80 != 0 {
            bytes.truncate(at);
        } else if let Some(byte) = bytes.get_mut(at) {
            *byte ^= edit[3];
        }
    }
    let is_damaged = copies != files;
    let storage = MemoryStorage::new();
    for (name, bytes) in copies {
        let file = storage.create(&name).expect("a storage in memory");
        file.write_at(0, &bytes).expect("a file in memory");
    }
    (Arc::new(storage), is_damaged)
}
