//! A mixed load of executions, and what lies outside of the engine: a worker, and someone who
//! approves. Both answer the same each time, so every run leads to the same ends.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde_json::{Value, json};
use trunkline_engine::delivery::{Delay, Ended, Jitter, Phase, RetryTable};
use trunkline_engine::states::{FailedAt, Identity};
use trunkline_engine::{
    AttemptRef, Clock, DestinationConfig, Durability, Engine, ExecutionState, Machine, Millis,
    OpenOptions, ResourceId, StartRequest, TaskEnd, Transport, machine_name,
};
use trunkline_journal::sim::SimStorage;

pub const START: Millis = 1_700_000_000_000;
const LEASE: Millis = 30_000;
const ROUNDS: usize = 400;

fn task(function: &str, next: Value) -> Value {
    let arn = format!("arn:aws:lambda:us-east-1:000000000000:function:{function}");
    let retry = json!([{"ErrorEquals": ["Busy"], "IntervalSeconds": 10, "MaxAttempts": 3}]);
    let mut task = json!({"Type": "Task", "Resource": arn, "Retry": retry});
    task.as_object_mut().unwrap().extend(next.as_object().unwrap().clone());
    task
}

/// Definitions that wait, call, run side by side, go through items, and ask for an approval.
pub fn definitions() -> Vec<(&'static str, Value)> {
    let end = || json!({"End": true});
    let line = json!({"StartAt": "A", "States": {
        "A": task("double", json!({"Next": "B"})),
        "B": {"Type": "Wait", "Seconds": 60, "Next": "C"},
        "C": task("busy", end())}});
    let steps = json!({"StartAt": "A", "States": {
        "A": task("double", json!({"Next": "B"})),
        "B": task("double", json!({"Next": "C"})),
        "C": task("double", end())}});
    let branch = |name: &str, state: Value| json!({"StartAt": name, "States": {name: state}});
    let parallel = json!({"StartAt": "P", "States": {"P": {"Type": "Parallel", "End": true,
        "Branches": [
            branch("L", task("double", end())),
            branch("M", json!({"Type": "Wait", "Seconds": 5, "End": true})),
            branch("R", task("busy", end()))]}}});
    let map = json!({"StartAt": "Each", "States": {"Each": {"Type": "Map", "End": true,
        "MaxConcurrency": 3,
        "ItemProcessor": branch("Item", task("double", end()))}}});
    let approval = json!({"StartAt": "Ask", "States": {
        "Ask": {"Type": "Task", "Resource": "arn:aws:states:::lambda:invoke.waitForTaskToken",
            "Parameters": {"FunctionName": "ask", "Payload": {"token.$": "$$.Task.Token"}},
            "Next": "Refuse"},
        "Refuse": task("refuse", json!({"End": true,
            "Catch": [{"ErrorEquals": ["States.ALL"], "Next": "Done"}]})),
        "Done": {"Type": "Pass", "End": true}}});
    let run = json!({"StartAt": "Run", "States": {"Run": {"Type": "Map", "End": true,
        "Label": LABEL,
        "ItemProcessor": {"ProcessorConfig": {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"},
            "StartAt": "Item", "States": {"Item": task("double", end())}}}}});
    vec![
        (STEPS, steps),
        ("line", line),
        ("parallel", parallel),
        ("map", map),
        ("approval", approval),
        (RUN, run),
    ]
}

/// The state machine whose tasks follow each other at once.
pub const STEPS: &str = "steps";
/// The state machine with a map run, and the label of its Map state.
pub const RUN: &str = "run";
const LABEL: &str = "each";
/// Children of the map run.
pub const CHILDREN: usize = 3;

/// The input of an execution of the machine `name`.
pub fn input(name: &str, items: usize) -> String {
    match name {
        // Long enough for steps to write what they change.
        "map" => {
            let item = |at: usize| json!({"number": at, "text": "x".repeat(400)});
            Value::from((0..items).map(item).collect::<Vec<_>>()).to_string()
        }
        RUN => {
            let item = |number: usize| json!({"number": number});
            Value::from((0..CHILDREN).map(item).collect::<Vec<_>>()).to_string()
        }
        _ => json!({"number": 4}).to_string(),
    }
}

fn open(storage: &SimStorage, now: Millis, durability: Durability) -> Arc<Engine> {
    let options = OpenOptions {
        storage: Some(Arc::new(storage.clone())),
        clock: Arc::new(Clock::virtual_at(now)),
        durability,
        seed: Some(7),
        segment_bytes: 64 << 10,
        background: false,
        ..OpenOptions::memory()
    };
    Engine::open(options).unwrap()
}

/// An engine with what lies outside of it.
pub struct World {
    pub engine: Arc<Engine>,
    destination: ResourceId,
    /// The tokens that were handed out for an approval, and outlive the engine.
    pub asked: BTreeSet<String>,
    /// How often this engine handed each task out.
    pub handed_out: BTreeMap<String, usize>,
    /// At each hand-out of a task of `STEPS`: how long the history was, and the step of the disk.
    pub handed_at: Vec<(u64, usize)>,
    storage: SimStorage,
}

impl World {
    pub fn new(storage: &SimStorage, now: Millis, durability: Durability) -> Self {
        let engine = open(storage, now, durability);
        let storage = storage.clone();
        let destination = engine.find_destination("states").unwrap().unwrap_or_else(|| {
            let phase = Phase { retries: 3, delay: Delay::Fixed(1_000) };
            let config = DestinationConfig {
                transport: Transport::Handler { lease: LEASE },
                retry: RetryTable::new(vec![phase], None, Jitter::None).unwrap(),
                dead_letter: None,
                concurrency: 1,
                renderer: None,
                http: Default::default(),
            };
            engine.create_destination("states", &config).unwrap()
        });
        let (asked, handed_out, handed_at) = Default::default();
        Self { engine, destination, asked, handed_out, handed_at, storage }
    }

    pub fn machine(&self, name: &str) -> Arc<Machine> {
        self.engine.machines().get_or_create(machine_name(name)).unwrap()
    }

    /// Starts an execution of the machine `name` under the same name, unless it is there.
    pub fn start(&self, name: &str, definition: &Value, items: usize) {
        let machine = self.machine(name);
        if machine.status(name).is_ok() {
            return;
        }
        let program = machine.add_program(&definition.to_string(), false, b"").unwrap();
        let input = input(name, items);
        let request = StartRequest {
            name,
            program,
            input: &input,
            identity: identity(name),
            ..StartRequest::default()
        };
        let started = machine.start(&request).unwrap();
        self.settle(started.ticket);
    }

    fn settle(&self, ticket: Option<trunkline_engine::Ticket>) {
        if let Some(ticket) = ticket {
            self.engine.wait(ticket, self.engine.durability()).unwrap();
        }
    }

    pub fn status(&self, name: &str) -> Option<ExecutionState> {
        Some(self.machine(name).status(name).ok()?.status)
    }

    /// The history of an execution as JSON, in its order.
    pub fn history(&self, name: &str) -> Vec<String> {
        let mut events = self.machine(name).history(name, usize::MAX).unwrap();
        events.reverse();
        events
    }

    /// Has the worker take what is there. Whether there was anything. It waits for what it takes
    /// to be durable, and not for what it reports.
    pub fn work(&mut self) -> bool {
        let handler = self.engine.outbox().enter_handler(self.destination).unwrap();
        let leased = handler.lease(1).unwrap();
        self.settle(handler.behind_what(&leased).unwrap());
        for one in &leased {
            let told: Value = serde_json::from_slice(&one.body).unwrap();
            if told["machine"] == STEPS {
                let events = self.machine(STEPS).status(STEPS).unwrap().events;
                self.handed_at.push((events, self.storage.steps()));
            }
            if let Some(token) = told["token"].as_str() {
                *self.handed_out.entry(token.to_owned()).or_default() += 1;
            }
            match told["kind"].as_str().unwrap() {
                "task" => self.perform(&told, told["token"].as_str().unwrap()),
                "map_run" => self.start_children(&told),
                "ended" => self.end_map_run(&told),
                other => panic!("{other} is no delivery of this load"),
            }
            handler.settle(&AttemptRef::from(one), &Ended::Delivered).unwrap();
        }
        !leased.is_empty()
    }

    /// Starts the children of a map run, those that are not there yet.
    fn start_children(&self, told: &Value) {
        let text = |name: &str| told[name].as_str().unwrap();
        let name = format!("{}/{}", text("machine"), text("label"));
        let (parent, _) = self.machine(text("machine")).program(1).unwrap();
        let machine = self.machine(&name);
        let program = machine.add_program(&parent, false, b"").unwrap();
        for (index, item) in told["items"].as_array().unwrap().iter().enumerate() {
            let child = index.to_string();
            if machine.status(&child).is_ok() {
                continue;
            }
            let request = StartRequest {
                name: &child,
                program,
                input: &item.to_string(),
                identity: identity(&child),
                parent: Some(text("token")),
                scope: told["processor"].as_u64().map(|scope| scope as u32),
                ..StartRequest::default()
            };
            self.settle(machine.start(&request).unwrap().ticket);
        }
    }

    /// A child of a map run has ended: ends the run once all have.
    fn end_map_run(&self, told: &Value) {
        let machine = self.machine(told["machine"].as_str().unwrap());
        let has_ended = |child: usize| {
            let status = machine.status(&child.to_string());
            status.is_ok_and(|status| status.status == ExecutionState::Succeeded)
        };
        if (0..CHILDREN).all(has_ended) {
            let token = told["parent"].as_str().unwrap();
            self.report(token, &TaskEnd::MapRunSucceeded(&outputs()));
        }
    }

    fn perform(&mut self, told: &Value, token: &str) {
        let resource = told["resource"].as_str().unwrap();
        let input = &told["input"];
        let name = resource.rsplit(':').next().unwrap();
        if name == "double" {
            // That it was taken over is told with its end.
            let output = json!({"number": input["number"].as_i64().unwrap_or(1) * 2});
            let now = Some(self.engine.host().now());
            let end = TaskEnd::Succeeded(&output.to_string());
            self.engine.machines().report_since(token, now, &end).unwrap();
            return;
        }
        self.report(token, &TaskEnd::Started(None));
        match name {
            "busy" if told["attempt"].as_u64() < Some(2) => {
                self.report(token, &TaskEnd::Failed(FailedAt::Run, Some("Busy"), None));
            }
            "busy" => self.report(token, &TaskEnd::Succeeded("\"at last\"")),
            "refuse" => {
                self.report(token, &TaskEnd::Failed(FailedAt::Run, Some("No"), Some("never")));
            }
            "invoke.waitForTaskToken" => {
                self.report(token, &TaskEnd::Submitted("{}"));
                self.asked.insert(token.to_owned());
            }
            other => panic!("{other} is no task of this load"),
        }
    }

    /// Reports of a task; one that has ended takes no further end.
    fn report(&self, token: &str, end: &TaskEnd<'_>) {
        if let Some((_, ticket)) = self.engine.machines().report(token, end).unwrap() {
            self.settle(ticket);
        }
    }

    pub fn approve_all(&self) {
        for token in &self.asked {
            self.report(token, &TaskEnd::Succeeded("\"yes\""));
        }
    }

    /// Lets everything go on until all executions have ended.
    pub fn run_to_the_end(&mut self, names: &[&str]) {
        for _ in 0..ROUNDS {
            while self.work() {}
            self.approve_all();
            let runs = |name: &&str| self.status(name) == Some(ExecutionState::Running);
            if !names.iter().any(runs) {
                return;
            }
            // Past the leases that a dead engine gave, too.
            self.engine.advance(LEASE + 1_000).unwrap();
        }
        panic!("executions go on for ever");
    }
}

/// The output of the map run.
pub fn outputs() -> String {
    let output = |number: usize| json!({"number": number * 2});
    Value::from((0..CHILDREN).map(output).collect::<Vec<_>>()).to_string()
}

pub fn identity(name: &str) -> Identity {
    let arn = |kind: &str| format!("arn:aws:states:us-east-1:000000000000:{kind}:{name}");
    Identity {
        execution_arn: format!("{}:{name}", arn("execution")).into(),
        name: name.into(),
        role_arn: "arn:aws:iam::000000000000:role/r".into(),
        machine_arn: arn("stateMachine").into(),
        machine_name: name.into(),
        region: "us-east-1".into(),
        ..Identity::default()
    }
}
