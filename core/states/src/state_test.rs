//! One state, tried alone: what `TestState` answers.

use std::sync::Arc;

use crate::effect::{Effect, Outcome, TaskRequest};
use crate::entropy::Entropy;
use crate::execution::probe::Probe;
use crate::execution::{Execution, Identity, Status};
use crate::finding::invalid_definition;
use crate::history::{Details, Failure, StateType};
use crate::limits::Limits;
use crate::payload::Payload;
use crate::program::{MachineType, Program, StateId};
use crate::resource::Resource;
use crate::stimulus::Stimulus;
use crate::value::{Members, Value, parse};

/// The name of a state that is given without one.
const NAME: &str = "StateName";

/// The failure that takes the place of the work of a state.
#[derive(Clone, Debug, Default)]
pub struct MockError {
    /// The name of the error.
    pub error: Option<String>,
    /// What happened.
    pub cause: Option<String>,
}

/// A state that is to be tried.
#[derive(Clone, Debug, Default)]
pub struct TestRequest {
    /// A state, or a machine with the name of one of its states.
    pub definition: String,
    /// The name of the state, if the definition is a machine.
    pub state: Option<String>,
    /// The input, as JSON text.
    pub input: String,
    /// The variables, as the text of a JSON object.
    pub variables: Option<String>,
    /// The context object, as the text of a JSON object.
    pub context: Option<String>,
    /// The result in place of the work of the state, as JSON text.
    pub mock_result: Option<String>,
    /// The failure in place of the work of the state.
    pub mock_error: Option<MockError>,
    /// Whether a role was given: a task that is not mocked needs one.
    pub has_role: bool,
    /// Whether secrets are to be shown.
    pub reveals_secrets: bool,
    /// `retrierRetryCount`: how often the state was tried again before.
    pub retries: u32,
    /// `mapIterationFailureCount`.
    pub failed_iterations: Option<u64>,
}

/// A request that is refused: the code of the error, and its message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TestRefused {
    /// `InvalidDefinition`, `InvalidExecutionInput` or `ValidationException`.
    pub code: &'static str,
    /// Why.
    pub message: String,
}

/// How a test ended.
#[derive(Clone, Debug, PartialEq)]
pub struct TestReport {
    /// `SUCCEEDED`, `FAILED`, `RETRIABLE` or `CAUGHT_ERROR`.
    pub status: &'static str,
    /// The output.
    pub output: Option<Payload>,
    /// The name of the error.
    pub error: Option<Arc<str>>,
    /// What happened.
    pub cause: Option<Arc<str>>,
    /// The state that would follow.
    pub next_state: Option<Arc<str>>,
    /// `inspectionData`, for the levels DEBUG and TRACE.
    pub inspection: Value,
}

/// Where a test stands.
#[derive(Debug)]
pub enum TestStep {
    /// The task of the state is to be carried out: give its end to [`StateTest::answer`].
    Task(Box<TaskRequest>),
    /// The test has ended.
    Report(Box<TestReport>),
}

/// A test that runs.
#[derive(Debug)]
pub struct StateTest {
    program: Program,
    state: StateId,
    execution: Execution,
    input: Payload,
    probe: Option<Probe>,
}

fn refused<T>(code: &'static str, message: impl Into<String>) -> Result<T, TestRefused> {
    Err(TestRefused { code, message: message.into() })
}

impl StateTest {
    /// Checks a request.
    pub fn new(
        request: &TestRequest,
        identity: Identity,
        limits: &Limits,
    ) -> Result<StateTest, TestRefused> {
        let definition = match &request.state {
            Some(_) => request.definition.clone(),
            None => alone(&request.definition),
        };
        let limits = Limits { step_transitions: 1, ..limits.clone() };
        let program = Program::compile(&definition, MachineType::Standard, &limits)
            .or_else(|findings| refused("InvalidDefinition", invalid_definition(&findings)))?;
        let name = request.state.as_deref().unwrap_or(NAME);
        let Some(state) = program.find(name) else {
            return refused("ValidationException", format!("State not found: '{name}'"));
        };
        let probe = probe_of(request, &program, state)?;
        let text = if request.input.is_empty() { "{}" } else { &request.input };
        let input = Payload::parse(text).or_else(|error| {
            let message = format!("Invalid State Machine Execution Input: '{}'", error.message);
            refused("InvalidExecutionInput", message)
        })?;
        let identity = Identity { express: true, is_test: true, ..identity };
        let execution = Execution::at(&program, state, identity);
        Ok(StateTest { program, state, execution, input, probe: Some(probe) })
    }

    /// What the state calls, if it is a Task state.
    pub fn resource(&self) -> Option<&Resource> {
        self.program.resource(self.state)
    }

    /// Starts the test.
    pub fn start(&mut self, now_ms: u64, entropy: &mut dyn Entropy) -> TestStep {
        let input = self.input.clone();
        let step = self.answer(Stimulus::Start { input }, now_ms, entropy);
        // What follows the state is not entered when its task ends.
        self.program.limits.step_transitions = 0;
        step
    }

    /// Takes the end of the task.
    pub fn answer(
        &mut self,
        stimulus: Stimulus,
        now_ms: u64,
        entropy: &mut dyn Entropy,
    ) -> TestStep {
        let probe = self.probe.take().unwrap_or_default();
        let (effects, probe) =
            self.execution.step_probed(&self.program, stimulus, now_ms, entropy, probe);
        let task = effects.iter().find_map(|effect| match effect {
            Effect::StartTask(request) => Some(request.clone()),
            _ => None,
        });
        if let Some(task) = task {
            self.probe = Some(probe);
            return TestStep::Task(task);
        }
        TestStep::Report(Box::new(self.report(&effects, probe)))
    }

    fn report(&self, effects: &[Effect], probe: Probe) -> TestReport {
        let mut notes = Members::new();
        notes.insert("input".into(), Value::String(Arc::clone(self.input.text())));
        for (name, value) in &probe.notes {
            let number = matches!(value, Value::Number(_)) && &**name != "result";
            let shown = if number { value.clone() } else { Value::string(value.to_string()) };
            notes.insert(Arc::clone(name), shown);
        }
        if !probe.error_details.is_empty() {
            let details = Value::Object(Arc::new(probe.error_details));
            notes.insert("errorDetails".into(), details);
        }
        let exited = effects.iter().find_map(|effect| match effect {
            Effect::History(event) => match &event.details {
                Details::StateExited { output, .. } => Some(output.clone()),
                _ => None,
            },
            _ => None,
        });
        let finished = matches!(effects.last(), Some(Effect::Finish(Outcome::Succeeded { .. })));
        let status = match (&exited, probe.caught, probe.retries_again) {
            (Some(_), true, _) => "CAUGHT_ERROR",
            (Some(_), false, _) => "SUCCEEDED",
            (None, _, true) => "RETRIABLE",
            (None, _, false) => "FAILED",
        };
        let next = exited.as_ref().filter(|_| !finished);
        let next_state = next.and_then(|_| self.execution.next_state(&self.program));
        let failure = if status == "SUCCEEDED" { None } else { probe.failure };
        let failure = failure.unwrap_or_default();
        TestReport {
            status,
            output: exited,
            error: failure.error,
            cause: failure.cause,
            next_state,
            inspection: Value::Object(Arc::new(notes)),
        }
    }

    /// Whether the test has ended.
    pub fn has_ended(&self) -> bool {
        self.execution.status() != Status::Running || self.probe.is_none()
    }
}

/// A machine of one state. The states that it names exist, and end the machine.
fn alone(definition: &str) -> String {
    let Ok(Value::Object(state)) = parse(definition) else { return definition.to_owned() };
    let mut states = Members::new();
    states.insert(NAME.into(), Value::Object(Arc::clone(&state)));
    let mut names = Vec::new();
    let target = |fields: &Members, field: &str, names: &mut Vec<Arc<str>>| {
        if let Some(Value::String(name)) = fields.get(field) {
            names.push(Arc::clone(name));
        }
    };
    target(&state, "Next", &mut names);
    target(&state, "Default", &mut names);
    for list in ["Choices", "Catch"] {
        let items = state.get(list).and_then(Value::as_array).unwrap_or(&[]);
        for item in items.iter().filter_map(Value::as_object) {
            target(item, "Next", &mut names);
        }
    }
    for name in names {
        let end = Value::object([("Type", Value::string("Succeed"))]);
        states.entry(name).or_insert(end);
    }
    let machine = [("StartAt", Value::string(NAME)), ("States", Value::Object(Arc::new(states)))];
    Value::object(machine).to_string()
}

fn probe_of(
    request: &TestRequest,
    program: &Program,
    state: StateId,
) -> Result<Probe, TestRefused> {
    let kind = program.describe(state).map_or(StateType::Pass, |(_, kind)| kind);
    let invalid = "ValidationException";
    if request.mock_result.is_some() && request.mock_error.is_some() {
        let message =
            "A test mock should have only one of the following fields: [result, errorOutput].";
        return refused(invalid, message);
    }
    if request.mock_result.is_none() && request.mock_error.is_none() {
        if request.failed_iterations.is_some() {
            let message =
                "TestState does not support MapIterationFailureCount when a mock is not specified.";
            return refused(invalid, message);
        }
        if matches!(kind, StateType::Map | StateType::Parallel) {
            let message = "TestState API does not support Map or Parallel states. Supported state \
                           types include: [Task, Wait, Pass, Succeed, Fail, Choice]";
            return refused(invalid, message);
        }
        if kind == StateType::Task && !request.has_role {
            return refused(invalid, "RoleArn must be specified when testing a Task state");
        }
        return probe_with(request, None);
    }
    if request.reveals_secrets {
        let message = "TestState does not support RevealSecrets when a mock is specified.";
        return refused(invalid, message);
    }
    if !matches!(kind, StateType::Task | StateType::Map | StateType::Parallel) {
        let kind = kind.as_str();
        let message = format!("State type '{kind}' is not supported when a mock is specified");
        return refused(invalid, message);
    }
    let mock = match (&request.mock_result, &request.mock_error) {
        (Some(text), _) => Ok(mocked_result(text, kind, program.writes_results(state))?),
        (None, error) => Err(Failure {
            error: error.as_ref().and_then(|mock| mock.error.as_deref().map(Arc::from)),
            cause: error.as_ref().and_then(|mock| mock.cause.as_deref().map(Arc::from)),
        }),
    };
    probe_with(request, Some(mock))
}

/// The result of a mock, of the type that the state gives; `writes`: of a Map state that writes its
/// results elsewhere.
fn mocked_result(text: &str, kind: StateType, writes: bool) -> Result<Value, TestRefused> {
    let invalid = "ValidationException";
    let value = parse(text).or_else(|error| {
        refused(invalid, format!("Mocked result is not valid JSON: {}", error.message))
    })?;
    match (kind, &value) {
        (StateType::Map, Value::Object(_)) if writes => Ok(value),
        (StateType::Map, _) if writes => refused(invalid, "Mocked result must be a JSON object."),
        (StateType::Map | StateType::Parallel, Value::Array(_)) => Ok(value),
        (StateType::Map | StateType::Parallel, _) => {
            refused(invalid, "Mocked result must be an array.")
        }
        _ => Ok(value),
    }
}

fn probe_with(
    request: &TestRequest,
    mock: Option<Result<Value, Failure>>,
) -> Result<Probe, TestRefused> {
    let object = |name: &str, text: &Option<String>| match text.as_deref().map(parse) {
        None => Ok(None),
        Some(Ok(Value::Object(members))) => Ok(Some(members)),
        Some(_) => refused("ValidationException", format!("{name} has to be a JSON object")),
    };
    let variables = object("variables", &request.variables)?;
    let variables = variables.iter().flat_map(|members| members.iter());
    Ok(Probe {
        mock,
        failed_iterations: request.failed_iterations,
        context: object("context", &request.context)?.map(Value::Object),
        variables: variables.map(|(name, value)| (Arc::clone(name), value.clone())).collect(),
        retries: request.retries,
        ..Probe::default()
    })
}
