//! Domains of workflows: executions that wait for deciders, workers and timers, and decisions that
//! change several executions at once.

use std::collections::BTreeMap;
use std::sync::Arc;

use trunkline_engine::workflows::{TaskKind, TypeId};
use trunkline_engine::{
    Awaited, DOMAIN, DecisionAnswer, Domain, DomainSettings, Engine, ExecutionFilter,
    ExecutionTarget, Millis, OrderedBy, ResourceName, Result, Signal, Ticket, TypeKind,
    WorkflowFailure, execution_details, read_defaults, read_start, type_details,
};
use trunkline_journal::sim::Random;

use crate::Noun;

/// Domains under test.
pub struct WorkflowNoun;

const HOUR: Millis = 3_600_000;

const TIMER: &str = r#"[{"decisionType":"StartTimer","startTimerDecisionAttributes":
    {"timerId":"t","startToFireTimeout":"3600"}}]"#;
const ACTIVITY: &str = r#"[{"decisionType":"ScheduleActivityTask",
    "scheduleActivityTaskDecisionAttributes":
    {"activityType":{"name":"charge","version":"1"},"activityId":"a","input":"one"}}]"#;
const COMPLETE: &str = r#"[{"decisionType":"CompleteWorkflowExecution",
    "completeWorkflowExecutionDecisionAttributes":{"result":"done"}}]"#;
const AGAIN: &str = r#"[{"decisionType":"ContinueAsNewWorkflowExecution",
    "continueAsNewWorkflowExecutionDecisionAttributes":{}}]"#;

fn name(text: &str) -> ResourceName {
    ResourceName::new(DOMAIN, "000000000000", "us-east-1", text)
}

fn id(name: &str) -> TypeId {
    TypeId { name: name.into(), version: "1".into() }
}

/// A domain with a type of each kind, and one that was deleted.
fn register(engine: &Engine, text: &str) -> Arc<Domain> {
    let settings = DomainSettings { retention_days: "7".into(), ..DomainSettings::default() };
    let (domain, _) = engine.domains().register(name(text), settings).unwrap();
    register_types(&domain);
    domain
}

/// Registers the types that a crash has not left, that of the executions last.
fn register_types(domain: &Domain) {
    let long = r#"{"defaultTaskStartToCloseTimeout":"NONE","defaultTaskList":{"name":"work"},
        "defaultTaskHeartbeatTimeout":"NONE","defaultTaskScheduleToStartTimeout":"NONE",
        "defaultTaskScheduleToCloseTimeout":"NONE"}"#;
    let order = r#"{"defaultTaskStartToCloseTimeout":"NONE","defaultTaskList":{"name":"decide"},
        "defaultExecutionStartToCloseTimeout":"31536000","defaultChildPolicy":"TERMINATE"}"#;
    let of_activities = read_defaults(TypeKind::Activity, long).unwrap();
    let of_workflows = read_defaults(TypeKind::Workflow, order).unwrap();
    let register = |name: &str, description, defaults| match domain.register_type(
        id(name),
        description,
        defaults,
    ) {
        Ok(_) => true,
        Err(WorkflowFailure::Fault(_)) => false,
        Err(WorkflowFailure::Engine(error)) => panic!("{error}"),
    };
    register("charge", None, of_activities.clone());
    if register("gone", None, of_activities) {
        domain.deprecate_type(TypeKind::Activity, &id("gone"), true).unwrap();
        domain.delete_type(TypeKind::Activity, &id("gone")).unwrap();
    }
    register("order", Some("orders".into()), of_workflows);
}

/// Starts an execution whose decision tasks wait in a list of its name.
fn start(domain: &Domain, workflow_id: &str) -> Option<Ticket> {
    let request = format!(
        r#"{{"workflowId":"{workflow_id}","workflowType":{{"name":"order","version":"1"}},
            "taskList":{{"name":"{workflow_id}"}},"tagList":["t"]}}"#
    );
    domain.start(read_start(&request).unwrap()).unwrap().1
}

/// Takes the decision task of an execution.
fn take(domain: &Domain, workflow_id: &str) -> Option<(String, Option<Ticket>)> {
    let polled = domain.poll_decision(workflow_id, Some("decider")).unwrap();
    polled.map(|(task, ticket)| (task.token, ticket))
}

fn answer(engine: &Engine, token: &str, decisions: &str) -> Option<Ticket> {
    let answer = DecisionAnswer { decisions, ..DecisionAnswer::default() };
    match engine.domains().respond_decision(token, &answer) {
        Ok((_, ticket)) => ticket,
        Err(WorkflowFailure::Fault(_)) => None,
        Err(WorkflowFailure::Engine(error)) => panic!("{error}"),
    }
}

fn decide(engine: &Engine, domain: &Domain, workflow_id: &str, decisions: &str) {
    let (token, _) = take(domain, workflow_id).unwrap();
    answer(engine, &token, decisions);
}

/// What a decider may decide: also of other executions.
fn decisions(random: &mut Random, other: &str) -> String {
    match random.below(7) {
        0 => TIMER.to_owned(),
        1 => ACTIVITY.to_owned(),
        2 => COMPLETE.to_owned(),
        3 => AGAIN.to_owned(),
        4 => format!(
            r#"[{{"decisionType":"StartChildWorkflowExecution",
                "startChildWorkflowExecutionDecisionAttributes":{{"workflowId":"{other}",
                "workflowType":{{"name":"order","version":"1"}},
                "taskList":{{"name":"{other}"}}}}}}]"#
        ),
        5 => format!(
            r#"[{{"decisionType":"SignalExternalWorkflowExecution",
                "signalExternalWorkflowExecutionDecisionAttributes":
                {{"workflowId":"{other}","signalName":"s"}}}}]"#
        ),
        _ => "[]".to_owned(),
    }
}

/// Everything that is told of the executions of a domain, by workflow id and number.
fn executions(domain: &Domain) -> BTreeMap<String, Vec<u8>> {
    let mut all = BTreeMap::new();
    for open in [true, false] {
        let filter = ExecutionFilter {
            open,
            by: OrderedBy::Start,
            oldest: 0,
            latest: Millis::MAX,
            workflow_id: None,
            workflow_type: None,
            tag: None,
            close_status: None,
            reverse: false,
        };
        for one in domain.executions(&filter, None, usize::MAX).unwrap().executions {
            let id = &one.execution.id;
            let history = domain.history_of(&id.workflow_id, &id.run_id).unwrap();
            let events = domain.events(history, (1, u64::MAX)).unwrap();
            let text = format!("{} {events:?}", execution_details(&one.execution));
            all.insert(format!("workflow {} {}", id.workflow_id, one.number), text.into());
        }
    }
    all
}

impl Noun for WorkflowNoun {
    fn name(&self) -> &'static str {
        "workflows"
    }

    fn fill(&self, engine: &Engine) {
        let domain = register(engine, "shop");
        for workflow_id in ["waits", "fires", "works", "ended"] {
            start(&domain, workflow_id);
        }
        decide(engine, &domain, "fires", TIMER);
        decide(engine, &domain, "works", ACTIVITY);
        domain.poll_activity("work", Some("worker")).unwrap().unwrap();
        decide(engine, &domain, "ended", COMPLETE);
    }

    fn look(&self, engine: &Engine) -> Vec<String> {
        let mut all = Vec::new();
        for domain in engine.domains().list(None, None).unwrap() {
            all.push(format!("{:?}", domain.settings().unwrap()));
            for kind in [TypeKind::Workflow, TypeKind::Activity] {
                let types = domain.types(kind, false).unwrap();
                all.extend(types.iter().map(|row| type_details(row).to_string()));
            }
            let waiting = domain.pending_tasks(TaskKind::Decision, "waits").unwrap();
            all.push(format!("{waiting} decision tasks"));
            let texts = executions(&domain).into_iter();
            all.extend(texts.map(|(name, text)| name + " " + &String::from_utf8_lossy(&text)));
        }
        all
    }

    fn resources(&self) -> Vec<&'static str> {
        vec!["1", "shop"]
    }

    fn touch(&self, engine: &Engine) -> Result<()> {
        let settings = DomainSettings { retention_days: "1".into(), ..DomainSettings::default() };
        match engine.domains().register(name("late"), settings) {
            Ok(_) => Ok(()),
            Err(WorkflowFailure::Engine(error)) => Err(error),
            Err(WorkflowFailure::Fault(fault)) => panic!("{fault}"),
        }
    }

    fn wait(&self, engine: &Engine, signal: Arc<dyn Signal>) -> bool {
        let domain = engine.domains().find(&name("shop")).unwrap();
        domain.task_list(TaskKind::Activity, "work").waiters().subscribe(signal, None);
        true
    }

    fn first_timer(&self) -> Option<Millis> {
        Some(HOUR)
    }

    fn operate(&self, engine: &Engine, random: &mut Random) -> Option<Ticket> {
        let Ok(domain) = engine.domains().find(&name("sim")) else {
            register(engine, "sim");
            return None;
        };
        if domain.types(TypeKind::Workflow, false).unwrap().is_empty() {
            register_types(&domain);
            return None;
        }
        let names = ["a", "b", "c", "d", "e", "f"];
        let (workflow_id, other) = (names[random.below(6)], names[random.below(6)]);
        let Some(run_id) = domain.open_run(workflow_id).unwrap() else {
            return start(&domain, workflow_id);
        };
        if let Some(token) = domain.decision_token(workflow_id).unwrap() {
            return answer(engine, &token, &decisions(random, other));
        }
        let target = ExecutionTarget { workflow_id, run_id: Some(&run_id) };
        if random.once_in(8) {
            return domain.terminate(target, None, None, None).unwrap();
        }
        match take(&domain, workflow_id) {
            Some((_, ticket)) => ticket,
            None => domain.signal(target, "go", Some("on".into())).unwrap(),
        }
    }

    fn states(&self, engine: &Engine) -> BTreeMap<String, Vec<u8>> {
        engine.domains().find(&name("sim")).map(|domain| executions(&domain)).unwrap_or_default()
    }
}
