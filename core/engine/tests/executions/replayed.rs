//! Whether a history is one that an uncrashed execution could have had: the pure core, given what
//! the outside did, has to write the same events.

use std::collections::BTreeSet;

use serde_json::Value;
use trunkline_engine::states::{
    Effect, Entropy, Execution, FailedAt, Limits, MachineType, Payload, Program, Stimulus, TaskId,
    TimerId,
};
use trunkline_engine::{Engine, Machine, ResourceId, TaskToken};

use super::load::{identity, outputs};

/// The tokens of one execution in an engine.
#[derive(Clone)]
struct Tokens<'a> {
    engine: &'a Engine,
    machine: ResourceId,
    number: u32,
    /// The id of its map run, as the history names it.
    map_run: &'a str,
}

impl Entropy for Tokens<'_> {
    fn random(&mut self) -> u64 {
        7
    }

    fn task_token(&mut self, task: TaskId) -> String {
        let token = TaskToken { machine: self.machine, execution: self.number, task: task.0 };
        token.encode(self.engine.host().key)
    }

    fn uuid(&mut self) -> String {
        self.map_run.to_owned()
    }
}

/// An uncrashed execution on its way along a history.
#[derive(Clone)]
struct Uncrashed<'a> {
    program: &'a Program,
    execution: Execution,
    tokens: Tokens<'a>,
    tasks: BTreeSet<u64>,
    timers: BTreeSet<(u64, u64)>,
}

impl Uncrashed<'_> {
    /// The events that follow from a stimulus, as JSON texts.
    fn step(&mut self, stimulus: Stimulus, now: u64) -> Vec<String> {
        let mut events = Vec::new();
        for effect in self.execution.step(self.program, stimulus, now, &mut self.tokens) {
            match effect {
                Effect::History(event) => events.push(event.to_text(true)),
                Effect::StartTask(request) => drop(self.tasks.insert(request.task.0)),
                Effect::StartMapRun(request) => drop(self.tasks.insert(request.task.0)),
                Effect::CancelTask { task } => drop(self.tasks.remove(&task.0)),
                Effect::ArmTimer { timer, at_ms, .. } => drop(self.timers.insert((at_ms, timer.0))),
                Effect::CancelTimer { timer } => self.timers.retain(|(_, id)| *id != timer.0),
                Effect::Finish(_) => {}
                other => panic!("{other:?}"),
            }
        }
        events
    }

    /// All that the outside may do now.
    fn stimuli(&self, now: u64) -> Vec<Stimulus> {
        let due = self.timers.iter().filter(|(at, _)| *at <= now);
        let mut found: Vec<_> =
            due.map(|(_, id)| Stimulus::TimerFired { timer: TimerId(*id) }).collect();
        for task in &self.tasks {
            let task = TaskId(*task);
            let output = |text: &str| Payload::parse(text).unwrap();
            let failed = |error: &str, cause: Option<&str>| Stimulus::TaskFailed {
                task,
                at: FailedAt::Run,
                error: Some(error.to_owned()),
                cause: cause.map(str::to_owned),
            };
            found.push(Stimulus::TaskStarted { task, worker: None });
            found.push(Stimulus::TaskSubmitted { task, output: output("{}") });
            found.push(Stimulus::MapRunSucceeded { task, output: output(&outputs()) });
            found.extend([failed("Busy", None), failed("No", Some("never"))]);
            found.extend(
                ["\"yes\"", "\"at last\""]
                    .map(|text| Stimulus::TaskSucceeded { task, output: output(text) }),
            );
            found.extend((0..100).map(|number| Stimulus::TaskSucceeded {
                task,
                output: output(&format!("{{\"number\":{number}}}")),
            }));
        }
        found
    }
}

/// The end of what a stimulus ends.
fn meet(run: &mut Uncrashed<'_>, stimulus: &Stimulus) {
    match stimulus {
        Stimulus::TimerFired { timer } => run.timers.retain(|(_, id)| *id != timer.0),
        Stimulus::TaskSucceeded { task, .. }
        | Stimulus::TaskFailed { task, .. }
        | Stimulus::MapRunSucceeded { task, .. } => {
            run.tasks.remove(&task.0);
        }
        _ => {}
    }
}

/// Fails unless an uncrashed run could have written `history`.
pub fn check(
    engine: &Engine,
    machine: &Machine,
    definition: &Value,
    (name, input): (&str, &str),
    history: &[String],
) {
    let text = definition.to_string();
    let program = Program::compile(&text, MachineType::Standard, &Limits::default()).unwrap();
    let number = machine.status(name).unwrap().number;
    let map_run = history.iter().find_map(|event| Some(event.split_once("mapRunArn")?.1));
    let map_run = map_run.and_then(|arn| arn.split('"').nth(2)?.rsplit(':').next());
    let mut run = Uncrashed {
        program: &program,
        execution: Execution::new(&program, identity(name)),
        tokens: Tokens {
            engine,
            machine: machine.id(),
            number,
            map_run: map_run.unwrap_or_default(),
        },
        tasks: BTreeSet::new(),
        timers: BTreeSet::new(),
    };
    let input = Payload::parse(input).unwrap();
    let mut left = history;
    let events = run.step(Stimulus::Start { input }, time_of(&left[0]));
    left = left.strip_prefix(events.as_slice()).expect("the first step is that of a start");
    while let Some(next) = left.first() {
        let now = time_of(next);
        let fits = |stimulus: Stimulus| {
            let mut tried = run.clone();
            meet(&mut tried, &stimulus);
            let events = tried.step(stimulus, now);
            let rest = left.strip_prefix(events.as_slice())?;
            (!events.is_empty()).then_some((tried, rest))
        };
        let (tried, rest) = run.stimuli(now).into_iter().find_map(fits).unwrap_or_else(|| {
            panic!("no stimulus leads to {next}, {} before the end", left.len())
        });
        (run, left) = (tried, rest);
    }
}

fn time_of(event: &str) -> u64 {
    let event: Value = serde_json::from_str(event).unwrap();
    (event["timestamp"].as_f64().unwrap() * 1_000.0).round() as u64
}
