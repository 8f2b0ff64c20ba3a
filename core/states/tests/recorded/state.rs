//! `TestState`: states that AWS tried alone.

use trunkline_states::{
    Identity, Limits, MockError, Payload, StateTest, Stimulus, TestRequest, TestStep, Value,
};

use crate::case::Case;
use crate::compare::same_value;
use crate::drive::Counter;

/// The score of the tests of states of a case, a line each.
pub fn lines(case: &Case) -> Vec<String> {
    let mut lines = Vec::new();
    for (index, (params, recorded)) in case.tested.iter().enumerate() {
        let found = answer(params, recorded);
        let status = match same_value(case, &found, recorded) {
            true => "equal".to_owned(),
            false => format!("not {recorded} but {found}"),
        };
        let short: String = status.chars().take(700).collect();
        lines.push(format!("{} state {index}: {short}", case.name));
    }
    lines
}

fn text(params: &Value, name: &str) -> Option<String> {
    params.get(name).and_then(Value::as_str).map(str::to_owned)
}

/// The answer of `TestState`, in AWS's shape.
fn answer(params: &Value, recorded: &Value) -> Value {
    let mock = params.get("mock");
    let result = mock.and_then(|mock| text(mock, "result"));
    let error = mock.and_then(|mock| mock.get("errorOutput"));
    let configuration = params.get("stateConfiguration");
    let number = |name: &str| configuration.and_then(|all| all.get(name)?.as_i64());
    let request = TestRequest {
        definition: text(params, "definition").unwrap(),
        state: text(params, "stateName"),
        input: text(params, "input").unwrap_or_default(),
        variables: text(params, "variables"),
        context: text(params, "context"),
        mock_result: result,
        mock_error: error
            .map(|error| MockError { error: text(error, "error"), cause: text(error, "cause") }),
        has_role: params.get("roleArn").is_some(),
        reveals_secrets: params.get("revealSecrets") == Some(&Value::Bool(true)),
        retries: number("retrierRetryCount").unwrap_or(0) as u32,
        failed_iterations: number("mapIterationFailureCount").map(|count| count as u64),
    };
    let identity = Identity {
        execution_arn: "arn:aws:states:us-east-1:111111111111:express:recorded:one".into(),
        machine_arn: "arn:aws:states:us-east-1:111111111111:stateMachine:recorded".into(),
        machine_name: "recorded".into(),
        role_arn: "arn:aws:iam::111111111111:role/recorded".into(),
        name: "one".into(),
        ..Identity::default()
    };
    let mut test = match StateTest::new(&request, identity, &Limits::default()) {
        Ok(test) => test,
        Err(refused) => {
            return Value::object([
                ("Code", Value::string(refused.code)),
                ("Message", Value::string(&refused.message)),
            ]);
        }
    };
    let mut step = test.start(1_700_000_000_000, &mut Counter::new());
    if let TestStep::Task(task) = &step {
        // A task that is not mocked gives what AWS recorded.
        let result = recorded.get("inspectionData").and_then(|all| all.get("result"));
        let result = result.or(recorded.get("output")).cloned().unwrap_or(Value::Null);
        let result = match &result {
            Value::String(text) => Payload::parse(text).unwrap(),
            other => Payload::from(other.clone()),
        };
        let end = Stimulus::TaskSucceeded { task: task.task, output: result };
        step = test.answer(end, 1_700_000_000_000, &mut Counter::new());
    }
    let TestStep::Report(report) = step else { return Value::Null };
    let mut members = vec![("status", Value::string(report.status))];
    members.extend(report.output.iter().map(|one| ("output", Value::string(&**one.text()))));
    members.extend(report.error.iter().map(|one| ("error", Value::string(&**one))));
    members.extend(report.cause.iter().map(|one| ("cause", Value::string(&**one))));
    members.extend(report.next_state.iter().map(|one| ("nextState", Value::string(&**one))));
    if params.get("inspectionLevel").is_some_and(|level| level != &Value::string("INFO")) {
        members.push(("inspectionData", report.inspection));
    }
    Value::object(members)
}
