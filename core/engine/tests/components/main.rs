//! What every kind of resource must do, tried on each of them: queues, documents, and the counters
//! of the tests. A new kind adds one line to [`SUBJECTS`].

#![allow(clippy::unwrap_used)]

#[path = "../common/mod.rs"]
mod common;
#[path = "../counter/mod.rs"]
mod counter;
mod subjects;

use std::path::Path;
use std::sync::{Arc, Mutex, mpsc};
use std::time::Duration;

use common::START;
use subjects::{CountersSubject, DocumentsSubject, QueuesSubject, Subject};
use trunkline_engine::{
    Clock, Code, Durability, Effect, Engine, KINDS, OpenOptions, Parker, ResourcePattern, Rule,
    Signal,
};
use trunkline_host::{ComponentKind, Location, ResourceReport, inspect};
use trunkline_journal::Lsn;
use trunkline_types::Limits;

const SUBJECTS: &[&dyn Subject] = &[&QueuesSubject, &DocumentsSubject, &CountersSubject];

fn kinds() -> Vec<&'static ComponentKind> {
    KINDS.iter().copied().chain([&counter::COUNTERS]).collect()
}

fn options() -> OpenOptions {
    let clock = Arc::new(Clock::virtual_at(START));
    OpenOptions { clock, seed: Some(1), background: false, ..OpenOptions::memory() }
}

fn memory() -> Arc<Engine> {
    Engine::open_with(options(), &[&counter::COUNTERS]).unwrap()
}

fn on_disk(path: &Path) -> Arc<Engine> {
    let folder =
        OpenOptions { path: Some(path.to_owned()), durability: Durability::Os, ..options() };
    let options = OpenOptions { segment_bytes: 8 << 10, ..folder };
    Engine::open_with(options, &[&counter::COUNTERS]).unwrap()
}

fn look(engine: &Engine) -> Vec<String> {
    SUBJECTS.iter().flat_map(|subject| subject.look(engine)).collect()
}

#[test]
fn what_was_written_is_there_after_every_opening() {
    for subject in SUBJECTS {
        let folder = tempfile::tempdir().unwrap();
        let engine = on_disk(folder.path());
        subject.fill(&engine);
        let before = look(&engine);
        assert!(!before.is_empty(), "{}: nothing to compare", subject.name());
        engine.close().unwrap();
        for _ in 0..2 {
            let engine = on_disk(folder.path());
            assert_eq!(look(&engine), before, "{}", subject.name());
            engine.close().unwrap();
        }
    }
}

#[test]
fn records_that_are_replayed_twice_add_up_to_the_same() {
    for subject in SUBJECTS {
        let engine = memory();
        subject.fill(&engine);
        let mut records = Vec::new();
        engine
            .host()
            .export(&mut |record| {
                records.push(record.to_vec());
                Ok(())
            })
            .unwrap();
        let report = |rounds: usize| -> Vec<ResourceReport> {
            let mut loaders: Vec<_> =
                kinds().into_iter().map(|kind| (kind, (kind.loader)(&Limits::default()))).collect();
            for (at, record) in (0..rounds).flat_map(|_| &records).enumerate() {
                let location = Location { lsn: Lsn::from_u64(at as u64), len: record.len() as u32 };
                let owner = loaders.iter_mut().find(|(kind, _)| kind.records.contains(&record[0]));
                // The host's own record belongs to no kind.
                if let Some((_, loader)) = owner {
                    loader.apply(location, record).unwrap();
                }
            }
            loaders.iter().flat_map(|(_, loader)| loader.report(START)).collect()
        };
        assert_eq!(report(2), report(1), "{}", subject.name());
        assert!(!report(1).is_empty(), "{}", subject.name());
    }
}

#[test]
fn what_is_relocated_stays_as_it_is_and_is_there_after_the_next_opening() {
    for subject in SUBJECTS {
        let folder = tempfile::tempdir().unwrap();
        let engine = on_disk(folder.path());
        subject.fill(&engine);
        let before = look(&engine);
        // Every segment that holds some of it is reclaimed, most of them twice.
        for round in 0..12 {
            let filler = vec![round; 4 << 10];
            engine.put_document("filler", Some(&filler)).unwrap();
            engine.put_document("filler", None).unwrap();
            engine.flush().unwrap();
            engine.compact_oldest().unwrap();
        }
        assert_eq!(look(&engine), before, "{}", subject.name());
        engine.close().unwrap();
        let engine = on_disk(folder.path());
        assert_eq!(look(&engine), before, "{}", subject.name());
        let first = inspect(&copy_of(&engine), &kinds()).unwrap();
        assert!(!first.resources.is_empty(), "{}", subject.name());
    }
}

fn copy_of(engine: &Engine) -> std::path::PathBuf {
    let folder = tempfile::tempdir().unwrap().keep();
    engine.snapshot(&folder).unwrap();
    folder
}

#[test]
fn a_copy_is_what_was_copied_in_memory_and_on_disk() {
    for subject in SUBJECTS {
        let folder = tempfile::tempdir().unwrap();
        for engine in [memory(), on_disk(folder.path())] {
            subject.fill(&engine);
            let clock = Arc::new(Clock::virtual_at(START));
            let fork = engine.fork(clock).unwrap();
            assert_eq!(look(&fork), look(&engine), "{}", subject.name());
            let copy = on_disk(&copy_of(&engine));
            assert_eq!(look(&copy), look(&engine), "{}", subject.name());
        }
    }
}

#[test]
fn a_reset_leaves_nothing_also_for_the_next_opening() {
    for subject in SUBJECTS {
        let folder = tempfile::tempdir().unwrap();
        let engine = on_disk(folder.path());
        subject.fill(&engine);
        engine.reset().unwrap();
        assert!(look(&engine).is_empty(), "{}", subject.name());
        engine.close().unwrap();
        assert!(look(&on_disk(folder.path())).is_empty(), "{}", subject.name());
    }
}

#[test]
fn closing_wakes_every_waiter_and_refuses_every_later_verb() {
    for subject in SUBJECTS {
        let engine = memory();
        subject.fill(&engine);
        let parker = Arc::new(Parker::default());
        let waits = subject.wait(&engine, parker.clone());
        engine.close().unwrap();
        assert!(!waits || parker.park(Duration::ZERO), "{}", subject.name());
        assert_eq!(subject.touch(&engine).unwrap_err().code(), Code::EngineClosed);
    }
}

#[test]
fn inspecting_a_folder_tells_of_every_resource() {
    for subject in SUBJECTS {
        let folder = tempfile::tempdir().unwrap();
        let engine = on_disk(folder.path());
        subject.fill(&engine);
        engine.close().unwrap();
        let told = inspect(folder.path(), &kinds()).unwrap().resources;
        let names: Vec<&str> = told.iter().map(|report| &*report.name.name).collect();
        assert_eq!(names, subject.resources(), "{}", subject.name());
    }
}

#[test]
fn a_rule_of_faults_strikes_the_kind_that_it_names() {
    let engine = memory();
    CountersSubject.fill(&engine);
    let counter = subjects::counters(&engine).find("visits").unwrap();
    let name = trunkline_host::Resource::name(&*counter).clone();
    let (effect, resource) = (Effect::Fail("no".into()), ResourcePattern::of(name));
    let rule = Rule { operation: counter::RAISE, resource, effect, after: 0, times: Some(1) };
    engine.faults().add(rule);
    assert_eq!(counter.raise().unwrap_err().code(), Code::InjectedFault);
    counter.raise().unwrap();
}

#[test]
fn virtual_time_fires_timers_and_runs_their_jobs_in_order() {
    let engine = memory();
    let (counter, _) = subjects::counters(&engine).create("ticks", 1_000).unwrap();
    engine.advance(999).unwrap();
    assert_eq!(counter.value(), 0);
    engine.advance(1).unwrap();
    assert_eq!(counter.value(), 1);
    engine.advance(10_000).unwrap();
    assert_eq!(counter.value(), 11, "each job arms the timer of the next");
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
    QueuesSubject.fill(&engine);
    let (counter, _) = subjects::counters(&engine).create("ticks", 1_000).unwrap();
    let ((release, held), (entered, inside)) = (mpsc::channel(), mpsc::channel());
    counter.waiters.subscribe(Arc::new(Hold(Mutex::new(held), entered)), None);
    std::thread::scope(|scope| {
        let advancing = scope.spawn(|| engine.advance(1_000));
        inside.recv().unwrap();
        let plain = common::find(&engine, "plain");
        let seen = plain.statistics();
        let peeked = plain.peek(1, true, |_| {});
        let still_runs = !advancing.is_finished();
        release.send(()).unwrap();
        advancing.join().unwrap().unwrap();
        assert_eq!((seen.unwrap().visible, peeked), (37, Ok(())));
        assert!(still_runs, "it returns when the job is done");
    });
    assert_eq!(counter.value(), 1);
}
