//! Whatever an execution is told, in whatever order: its history stays a history.

#![allow(clippy::unwrap_used)]

use proptest::prelude::*;
use trunkline_workflow::{
    ActivityDefaults, ChildEnd, ChildPolicy, Command, Context, DecisionTask, Event, Execution,
    ExecutionId, External, Limits, Outcome, StartRequest, TaskList, TypeId, TypeState, Types,
    WorkflowDefaults, apply, read_decisions,
};

struct AllTypes {
    workflow: WorkflowDefaults,
    activity: ActivityDefaults,
}

impl Types for AllTypes {
    fn workflow(&self, id: &TypeId) -> TypeState<&WorkflowDefaults> {
        match id.name.as_str() {
            "order" => TypeState::Registered(&self.workflow),
            _ => TypeState::Unknown,
        }
    }

    fn activity(&self, id: &TypeId) -> TypeState<&ActivityDefaults> {
        match id.name.as_str() {
            "charge" => TypeState::Registered(&self.activity),
            _ => TypeState::Deprecated,
        }
    }
}

fn types() -> AllTypes {
    let seconds = |text: &str| Some(text.to_owned());
    let list = || Some(TaskList { name: "list".into() });
    AllTypes {
        workflow: WorkflowDefaults {
            default_task_start_to_close_timeout: seconds("10"),
            default_execution_start_to_close_timeout: seconds("500"),
            default_task_list: list(),
            default_child_policy: Some(ChildPolicy::RequestCancel),
            ..WorkflowDefaults::default()
        },
        activity: ActivityDefaults {
            default_task_start_to_close_timeout: seconds("20"),
            default_task_heartbeat_timeout: seconds("7"),
            default_task_schedule_to_start_timeout: seconds("15"),
            default_task_schedule_to_close_timeout: seconds("30"),
            default_task_list: list(),
            ..ActivityDefaults::default()
        },
    }
}

fn order() -> StartRequest {
    serde_json::from_str(
        r#"{"workflowId":"o","workflowType":{"name":"order","version":"1"},"lambdaRole":"r"}"#,
    )
    .unwrap()
}

/// Decisions by number; some fail.
fn decision(number: u8, id: u8) -> serde_json::Value {
    let text = match number {
        0 | 1 => format!(
            r#"{{"decisionType":"ScheduleActivityTask","scheduleActivityTaskDecisionAttributes":
            {{"activityType":{{"name":"charge","version":"1"}},"activityId":"{id}"}}}}"#
        ),
        2 => format!(
            r#"{{"decisionType":"RequestCancelActivityTask",
            "requestCancelActivityTaskDecisionAttributes":{{"activityId":"{id}"}}}}"#
        ),
        3 => format!(
            r#"{{"decisionType":"StartTimer","startTimerDecisionAttributes":
            {{"timerId":"{id}","startToFireTimeout":"{id}"}}}}"#
        ),
        4 => format!(
            r#"{{"decisionType":"CancelTimer","cancelTimerDecisionAttributes":
            {{"timerId":"{id}"}}}}"#
        ),
        5 => format!(
            r#"{{"decisionType":"StartChildWorkflowExecution",
            "startChildWorkflowExecutionDecisionAttributes":
            {{"workflowId":"{id}","workflowType":{{"name":"order","version":"1"}}}}}}"#
        ),
        6 => format!(
            r#"{{"decisionType":"SignalExternalWorkflowExecution",
            "signalExternalWorkflowExecutionDecisionAttributes":
            {{"workflowId":"{id}","signalName":"s"}}}}"#
        ),
        7 => format!(
            r#"{{"decisionType":"ScheduleLambdaFunction",
            "scheduleLambdaFunctionDecisionAttributes":{{"id":"{id}","name":"f"}}}}"#
        ),
        8 => r#"{"decisionType":"ContinueAsNewWorkflowExecution"}"#.to_owned(),
        _ => r#"{"decisionType":"CompleteWorkflowExecution"}"#.to_owned(),
    };
    serde_json::from_str(&text).unwrap()
}

fn command(kind: u8, number: u8, id: u8, execution: &Execution) -> Command {
    let other = ExecutionId { workflow_id: "x".into(), run_id: "y".into() };
    let external = External {
        initiated: u64::from(number),
        decision: u64::from(id),
        workflow_id: "x".into(),
        run_id: None,
        control: None,
    };
    // Mostly one that there is.
    let activities: Vec<u64> = execution.activities.keys().copied().collect();
    let scheduled = activities.get(usize::from(id) % activities.len().max(1)).copied();
    let scheduled = scheduled.unwrap_or(u64::from(id));
    let lambda = execution.lambdas.keys().next().copied().unwrap_or(u64::from(id));
    let initiated = execution.children.keys().next().copied().unwrap_or(u64::from(id));
    match kind {
        0 => Command::Signal { name: "s".into(), input: None, origin: None },
        1 => Command::RequestCancel { origin: None, by_policy: id.is_multiple_of(2) },
        2..=4 => Command::StartDecision { identity: None },
        5..=9 => {
            let task = match execution.decision {
                DecisionTask::Started { scheduled, .. } => scheduled,
                _ => u64::from(id),
            };
            let decisions = [decision(number % 8, id), decision(number % 10, id / 2)];
            Command::CompleteDecision {
                scheduled: task,
                decisions: read_decisions(&decisions, &Limits::default()).unwrap(),
                context: None,
                task_list: (id == 3).then(|| TaskList { name: "mine".into() }),
                schedule_to_start: (number > 4).then(|| "5".into()),
                next_run: "next".into(),
            }
        }
        10 | 11 => Command::StartActivity { scheduled, identity: None },
        12 => Command::CompleteActivity { scheduled, result: None },
        13 => Command::FailActivity { scheduled, reason: None, details: None },
        14 => Command::CancelActivity { scheduled, details: None },
        15 => Command::Heartbeat { scheduled, details: Some("d".into()) },
        16 => Command::StartLambda { scheduled: lambda },
        17 => Command::CompleteLambda { scheduled: lambda, result: None },
        18 => Command::ChildStarted { initiated, child: other },
        19 => Command::ChildClosed { initiated, child: other, end: ChildEnd::TimedOut },
        20 => Command::Signaled { external, target: (id > 3).then_some(other) },
        21 if id == 0 => Command::Terminate {
            reason: None,
            details: None,
            child_policy: None,
            cause: "OPERATOR_INITIATED",
        },
        _ => Command::Due,
    }
}

proptest! {
    #[test]
    fn a_history_stays_a_history(
        told in proptest::collection::vec((0u8..24, 0u8..10, 0u8..8, 0u64..9), 0..120)
    ) {
        let (types, limits) = (types(), Limits { events: 150, ..Limits::default() });
        let mut now = 1_000;
        let started = order().resolve(&types).unwrap();
        let context = Context { now, types: &types, limits: &limits };
        let (mut execution, first) = Execution::start(&started, "run".into(), &context);
        let mut events: Vec<Event> = first.events;
        for (kind, number, id, seconds) in told {
            now += seconds * 1_000;
            let before = execution.clone();
            let context = Context { now, types: &types, limits: &limits };
            let command = command(kind, number, id, &execution);
            match apply(&mut execution, command, &context) {
                Ok(Outcome { events: more, .. }) => events.extend(more),
                // A fault changes nothing, and a closed execution takes nothing.
                Err(_) => prop_assert_eq!(&before, &execution),
            }
            prop_assert!(before.is_open() || before == execution);
            let due = Context { now, types: &types, limits: &limits };
            if let Ok(outcome) = apply(&mut execution, Command::Due, &due) {
                events.extend(outcome.events);
            }
            prop_assert!(execution.due().is_none_or(|due| due > now));
            let text = serde_json::to_vec(&execution).unwrap();
            prop_assert_eq!(&execution, &serde_json::from_slice::<Execution>(&text).unwrap());
        }
        for (index, event) in events.iter().enumerate() {
            prop_assert_eq!(event.id, index as u64 + 1);
        }
        prop_assert_eq!(execution.events, events.len() as u64);
        let closing = events.iter().filter(|event| is_closing(event.kind)).count();
        prop_assert_eq!(closing, usize::from(!execution.is_open()));
        let count = |kind| events.iter().filter(|event| event.kind == kind).count();
        let ended = count("DecisionTaskCompleted") + count("DecisionTaskTimedOut");
        prop_assert!(count("DecisionTaskScheduled") - ended <= 1);
        prop_assert!(execution.is_open() || events.last().is_some_and(|one| is_closing(one.kind)));
    }
}

fn is_closing(kind: &str) -> bool {
    matches!(
        kind,
        "WorkflowExecutionCompleted"
            | "WorkflowExecutionFailed"
            | "WorkflowExecutionCanceled"
            | "WorkflowExecutionContinuedAsNew"
            | "WorkflowExecutionTerminated"
            | "WorkflowExecutionTimedOut"
    )
}
