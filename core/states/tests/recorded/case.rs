//! Recorded cases: a file each, below `tests/recorded/cases/stepfunctions` of the repository.

use std::path::{Path, PathBuf};

use trunkline_states::{Value, parse};

use crate::definitions::Submitted;

/// Definitions that the cases start from (LocalStack, Apache-2.0, as the cases).
const TEMPLATES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/recorded/templates.jsonl");

/// A recorded case.
pub struct Case {
    pub name: String,
    /// The definitions of the machines of the case.
    pub definitions: Vec<String>,
    pub express: bool,
    /// Words that stand for a value.
    pub words: Vec<String>,
    pub histories: Vec<History>,
    /// The definitions that were sent to AWS.
    pub submitted: Vec<Submitted>,
    /// What AWS's validator answered.
    pub diagnostics: Option<Vec<Value>>,
    /// Inputs with their outputs, one for each definition.
    pub outputs: Vec<(Value, Value)>,
    /// The variables that the states name, as AWS described the machine.
    pub references: Option<Value>,
    /// The objects that the caller stored, by key.
    pub objects: Vec<(String, String)>,
    /// Calls of `TestState` with their answers.
    pub tested: Vec<(Value, Value)>,
    /// The recorded answers, as text.
    pub text: String,
    /// The day of the recording.
    pub day: String,
}

/// One recorded history.
pub struct History {
    pub key: String,
    pub events: Vec<Value>,
    /// The input that the caller gave, where it is known.
    pub input: Option<String>,
}

pub fn all() -> Vec<Case> {
    let root =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/recorded/cases/stepfunctions");
    let mut files = Vec::new();
    collect(&root, &mut files);
    files.sort();
    let templates = std::fs::read_to_string(TEMPLATES).unwrap();
    let templates: Vec<Value> = templates.lines().map(|line| parse(line).unwrap()).collect();
    files.iter().filter_map(|file| read(&root, file, &templates)).collect()
}

/// The definitions of templates that have all states of a history.
fn from_templates(templates: &[Value], histories: &[History]) -> Vec<String> {
    let mut names: Vec<&str> = Vec::new();
    for event in histories.iter().flat_map(|history| &history.events) {
        let details = event.get("stateEnteredEventDetails");
        names.extend(details.and_then(|details| details.get("name")?.as_str()));
    }
    let definitions = templates.iter().filter_map(|template| template.get("definition"));
    let texts = definitions.map(|definition| {
        let arn = "arn:aws:lambda:us-east-1:111111111111:function:recorded";
        definition.to_string().replace("__tbd__", arn)
    });
    texts.filter(|text| names.iter().all(|name| text.contains(&format!("\"{name}\":")))).collect()
}

fn collect(folder: &Path, files: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            collect(&path, files);
        } else if path.extension().is_some_and(|extension| extension == "json") {
            files.push(path);
        }
    }
}

fn read(root: &Path, file: &Path, templates: &[Value]) -> Option<Case> {
    let text = std::fs::read_to_string(file).unwrap();
    let case = parse(&text).unwrap();
    let calls = case.get("calls").and_then(Value::as_array).unwrap_or(&[]);
    let mut definitions: Vec<&str> = Vec::new();
    definitions.extend(case.get("definition").and_then(Value::as_str));
    for call in calls {
        let params = call.get("params");
        definitions.extend(params.and_then(|params| params.get("definition")?.as_str()));
    }
    let mut definitions: Vec<String> =
        definitions.iter().map(|definition| with_arns(&repeated(definition), calls)).collect();
    let inputs: Vec<String> = calls
        .iter()
        .filter(|call| {
            let op = call.get("op").and_then(Value::as_str).unwrap_or("");
            matches!(op, "StartExecution" | "StartSyncExecution")
        })
        .filter_map(|call| {
            let input = call.get("params")?.get("input")?.as_str()?;
            Some(with_arns(&repeated(input), calls))
        })
        .collect();
    let mut histories = Vec::new();
    for (key, value) in case.get("aws")?.as_object()? {
        find(key, value, &mut histories);
    }
    if definitions.is_empty() {
        definitions = from_templates(templates, &histories);
    }
    let words = case.get("words").and_then(Value::as_array).unwrap_or(&[]);
    let express = calls.iter().any(|call| {
        let kind = call.get("params").and_then(|params| params.get("type"));
        kind.and_then(Value::as_str) == Some("EXPRESS")
    });
    let name = file.strip_prefix(root).unwrap().with_extension("");
    if inputs.len() == histories.len() {
        for (history, input) in histories.iter_mut().zip(&inputs) {
            history.input = Some(input.clone());
        }
    }
    let own = case.get("definition").and_then(Value::as_str);
    let submitted = calls.iter().filter_map(|call| submitted(call, own, calls)).collect();
    let aws = case.get("aws")?;
    let outputs = aws.get("cases").and_then(Value::as_array).unwrap_or(&[]);
    let outputs = outputs.iter().enumerate().filter_map(|(index, case)| {
        // The caller's own input: words may stand for values in the recorded one.
        let input = inputs.get(index).and_then(|input| parse(input).ok());
        Some((input.or_else(|| case.get("input").cloned())?, case.get("output")?.clone()))
    });
    Some(Case {
        submitted,
        diagnostics: diagnostics(aws),
        references: references(aws),
        tested: tested(calls, own, aws),
        objects: calls.iter().filter_map(object).collect(),
        outputs: outputs.collect(),
        text: aws.to_string(),
        day: case.get("recorded").and_then(Value::as_str).unwrap_or_default().to_owned(),
        name: name.to_string_lossy().into_owned(),
        definitions,
        express,
        words: words.iter().filter_map(Value::as_str).map(str::to_owned).collect(),
        histories,
    })
}

fn find(key: &str, value: &Value, out: &mut Vec<History>) {
    let Some(members) = value.as_object() else { return };
    if let Some(events) = value.get("events").and_then(Value::as_array)
        && events.iter().any(|event| event.get("type").is_some())
    {
        let mut events = events.to_vec();
        events.sort_by_key(|event| event.get("id").and_then(Value::as_i64).unwrap_or(5));
        out.push(History { key: key.to_owned(), events, input: None });
        return;
    }
    for (inner, value) in members {
        find(&format!("{key}/{inner}"), value, out);
    }
}

/// `<repeat:a*300000>` as what it stands for.
pub fn repeated(text: &str) -> String {
    let mut out = text.to_owned();
    while let Some(start) = out.find("<repeat:") {
        let end = start + out[start..].find('>').unwrap();
        let (letter, count) = out[start + 8..end].split_once('*').unwrap();
        let long = letter.repeat(count.parse().unwrap());
        out.replace_range(start..=end, &long);
    }
    out
}

/// `<<3:FunctionArn>>` as an ARN of the kind that call 3 answered.
fn with_arns(text: &str, calls: &[Value]) -> String {
    let mut out = text.to_owned();
    while let Some(start) = out.find("<<") {
        let Some(length) = out[start..].find(">>") else { break };
        let inner = out[start + 2..start + length].to_owned();
        let (number, path) = inner.split_once(':').unwrap_or((&inner, ""));
        let call = number.parse().ok().and_then(|number: usize| calls.get(number));
        let op = call.and_then(|call| call.get("op")).and_then(Value::as_str).unwrap_or("");
        let replacement = match (op, path) {
            ("CreateFunction", _) => {
                "arn:aws:lambda:us-east-1:111111111111:function:recorded".to_owned()
            }
            ("CreateActivity", _) => {
                "arn:aws:states:us-east-1:111111111111:activity:recorded".to_owned()
            }
            _ => format!("recorded-{number}-{path}"),
        };
        out.replace_range(start..start + length + 2, &replacement);
    }
    out
}

fn submitted(call: &Value, own: Option<&str>, calls: &[Value]) -> Option<Submitted> {
    let op = call.get("op")?.as_str()?;
    let known = ["CreateStateMachine", "UpdateStateMachine", "ValidateStateMachineDefinition"];
    if !known.contains(&op) {
        return None;
    }
    let params = call.get("params")?;
    let definition = match params.get("definition")? {
        Value::String(text) => text.to_string(),
        _ => own?.to_owned(),
    };
    let express = params.get("type").and_then(Value::as_str) == Some("EXPRESS");
    let error = call.get("error").and_then(Value::as_str).map(str::to_owned);
    let definition = with_arns(&repeated(&definition), calls);
    Some(Submitted { op: op.to_owned(), definition, express, error })
}

/// The diagnostics in an answer.
fn diagnostics(value: &Value) -> Option<Vec<Value>> {
    let members = value.as_object()?;
    if let Some(found) = value.get("diagnostics") {
        return Some(found.as_array()?.to_vec());
    }
    members.values().find_map(diagnostics)
}

/// The variable references in an answer.
fn references(value: &Value) -> Option<Value> {
    let members = value.as_object()?;
    value.get("variableReferences").cloned().or_else(|| members.values().find_map(references))
}

/// The key and the body of an object that a call stores.
fn object(call: &Value) -> Option<(String, String)> {
    let params = call.get("params")?;
    let (key, body) = (params.get("Key")?.as_str()?, params.get("Body")?.as_str()?);
    Some((key.to_owned(), body.to_owned()))
}

/// The calls of `TestState` with their answers, if there are as many of both.
fn tested(calls: &[Value], own: Option<&str>, aws: &Value) -> Vec<(Value, Value)> {
    let tests =
        calls.iter().filter(|call| call.get("op").and_then(Value::as_str) == Some("TestState"));
    let params: Vec<Value> = tests
        .filter_map(|call| {
            let params = call.get("params")?.as_object()?;
            let mut params = params.clone();
            let definition = match params.get("definition")? {
                Value::String(text) => text.to_string(),
                _ => own?.to_owned(),
            };
            let definition = with_arns(&definition, calls);
            params.insert("definition".into(), Value::string(definition));
            Some(Value::Object(std::sync::Arc::new(params)))
        })
        .collect();
    let answers: Vec<Value> = aws
        .as_object()
        .into_iter()
        .flatten()
        .filter_map(|(_, answer)| match answer.get("Error") {
            Some(error) => Some(error.clone()),
            None => {
                let members = answer.as_object()?;
                members.get("status")?;
                let kept = members.iter().filter(|(key, _)| &***key != "ResponseMetadata");
                Some(Value::object(kept.map(|(key, value)| (key, value.clone()))))
            }
        })
        .collect();
    if params.len() != answers.len() {
        return Vec::new();
    }
    params.into_iter().zip(answers).collect()
}
