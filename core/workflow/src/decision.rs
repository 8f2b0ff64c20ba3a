//! The decisions of a decider, as they stand in RespondDecisionTaskCompleted.

use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::fault::Fault;
use crate::limits::Limits;
use crate::registry::{ChildPolicy, TaskList, TypeId};
use crate::start::StartRequest;
use crate::text::{check_duration, check_priority};

/// One decision.
#[derive(Debug, Clone, PartialEq)]
#[expect(missing_docs, reason = "SWF documents its decisions")]
pub enum Decision {
    ScheduleActivityTask(Box<ScheduleActivityTask>),
    RequestCancelActivityTask(RequestCancelActivityTask),
    CompleteWorkflowExecution(CompleteWorkflowExecution),
    FailWorkflowExecution(FailWorkflowExecution),
    CancelWorkflowExecution(CancelWorkflowExecution),
    ContinueAsNewWorkflowExecution(Box<ContinueAsNewWorkflowExecution>),
    RecordMarker(RecordMarker),
    StartTimer(StartTimer),
    CancelTimer(CancelTimer),
    SignalExternalWorkflowExecution(SignalExternal),
    RequestCancelExternalWorkflowExecution(RequestCancelExternal),
    StartChildWorkflowExecution(Box<StartChild>),
    ScheduleLambdaFunction(ScheduleLambda),
}

macro_rules! attributes {
    ($($(#[$doc:meta])* $name:ident { $($field:ident: $kind:ty,)* })*) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Deserialize)]
        #[serde(rename_all = "camelCase")]
        pub struct $name {
            $(pub $field: $kind,)*
        }
    )*};
}

attributes! {
    /// An activity task is to be scheduled.
    ScheduleActivityTask {
        activity_type: TypeId,
        activity_id: String,
        control: Option<String>,
        input: Option<String>,
        schedule_to_close_timeout: Option<String>,
        task_list: Option<TaskList>,
        task_priority: Option<String>,
        schedule_to_start_timeout: Option<String>,
        start_to_close_timeout: Option<String>,
        heartbeat_timeout: Option<String>,
    }
    /// An activity task is to be asked to cancel.
    RequestCancelActivityTask { activity_id: String, }
    /// The execution is complete.
    CompleteWorkflowExecution { result: Option<String>, }
    /// The execution has failed.
    FailWorkflowExecution { reason: Option<String>, details: Option<String>, }
    /// The execution is canceled.
    CancelWorkflowExecution { details: Option<String>, }
    /// Another run goes on.
    ContinueAsNewWorkflowExecution {
        input: Option<String>,
        execution_start_to_close_timeout: Option<String>,
        task_list: Option<TaskList>,
        task_priority: Option<String>,
        task_start_to_close_timeout: Option<String>,
        child_policy: Option<ChildPolicy>,
        tag_list: Option<Vec<String>>,
        workflow_type_version: Option<String>,
        lambda_role: Option<String>,
    }
    /// The history is to hold a marker.
    RecordMarker { marker_name: String, details: Option<String>, }
    /// A timer is to start.
    StartTimer { timer_id: String, control: Option<String>, start_to_fire_timeout: String, }
    /// A timer is to be canceled.
    CancelTimer { timer_id: String, }
    /// Another execution is to be signaled.
    SignalExternal {
        workflow_id: String,
        run_id: Option<String>,
        signal_name: String,
        input: Option<String>,
        control: Option<String>,
    }
    /// Another execution is to be asked to cancel.
    RequestCancelExternal {
        workflow_id: String,
        run_id: Option<String>,
        control: Option<String>,
    }
    /// A child is to start.
    StartChild {
        workflow_type: TypeId,
        workflow_id: String,
        control: Option<String>,
        input: Option<String>,
        execution_start_to_close_timeout: Option<String>,
        task_list: Option<TaskList>,
        task_priority: Option<String>,
        task_start_to_close_timeout: Option<String>,
        child_policy: Option<ChildPolicy>,
        tag_list: Option<Vec<String>>,
        lambda_role: Option<String>,
    }
    /// A Lambda function is to be called.
    ScheduleLambda {
        id: String,
        name: String,
        control: Option<String>,
        input: Option<String>,
        start_to_close_timeout: Option<String>,
    }
}

/// Reads a list of decisions; a fault names what is wrong with the first that is.
pub fn read_decisions(given: &[Value], limits: &Limits) -> Result<Vec<Decision>, Fault> {
    let read = |(index, one)| read_decision(one, &format!("decisions.{}.member", index + 1));
    let decisions: Vec<_> = given.iter().enumerate().map(read).collect::<Result<_, _>>()?;
    let closes = |decision: &&Decision| decision.is_closing();
    if decisions.iter().rev().skip(1).any(|one| closes(&one)) {
        return Err(Fault::invalid("Close must be last decision in list"));
    }
    for (index, decision) in decisions.iter().enumerate() {
        decision.check(&format!("decisions.{}.member", index + 1), limits)?;
    }
    Ok(decisions)
}

fn read_decision(given: &Value, at: &str) -> Result<Decision, Fault> {
    let kind = given.get("decisionType").and_then(Value::as_str).unwrap_or_default();
    let mut name = kind.get(..1).unwrap_or_default().to_ascii_lowercase();
    name.push_str(kind.get(1..).unwrap_or_default());
    name.push_str("DecisionAttributes");
    let at = Place { attributes: given.get(&name), at: format!("{at}.{name}") };
    Ok(match kind {
        "ScheduleActivityTask" => Decision::ScheduleActivityTask(at.read()?),
        "RequestCancelActivityTask" => Decision::RequestCancelActivityTask(at.read()?),
        "CompleteWorkflowExecution" => Decision::CompleteWorkflowExecution(at.read_or_empty()?),
        "FailWorkflowExecution" => Decision::FailWorkflowExecution(at.read_or_empty()?),
        "CancelWorkflowExecution" => Decision::CancelWorkflowExecution(at.read_or_empty()?),
        "ContinueAsNewWorkflowExecution" => {
            Decision::ContinueAsNewWorkflowExecution(at.read_or_empty()?)
        }
        "RecordMarker" => Decision::RecordMarker(at.read()?),
        "StartTimer" => Decision::StartTimer(at.read()?),
        "CancelTimer" => Decision::CancelTimer(at.read()?),
        "SignalExternalWorkflowExecution" => Decision::SignalExternalWorkflowExecution(at.read()?),
        "RequestCancelExternalWorkflowExecution" => {
            Decision::RequestCancelExternalWorkflowExecution(at.read()?)
        }
        "StartChildWorkflowExecution" => Decision::StartChildWorkflowExecution(at.read()?),
        "ScheduleLambdaFunction" => Decision::ScheduleLambdaFunction(at.read()?),
        _ => return Err(Fault::invalid(format!("Unknown decision type: {kind}"))),
    })
}

/// The attributes of a decision, and where they stand.
struct Place<'a> {
    attributes: Option<&'a Value>,
    at: String,
}

impl Place<'_> {
    fn read<T: DeserializeOwned>(&self) -> Result<T, Fault> {
        match self.attributes {
            Some(attributes) => self.of(attributes),
            None => {
                let at = &self.at;
                let constraint = "failed to satisfy constraint: Member must not be null";
                let text =
                    format!("1 validation error detected: Value null at '{at}' {constraint}");
                Err(Fault::invalid(text))
            }
        }
    }

    /// The same for a decision without a member that has to be there.
    fn read_or_empty<T: DeserializeOwned>(&self) -> Result<T, Fault> {
        match self.attributes {
            Some(attributes) => self.of(attributes),
            None => self.of(&Value::Object(Default::default())),
        }
    }

    fn of<T: DeserializeOwned>(&self, attributes: &Value) -> Result<T, Fault> {
        T::deserialize(attributes)
            .map_err(|problem| Fault::invalid(format!("Value at '{}': {problem}", self.at)))
    }
}

impl Decision {
    /// Whether it ends the execution.
    pub fn is_closing(&self) -> bool {
        matches!(
            self,
            Self::CompleteWorkflowExecution(_)
                | Self::FailWorkflowExecution(_)
                | Self::CancelWorkflowExecution(_)
                | Self::ContinueAsNewWorkflowExecution(_)
        )
    }

    fn check(&self, at: &str, limits: &Limits) -> Result<(), Fault> {
        match self {
            Self::ScheduleActivityTask(one) => {
                let at = format!("{at}.scheduleActivityTaskDecisionAttributes.");
                let named = [
                    (&one.schedule_to_close_timeout, "scheduleToCloseTimeout"),
                    (&one.schedule_to_start_timeout, "scheduleToStartTimeout"),
                    (&one.start_to_close_timeout, "startToCloseTimeout"),
                    (&one.heartbeat_timeout, "heartbeatTimeout"),
                ];
                for (given, name) in named {
                    check_duration(given.as_deref(), &format!("{at}{name}"))?;
                }
                check_priority(one.task_priority.as_deref(), &format!("{at}taskPriority"))
            }
            Self::StartTimer(one) => {
                let at = format!("{at}.startTimerDecisionAttributes.startToFireTimeout");
                if one.start_to_fire_timeout == "NONE" {
                    let text = "failed to satisfy constraint: Member must be a number of seconds";
                    return Err(Fault::invalid(format!("Value 'NONE' at '{at}' {text}")));
                }
                check_duration(Some(&one.start_to_fire_timeout), &at)
            }
            Self::StartChildWorkflowExecution(one) => {
                let at = format!("{at}.startChildWorkflowExecutionDecisionAttributes.");
                one.request().check(&at, limits)
            }
            Self::ContinueAsNewWorkflowExecution(one) => {
                let at = format!("{at}.continueAsNewWorkflowExecutionDecisionAttributes.");
                let id = TypeId { name: String::new(), version: String::new() };
                one.request("", &id).check(&at, limits)
            }
            Self::ScheduleLambdaFunction(one) => {
                let at = format!("{at}.scheduleLambdaFunctionDecisionAttributes.");
                let timeout = one.start_to_close_timeout.as_deref();
                check_duration(timeout, &format!("{at}startToCloseTimeout"))
            }
            _ => Ok(()),
        }
    }
}

impl StartChild {
    pub(crate) fn request(&self) -> StartRequest {
        StartRequest {
            workflow_id: self.workflow_id.clone(),
            workflow_type: self.workflow_type.clone(),
            task_list: self.task_list.clone(),
            task_priority: self.task_priority.clone(),
            input: self.input.clone(),
            execution_start_to_close_timeout: self.execution_start_to_close_timeout.clone(),
            task_start_to_close_timeout: self.task_start_to_close_timeout.clone(),
            child_policy: self.child_policy,
            tag_list: self.tag_list.clone().unwrap_or_default(),
            lambda_role: self.lambda_role.clone(),
        }
    }
}

impl ContinueAsNewWorkflowExecution {
    pub(crate) fn request(&self, workflow_id: &str, before: &TypeId) -> StartRequest {
        let version = self.workflow_type_version.clone().filter(|version| !version.is_empty());
        StartRequest {
            workflow_id: workflow_id.to_owned(),
            workflow_type: TypeId {
                name: before.name.clone(),
                version: version.unwrap_or_else(|| before.version.clone()),
            },
            task_list: self.task_list.clone(),
            task_priority: self.task_priority.clone(),
            input: self.input.clone(),
            execution_start_to_close_timeout: self.execution_start_to_close_timeout.clone(),
            task_start_to_close_timeout: self.task_start_to_close_timeout.clone(),
            child_policy: self.child_policy,
            tag_list: self.tag_list.clone().unwrap_or_default(),
            lambda_role: self.lambda_role.clone(),
        }
    }
}
