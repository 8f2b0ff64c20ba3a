//! Jobs and the background threads: an advancing clock waits for a job on another thread, a panic
//! ends one job and not the thread, and every kind of record wakes the compactor.

use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex, OnceLock};
use std::time::{Duration, Instant};

use trunkline_host::{
    Component, ComponentKind, DOCUMENTS, Documents, Host, Jobs, Loader, Location, OpenOptions,
    ResourceReport, TimerKey, advance,
};
use trunkline_journal::{MemoryStorage, Storage};
use trunkline_types::{Clock, Durability, Limits, Millis, Result};

/// A kind whose jobs do what a test says: `task` is the slot of the timer.
struct Worker {
    started: Sender<u64>,
    go_on: Mutex<Receiver<()>>,
}

const BLOCKS: u32 = 1;
const PANICS: u32 = 2;
const RUNS: u32 = 3;

/// The ends of the channels that the next worker gets. One test at a time opens a host with one.
static ENDS: Mutex<Option<(Sender<u64>, Receiver<()>)>> = Mutex::new(None);
static OPENING: OnceLock<Mutex<()>> = OnceLock::new();

struct WorkerLoader;

static WORKERS: ComponentKind = ComponentKind {
    name: "workers",
    records: &[200..=200],
    operations: &[],
    loader: |_: &Limits| Box::new(WorkerLoader),
};

impl Loader for WorkerLoader {
    fn apply(&mut self, _: Location, _: &[u8]) -> Result<()> {
        Ok(())
    }

    fn report(&self, _: Millis) -> Vec<ResourceReport> {
        Vec::new()
    }

    fn finish(self: Box<Self>, _: &Arc<Host>) -> Result<Arc<dyn Component>> {
        let (started, go_on) = ENDS.lock().expect("no panic").take().expect("a test made them");
        Ok(Arc::new(Worker { started, go_on: Mutex::new(go_on) }))
    }
}

impl Component for Worker {
    fn relocate(&self, _: u32) -> Result<()> {
        Ok(())
    }

    fn export(&self, _: &mut dyn FnMut(&[u8]) -> Result<()>) -> Result<()> {
        Ok(())
    }

    fn report(&self, _: Millis) -> Vec<ResourceReport> {
        Vec::new()
    }

    fn reset(&self) -> Result<()> {
        Ok(())
    }

    fn fire(&self, slot: u32, _: Millis, jobs: &Jobs<'_>) -> Option<Millis> {
        jobs.push(u64::from(slot));
        None
    }

    fn run(&self, task: u64, _: Millis) -> Result<()> {
        self.started.send(task).expect("the test listens");
        assert_ne!(task, u64::from(PANICS), "this job panics, as it was told to");
        if task == u64::from(BLOCKS) {
            self.go_on.lock().expect("no panic").recv().expect("the test answers");
        }
        Ok(())
    }
}

fn open(options: OpenOptions) -> (Arc<Host>, Receiver<u64>, Sender<()>) {
    let _one = OPENING.get_or_init(Mutex::default).lock().expect("no panic");
    let ((started, seen), (go_on, waits)) = (channel(), channel());
    *ENDS.lock().expect("no panic") = Some((started, waits));
    (Host::open(options, &[&WORKERS]).expect("opens"), seen, go_on)
}

fn arm(host: &Host, slot: u32) {
    host.arm(TimerKey { owner: WORKERS.owner(), slot }, host.now());
}

#[test]
fn a_clock_moves_on_only_after_a_job_that_runs_on_another_thread() {
    let clock = Arc::new(Clock::virtual_at(1_000));
    let options = OpenOptions { clock: clock.clone(), background: false, ..OpenOptions::memory() };
    let (host, started, go_on) = open(options);
    arm(&host, BLOCKS);
    std::thread::scope(|scope| {
        scope.spawn(|| host.sweep_all(host.now()));
        assert_eq!(started.recv().expect("the job runs"), u64::from(BLOCKS));
        let advancing = scope.spawn(|| advance(&clock, &[&host], 500));
        // The job is held for a while; the clock must stand still for as long.
        std::thread::sleep(Duration::from_millis(50));
        assert_eq!((clock.now(), advancing.is_finished()), (1_000, false));
        go_on.send(()).expect("the job waits");
        advancing.join().expect("no panic").expect("advances");
    });
    assert_eq!(clock.now(), 1_500);
}

#[test]
fn a_job_that_panics_does_not_end_the_thread_of_the_others() {
    let (host, started, _go_on) = open(OpenOptions::memory());
    let waits = Duration::from_secs(60);
    for slot in [RUNS, PANICS, RUNS] {
        arm(&host, slot);
        host.sweep_if_due(host.now() + 1);
        assert_eq!(started.recv_timeout(waits).expect("the job runs"), u64::from(slot));
    }
}

#[test]
fn documents_alone_wake_the_compactor() {
    let storage: Arc<dyn Storage> = Arc::new(MemoryStorage::new());
    let options = OpenOptions {
        storage: Some(storage.clone()),
        durability: Durability::Os,
        segment_bytes: 64 << 10,
        ..OpenOptions::memory()
    };
    let host = Host::open(options, &[&DOCUMENTS]).expect("opens");
    let documents = host.component::<Documents>().expect("registered");
    for _ in 0..80 {
        for _ in 0..50 {
            documents.put("settings", Some(&[7; 1_000])).expect("kept");
        }
        host.flush().expect("flushes");
    }
    // Four megabytes were written and one kilobyte lives.
    let segments = || {
        let names = storage.list().expect("listed");
        names.iter().filter(|name| name.starts_with("segment-")).count()
    };
    let end = Instant::now() + Duration::from_secs(60);
    while segments() > 12 {
        assert!(Instant::now() < end, "{} segments are left", segments());
        std::thread::sleep(Duration::from_millis(5));
    }
}
