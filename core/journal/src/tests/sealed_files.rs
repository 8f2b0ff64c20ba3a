//! Retained logs: open files, files that go while they are read, and removed logs.

use std::sync::Arc;

use trunkline_types::Code;

use super::folders::Folder;
use crate::retained::format::{
    BLOCK_HEADER_BYTES, Footer, IndexEntry, file_seed, index_crc, push_entry, seal_block,
};
use crate::retained::{RetainedLoader, RetainedLog, RetainedRecord};
use crate::{Access, FileStorage, Journal, MemoryStorage, Options, Storage, limits};

const KIND: u8 = 7;
const LOG: u64 = 1;

fn open(storage: Arc<dyn Storage>) -> (Journal, Vec<RetainedLog>) {
    let mut loader = RetainedLoader::default();
    let options = Options { segment_bytes_first: 4_096, background: false, ..Options::default() };
    let journal = Journal::open(storage, options, &mut |lsn, bytes| {
        loader.apply(lsn, bytes.len() as u32, RetainedRecord::decode(&bytes[1..])?)
    })
    .expect("opens");
    let logs = loader.finish(&journal, KIND).expect("loads");
    (journal, logs)
}

/// Appends and seals one entry for each of `times`, so that each gets a file of its own.
fn seal(journal: &Journal, log: &RetainedLog, times: std::ops::Range<u64>) {
    for time in times {
        let mut appender = journal.lock().expect("usable");
        log.append(&mut appender, time, &[b"entry"], &mut ()).expect("appended");
        drop(appender);
        assert_eq!(log.seal(&mut ()).expect("sealed"), 1);
    }
}

/// A sealed file of `blocks`, each with its first entry and how many it has, whose footer names the
/// entries from 1 up to `next`. All its checksums are right.
fn crafted(seed: u32, blocks: &[(u64, u32)], next: u64) -> Vec<u8> {
    let (mut file, mut index) = (Vec::new(), Vec::new());
    for &(first, count) in blocks {
        let offset = file.len() as u64;
        let mut block = vec![0; BLOCK_HEADER_BYTES];
        (0..count).for_each(|_| push_entry(&mut block, 5, b"entry"));
        let crc = seal_block(&mut block, count, offset, file_seed(seed, LOG, 1));
        let length = block.len() as u32;
        index.extend(IndexEntry { offset, first, max_time: 5, length, crc }.encode());
        file.extend(block);
    }
    let footer = Footer {
        log: LOG,
        first: 1,
        next,
        min_time: 5,
        max_time: 5,
        index_offset: file.len() as u64,
        index_count: blocks.len() as u32,
        index_crc: index_crc(&index, seed, LOG, 1),
    };
    file.extend(index);
    file.extend(footer.encode(seed));
    file
}

fn read(log: &RetainedLog) -> Vec<u64> {
    let mut found = Vec::new();
    log.read(0, &mut |entry| {
        found.push(entry.sequence);
        true
    })
    .expect("readable");
    found
}

/// How many sealed files of the folder this process holds open, removed ones included.
#[cfg(target_os = "linux")]
fn open_sealed_files(folder: &Folder) -> usize {
    let prefix = folder.0.join("retained-").to_string_lossy().into_owned();
    let descriptors = std::fs::read_dir("/proc/self/fd").expect("listed");
    let targets = descriptors.filter_map(|entry| std::fs::read_link(entry.ok()?.path()).ok());
    targets.filter(|target| target.to_string_lossy().starts_with(&prefix)).count()
}

#[cfg(target_os = "linux")]
#[test]
fn a_log_of_many_files_holds_few_of_them_open() {
    const FILES: u64 = limits::OPEN_FILES_MAX as u64 + 20;
    let folder = Folder::new();
    let storage = || Arc::new(FileStorage::open(&folder.0, Access::ReadWrite).expect("a folder"));
    let (journal, _) = open(storage());
    let log = RetainedLog::create(&journal, LOG, KIND);
    seal(&journal, &log, 0..FILES);
    assert_eq!(open_sealed_files(&folder), 0, "sealing leaves no file open");
    journal.close().expect("closed");
    drop((journal, log));
    let (journal, logs) = open(storage());
    assert_eq!(open_sealed_files(&folder), 0, "opening leaves no file open");
    for _ in 0..2 {
        assert_eq!(read(&logs[0]), (1..=FILES).collect::<Vec<_>>());
        assert_eq!(open_sealed_files(&folder), limits::OPEN_FILES_MAX);
    }
    assert_eq!(logs[0].expire(FILES - 1, &super::as_it_says, &mut ()).expect("expired"), FILES - 1);
    assert_eq!(open_sealed_files(&folder), 1, "a removed file is closed");
    journal.close().expect("closed");
}

#[test]
fn a_read_goes_on_behind_a_file_that_expires() {
    let (journal, _) = open(Arc::new(MemoryStorage::new()));
    let log = RetainedLog::create(&journal, LOG, KIND);
    seal(&journal, &log, 0..5);
    let mut found = Vec::new();
    log.read(0, &mut |entry| {
        if entry.sequence == 1 {
            assert_eq!(log.expire(3, &super::as_it_says, &mut ()).expect("expired"), 3);
        }
        found.push(entry.sequence);
        true
    })
    .expect("readable");
    assert_eq!(found, [1, 4, 5]);
    assert_eq!(log.find_time(0).expect("found"), 4);
    assert_eq!(log.verify().expect("whole"), 2);
}

#[test]
fn a_read_beside_expiry_passes_over_files_that_are_gone() {
    const ROUNDS: u64 = 2_000;
    let (journal, _) = open(Arc::new(MemoryStorage::new()));
    let log = RetainedLog::create(&journal, LOG, KIND);
    seal(&journal, &log, 0..2);
    std::thread::scope(|scope| {
        let expiring = scope.spawn(|| {
            for time in 2..ROUNDS {
                seal(&journal, &log, time..time + 1);
                log.expire(time, &super::as_it_says, &mut ()).expect("expired");
            }
        });
        while !expiring.is_finished() {
            let found = read(&log);
            assert!(found.is_sorted_by(|one, next| one < next), "{found:?}");
            log.find_time(0).expect("found");
            log.verify().expect("whole");
        }
    });
    assert_eq!(read(&log), [ROUNDS]);
}

#[test]
fn a_removed_log_takes_no_more_records_and_the_folder_opens_again() {
    let storage = Arc::new(MemoryStorage::new());
    let (journal, _) = open(storage.clone());
    let log = RetainedLog::create(&journal, LOG, KIND);
    seal(&journal, &log, 0..3);
    let append = || {
        let mut appender = journal.lock().expect("usable");
        log.append(&mut appender, 9, &[b"entry"], &mut ())
    };
    append().expect("appended");
    log.remove(&mut ()).expect("removed");
    assert_eq!(append().expect_err("removed").code(), Code::ResourceNotFoundException);
    assert_eq!(log.seal(&mut ()).expect("nothing to seal"), 0);
    log.remove(&mut ()).expect("removed already");
    journal.close().expect("closed");
    let (_, logs) = open(storage);
    assert!(logs.is_empty());
}

#[test]
fn an_entry_that_is_too_long_is_refused() {
    let (journal, _) = open(Arc::new(MemoryStorage::new()));
    let log = RetainedLog::create(&journal, LOG, KIND);
    // Zeroed memory that is never touched costs nothing.
    let payload = vec![0; limits::RECORD_BYTES_MAX];
    let mut appender = journal.lock().expect("usable");
    let error = log.append(&mut appender, 0, &[&payload], &mut ()).expect_err("too long");
    assert_eq!(error.code(), Code::InvalidParameterValue);
    assert!(error.message().starts_with("payload:"), "{error}");
}

#[test]
fn a_file_whose_blocks_do_not_hold_what_its_footer_says_is_damage() {
    let content: [(&[(u64, u32)], bool); 6] = [
        (&[(1, 4), (5, 5)], true),
        (&[(1, 4)], false),
        (&[(1, 4), (6, 4)], false),
        (&[(1, 4), (1, 4), (9, 1)], false),
        (&[(2, 8)], false),
        (&[(1, 4), (5, 6)], false),
    ];
    for (blocks, is_whole) in content {
        let storage = Arc::new(MemoryStorage::new());
        let (journal, _) = open(storage.clone());
        let file = storage.create(&format!("retained-{LOG:016x}-{:016x}", 1)).expect("created");
        file.write_at(0, &crafted(journal.shared.seed, blocks, 10)).expect("written");
        let mut loader = RetainedLoader::default();
        let sealed = RetainedRecord::Sealed { log: LOG, first: 1, next: 10 };
        loader.apply(crate::Lsn::new(1, 0), 26, sealed).expect("possible");
        let logs = loader.finish(&journal, KIND).expect("the footer is right");
        let mut count = 0;
        let outcome = logs[0].read(0, &mut |_| {
            count += 1;
            count < 1_000
        });
        let found = outcome.map(|()| count).map_err(|error| error.code());
        assert_eq!(found, if is_whole { Ok(9) } else { Err(Code::CorruptJournal) }, "{blocks:?}");
        assert_eq!(logs[0].verify().is_ok(), is_whole, "{blocks:?}");
    }
}

#[test]
fn sequence_numbers_that_would_overflow_are_damage() {
    let decode = |record: RetainedRecord<'_>| {
        let mut bytes = Vec::new();
        record.encode_head(&mut bytes);
        RetainedRecord::decode(&bytes).map(drop).map_err(|error| error.code())
    };
    let entry = |sequence| RetainedRecord::Entry { log: LOG, sequence, time: 0, payload: b"" };
    let sealed = |next| RetainedRecord::Sealed { log: LOG, first: 1, next };
    assert_eq!((decode(entry(1 << 62)), decode(sealed(1 << 62))), (Ok(()), Ok(())));
    for number in [u64::MAX, u64::MAX - 1, (1 << 62) + 1] {
        assert_eq!(decode(entry(number)), Err(Code::CorruptJournal));
        assert_eq!(decode(sealed(number)), Err(Code::CorruptJournal));
    }
}
