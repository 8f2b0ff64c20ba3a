//! A control file that was lost or damaged is made again from what the segments prove.

use std::sync::Arc;

use trunkline_types::{Code, Durability, Result};

use super::workload::options;
use crate::segment::name_of;
use crate::sim::{Image, SimStorage};
use crate::{Journal, Repair, repair};

type Records = Vec<Vec<u8>>;

fn open(disk: &SimStorage) -> Result<(Journal, Records)> {
    let mut found = Vec::new();
    let journal = Journal::open(Arc::new(disk.clone()), options(None), &mut |_, payload| {
        found.push(payload.to_vec());
        Ok(())
    })?;
    Ok((journal, found))
}

fn append(journal: &Journal, numbers: std::ops::Range<u8>) -> Records {
    let records: Records = numbers.map(|number| vec![number; 300]).collect();
    for record in &records {
        let ticket = {
            let mut appender = journal.lock().expect("usable");
            appender.append(&[record]);
            appender.ticket()
        };
        journal.commit(ticket, Durability::Disk).expect("committed");
    }
    records
}

/// A journal of three and more segments, not closed, and its records.
fn written() -> (SimStorage, Records) {
    let disk = SimStorage::new();
    let journal = open(&disk).expect("a new disk").0;
    let records = append(&journal, 0..60);
    assert!(journal.segments().len() >= 3);
    std::mem::forget(journal);
    (disk, records)
}

/// The folder of [`written`] after its process was killed and this happened to it.
fn folder(damage: impl FnOnce(&mut Image)) -> SimStorage {
    let (disk, _) = written();
    let mut image = disk.killed(disk.steps());
    damage(&mut image);
    SimStorage::from_image(image)
}

fn lose_control(image: &mut Image) {
    image.files_mut().remove("control");
}

fn mend(disk: &SimStorage) -> Result<Option<Repair>> {
    repair(disk, options(None), &mut |_, _| Ok(()))
}

/// The refusal of a repair, which has to leave the folder as it is.
fn refusal(damage: impl FnOnce(&mut Image)) -> String {
    let disk = folder(|image| {
        lose_control(image);
        damage(image);
    });
    let error = mend(&disk).expect_err("the damage is found");
    assert_eq!((error.code(), disk.steps()), (Code::CorruptJournal, 0), "{error}");
    error.message().to_owned()
}

#[test]
fn a_folder_without_its_control_file_is_whole_again_and_goes_on() {
    let (_, records) = written();
    let epoch = open(&folder(|_| {})).expect("whole").0.epoch();
    for damage in [lose_control as fn(&mut Image), |image| {
        image.files_mut().get_mut("control").expect("there").fill(0xff);
    }] {
        let disk = folder(damage);
        assert_eq!(open(&disk).err().map(|error| error.code()), Some(Code::CorruptJournal));
        let made = mend(&disk).expect("repaired").expect("made");
        assert_eq!(made.unproven.len(), 2, "{:?}", made.unproven);
        let (journal, found) = open(&disk).expect("opens");
        assert_eq!(found, records);
        assert!(journal.epoch() > epoch, "no epoch is used twice");
        append(&journal, 60..70);
        journal.close().expect("closed");
        assert_eq!(open(&disk).expect("opens").1.len(), records.len() + 10);
    }
}

#[test]
fn a_damaged_control_file_is_kept_under_another_name() {
    let disk = folder(|image| image.files_mut().get_mut("control").expect("there").fill(0xff));
    mend(&disk).expect("repaired").expect("made");
    let image = disk.killed(disk.steps());
    assert!(image.files()["control.damaged"].iter().all(|byte| *byte == 0xff));
}

#[test]
fn a_whole_control_file_is_left_alone() {
    let disk = folder(|_| {});
    assert_eq!((mend(&disk).expect("whole"), disk.steps()), (None, 0));
}

#[test]
fn damage_of_the_segments_is_no_matter_of_the_control_file() {
    let second = refusal(|image| {
        image.files_mut().remove(&name_of(2));
    });
    assert!(second.contains(&name_of(2)) && second.contains("missing"), "{second}");
    let flipped = refusal(|image| {
        image.files_mut().get_mut(&name_of(1)).expect("there")[1_000] ^= 1;
    });
    assert!(flipped.contains(&name_of(1)) && flipped.contains("durable up to"), "{flipped}");
    let zeroed = refusal(|image| image.files_mut().get_mut(&name_of(2)).expect("there").fill(0));
    assert!(zeroed.contains("durable up to"), "{zeroed}");
    let superblock = refusal(|image| {
        image.files_mut().remove("superblock");
    });
    assert!(superblock.contains("superblock is missing"), "{superblock}");
}

#[test]
fn a_record_that_is_refused_ends_the_repair_before_anything_is_written() {
    let disk = folder(lose_control);
    let error = trunkline_types::Error::new(Code::CorruptJournal, "no");
    let refused = repair(&disk, options(None), &mut |_, _| Err(error.clone()));
    assert_eq!((refused.err(), disk.steps()), (Some(error), 0));
}

#[test]
fn absent_older_segments_are_said_to_be_reclaimed_or_lost() {
    let disk = folder(|image| {
        lose_control(image);
        image.files_mut().remove(&name_of(1));
    });
    let made = mend(&disk).expect("repaired").expect("made");
    assert!(made.unproven[0].contains("reclaimed, or are lost"), "{:?}", made.unproven);
    assert_eq!(made.state.oldest, 2);
    let (_, records) = written();
    let found = open(&disk).expect("opens").1;
    assert!(!found.is_empty() && records.ends_with(&found));
}

#[test]
fn a_checkpoint_proves_what_the_lost_newest_segments_do_not() {
    let disk = SimStorage::new();
    let journal = open(&disk).expect("a new disk").0;
    append(&journal, 0..60);
    let newest = journal.segments().last().expect("written").number;
    assert!(journal.checkpoint(&mut |_| Ok(())).expect("written"));
    std::mem::forget(journal);
    let mut image = disk.killed(disk.steps());
    lose_control(&mut image);
    image.files_mut().get_mut(&name_of(newest)).expect("there").fill(0);
    let disk = SimStorage::from_image(image);
    let error = mend(&disk).expect_err("the checkpoint lies behind the end");
    assert!(error.message().contains("durable up to"), "{error}");
}

/// The repair comes to what the lost file would have said, after a crash at any moment.
#[test]
fn after_any_crash_a_repaired_folder_opens_as_one_with_its_control_file() {
    let (disk, _) = written();
    for step in 0..=disk.steps() {
        for image in [disk.killed(step), disk.power_loss(step, step as u64)] {
            let is_folder = image.files().contains_key("superblock");
            let mut lost = image.clone();
            lose_control(&mut lost);
            let Ok((_, expected)) = open(&SimStorage::from_image(image)) else { continue };
            let disk = SimStorage::from_image(lost);
            if is_folder {
                mend(&disk).expect("repaired").expect("made");
            }
            assert_eq!(open(&disk).expect("opens").1, expected, "step {step}");
        }
    }
}

#[test]
fn a_crash_in_the_middle_of_a_repair_leaves_a_folder_that_can_be_repaired() {
    let (_, records) = written();
    let disk = folder(lose_control);
    mend(&disk).expect("repaired").expect("made");
    assert!(disk.steps() > 3);
    for step in 0..=disk.steps() {
        for seed in 0..8 {
            let disk = SimStorage::from_image(disk.power_loss(step, seed));
            mend(&disk).expect("repaired");
            assert_eq!(open(&disk).expect("opens").1, records, "step {step}");
        }
    }
}
