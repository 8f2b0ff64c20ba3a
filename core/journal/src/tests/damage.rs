//! Damage to durable bytes is an error; a torn tail is not.

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

/// The message of the error after this damage. Nothing may be written on the way to it.
fn refusal(image: &Image, damage: impl FnOnce(&mut Image)) -> String {
    let mut image = image.clone();
    damage(&mut image);
    let disk = SimStorage::from_image(image);
    let error = open(&disk).expect_err("the damage is found");
    assert_eq!(error.code(), Code::CorruptJournal, "{error}");
    assert_eq!(disk.steps(), 0, "a damaged folder is left as it is");
    error.message().to_owned()
}

fn newest(image: &Image) -> u32 {
    let numbers = image.files().keys().filter_map(|name| crate::segment::number_of(name));
    numbers.max().expect("segments")
}

#[test]
fn swapped_and_copied_segments_are_named() {
    let (image, _) = written();
    let last = newest(&image);
    for (first, second) in [(1, 2), (2, 3), (last - 1, last)] {
        let names = (name_of(first), name_of(second));
        let swapped = refusal(&image, |image| {
            let one = image.files_mut().remove(&names.0).expect("a segment");
            let two = image.files_mut().insert(names.1.clone(), one).expect("a segment");
            image.files_mut().insert(names.0.clone(), two);
        });
        assert!(swapped.contains("replaced by another"), "{swapped}");
        assert!(swapped.contains(&names.0), "{swapped}");
        for (from, to) in [(&names.0, &names.1), (&names.1, &names.0)] {
            let copied = refusal(&image, |image| {
                let bytes = image.files()[from].clone();
                image.files_mut().insert(to.clone(), bytes);
            });
            assert!(copied.contains(to.as_str()), "{copied}");
            assert!(copied.contains("replaced by another"), "{copied}");
        }
    }
}

#[test]
fn a_lost_or_zeroed_newest_segment_is_named() {
    let (image, _) = written();
    let name = name_of(newest(&image));
    let lost = refusal(&image, |image| {
        image.files_mut().remove(&name);
    });
    assert!(lost.contains(&name) && lost.contains("missing"), "{lost}");
    let zeroed = refusal(&image, |image| {
        image.files_mut().get_mut(&name).expect("a segment").fill(0);
    });
    assert!(zeroed.contains(&name) && zeroed.contains("zeros follow"), "{zeroed}");
}

#[test]
fn an_inserted_byte_is_found_anywhere() {
    let (image, _) = written();
    for number in 1..=newest(&image) {
        let length = image.files()[&name_of(number)].len();
        let used = image.files()[&name_of(number)].iter().rposition(|byte| *byte != 0);
        for at in (0..used.expect("not blank")).step_by(211) {
            for keeps_length in [false, true] {
                let message = refusal(&image, |image| {
                    let bytes = file(image, number);
                    bytes.insert(at, 0xa5);
                    if keeps_length {
                        bytes.truncate(length);
                    }
                });
                assert!(message.contains("segment-"), "{message}");
            }
        }
    }
}

#[test]
fn a_lost_or_damaged_control_file_is_named() {
    let (image, _) = written();
    let lost = refusal(&image, |image| {
        image.files_mut().remove("control");
    });
    assert!(lost.contains("control is missing"), "{lost}");
    let damaged = refusal(&image, |image| {
        image.files_mut().get_mut("control").expect("there").fill(0xff);
    });
    assert!(damaged.contains("control is damaged"), "{damaged}");
}

#[test]
fn a_journal_of_another_history_is_found() {
    // The same folder, written on from the same point: same key, same LSNs, other batches.
    let (image, _) = written();
    let name = name_of(newest(&image));
    let other = {
        let disk = SimStorage::from_image(image.clone());
        let (journal, _) = open(&disk).expect("opens");
        let ticket = {
            let mut appender = journal.lock().expect("usable");
            appender.append(&[&[7; 100]]);
            appender.ticket()
        };
        journal.commit(ticket, Durability::Disk).expect("committed");
        std::mem::forget(journal);
        disk.killed(disk.steps())
    };
    let message = refusal(&other, |mixed| {
        mixed.files_mut().insert(name.clone(), image.files()[&name].clone());
    });
    assert!(message.contains(&name), "{message}");
}

fn file(image: &mut Image, number: u32) -> &mut Vec<u8> {
    image.files_mut().get_mut(&name_of(number)).expect("a segment")
}

#[test]
fn every_damaged_byte_of_a_closed_journal_is_found() {
    let (image, records) = written();
    let used = |number| image.files()[&name_of(number)].iter().rposition(|byte| *byte != 0);
    for number in 1..=3 {
        for at in (0..=used(number).expect("not blank")).step_by(37) {
            let code = code_after(image.clone(), |image| file(image, number)[at] ^= 0x10);
            assert_eq!(code, Err(Code::CorruptJournal), "segment {number}, byte {at}");
        }
    }
    assert_eq!(code_after(image, |_| {}), Ok(records));
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
        image.files_mut().get_mut("superblock").expect("there")[8] = 3;
    });
    assert_eq!(newer, Err(Code::NewerFormat));
    let foreign = code_after(image, |image| {
        image.files_mut().get_mut("superblock").expect("there")[0] = b'X';
    });
    assert_eq!(foreign, Err(Code::ForeignFormat));
}
