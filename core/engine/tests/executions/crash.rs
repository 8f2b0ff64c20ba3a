//! The engine dies at every step of the disk of a mixed load of executions, and goes on.
//!
//! Every history is one that an uncrashed run could have had, and no task is handed out twice
//! unless the engine died in between. `TRUNKLINE_SIM_STRIDE` leaves steps out: 1 tries all of them.

use std::collections::BTreeSet;

use trunkline_engine::{Durability, ExecutionState, Millis};
use trunkline_journal::sim::{Random, SimStorage};

use super::load::{CHILDREN, RUN, START, STEPS, World, definitions, input};
use super::replayed;

const ITEMS: usize = 12;
const STRIDE: usize = 1;

/// What was known to be durable at a step of the disk.
struct Known {
    /// Executions that were started, with the step at which their start was acknowledged.
    started: Vec<(&'static str, usize)>,
    asked: BTreeSet<String>,
    /// The history that a task was handed out with, with the step of the disk then.
    handed_at: Vec<(u64, usize)>,
    /// The time when all had ended: the clock does not run backwards through a crash.
    ended: Millis,
}

/// The load without a crash.
fn uncrashed() -> (SimStorage, Known) {
    let storage = SimStorage::new();
    let mut world = World::new(&storage, START, Durability::Disk);
    let engine = world.engine.clone();
    engine.flush().unwrap();
    let mut started = Vec::new();
    for (turn, (name, definition)) in definitions().iter().enumerate() {
        world.start(name, definition, ITEMS);
        started.push((*name, storage.steps()));
        // Nothing between its tasks waits for the disk but the worker.
        while *name == STEPS && world.work() {}
        // Some work lies between the starts, so that they meet at different places.
        for _ in 0..turn {
            world.work();
        }
        engine.advance(1_000).unwrap();
    }
    let names: Vec<_> = started.iter().map(|(name, _)| *name).collect();
    world.run_to_the_end(&names);
    check(&world);
    let (asked, handed_at) = (world.asked.clone(), world.handed_at.clone());
    assert_eq!(handed_at.len(), 3, "a task of each state");
    let ended = world.engine.clock().now();
    (storage, Known { started, asked, handed_at, ended })
}

/// All executions have ended, with histories that uncrashed runs could have had.
fn check(world: &World) {
    for (name, definition) in definitions() {
        let Some(status) = world.status(name) else { continue };
        assert_eq!(status, ExecutionState::Succeeded, "{name}");
        let history = world.history(name);
        let (machine, input) = (world.machine(name), input(name, ITEMS));
        replayed::check(&world.engine, &machine, &definition, (name, &input), &history);
    }
    check_children(world);
}

/// The children of the map run: each item has one, and the run has ended behind the last.
fn check_children(world: &World) {
    let children = world.machine(&format!("{RUN}/each"));
    let ended = |child: usize| children.status(&child.to_string()).unwrap().stopped.unwrap();
    let last = (0..CHILDREN).map(ended).max();
    assert_eq!(children.executions(None, None, usize::MAX).unwrap().len(), CHILDREN);
    assert!(world.machine(RUN).status(RUN).unwrap().stopped >= last);
}

/// That a task was taken over is told with its end in one step: no crash leaves one of the two.
fn check_whole_steps(world: &World) {
    for (name, _) in definitions().into_iter().filter(|(name, _)| *name == "map") {
        if world.status(name).is_none() {
            continue;
        }
        let started = |event: &String| event.contains("LambdaFunctionStarted");
        let last = world.history(name).iter().rposition(started);
        let ended = |event: &String| event.contains("LambdaFunctionSucceeded");
        let end = world.history(name).iter().rposition(ended);
        assert_eq!(last.map(|at| at + 1), end, "{name}");
    }
}

/// What was handed out before the crash was durable then.
fn check_handed_out(world: &World, known: &Known, step: usize) {
    let events = world.machine(STEPS).status(STEPS).map_or(0, |status| status.events);
    for (before, at) in &known.handed_at {
        assert!(*before <= events || *at > step, "a task of a step that a crash at {step} undid");
    }
}

/// Opens what a crash left, looks at it, and lets it go on to the end.
fn go_on(storage: &SimStorage, known: &Known, step: usize) {
    let mut world = World::new(storage, known.ended, Durability::Memory);
    check_whole_steps(&world);
    check_handed_out(&world, known, step);
    for (name, at) in &known.started {
        let there = world.status(name).is_some();
        assert!(there || *at > step, "{name} is lost by a crash at {step}");
    }
    // The approver has the tokens that it got before.
    world.asked = known.asked.clone();
    for (name, definition) in &definitions() {
        world.start(name, definition, ITEMS);
    }
    let names: Vec<_> = known.started.iter().map(|(name, _)| *name).collect();
    world.run_to_the_end(&names);
    check(&world);
    let twice: Vec<_> = world.handed_out.iter().filter(|(_, count)| **count > 1).collect();
    assert!(twice.is_empty(), "handed out twice after a crash at {step}: {twice:?}");
}

fn stride() -> usize {
    let given = std::env::var("TRUNKLINE_SIM_STRIDE").ok();
    given.and_then(|text| text.parse().ok()).unwrap_or(STRIDE)
}

#[test]
fn executions_go_on_where_the_engine_died() {
    let (storage, known) = uncrashed();
    let steps = storage.steps();
    let mut tried = 0;
    for step in (0..=steps).step_by(stride()) {
        go_on(&SimStorage::from_image(storage.killed(step)), &known, step);
        tried += 1;
    }
    println!("{tried} of {steps} steps, 0 violations");
}

#[test]
fn executions_go_on_after_a_loss_of_power() {
    let (storage, known) = uncrashed();
    let steps = storage.steps();
    let mut random = Random::new(5);
    for step in (0..=steps).step_by(stride() * 4) {
        let image = storage.power_loss(step, random.next_u64());
        go_on(&SimStorage::from_image(image), &known, step);
    }
}
