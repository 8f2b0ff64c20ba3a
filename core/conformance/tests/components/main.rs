//! What the host gives to every kind of resource, tried on each kind of the table: replay,
//! compaction, snapshot, fork, inspect, faults, the virtual clock, reset and closing. The wire
//! service is tried in `tests/wire`, crashes in `tests/sim`.

#![allow(clippy::unwrap_used)]

use std::path::Path;
use std::sync::{Arc, Mutex, mpsc};
use std::time::Duration;

use trunkline_conformance::nouns::counter::Counters;
use trunkline_conformance::{NOUNS, START, kinds, look, open, options};
use trunkline_engine::{
    Clock, Code, Durability, Effect, Engine, KINDS, OpenOptions, Outgoing, Parker, ResourcePattern,
    Rule, Signal, queue_name, standard_queue,
};
use trunkline_host::{ComponentKind, Location, ResourceReport, inspect};
use trunkline_journal::Lsn;
use trunkline_types::Limits;

fn all_kinds() -> Vec<&'static ComponentKind> {
    KINDS.iter().copied().chain(kinds()).collect()
}

fn memory() -> Arc<Engine> {
    open(options()).unwrap()
}

fn on_disk(path: &Path) -> Arc<Engine> {
    let folder =
        OpenOptions { path: Some(path.to_owned()), durability: Durability::Os, ..options() };
    open(OpenOptions { segment_bytes: 8 << 10, ..folder }).unwrap()
}

fn copy_of(engine: &Engine) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let copy = folder.path().join("copy");
    engine.snapshot(&copy).unwrap();
    folder
}

#[test]
fn every_kind_of_the_engine_has_its_line_in_the_table() {
    let engine = memory();
    NOUNS.iter().for_each(|noun| noun.fill(&engine));
    let mut seen = std::collections::BTreeSet::new();
    let mut see = |record: &[u8]| {
        seen.insert(record[0]);
        Ok(())
    };
    engine.host().export(&mut see).unwrap();
    let has_none =
        |kind: &&&ComponentKind| kind.first_bytes().all(|record| !seen.contains(&record));
    let without: Vec<&str> = KINDS.iter().filter(has_none).map(|kind| kind.name).collect();
    assert!(without.is_empty(), "add a noun: {without:?}");
}

#[test]
fn replay_restores_what_was_written_at_every_opening() {
    for noun in NOUNS {
        let folder = tempfile::tempdir().unwrap();
        let engine = on_disk(folder.path());
        noun.fill(&engine);
        let before = look(&engine);
        assert!(!before.is_empty(), "{}: nothing to compare", noun.name());
        engine.close().unwrap();
        for _ in 0..2 {
            let engine = on_disk(folder.path());
            assert_eq!(look(&engine), before, "{}", noun.name());
            engine.close().unwrap();
        }
    }
}

#[test]
fn replay_of_each_record_twice_adds_up_to_the_same() {
    for noun in NOUNS {
        let engine = memory();
        noun.fill(&engine);
        let mut records = Vec::new();
        engine
            .host()
            .export(&mut |record| {
                records.push(record.to_vec());
                Ok(())
            })
            .unwrap();
        let report = |rounds: usize| -> Vec<ResourceReport> {
            let with_loader =
                |kind: &'static ComponentKind| (kind, (kind.loader)(&Limits::default()));
            let mut loaders: Vec<_> = all_kinds().into_iter().map(with_loader).collect();
            for (at, record) in (0..rounds).flat_map(|_| &records).enumerate() {
                let location = Location { lsn: Lsn::from_u64(at as u64), len: record.len() as u32 };
                let owns = |kind: &ComponentKind| kind.first_bytes().any(|byte| byte == record[0]);
                let owner = loaders.iter_mut().find(|(kind, _)| owns(kind));
                // The host's own record belongs to no kind.
                if let Some((_, loader)) = owner {
                    loader.apply(location, record).unwrap();
                }
            }
            loaders.iter().flat_map(|(_, loader)| loader.report(START)).collect()
        };
        assert_eq!(report(2), report(1), "{}", noun.name());
        assert!(!report(1).is_empty(), "{}", noun.name());
    }
}

#[test]
fn compaction_changes_nothing_now_or_after_the_next_opening() {
    for noun in NOUNS {
        let folder = tempfile::tempdir().unwrap();
        let engine = on_disk(folder.path());
        noun.fill(&engine);
        let before = look(&engine);
        // Every segment that holds some of it is reclaimed, most of them twice.
        for round in 0..12 {
            let filler = vec![round; 4 << 10];
            engine.put_document("filler", Some(&filler)).unwrap();
            engine.put_document("filler", None).unwrap();
            engine.flush().unwrap();
            engine.compact_oldest().unwrap();
        }
        assert_eq!(look(&engine), before, "{}", noun.name());
        engine.close().unwrap();
        let engine = on_disk(folder.path());
        assert_eq!(look(&engine), before, "{}", noun.name());
    }
}

#[test]
fn a_snapshot_opens_as_what_was_copied() {
    for noun in NOUNS {
        let folder = tempfile::tempdir().unwrap();
        for engine in [memory(), on_disk(folder.path())] {
            noun.fill(&engine);
            let folder = copy_of(&engine);
            let copy = on_disk(&folder.path().join("copy"));
            assert_eq!(look(&copy), look(&engine), "{}", noun.name());
        }
    }
}

#[test]
fn a_fork_is_what_was_copied_and_goes_its_own_way() {
    for noun in NOUNS {
        let folder = tempfile::tempdir().unwrap();
        for engine in [memory(), on_disk(folder.path())] {
            noun.fill(&engine);
            let before = look(&engine);
            let fork = engine.fork(Arc::new(Clock::virtual_at(START))).unwrap();
            assert_eq!(look(&fork), before, "{}", noun.name());
            noun.touch(&fork).unwrap();
            assert_ne!(look(&fork), before, "{}", noun.name());
            assert_eq!(look(&engine), before, "{}", noun.name());
        }
    }
}

#[test]
fn inspect_tells_of_every_resource_of_a_folder() {
    for noun in NOUNS {
        let folder = tempfile::tempdir().unwrap();
        let engine = on_disk(folder.path());
        noun.fill(&engine);
        engine.close().unwrap();
        let told = inspect(folder.path(), &all_kinds(), true).unwrap().resources;
        let names: Vec<&str> = told.iter().map(|report| &*report.name.name).collect();
        assert_eq!(names, noun.resources(), "{}", noun.name());
    }
}

#[test]
fn faults_strike_the_verb_and_the_resource_that_a_rule_names() {
    let mut tried = 0;
    for noun in NOUNS {
        let Some(verb) = noun.faulty_verb() else { continue };
        let engine = memory();
        noun.fill(&engine);
        let add = |resource: ResourcePattern| {
            let effect = Effect::Fail("no".into());
            let (operation, times) = (verb.operation, Some(1));
            engine.faults().add(Rule { operation, resource, effect, after: 0, times });
        };
        add(ResourcePattern { name: Some("another".into()), ..ResourcePattern::default() });
        (verb.call)(&engine).unwrap();
        add(ResourcePattern::of(verb.resource));
        let before = look(&engine);
        let error = (verb.call)(&engine).unwrap_err();
        assert_eq!(error.code(), Code::InjectedFault, "{}", noun.name());
        assert_eq!(look(&engine), before, "{}: it fails before it does anything", noun.name());
        (verb.call)(&engine).unwrap();
        tried += 1;
    }
    assert!(tried > 0);
}

#[test]
fn the_virtual_clock_fires_timers_at_their_time_and_not_before() {
    let mut tried = 0;
    for noun in NOUNS {
        let Some(due) = noun.first_timer() else { continue };
        let engine = memory();
        noun.fill(&engine);
        let before = look(&engine);
        engine.advance(due - 1).unwrap();
        assert_eq!(look(&engine), before, "{}", noun.name());
        engine.advance(1).unwrap();
        assert_ne!(look(&engine), before, "{}", noun.name());
        tried += 1;
    }
    assert!(tried > 0);
}

#[test]
fn the_virtual_clock_fires_timers_also_after_an_opening() {
    for noun in NOUNS {
        let Some(due) = noun.first_timer() else { continue };
        let folder = tempfile::tempdir().unwrap();
        let engine = on_disk(folder.path());
        noun.fill(&engine);
        let before = look(&engine);
        engine.close().unwrap();
        let engine = on_disk(folder.path());
        engine.advance(due).unwrap();
        assert_ne!(look(&engine), before, "{}", noun.name());
    }
}

#[test]
fn the_virtual_clock_runs_the_jobs_of_timers_in_order() {
    let engine = memory();
    let counters = engine.host().component::<Counters>().unwrap();
    let (counter, _) = counters.create("ticks", 1_000).unwrap();
    engine.advance(999).unwrap();
    assert_eq!(counter.value(), 0);
    engine.advance(1).unwrap();
    assert_eq!(counter.value(), 1);
    engine.advance(10_000).unwrap();
    assert_eq!(counter.value(), 11, "each job arms the timer of the next");
}

#[test]
fn a_reset_leaves_nothing_also_for_the_next_opening() {
    for noun in NOUNS {
        let folder = tempfile::tempdir().unwrap();
        let engine = on_disk(folder.path());
        noun.fill(&engine);
        engine.reset().unwrap();
        assert!(look(&engine).is_empty(), "{}", noun.name());
        engine.close().unwrap();
        assert!(look(&on_disk(folder.path())).is_empty(), "{}", noun.name());
    }
}

#[test]
fn closing_wakes_every_waiter_and_refuses_every_later_verb() {
    for noun in NOUNS {
        let engine = memory();
        noun.fill(&engine);
        let parker = Arc::new(Parker::default());
        let waits = noun.wait(&engine, parker.clone());
        engine.close().unwrap();
        assert!(!waits || parker.park(Duration::ZERO), "{}", noun.name());
        assert_eq!(noun.touch(&engine).unwrap_err().code(), Code::EngineClosed);
    }
}

/// A job that lasts as long as the test wants, on a thread of its own.
#[test]
fn no_verb_waits_for_a_job() {
    struct Hold(Mutex<mpsc::Receiver<()>>, mpsc::Sender<()>);
    impl Signal for Hold {
        fn signal(&self) {
            self.1.send(()).unwrap();
            self.0.lock().unwrap().recv().unwrap();
        }
    }
    let engine = memory();
    let plain = engine.create_queue(queue_name("plain"), standard_queue(), b"").unwrap();
    plain.send(&Outgoing { body: b"one", ..Outgoing::default() }).unwrap();
    let counters = engine.host().component::<Counters>().unwrap();
    let (counter, _) = counters.create("ticks", 1_000).unwrap();
    let ((release, held), (entered, inside)) = (mpsc::channel(), mpsc::channel());
    counter.waiters.subscribe(Arc::new(Hold(Mutex::new(held), entered)), None);
    std::thread::scope(|scope| {
        let advancing = scope.spawn(|| engine.advance(1_000));
        inside.recv().unwrap();
        let seen = plain.statistics();
        let peeked = plain.peek(1, true, |_| {});
        let still_runs = !advancing.is_finished();
        release.send(()).unwrap();
        advancing.join().unwrap().unwrap();
        assert_eq!((seen.unwrap().visible, peeked), (1, Ok(())));
        assert!(still_runs, "it returns when the job is done");
    });
    assert_eq!(counter.value(), 1);
}
