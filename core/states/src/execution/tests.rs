//! Rules of executions that no recorded history shows.

#![allow(clippy::unwrap_used)]

use super::{Execution, Identity, Status};
use crate::effect::{Effect, MapRunRequest, Outcome};
use crate::entropy::Entropy;
use crate::limits::Limits;
use crate::payload::Payload;
use crate::program::{MachineType, Program};
use crate::stimulus::{FailedAt, Stimulus, TaskId, TimerId};

struct Fixed;

impl Entropy for Fixed {
    fn random(&mut self) -> u64 {
        1 << 63
    }

    fn task_token(&mut self, task: TaskId) -> String {
        format!("token-{}", task.0)
    }
}

/// An execution with its program, and the effects of the last step.
struct Run {
    program: Program,
    execution: Execution,
    now_ms: u64,
    effects: Vec<Effect>,
}

impl Run {
    fn new(definition: &str, input: &str) -> Run {
        Run::with(definition, input, Limits::default())
    }

    fn with(definition: &str, input: &str, limits: Limits) -> Run {
        let program = Program::compile(definition, MachineType::Standard, &limits).unwrap();
        let execution = Execution::new(&program, Identity::default());
        let mut run = Run { program, execution, now_ms: 1_000, effects: Vec::new() };
        run.step(Stimulus::Start { input: Payload::parse(input).unwrap() });
        run
    }

    fn step(&mut self, stimulus: Stimulus) {
        let before = self.execution.clone();
        self.effects = self.execution.step(&self.program, stimulus, self.now_ms, &mut Fixed);
        // What it changed, written down, leads to the same.
        if let Some(change) = self.execution.encode_since(&before) {
            assert_eq!(before.changed(&self.program, &change).unwrap(), self.execution);
        }
    }

    fn kinds(&self) -> Vec<&'static str> {
        let events = self.effects.iter().filter_map(|effect| match effect {
            Effect::History(event) => Some(event.kind()),
            _ => None,
        });
        events.collect()
    }

    /// The map run that the last step asked for.
    fn map_run(&self) -> Box<MapRunRequest> {
        let found = self.effects.iter().find_map(|effect| match effect {
            Effect::StartMapRun(request) => Some(request.clone()),
            _ => None,
        });
        found.unwrap()
    }

    fn tasks(&self) -> Vec<TaskId> {
        let tasks = self.effects.iter().filter_map(|effect| match effect {
            Effect::StartTask(request) => Some(request.task),
            _ => None,
        });
        tasks.collect()
    }

    fn timer(&self) -> (TimerId, u64) {
        let timer = self.effects.iter().find_map(|effect| match effect {
            Effect::ArmTimer { timer, at_ms, .. } => Some((*timer, *at_ms)),
            _ => None,
        });
        timer.unwrap()
    }

    fn fail(&mut self, task: TaskId, error: &str) {
        let error = Some(error.to_owned());
        self.step(Stimulus::TaskFailed { task, at: FailedAt::Run, error, cause: None });
    }

    fn succeed(&mut self, task: TaskId, output: &str) {
        let output = Payload::parse(output).unwrap();
        self.step(Stimulus::TaskSucceeded { task, output });
    }

    fn output(&self) -> String {
        match self.effects.last() {
            Some(Effect::Finish(Outcome::Succeeded { output })) => output.text().to_string(),
            other => panic!("no output but {other:?}"),
        }
    }
}

const LAMBDA: &str = "arn:aws:lambda:us-east-1:000000000000:function:f";

fn task(rest: &str) -> String {
    format!(r#"{{"Type":"Task","Resource":"{LAMBDA}",{rest}"End":true}}"#)
}

fn machine(rest: &str, state: &str) -> String {
    format!(r#"{{{rest}"StartAt":"A","States":{{"A":{state}}}}}"#)
}

#[test]
fn a_redrive_keeps_the_branches_that_ended_well() {
    let branch =
        |name: &str| format!(r#"{{"StartAt":"{name}","States":{{"{name}":{}}}}}"#, task(""));
    let state = format!(
        r#"{{"Type":"Parallel","Branches":[{},{}],"End":true}}"#,
        branch("one"),
        branch("two")
    );
    let mut run = Run::new(&machine("", &state), "{}");
    let tasks = run.tasks();
    run.succeed(tasks[0], "1");
    run.fail(tasks[1], "Broken");
    assert_eq!(run.execution.status(), Status::Failed);
    run.step(Stimulus::Redrive);
    assert_eq!(run.kinds(), ["ExecutionRedriven", "LambdaFunctionScheduled"]);
    let again = run.tasks();
    run.succeed(again[0], "2");
    assert_eq!(run.output(), "[1,2]");
    assert_eq!(run.execution.redrives(), 1);
}

#[test]
fn an_execution_that_ended_well_is_not_redriven() {
    let mut run = Run::new(&machine("", r#"{"Type":"Succeed"}"#), "{}");
    run.step(Stimulus::Redrive);
    assert!(run.effects.is_empty());
}

#[test]
fn waits_between_attempts_grow_up_to_their_cap() {
    let retry = r#""Retry":[{"ErrorEquals":["Broken"],"IntervalSeconds":3,"BackoffRate":2,
        "MaxAttempts":3,"MaxDelaySeconds":10}],"#;
    let mut run = Run::new(&machine("", &task(retry)), "{}");
    let mut waits = Vec::new();
    for _ in 0..3 {
        let task = run.tasks()[0];
        run.fail(task, "Broken");
        let (timer, at_ms) = run.timer();
        waits.push(at_ms - run.now_ms);
        run.now_ms = at_ms;
        run.step(Stimulus::TimerFired { timer });
    }
    assert_eq!(waits, [3_000, 6_000, 10_000]);
    let task = run.tasks()[0];
    run.fail(task, "Broken");
    assert_eq!(run.kinds(), ["LambdaFunctionStarted", "LambdaFunctionFailed", "ExecutionFailed"]);
}

#[test]
fn full_jitter_waits_a_part_of_the_interval() {
    let retry = r#""Retry":[{"ErrorEquals":["States.ALL"],"IntervalSeconds":10,
        "JitterStrategy":"FULL"}],"#;
    let mut run = Run::new(&machine("", &task(retry)), "{}");
    let task = run.tasks()[0];
    run.fail(task, "Broken");
    // Half of all bits are half of the interval.
    assert_eq!(run.timer().1 - run.now_ms, 5_000);
}

#[test]
fn a_machine_times_out_and_cancels_its_task() {
    let mut run = Run::new(&machine(r#""TimeoutSeconds":5,"#, &task("")), "{}");
    let (timer, at_ms) = run.timer();
    assert_eq!(at_ms, 6_000);
    run.step(Stimulus::TimerFired { timer });
    assert_eq!(run.kinds(), ["TaskStateAborted", "ExecutionTimedOut"]);
    assert!(run.effects.iter().any(|effect| matches!(effect, Effect::CancelTask { .. })));
    assert_eq!(run.execution.status(), Status::TimedOut);
}

#[test]
fn a_late_answer_has_no_effect() {
    let mut run = Run::new(&machine("", &task(r#""TimeoutSeconds":5,"#)), "{}");
    let late = run.tasks()[0];
    let (timer, _) = run.timer();
    run.step(Stimulus::TimerFired { timer });
    assert_eq!(run.kinds(), ["LambdaFunctionTimedOut", "ExecutionFailed"]);
    run.succeed(late, "1");
    assert!(run.effects.is_empty());
}

#[test]
fn a_heartbeat_moves_the_timer_of_heartbeats() {
    let mut run = Run::new(&machine("", &task(r#""HeartbeatSeconds":5,"#)), "{}");
    let task = run.tasks()[0];
    run.now_ms += 4_000;
    run.step(Stimulus::TaskHeartbeat { task });
    assert_eq!(run.timer().1, run.now_ms + 5_000);
}

#[test]
fn the_history_ends_at_its_limit() {
    let definition = r#"{"StartAt":"A","States":{
        "A":{"Type":"Pass","Next":"B"},
        "B":{"Type":"Choice","Choices":[{"Variable":"$.x","IsPresent":true,"Next":"C"}],
             "Default":"A"},
        "C":{"Type":"Succeed"}}}"#;
    let limits = Limits { history_events: 100, ..Limits::default() };
    let run = Run::with(definition, "{}", limits);
    assert_eq!(run.execution.status(), Status::Failed);
    assert!(run.execution.events() <= 100);
    let Some(Effect::Finish(Outcome::Failed { cause, .. })) = run.effects.last() else { panic!() };
    let text = "The execution reached the maximum number of history events (100).";
    assert_eq!(cause.as_deref(), Some(text));
}

#[test]
fn an_express_machine_that_runs_in_a_circle_pauses() {
    let definition = r#"{"StartAt":"A","States":{
        "A":{"Type":"Pass","Next":"B"},
        "B":{"Type":"Choice","Choices":[{"Variable":"$.x","IsPresent":true,"Next":"C"}],
             "Default":"A"},
        "C":{"Type":"Succeed"}}}"#;
    let limits = Limits { step_transitions: 50, ..Limits::default() };
    let program = Program::compile(definition, MachineType::Express, &limits).unwrap();
    let identity = Identity { express: true, ..Identity::default() };
    let mut execution = Execution::new(&program, identity);
    let input = Payload::parse("{}").unwrap();
    let effects = execution.step(&program, Stimulus::Start { input }, 0, &mut Fixed);
    let Some(Effect::ArmTimer { timer, at_ms: 0, .. }) = effects.last() else { panic!() };
    let effects = execution.step(&program, Stimulus::TimerFired { timer: *timer }, 0, &mut Fixed);
    assert!(matches!(effects.last(), Some(Effect::ArmTimer { .. })));
}

#[test]
fn variables_of_a_branch_end_with_it_and_outer_ones_are_seen() {
    let definition = r#"{"StartAt":"Set","States":{
        "Set":{"Type":"Pass","Assign":{"outer":1},"Next":"Each"},
        "Each":{"Type":"Map","ItemsPath":"$.items","ItemProcessor":{"StartAt":"One","States":{
            "One":{"Type":"Pass","Assign":{"inner.$":"$"},"Next":"Two"},
            "Two":{"Type":"Pass","Parameters":{"sum.$":"States.MathAdd($inner, $outer)"},
                   "End":true}}},"Next":"After"},
        "After":{"Type":"Choice","Choices":[{"Variable":"$inner","IsPresent":true,"Next":"Bad"}],
            "Default":"Good"},
        "Bad":{"Type":"Fail"},"Good":{"Type":"Succeed"}}}"#;
    let run = Run::new(definition, r#"{"items":[1,2]}"#);
    assert_eq!(run.output(), r#"[{"sum":2},{"sum":3}]"#);
}

#[test]
fn a_map_runs_at_most_as_many_items_as_it_says() {
    let state = format!(
        r#"{{"Type":"Map","MaxConcurrency":2,"ItemProcessor":{{"StartAt":"T","States":{{"T":{}}}}},
        "End":true}}"#,
        task("")
    );
    let mut run = Run::new(&machine("", &state), "[1,2,3]");
    let first = run.tasks();
    assert_eq!(first.len(), 2);
    run.succeed(first[1], "\"b\"");
    let third = run.tasks();
    assert_eq!(third.len(), 1);
    run.succeed(third[0], "\"c\"");
    run.succeed(first[0], "\"a\"");
    assert_eq!(run.output(), r#"["a","b","c"]"#);
}

#[test]
fn nothing_catches_an_error_of_the_runtime() {
    let catch = r#""Parameters":{"x.$":"$.missing"},
        "Catch":[{"ErrorEquals":["States.ALL"],"Next":"A"}],"#;
    let run = Run::new(&machine("", &task(catch)), "{}");
    assert_eq!(run.kinds(), ["ExecutionStarted", "TaskStateEntered", "ExecutionFailed"]);
}

#[test]
fn a_waiting_execution_is_small() {
    let identity = Identity {
        execution_arn: "arn:aws:states:us-east-1:000000000000:execution:orders:one".into(),
        machine_arn: "arn:aws:states:us-east-1:000000000000:stateMachine:orders".into(),
        ..Identity::default()
    };
    let definition = machine("", r#"{"Type":"Wait","Seconds":60,"End":true}"#);
    let program = Program::compile(&definition, MachineType::Standard, &Limits::default()).unwrap();
    let mut execution = Execution::new(&program, identity);
    let input = format!(r#"{{"text":"{}"}}"#, "a".repeat(1_000));
    let input = Payload::parse(&input).unwrap();
    execution.step(&program, Stimulus::Start { input }, 0, &mut Fixed);
    assert!(execution.encode().len() < 2_048, "{}", execution.encode().len());
}

#[test]
fn a_missed_heartbeat_is_caught_by_its_own_name() {
    let definition = format!(
        r#"{{"StartAt":"A","States":{{"A":{},"B":{{"Type":"Succeed"}}}}}}"#,
        task(
            r#""HeartbeatSeconds":5,
            "Catch":[{"ErrorEquals":["States.HeartbeatTimeout"],"Next":"B"}],"#
        )
    );
    let mut run = Run::new(&definition, "{}");
    let (timer, _) = run.timer();
    run.step(Stimulus::TimerFired { timer });
    assert_eq!(run.output(), r#"{"Error":"States.Timeout","Cause":null}"#);
}

#[test]
fn an_error_of_a_branch_is_caught_outside_and_the_others_are_aborted() {
    let branch =
        |name: &str| format!(r#"{{"StartAt":"{name}","States":{{"{name}":{}}}}}"#, task(""));
    let definition = format!(
        r#"{{"StartAt":"P","States":{{"P":{{"Type":"Parallel","Branches":[{},{}],
        "Catch":[{{"ErrorEquals":["Broken"],"Next":"After"}}],"End":true}},
        "After":{{"Type":"Succeed"}}}}}}"#,
        branch("one"),
        branch("two")
    );
    let mut run = Run::new(&definition, "{}");
    let tasks = run.tasks();
    run.fail(tasks[0], "Broken");
    let cancelled = Effect::CancelTask { task: tasks[1] };
    assert!(run.effects.contains(&cancelled));
    assert_eq!(run.output(), r#"{"Error":"Broken","Cause":null}"#);
    run.succeed(tasks[1], "1");
    assert!(run.effects.is_empty(), "a late answer of an aborted branch has no effect");
}

#[test]
fn a_branch_in_a_branch_that_fails_ends_both() {
    let inner = format!(r#"{{"StartAt":"T","States":{{"T":{}}}}}"#, task(""));
    let definition = format!(
        r#"{{"StartAt":"M","States":{{"M":{{"Type":"Map","ItemProcessor":{{"StartAt":"P","States":{{
        "P":{{"Type":"Parallel","Branches":[{inner}],"End":true}}}}}},"End":true}}}}}}"#
    );
    let mut run = Run::new(&definition, "[1,2]");
    let tasks = run.tasks();
    run.fail(tasks[0], "Broken");
    assert_eq!(
        run.kinds(),
        [
            "LambdaFunctionStarted",
            "LambdaFunctionFailed",
            "TaskStateAborted",
            "ParallelStateFailed",
            "MapIterationFailed",
            "ParallelStateAborted",
            "MapIterationAborted",
            "ParallelStateAborted",
            "MapStateFailed",
            "ExecutionFailed"
        ]
    );
    assert!(run.effects.contains(&Effect::CancelTask { task: tasks[1] }));
    run.step(Stimulus::Redrive);
    let again = run.tasks();
    assert_eq!(again.len(), 2);
    run.succeed(again[1], "2");
    run.succeed(again[0], "1");
    assert_eq!(run.output(), "[[1],[2]]");
}

#[test]
fn a_redrive_has_the_map_run_go_on_that_failed_or_was_stopped() {
    let definition = r#"{"StartAt":"Each","States":{"Each":{"Type":"Map","Label":"each","End":true,
        "ItemProcessor":{"ProcessorConfig":{"Mode":"DISTRIBUTED","ExecutionType":"STANDARD"},
            "StartAt":"I","States":{"I":{"Type":"Pass","End":true}}}}}}"#;
    let mut run = Run::new(definition, "[1,2]");
    let first = run.map_run();
    assert_eq!((&*first.label, first.redrives), ("each", 0));
    let (error, cause) = ("States.ItemReaderFailed".to_owned(), None);
    run.step(Stimulus::MapRunFailed { task: first.task, error, cause });
    assert_eq!(run.kinds(), ["MapRunFailed", "MapStateFailed", "ExecutionFailed"]);
    for redrives in 1..3 {
        run.step(Stimulus::Redrive);
        assert_eq!(run.kinds(), ["ExecutionRedriven", "MapRunRedriven"]);
        let again = run.map_run();
        assert_ne!(again.task, first.task);
        let wanted = (&first.map_run_arn, &first.label, redrives);
        assert_eq!((&again.map_run_arn, &again.label, again.redrives), wanted);
        assert_eq!((&again.items, again.processor), (&first.items, first.processor));
        if redrives == 1 {
            run.step(Stimulus::Stop { error: None, cause: None });
        }
    }
    let task = run.map_run().task;
    run.step(Stimulus::MapRunSucceeded { task, output: Payload::parse("[1,2]").unwrap() });
    assert_eq!(run.output(), "[1,2]");
}
