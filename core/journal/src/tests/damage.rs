//! Damage to durable bytes is said to be damage; a torn tail is not.

use std::sync::Arc;

use trunkline_types::{Code, Durability};

use super::workload::options;
use crate::segment::name_of;
use crate::sim::{Image, SimStorage};
use crate::{Journal, Options};

/// A closed journal of three and more segments, and its records.
fn written() -> (Image, Vec<Vec<u8>>) {
    let disk = SimStorage::new();
    let journal = open(&disk).expect("a new disk").0;
    let records: Vec<Vec<u8>> = (0..60u8).map(|n| vec![n; 300]).collect();
    for record in &records {
        let ticket = {
            let mut appender = journal.lock().expect("usable");
            appender.append(&[record]);
            appender.ticket()
        };
        journal.commit(ticket, Durability::Disk).expect("committed");
    }
    assert!(journal.segments().len() >= 3);
    journal.close().expect("closed");
    (disk.killed(disk.steps()), records)
}

fn open(disk: &SimStorage) -> trunkline_types::Result<(Journal, Vec<Vec<u8>>)> {
    let mut found = Vec::new();
    let options: Options = options(None);
    let journal = Journal::open(Arc::new(disk.clone()), options, &mut |_, payload| {
        found.push(payload.to_vec());
        Ok(())
    })?;
    Ok((journal, found))
}

fn code_after(mut image: Image, damage: impl FnOnce(&mut Image)) -> Result<Vec<Vec<u8>>, Code> {
    damage(&mut image);
    open(&SimStorage::from_image(image)).map(|(_, found)| found).map_err(|error| error.code())
}

fn file(image: &mut Image, number: u32) -> &mut Vec<u8> {
    image.files_mut().get_mut(&name_of(number)).expect("a segment")
}

#[test]
fn every_damaged_byte_of_a_closed_journal_is_found() {
    let (image, records) = written();
    let used = |number| image.files()[&name_of(number)].iter().rposition(|byte| *byte != 0);
    for number in 1..=3 {
        for at in (0..used(number).expect("not blank") - 400).step_by(37) {
            let code = code_after(image.clone(), |image| file(image, number)[at] ^= 0x10);
            assert_eq!(code, Err(Code::CorruptJournal), "segment {number}, byte {at}");
        }
    }
    assert_eq!(code_after(image, |_| {}), Ok(records));
}

#[test]
fn the_mark_of_closing_may_be_torn_without_loss() {
    let (image, records) = written();
    let last = *image
        .files()
        .keys()
        .filter_map(|name| crate::segment::number_of(name))
        .collect::<Vec<_>>()
        .iter()
        .max()
        .expect("segments");
    let end = image.files()[&name_of(last)].iter().rposition(|byte| *byte != 0).expect("used");
    assert_eq!(code_after(image, |image| file(image, last)[end] ^= 1), Ok(records));
}

#[test]
fn missing_and_shortened_segments_are_found() {
    let (image, _) = written();
    let gone = |number| {
        code_after(image.clone(), move |image| {
            image.files_mut().remove(&name_of(number));
        })
    };
    assert_eq!(gone(1), Err(Code::CorruptJournal));
    assert_eq!(gone(2), Err(Code::CorruptJournal));
    for number in 1..=3 {
        for length in [0usize, 100, 4_095, 4_096] {
            let was = image.files()[&name_of(number)].len();
            let code = code_after(image.clone(), |image| file(image, number).truncate(length));
            if length < was {
                assert_eq!(code, Err(Code::CorruptJournal), "segment {number} cut to {length}");
            }
        }
    }
}

#[test]
fn a_lost_superblock_is_not_an_empty_folder() {
    let (image, _) = written();
    let code = code_after(image, |image| {
        image.files_mut().remove("superblock");
    });
    assert_eq!(code, Err(Code::CorruptJournal));
}

#[test]
fn a_newer_and_a_foreign_superblock_are_named_so() {
    let (image, _) = written();
    let newer = code_after(image.clone(), |image| {
        image.files_mut().get_mut("superblock").expect("there")[8] = 2;
    });
    assert_eq!(newer, Err(Code::NewerFormat));
    let foreign = code_after(image, |image| {
        image.files_mut().get_mut("superblock").expect("there")[0] = b'X';
    });
    assert_eq!(foreign, Err(Code::ForeignFormat));
}
