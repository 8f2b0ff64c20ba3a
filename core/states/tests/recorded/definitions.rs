//! Definitions that AWS took or refused: ours have to go the same way, with the same words.

use trunkline_states::{Code, Limits, MachineType, Program, Value, invalid_definition};

use crate::case::Case;

/// A call with a definition, and how AWS answered.
pub struct Submitted {
    pub op: String,
    pub definition: String,
    pub express: bool,
    /// The code of the error.
    pub error: Option<String>,
}

/// The lines of the score of the definitions of a case.
pub fn lines(case: &Case) -> Vec<String> {
    let mut lines = Vec::new();
    for (index, submitted) in case.submitted.iter().enumerate() {
        let status = status(case, submitted);
        if status != "taken" {
            lines.push(format!("{} definition {index}: {status}", case.name));
        }
    }
    lines
}

fn status(case: &Case, submitted: &Submitted) -> String {
    let machine = if submitted.express { MachineType::Express } else { MachineType::Standard };
    let compiled = Program::compile(&submitted.definition, machine, &Limits::default());
    if submitted.op == "ValidateStateMachineDefinition" {
        return validated(case, compiled.err().unwrap_or_default());
    }
    let words = case.text.contains("Invalid State Machine Definition");
    let refused = case.histories.is_empty()
        && (submitted.error.as_deref() == Some("InvalidDefinition")
            || (words && case.submitted.len() == 1));
    match (compiled, refused) {
        (Ok(program), false) => referenced(case, &program),
        (Ok(_), true) => "is taken, but AWS refuses it".to_owned(),
        (Err(findings), false) => format!("is refused, but AWS takes it: {}", findings[0]),
        (Err(findings), true) => {
            let message = invalid_definition(&findings);
            let message = message.replace("arn:aws:", "arn:<partition>:");
            // Some answers hold no words of AWS.
            match !words || case.text.contains(&message.replace('\\', "\\\\").replace('"', "\\\""))
            {
                true => "equal".to_owned(),
                false => format!("is refused in other words: {message}"),
            }
        }
    }
}

fn validated(case: &Case, findings: Vec<trunkline_states::Finding>) -> String {
    let found: Vec<Value> = findings
        .iter()
        .map(|finding| {
            let mut members = vec![
                ("code", Value::string(finding.code.as_str())),
                ("message", Value::string(&finding.message)),
                ("severity", Value::string(finding.severity.as_str())),
            ];
            // AWS's parser counts in another way than ours for some texts.
            if finding.code != Code::InvalidJsonDescription
                && let Some(location) = &finding.location
            {
                members.push(("location", Value::string(location)));
            }
            Value::object(members)
        })
        .collect();
    let recorded = case.diagnostics.clone().unwrap_or_default();
    let recorded: Vec<Value> = recorded
        .iter()
        .map(|diagnostic| {
            let members = diagnostic.as_object().unwrap();
            let json =
                diagnostic.get("code").and_then(Value::as_str) == Some("INVALID_JSON_DESCRIPTION");
            Value::object(
                members
                    .iter()
                    .filter(|(key, _)| !(json && &***key == "location"))
                    .map(|(key, value)| (key, value.clone())),
            )
        })
        .collect();
    match found == recorded {
        true => "equal".to_owned(),
        false => format!("not {} but {}", Value::array(recorded), Value::array(found)),
    }
}

/// The variables that the states of a machine name, where AWS was asked for them.
fn referenced(case: &Case, program: &Program) -> String {
    let references = program.variable_references().map(|(state, names)| {
        (state, Value::array(names.iter().map(|name| Value::string(&**name)).collect()))
    });
    let found = Value::object(references);
    match &case.references {
        Some(recorded) if found == *recorded => "equal".to_owned(),
        Some(recorded) => format!("not {recorded} but {found}"),
        None => "taken".to_owned(),
    }
}
