//! An opening from a checkpoint shows what an opening without one shows, for every kind of the
//! table and whatever became of the checkpoint. Crashes are tried in `tests/sim`.

#![allow(clippy::unwrap_used)]

mod threads;
mod verbs;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use trunkline_conformance::{NOUNS, Noun, kinds, look, open, options, state};
use trunkline_engine::{Code, Durability, Engine, KINDS, OpenOptions};
use trunkline_host::{ComponentKind, inspect};

fn on_disk(path: &Path) -> Arc<Engine> {
    let folder =
        OpenOptions { path: Some(path.to_owned()), durability: Durability::Os, ..options() };
    open(OpenOptions { segment_bytes: 8 << 10, ..folder }).unwrap()
}

/// The checkpoint of a folder.
fn checkpoint_of(folder: &Path) -> PathBuf {
    let names = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let is_checkpoint = |path: &PathBuf| {
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        name.starts_with("checkpoint-")
    };
    let found: Vec<PathBuf> = names.filter(is_checkpoint).collect();
    assert_eq!(found.len(), 1, "{found:?}");
    found[0].clone()
}

fn bytes_of(file: &Path) -> u64 {
    std::fs::metadata(file).unwrap().len()
}

fn all_kinds() -> Vec<&'static ComponentKind> {
    KINDS.iter().copied().chain(kinds()).collect()
}

fn copy(folder: &Path) -> tempfile::TempDir {
    let copy = tempfile::tempdir().unwrap();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        std::fs::copy(&path, copy.path().join(path.file_name().unwrap())).unwrap();
    }
    copy
}

/// A folder with a checkpoint, something written before it and something behind it.
fn written(noun: &dyn Noun) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let engine = on_disk(folder.path());
    noun.fill(&engine);
    // So that the part before the checkpoint takes some segments.
    for round in 0..4 {
        engine.put_document("filler", Some(&[round; 5 << 10])).unwrap();
    }
    let written = engine.host().checkpoint().unwrap();
    assert!(written, "{}: a kind has no checkpoint, so no engine has one", noun.name());
    noun.touch(&engine).unwrap();
    engine.put_document("filler", None).unwrap();
    engine.close().unwrap();
    folder
}

/// Opens two folders and compares what they show; the bytes that each had to replay.
fn compare(one: &Path, other: &Path, name: &str) -> [u64; 2] {
    let [one, other] = [one, other].map(on_disk);
    let replayed = [&one, &other].map(|engine| engine.host().behind_checkpoint().0);
    assert_eq!(look(&one), look(&other), "{name}");
    let (here, there) = (state(&one), state(&other));
    let only = |these: &[Vec<u8>], those: &[Vec<u8>]| -> Vec<Vec<u8>> {
        these.iter().filter(|part| !those.contains(part)).cloned().collect()
    };
    assert_eq!(only(&here, &there), only(&there, &here), "{name}");
    assert_eq!(here.len(), there.len(), "{name}");
    for engine in [&one, &other] {
        engine.close().unwrap();
    }
    replayed
}

#[test]
fn an_opening_from_a_checkpoint_shows_what_a_whole_replay_shows() {
    for noun in NOUNS {
        let folder = written(*noun);
        let whole = copy(folder.path());
        std::fs::remove_file(checkpoint_of(whole.path())).unwrap();
        let [some, all] = compare(folder.path(), whole.path(), noun.name());
        assert!(some * 2 < all, "{}: {some} of {all} bytes were replayed", noun.name());
    }
}

#[test]
fn a_second_checkpoint_on_top_of_the_first_shows_the_same() {
    for noun in NOUNS {
        let folder = written(*noun);
        let whole = copy(folder.path());
        std::fs::remove_file(checkpoint_of(whole.path())).unwrap();
        for _ in 0..2 {
            let engine = on_disk(folder.path());
            assert!(engine.host().checkpoint().unwrap());
            engine.close().unwrap();
            checkpoint_of(folder.path());
            // So that both were opened as often.
            on_disk(whole.path()).close().unwrap();
        }
        compare(folder.path(), whole.path(), noun.name());
    }
}

#[test]
fn compaction_behind_a_checkpoint_changes_nothing() {
    for noun in NOUNS {
        let folder = written(*noun);
        let engine = on_disk(folder.path());
        assert!(engine.host().checkpoint().unwrap());
        let before = look(&engine);
        for round in 0..8 {
            engine.put_document("filler", Some(&[round; 4 << 10])).unwrap();
            engine.put_document("filler", None).unwrap();
            engine.flush().unwrap();
            engine.compact_oldest().unwrap();
            assert_eq!(look(&engine), before, "{}", noun.name());
            // A crash: the folder as it is now, under the checkpoint of before.
            let crashed = copy(folder.path());
            let whole = copy(folder.path());
            std::fs::remove_file(checkpoint_of(whole.path())).unwrap();
            compare(crashed.path(), whole.path(), noun.name());
        }
        engine.close().unwrap();
    }
}

#[test]
fn a_checkpoint_that_is_damaged_cut_old_or_of_another_folder_is_ignored() {
    for noun in NOUNS {
        let folder = written(*noun);
        let checkpoint = checkpoint_of(folder.path());
        let bytes = std::fs::read(&checkpoint).unwrap();
        let mut flipped = bytes.clone();
        flipped[bytes.len() / 2] ^= 4;
        let foreign = {
            let options = OpenOptions { seed: Some(2), ..options() };
            let other = tempfile::tempdir().unwrap();
            let path = Some(other.path().to_owned());
            let engine = open(OpenOptions { path, ..options }).unwrap();
            noun.fill(&engine);
            engine.host().checkpoint().unwrap();
            std::fs::read(checkpoint_of(other.path())).unwrap()
        };
        for (what, bytes) in
            [("flipped", &flipped[..]), ("cut", &bytes[..bytes.len() - 9]), ("foreign", &foreign)]
        {
            let damaged = copy(folder.path());
            let whole = copy(folder.path());
            std::fs::write(checkpoint_of(damaged.path()), bytes).unwrap();
            std::fs::remove_file(checkpoint_of(whole.path())).unwrap();
            let name = format!("{}, {what}", noun.name());
            let error = inspect(damaged.path(), &all_kinds(), true).unwrap_err();
            assert_eq!(error.code(), Code::CorruptJournal, "{name}");
            assert!(error.message().contains("checkpoint-"), "{name}: {error}");
            let told = inspect(folder.path(), &all_kinds(), true).unwrap();
            assert_eq!(told.checkpoint, Some(bytes_of(&checkpoint)), "{name}");
            let [some, all] = compare(damaged.path(), whole.path(), &name);
            assert_eq!(some, all, "{name}");
        }
    }
}
