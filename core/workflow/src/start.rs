//! How an execution starts: what was asked for, completed by the defaults of its type.

use serde::Deserialize;

use crate::execution::{Configuration, Parent};
use crate::fault::{Fault, FaultKind};
use crate::limits::Limits;
use crate::registry::{ChildPolicy, TaskList, TypeId, TypeState, Types};
use crate::text::{check_duration, check_end, check_priority};

/// An execution that is to start.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct StartRequest {
    /// Its workflow id.
    pub workflow_id: String,
    /// Its type.
    pub workflow_type: TypeId,
    /// The task list of its decision tasks.
    pub task_list: Option<TaskList>,
    /// The priority of its decision tasks.
    pub task_priority: Option<String>,
    /// Its input.
    pub input: Option<String>,
    /// How long it may take.
    pub execution_start_to_close_timeout: Option<String>,
    /// How long one of its decision tasks may take.
    pub task_start_to_close_timeout: Option<String>,
    /// What becomes of its children.
    pub child_policy: Option<ChildPolicy>,
    /// Its tags.
    #[serde(default)]
    pub tag_list: Vec<String>,
    /// The role with which its Lambda functions are called.
    pub lambda_role: Option<String>,
}

/// Why an execution cannot start.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Undefined {
    /// There is no such type.
    UnknownType,
    /// The type is deprecated.
    DeprecatedType,
    /// Neither the request nor the type says how long an execution may take.
    ExecutionTimeout,
    /// Neither says how long a decision task may take.
    TaskTimeout,
    /// Neither names a task list.
    TaskList,
    /// Neither says what becomes of children.
    ChildPolicy,
}

impl Undefined {
    /// The cause in events of decisions that fail.
    pub fn cause(self) -> &'static str {
        match self {
            Self::UnknownType => "WORKFLOW_TYPE_DOES_NOT_EXIST",
            Self::DeprecatedType => "WORKFLOW_TYPE_DEPRECATED",
            Self::ExecutionTimeout => "DEFAULT_EXECUTION_START_TO_CLOSE_TIMEOUT_UNDEFINED",
            Self::TaskTimeout => "DEFAULT_TASK_START_TO_CLOSE_TIMEOUT_UNDEFINED",
            Self::TaskList => "DEFAULT_TASK_LIST_UNDEFINED",
            Self::ChildPolicy => "DEFAULT_CHILD_POLICY_UNDEFINED",
        }
    }

    /// The fault of StartWorkflowExecution.
    pub fn fault(self, id: &TypeId) -> Fault {
        let named = format!("WorkflowType=[name={}, version={}]", id.name, id.version);
        let missing = |name: &str| Fault::new(FaultKind::DefaultUndefined, name);
        match self {
            Self::UnknownType => Fault::unknown(format!("type: {named}")),
            Self::DeprecatedType => Fault::new(FaultKind::TypeDeprecated, named),
            Self::ExecutionTimeout => missing("executionStartToCloseTimeout"),
            Self::TaskTimeout => missing("taskStartToCloseTimeout"),
            Self::TaskList => missing("taskList"),
            Self::ChildPolicy => missing("childPolicy"),
        }
    }
}

/// An execution that can start: everything is known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Started {
    /// What was asked for.
    pub request: StartRequest,
    pub(crate) configuration: Configuration,
    /// The execution that asked for it as a child.
    pub parent: Option<Parent>,
    /// The run that it continues.
    pub continued: Option<String>,
}

impl StartRequest {
    /// Takes what was not given from the type.
    pub fn resolve(self, types: &dyn Types) -> Result<Started, Undefined> {
        let defaults = match types.workflow(&self.workflow_type) {
            TypeState::Unknown => return Err(Undefined::UnknownType),
            TypeState::Deprecated => return Err(Undefined::DeprecatedType),
            TypeState::Registered(defaults) => defaults,
        };
        fn or<T: Clone>(given: &Option<T>, default: &Option<T>) -> Option<T> {
            given.as_ref().or(default.as_ref()).cloned()
        }
        let configuration = Configuration {
            execution_start_to_close_timeout: or(
                &self.execution_start_to_close_timeout,
                &defaults.default_execution_start_to_close_timeout,
            )
            .ok_or(Undefined::ExecutionTimeout)?,
            task_list: or(&self.task_list, &defaults.default_task_list)
                .ok_or(Undefined::TaskList)?,
            task_start_to_close_timeout: or(
                &self.task_start_to_close_timeout,
                &defaults.default_task_start_to_close_timeout,
            )
            .ok_or(Undefined::TaskTimeout)?,
            child_policy: or(&self.child_policy, &defaults.default_child_policy)
                .ok_or(Undefined::ChildPolicy)?,
            task_priority: or(&self.task_priority, &defaults.default_task_priority),
            lambda_role: or(&self.lambda_role, &defaults.default_lambda_role),
        };
        Ok(Started { request: self, configuration, parent: None, continued: None })
    }

    /// Whether every duration and the priority are what they may be. That of the whole execution
    /// has an end.
    pub fn check(&self, at: &str, limits: &Limits) -> Result<(), Fault> {
        let execution = self.execution_start_to_close_timeout.as_deref();
        let most = limits.execution_seconds;
        check_end(execution, &format!("{at}executionStartToCloseTimeout"), most)?;
        let task = self.task_start_to_close_timeout.as_deref();
        check_duration(task, &format!("{at}taskStartToCloseTimeout"))?;
        check_priority(self.task_priority.as_deref(), &format!("{at}taskPriority"))
    }
}
