//! Who waits for the end of an execution is woken by that one alone.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::json;
use trunkline_engine::{
    Durability, ExecutionState, LongPoll, Machine, Polled, Signal, StartRequest,
};
use trunkline_journal::sim::SimStorage;

use super::load::{START, STEPS, World, definitions, identity};

/// How often it was called.
#[derive(Default)]
struct Calls(AtomicUsize);

impl Signal for Calls {
    fn signal(&self) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }
}

/// A wait that has begun: it lasts until it is dropped.
fn wait(machine: &Arc<Machine>, name: &str) -> (LongPoll, Arc<Calls>) {
    let calls = Arc::new(Calls::default());
    let mut poll = machine.end_wait(name, 1_000_000).unwrap();
    let polled = poll.poll(|| Ok::<_, ()>(calls.clone()), || Ok(None::<()>));
    assert!(matches!(polled, Ok(Polled::Wait(_))));
    (poll, calls)
}

fn start_waiting(machine: &Machine, name: &str, seconds: u32) {
    let state = json!({"Type": "Wait", "Seconds": seconds, "End": true});
    let definition = json!({"StartAt": "W", "States": {"W": state}}).to_string();
    let program = machine.add_program(&definition, false, b"").unwrap();
    let identity = identity(name);
    let request = StartRequest { name, program, input: "{}", identity, ..StartRequest::default() };
    machine.start(&request).unwrap();
}

#[test]
fn a_wait_is_woken_by_the_end_of_its_own_execution_alone() {
    let mut world = World::new(&SimStorage::new(), START, Durability::Memory);
    let (_, definition) = definitions().into_iter().find(|(name, _)| *name == STEPS).unwrap();
    world.start(STEPS, &definition, 0);
    let machine = world.machine(STEPS);
    start_waiting(&machine, "minute", 60);
    start_waiting(&machine, "year", 31_536_000);
    let waits = [STEPS, "minute", "year"].map(|name| wait(&machine, name));
    let calls = || waits.each_ref().map(|(_, calls)| calls.0.load(Ordering::SeqCst));
    while world.work() {}
    assert_eq!(world.status(STEPS), Some(ExecutionState::Succeeded));
    assert_eq!(calls(), [1, 0, 0]);
    world.engine.advance(60_000).unwrap();
    assert_eq!(calls(), [1, 1, 0]);
    // No execution has the end that is waited for any more.
    machine.remove().unwrap();
    assert_eq!(calls(), [1, 1, 1]);
    assert!(machine.end_wait("year", 1).is_err());
}

#[test]
fn a_wait_ends_at_its_time_and_leaves_the_timer_of_its_execution() {
    let world = World::new(&SimStorage::new(), START, Durability::Memory);
    let (_, definition) = definitions().into_iter().find(|(name, _)| *name == STEPS).unwrap();
    world.start(STEPS, &definition, 0);
    let machine = world.machine(STEPS);
    start_waiting(&machine, "hour", 3_600);
    start_waiting(&machine, "year", 31_536_000);
    let (mut poll, calls) = wait(&machine, "hour");
    world.engine.advance(1_000_000).unwrap();
    assert_eq!(calls.0.load(Ordering::SeqCst), 1);
    let ended = poll.poll(|| Ok::<_, ()>(calls.clone()), || Ok(None::<()>));
    assert!(matches!(ended, Ok(Polled::Over)), "its time is over");
    world.engine.advance(2_600_000).unwrap();
    let stands = |name: &str| machine.status(name).unwrap().status;
    assert_eq!(stands("hour"), ExecutionState::Succeeded);
    assert_eq!(stands("year"), ExecutionState::Running);
}
