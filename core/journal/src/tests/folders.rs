//! Real folders: ownership, and the errors for folders that cannot be opened.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use trunkline_types::{Code, Durability, Error, IdKey, Result};

use crate::{Access, FileStorage, Journal, Options};

/// A folder that is removed when the test ends.
pub(super) struct Folder(pub(super) PathBuf);

impl Folder {
    pub(super) fn new() -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let name = format!("trunkline-journal-{}-{number}", std::process::id());
        Self(std::env::temp_dir().join(name))
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _removed = std::fs::remove_dir_all(&self.0);
    }
}

pub(super) fn open(folder: &Folder, access: Access) -> Result<(Journal, Vec<Vec<u8>>)> {
    let storage = Arc::new(FileStorage::open(&folder.0, access)?);
    let mut found = Vec::new();
    let options =
        Options { segment_bytes: 1 << 16, segment_bytes_first: 4_096, ..Options::default() };
    let journal = Journal::open(storage, options, &mut |_, payload| {
        found.push(payload.to_vec());
        Ok(())
    })?;
    Ok((journal, found))
}

fn refused(folder: &Folder, access: Access) -> Error {
    match open(folder, access) {
        Ok(_) => panic!("the folder was opened"),
        Err(error) => error,
    }
}

fn append(journal: &Journal, payload: &[u8]) -> Result<()> {
    let ticket = {
        let mut appender = journal.lock()?;
        appender.append(&[payload]);
        appender.ticket()
    };
    journal.commit(ticket, Durability::Disk)
}

#[test]
fn records_are_found_again_in_order_and_the_key_stays() {
    let folder = Folder::new();
    let (journal, found) = open(&folder, Access::ReadWrite).expect("a new folder");
    assert!(found.is_empty());
    let key = journal.key();
    assert_ne!(key, IdKey(0, 0));
    let records: Vec<Vec<u8>> = (0..100u32).map(|n| vec![n as u8; n as usize * 40]).collect();
    records.iter().for_each(|record| append(&journal, record).expect("appended"));
    journal.close().expect("closed");
    let (journal, found) = open(&folder, Access::ReadWrite).expect("opened again");
    assert_eq!((found, journal.key()), (records, key));
    assert!(journal.segments().len() > 3);
}

#[test]
fn a_second_engine_is_refused_and_told_who_is_first() {
    let folder = Folder::new();
    let (journal, _) = open(&folder, Access::ReadWrite).expect("a new folder");
    for access in [Access::ReadWrite, Access::ReadOnly] {
        let error = refused(&folder, access);
        assert_eq!(error.code(), Code::DataFolderInUse);
        assert!(error.message().contains(&std::process::id().to_string()), "{error}");
    }
    journal.close().expect("closed");
    open(&folder, Access::ReadWrite).expect("free again");
}

#[test]
fn a_read_only_journal_reads_and_changes_nothing() {
    let folder = Folder::new();
    let (journal, _) = open(&folder, Access::ReadWrite).expect("a new folder");
    append(&journal, b"record").expect("appended");
    drop(journal);
    let (journal, found) = open(&folder, Access::ReadOnly).expect("readable");
    assert_eq!(found, [b"record"]);
    assert_eq!(journal.lock().expect_err("refused").code(), Code::EngineReadOnly);
    let (_second, _) = open(&folder, Access::ReadOnly).expect("readers share");
}

#[test]
fn folders_that_cannot_be_used_are_named_so() {
    let folder = Folder::new();
    assert_eq!(refused(&folder, Access::ReadOnly).code(), Code::DataFolderUnusable);
    std::fs::create_dir(&folder.0).expect("a folder");
    assert_eq!(refused(&folder, Access::ReadOnly).code(), Code::DataFolderUnusable);
    std::fs::write(folder.0.join("letter.txt"), "dear").expect("a foreign file");
    std::fs::write(folder.0.join("LOCK"), "another's").expect("a foreign lock");
    assert_eq!(refused(&folder, Access::ReadWrite).code(), Code::ForeignFormat);
    let lock = std::fs::read_to_string(folder.0.join("LOCK")).expect("still there");
    assert_eq!(lock, "another's", "a folder that is refused is left as it was");
    let file = Folder::new();
    std::fs::write(&file.0, "no folder").expect("a file");
    assert_eq!(refused(&file, Access::ReadWrite).code(), Code::DataFolderUnusable);
    std::fs::remove_file(&file.0).expect("removed");
}

#[test]
fn a_closed_journal_refuses_and_closing_twice_is_fine() {
    let folder = Folder::new();
    let (journal, _) = open(&folder, Access::ReadWrite).expect("a new folder");
    append(&journal, b"record").expect("appended");
    journal.close().expect("closed");
    journal.close().expect("closed twice");
    assert_eq!(journal.lock().expect_err("refused").code(), Code::EngineClosed);
    assert_eq!(journal.flush().expect_err("refused").code(), Code::EngineClosed);
}

#[test]
fn a_removed_lock_file_lets_no_second_owner_in() {
    let folder = Folder::new();
    let (journal, _) = open(&folder, Access::ReadWrite).expect("a new folder");
    append(&journal, b"first").expect("appended");
    std::fs::remove_file(folder.0.join("LOCK")).expect("removed");
    for access in [Access::ReadWrite, Access::ReadOnly] {
        let error = refused(&folder, access);
        assert_eq!(error.code(), Code::DataFolderInUse);
        assert!(error.message().contains("LOCK"), "{error}");
    }
    append(&journal, b"second").expect("the owner goes on");
    journal.close().expect("closed");
    assert_eq!(open(&folder, Access::ReadWrite).expect("free again").1.len(), 2);
}

#[test]
fn an_owner_whose_folder_was_replaced_stops() {
    let folder = Folder::new();
    let (journal, _) = open(&folder, Access::ReadWrite).expect("a new folder");
    append(&journal, b"first").expect("appended");
    let superblock = folder.0.join("superblock");
    let bytes = std::fs::read(&superblock).expect("readable");
    std::fs::remove_file(&superblock).expect("removed");
    std::fs::write(&superblock, bytes).expect("a copy takes its place");
    std::thread::sleep(std::time::Duration::from_millis(60));
    let error = append(&journal, b"second").expect_err("not ours any more");
    assert_eq!(error.code(), Code::DataFolderUnusable);
    assert!(error.message().contains("superblock"), "{error}");
    assert_eq!(append(&journal, b"third").expect_err("poisoned").code(), Code::EnginePoisoned);
    drop(journal);
    assert_eq!(open(&folder, Access::ReadWrite).expect("opened again").1, [b"first"]);
}

#[test]
fn a_shrunk_journal_frees_its_long_segments() {
    let folder = Folder::new();
    let (journal, _) = open(&folder, Access::ReadWrite).expect("a new folder");
    for _ in 0..200 {
        append(&journal, &[1; 3_000]).expect("appended");
    }
    while journal.reclaim_oldest().expect("reclaimed") {}
    assert!(journal.shrink().expect("usable"));
    append(&journal, b"live").expect("appended");
    while journal.reclaim_oldest().expect("reclaimed") {}
    assert!(!journal.shrink().expect("usable"), "it is as short as it gets");
    journal.close().expect("closed");
    let files = std::fs::read_dir(&folder.0).expect("listed");
    let bytes: u64 = files.map(|file| file.expect("listed").metadata().expect("sized").len()).sum();
    assert!(bytes < 20_000, "{bytes} bytes are left");
    assert_eq!(open(&folder, Access::ReadWrite).expect("opened again").1, [b"live"]);
}

#[test]
fn segments_that_are_reclaimed_at_once_all_become_later_ones() {
    let folder = Folder::new();
    let (journal, _) = open(&folder, Access::ReadWrite).expect("a new folder");
    let recycled = || {
        let files = std::fs::read_dir(&folder.0).expect("listed");
        let names = files.map(|file| file.expect("listed").file_name().into_string());
        names.filter(|name| name.as_ref().is_ok_and(|name| crate::recycled::is_name(name))).count()
    };
    let fill = |segments: u32| {
        let end = journal.current_segment() + segments;
        while journal.current_segment() < end {
            append(&journal, &[1; 3_000]).expect("appended");
        }
    };
    fill(16);
    while journal.reclaim_oldest().expect("reclaimed") {}
    // The thread that prepares segments may take one for the next segment at any time.
    assert!((7..=8).contains(&recycled()), "{} are kept", recycled());
    fill(8);
    assert_eq!(recycled(), 0);
    journal.close().expect("closed");
}

#[test]
fn a_folder_without_its_superblock_is_never_taken_for_a_foreign_one() {
    let refused_with = |names: &[&str]| {
        let folder = Folder::new();
        std::fs::create_dir(&folder.0).expect("a folder");
        for name in names {
            std::fs::write(folder.0.join(name), "data").expect("written");
        }
        refused(&folder, Access::ReadWrite)
    };
    let (sealed, checkpoint) =
        ("retained-0000000000000001-0000000000000001", "checkpoint-0000000100000000");
    for name in [sealed, &format!("{sealed}.draft"), checkpoint, "checkpoint.draft"] {
        let error = refused_with(&["superblock.withheld", name]);
        assert_eq!(error.code(), Code::CorruptJournal, "{error}");
        assert!(error.message().contains("snapshot that was not finished"), "{error}");
        let error = refused_with(&[name]);
        assert_eq!(error.code(), Code::CorruptJournal, "{error}");
        assert!(error.message().contains("superblock is missing"), "{error}");
    }
    assert_eq!(refused_with(&["retained-1"]).code(), Code::ForeignFormat);
}
