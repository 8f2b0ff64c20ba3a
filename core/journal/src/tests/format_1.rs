//! A folder of format 1 opens, goes on in format 2, and survives a crash at every step of that.

use std::path::Path;
use std::sync::Arc;

use trunkline_types::{Code, Durability};

use super::workload::options;
use crate::frame::{HEADER_BYTES_V1, Header};
use crate::sim::{Image, SimStorage};
use crate::{FORMAT_VERSION, Journal, Storage, Superblock};

/// The fixture of format 1. Its records are the engine's; here they are byte strings.
fn fixture() -> Image {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/fixtures/format-1");
    let mut image = Image::default();
    for entry in std::fs::read_dir(folder).expect("the fixture is there") {
        let entry = entry.expect("readable");
        let name = entry.file_name().into_string().expect("a plain name");
        image.files_mut().insert(name, std::fs::read(entry.path()).expect("readable"));
    }
    image
}

fn open(disk: &SimStorage) -> Result<(Journal, Vec<Vec<u8>>), Code> {
    let mut found = Vec::new();
    let opened = Journal::open(Arc::new(disk.clone()), options(None), &mut |_, payload| {
        found.push(payload.to_vec());
        Ok(())
    });
    opened.map(|journal| (journal, found)).map_err(|error| error.code())
}

fn append(journal: &Journal, payload: &[u8]) {
    let ticket = {
        let mut appender = journal.lock().expect("usable");
        appender.append(&[payload]);
        appender.ticket()
    };
    journal.commit(ticket, Durability::Disk).expect("committed");
}

fn version(disk: &SimStorage) -> u32 {
    let file = disk.open("superblock").expect("readable").expect("there");
    let mut bytes = [0u8; 64];
    file.read_at(0, &mut bytes).expect("readable");
    Superblock::decode(&bytes).expect("whole").version
}

#[test]
fn an_upgraded_folder_holds_what_it_held_and_is_checked_from_then_on() {
    let disk = SimStorage::from_image(fixture());
    assert_eq!(version(&disk), 1);
    let (journal, old) = open(&disk).expect("format 1 opens");
    assert!(old.len() > 10);
    assert_eq!(version(&disk), FORMAT_VERSION);
    append(&journal, b"in format 2");
    while journal.segments().len() > 1 {
        journal.reclaim_oldest().expect("reclaimed");
    }
    append(&journal, b"and more");
    let newest = crate::segment::name_of(journal.segments()[0].number);
    journal.close().expect("closed");
    let (_, found) = open(&disk).expect("format 2 opens");
    assert!(found.ends_with(&[b"in format 2".to_vec(), b"and more".to_vec()]));
    // Format 1 would take this for the end of the journal.
    let mut image = disk.killed(disk.steps());
    image.files_mut().get_mut(&newest).expect("there").fill(0);
    assert_eq!(open(&SimStorage::from_image(image)).err(), Some(Code::CorruptJournal));
}

#[test]
fn a_crash_during_the_upgrade_loses_nothing() {
    let disk = SimStorage::from_image(fixture());
    let (journal, old) = open(&disk).expect("format 1 opens");
    let upgraded = disk.steps();
    append(&journal, b"new");
    let acknowledged = disk.steps();
    std::mem::forget(journal);
    for step in 0..=acknowledged {
        for seed in 0..40 {
            let after = SimStorage::from_image(disk.power_loss(step, seed));
            let (_, found) = open(&after).unwrap_or_else(|code| panic!("{code:?} at {step}"));
            assert!(found.starts_with(&old), "step {step}, seed {seed}");
            assert!(step < acknowledged || found.len() == old.len() + 1);
        }
    }
    assert!(upgraded > 3, "the upgrade writes a control file and a superblock");
}

#[test]
fn a_batch_of_format_1_never_follows_one_of_format_2() {
    let image = fixture();
    let segment = &image.files()["segment-00000001"];
    let superblock = Superblock::decode(&image.files()["superblock"]).expect("whole");
    let seed = crate::frame::seed_of((superblock.key.0, superblock.key.1));
    let header = Header::decode(segment, seed).expect("a whole header");
    assert_eq!((header.bytes(), header.sequence), (HEADER_BYTES_V1, 0));
    // The same batches under a superblock of format 2, as if they were stale.
    let mut mixed = image.clone();
    let current = Superblock { version: FORMAT_VERSION, ..superblock };
    mixed.files_mut().insert("superblock".into(), current.encode().to_vec());
    assert_eq!(open(&SimStorage::from_image(mixed)).err(), Some(Code::CorruptJournal));
}

#[test]
fn a_blank_folder_of_format_1_keeps_what_is_written_after_the_upgrade() {
    let mut image = fixture();
    let superblock = image.files()["superblock"].clone();
    image.files_mut().clear();
    image.files_mut().insert("superblock".into(), superblock);
    image.files_mut().insert("segment-00000001".into(), vec![0; 1 << 16]);
    let disk = SimStorage::from_image(image);
    assert_eq!(version(&disk), 1);
    let (journal, found) = open(&disk).expect("format 1 opens");
    assert!(found.is_empty());
    append(&journal, b"first");
    journal.close().expect("closed");
    assert_eq!(version(&disk), FORMAT_VERSION);
    let (journal, found) = open(&disk).expect("format 2 opens");
    assert_eq!(found, [b"first"]);
    append(&journal, b"second");
    journal.close().expect("closed");
    assert_eq!(open(&disk).expect("opens again").1, [b"first".to_vec(), b"second".to_vec()]);
}
