//! Types of workflows and activities, with the values that hold where none is given.

use serde::{Deserialize, Serialize};

use crate::fault::Fault;
use crate::limits::Limits;
use crate::text::{check_duration, check_end, check_priority};

/// A type: its name and its version.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct TypeId {
    /// Its name.
    pub name: String,
    /// Its version.
    pub version: String,
}

/// What becomes of the open children of an execution that is terminated or times out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum ChildPolicy {
    /// They are terminated.
    Terminate,
    /// They are asked to cancel.
    RequestCancel,
    /// They run on.
    Abandon,
}

/// The defaults of a type of workflows. Durations are texts of seconds, or `NONE`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct WorkflowDefaults {
    /// How long a decision task may take.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub default_task_start_to_close_timeout: Option<String>,
    /// How long an execution may take.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub default_execution_start_to_close_timeout: Option<String>,
    /// The task list of decision tasks.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub default_task_list: Option<TaskList>,
    /// The priority of decision tasks.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub default_task_priority: Option<String>,
    /// What becomes of children.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub default_child_policy: Option<ChildPolicy>,
    /// The role with which Lambda functions are called.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub default_lambda_role: Option<String>,
}

/// The defaults of a type of activities. Durations are texts of seconds, or `NONE`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct ActivityDefaults {
    /// How long a task may take from its start.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub default_task_start_to_close_timeout: Option<String>,
    /// How long a worker may say nothing.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub default_task_heartbeat_timeout: Option<String>,
    /// How long a task may wait for a worker.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub default_task_schedule_to_start_timeout: Option<String>,
    /// How long a task may take in all.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub default_task_schedule_to_close_timeout: Option<String>,
    /// The task list of tasks.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub default_task_list: Option<TaskList>,
    /// The priority of tasks.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub default_task_priority: Option<String>,
}

impl WorkflowDefaults {
    /// Whether every duration and the priority are what they may be.
    pub fn check(&self) -> Result<(), Fault> {
        let task = self.default_task_start_to_close_timeout.as_deref();
        check_duration(task, "defaultTaskStartToCloseTimeout")?;
        let execution = self.default_execution_start_to_close_timeout.as_deref();
        let most = Limits::default().execution_seconds;
        check_end(execution, "defaultExecutionStartToCloseTimeout", most)?;
        check_priority(self.default_task_priority.as_deref(), "defaultTaskPriority")
    }
}

impl ActivityDefaults {
    /// Whether every duration and the priority are what they may be.
    pub fn check(&self) -> Result<(), Fault> {
        let named = [
            (&self.default_task_start_to_close_timeout, "defaultTaskStartToCloseTimeout"),
            (&self.default_task_heartbeat_timeout, "defaultTaskHeartbeatTimeout"),
            (&self.default_task_schedule_to_start_timeout, "defaultTaskScheduleToStartTimeout"),
            (&self.default_task_schedule_to_close_timeout, "defaultTaskScheduleToCloseTimeout"),
        ];
        for (given, name) in named {
            check_duration(given.as_deref(), name)?;
        }
        check_priority(self.default_task_priority.as_deref(), "defaultTaskPriority")
    }
}

/// A task list, as inputs and events name it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TaskList {
    /// Its name.
    pub name: String,
}

/// How a type stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TypeState<T> {
    /// It was never registered, or was deleted.
    Unknown,
    /// It was deprecated.
    Deprecated,
    /// It may be used.
    Registered(T),
}

/// The types of a domain.
pub trait Types {
    /// A type of workflows.
    fn workflow(&self, id: &TypeId) -> TypeState<&WorkflowDefaults>;
    /// A type of activities.
    fn activity(&self, id: &TypeId) -> TypeState<&ActivityDefaults>;
}
