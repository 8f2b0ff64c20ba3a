//! The state of an execution: what is open, what is due, which tasks wait for workers.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::Millis;
use crate::registry::{ChildPolicy, TaskList, TypeId};
use crate::text::{after, priority_of};

/// One run of a workflow, as inputs and events name it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ExecutionId {
    /// The id that the starter gave.
    pub workflow_id: String,
    /// The id of the run.
    pub run_id: String,
}

/// The execution that started this one as its child.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Parent {
    /// The parent.
    pub execution: ExecutionId,
    /// The event of the parent's history that asked for this child.
    pub initiated: u64,
}

/// How an execution ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum CloseStatus {
    /// Its decider completed it.
    Completed,
    /// Its decider let it fail.
    Failed,
    /// Its decider canceled it.
    Canceled,
    /// It was terminated.
    Terminated,
    /// Another run goes on with it.
    ContinuedAsNew,
    /// It took too long.
    TimedOut,
}

/// When and how an execution ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Closed {
    /// When.
    pub at: Millis,
    /// How.
    pub status: CloseStatus,
}

/// What an execution was started with. Durations are texts of seconds, or `NONE`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Configuration {
    /// How long a decision task may take.
    pub task_start_to_close_timeout: String,
    /// How long the execution may take.
    pub execution_start_to_close_timeout: String,
    /// The task list of its decision tasks.
    pub task_list: TaskList,
    /// Their priority.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub task_priority: Option<String>,
    /// What becomes of its children.
    pub child_policy: ChildPolicy,
    /// The role with which its Lambda functions are called.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lambda_role: Option<String>,
}

/// The task list that a decider chose for the decision tasks to come, for as long as it answers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Sticky {
    pub list: TaskList,
    pub timeout: String,
}

/// The decision task of an execution: there is one at most.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum DecisionTask {
    /// There is nothing to decide.
    #[default]
    Idle,
    /// It waits for a decider.
    Scheduled {
        /// Its event.
        event: u64,
        /// When it was scheduled.
        at: Millis,
        /// Where it waits.
        list: String,
        /// Until when it waits there.
        due: Option<Millis>,
    },
    /// A decider has it.
    Started {
        /// The event that scheduled it.
        scheduled: u64,
        /// The event that started it.
        event: u64,
        /// Until when the decider has to answer.
        due: Option<Millis>,
        /// Whether something happened since that the decider does not know of.
        unhandled: bool,
    },
}

/// An activity task, by the event that scheduled it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Activity {
    /// Its id.
    pub id: String,
    /// Its type.
    pub activity_type: TypeId,
    /// Its task list.
    pub list: String,
    /// Its priority.
    pub priority: i32,
    /// When it was scheduled.
    pub at: Millis,
    /// Its input, which its worker gets.
    pub input: Option<String>,
    /// The event that started it; 0 while it waits.
    pub started: u64,
    /// The event that asked it to cancel; 0 if none did.
    pub cancel_requested: u64,
    /// What its worker told with the last heartbeat.
    pub details: Option<String>,
    /// How long it may wait, and then until when: in milliseconds.
    pub schedule_to_start: Option<Millis>,
    /// Until when it has to be closed.
    pub schedule_to_close: Option<Millis>,
    /// How long it may take from its start on; once started, until when.
    pub start_to_close: Option<Millis>,
    /// How long its worker may say nothing.
    pub heartbeat: Option<Millis>,
    /// Until when its worker has to say something.
    pub heartbeat_due: Option<Millis>,
}

/// A timer, by its id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Timer {
    /// The event that started it.
    pub started: u64,
    /// When it fires.
    pub at: Millis,
}

/// A child, by the event that asked for it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Child {
    /// Its workflow id.
    pub workflow_id: String,
    /// Its type.
    pub workflow_type: TypeId,
    /// The event that tells of its start; 0 before.
    pub started: u64,
}

/// A Lambda function that was asked for, by the event that scheduled it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lambda {
    /// Its id.
    pub id: String,
    /// The name of the function.
    pub name: String,
    /// What it gets.
    pub input: Option<String>,
    /// When it was scheduled.
    pub at: Millis,
    /// The event that started it; 0 while it waits.
    pub started: u64,
    /// How long it may take; once started, until when.
    pub start_to_close: Option<Millis>,
}

/// What kind of worker a task waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum TaskKind {
    /// A decider.
    Decision,
    /// A worker of activities.
    Activity,
    /// What calls Lambda functions.
    Lambda,
}

/// A task that waits in a task list.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Waiting<'a> {
    /// What it waits for.
    pub kind: TaskKind,
    /// Its task list.
    pub list: &'a str,
    /// Tasks of a higher priority come first.
    pub priority: i32,
    /// When it was scheduled.
    pub at: Millis,
    /// The event that scheduled it.
    pub event: u64,
}

/// The state of one run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Execution {
    /// The id that the starter gave, and that of the run.
    pub id: ExecutionId,
    /// Its type.
    pub workflow_type: TypeId,
    /// What it was started with.
    pub configuration: Configuration,
    /// Its tags.
    pub tags: Vec<String>,
    /// Its parent.
    pub parent: Option<Parent>,
    /// When it started.
    pub started: Millis,
    /// When its last step was. 0 where a version wrote it that did not say.
    #[serde(default)]
    pub stepped: Millis,
    /// When and how it ended.
    pub closed: Option<Closed>,
    /// Whether it was asked to cancel.
    pub cancel_requested: bool,
    /// Events of its history.
    pub events: u64,
    /// The event that started the last decision task but the present one.
    pub previous_started: u64,
    /// What its decider told last.
    pub context: Option<String>,
    /// When an activity task was scheduled last.
    pub latest_activity: Option<Millis>,
    pub(crate) sticky: Option<Sticky>,
    /// Its decision task.
    pub decision: DecisionTask,
    /// Its open activity tasks.
    pub activities: BTreeMap<u64, Activity>,
    /// Its timers.
    pub timers: BTreeMap<String, Timer>,
    /// Its open children.
    pub children: BTreeMap<u64, Child>,
    /// Its open Lambda functions.
    pub lambdas: BTreeMap<u64, Lambda>,
}

impl Execution {
    pub(crate) fn new(
        workflow_id: String,
        run_id: String,
        workflow_type: TypeId,
        configuration: Configuration,
    ) -> Self {
        Self {
            id: ExecutionId { workflow_id, run_id },
            workflow_type,
            configuration,
            tags: Vec::new(),
            parent: None,
            started: 0,
            stepped: 0,
            closed: None,
            cancel_requested: false,
            events: 0,
            previous_started: 0,
            context: None,
            latest_activity: None,
            sticky: None,
            decision: DecisionTask::Idle,
            activities: BTreeMap::new(),
            timers: BTreeMap::new(),
            children: BTreeMap::new(),
            lambdas: BTreeMap::new(),
        }
    }

    /// Whether it runs.
    pub fn is_open(&self) -> bool {
        self.closed.is_none()
    }

    /// The tasks that wait for workers.
    pub fn waiting(&self) -> Vec<Waiting<'_>> {
        let mut all = Vec::new();
        if let DecisionTask::Scheduled { event, at, list, .. } = &self.decision {
            let priority = priority_of(self.configuration.task_priority.as_deref());
            let (kind, event, at) = (TaskKind::Decision, *event, *at);
            all.push(Waiting { kind, list, priority, at, event });
        }
        for (event, one) in self.activities.iter().filter(|(_, one)| one.started == 0) {
            let (kind, priority, at) = (TaskKind::Activity, one.priority, one.at);
            all.push(Waiting { kind, list: &one.list, priority, at, event: *event });
        }
        for (event, one) in self.lambdas.iter().filter(|(_, one)| one.started == 0) {
            let (kind, at, event) = (TaskKind::Lambda, one.at, *event);
            all.push(Waiting { kind, list: "", priority: 0, at, event });
        }
        all
    }

    /// Until when it may run.
    pub fn times_out(&self) -> Option<Millis> {
        after(self.started, &self.configuration.execution_start_to_close_timeout)
    }

    /// When something happens without a command: a timer, or the end of some time.
    pub fn due(&self) -> Option<Millis> {
        if !self.is_open() {
            return None;
        }
        let decision = match &self.decision {
            DecisionTask::Idle => None,
            DecisionTask::Scheduled { due, .. } | DecisionTask::Started { due, .. } => *due,
        };
        let activities = self.activities.values().filter_map(|one| Some(one.next_timeout()?.0));
        let timers = self.timers.values().map(|timer| timer.at);
        let lambdas = self.lambdas.values().filter_map(Lambda::due);
        let all = activities.chain(timers).chain(lambdas).chain(decision).chain(self.times_out());
        all.min()
    }
}

impl Activity {
    /// Which of its times is over first, and its name.
    pub(crate) fn next_timeout(&self) -> Option<(Millis, &'static str)> {
        let is_started = self.started != 0;
        let waits = self.schedule_to_start.filter(|_| !is_started);
        let runs = self.start_to_close.filter(|_| is_started);
        let beats = self.heartbeat_due.filter(|_| is_started);
        let named = [
            (self.schedule_to_close, "SCHEDULE_TO_CLOSE"),
            (waits, "SCHEDULE_TO_START"),
            (runs, "START_TO_CLOSE"),
            (beats, "HEARTBEAT"),
        ];
        named.into_iter().filter_map(|(at, name)| Some((at?, name))).min_by_key(|(at, _)| *at)
    }
}

impl Lambda {
    pub(crate) fn due(&self) -> Option<Millis> {
        self.start_to_close.filter(|_| self.started != 0)
    }
}
