//! Whether an event is the recorded one.

use trunkline_states::{Value, parse};

use crate::case::Case;

/// The first difference of two histories.
pub fn first_difference(case: &Case, found: &[Value], recorded: &[Value]) -> Option<String> {
    let elided = recorded.iter().any(|event| id(event).is_none());
    if elided {
        return difference_of_sets(case, found, recorded);
    }
    for (index, recorded) in recorded.iter().enumerate() {
        let Some(found) = found.get(index) else {
            return Some(format!("event {} is missing: {}", index + 1, brief(recorded)));
        };
        if let Some(difference) = difference(case, found, recorded) {
            return Some(format!("event {}: {difference}", index + 1));
        }
    }
    found.get(recorded.len()).map(|event| format!("one event too many: {}", brief(event)))
}

/// Histories without some of the numbers: each recorded event has to be there.
fn difference_of_sets(case: &Case, found: &[Value], recorded: &[Value]) -> Option<String> {
    let mut left: Vec<&Value> = found.iter().collect();
    for event in recorded {
        let fits = left.iter().position(|found| difference(case, found, event).is_none());
        match fits {
            Some(at) => drop(left.remove(at)),
            None => return Some(format!("is missing: {}", brief(event))),
        }
    }
    None
}

fn id(event: &Value) -> Option<i64> {
    event.get("id").and_then(Value::as_i64)
}

fn brief(event: &Value) -> String {
    let text = event.to_string();
    text.chars().take(300).collect()
}

fn difference(case: &Case, found: &Value, recorded: &Value) -> Option<String> {
    let numbered = id(recorded).is_some();
    let keys = ["type", "id", "previousEventId"];
    // Since then AWS names the start of a map run, not its end, behind the run.
    let is_exit = recorded.get("type").and_then(Value::as_str) == Some("MapStateExited");
    let is_old = is_exit && &*case.day < "2024-11-01";
    for key in keys.into_iter().take(if !numbered { 1 } else { 3 - usize::from(is_old) }) {
        if found.get(key) != recorded.get(key) {
            return Some(format!(
                "{key} is not {} but {}: {}",
                recorded.get(key).unwrap_or(&Value::Null),
                found.get(key).unwrap_or(&Value::Null),
                brief(found)
            ));
        }
    }
    let details = |event: &Value| -> Value {
        let members = event.as_object().unwrap();
        let found = members.iter().find(|(key, _)| key.ends_with("EventDetails"));
        found.map_or(Value::Null, |(_, details)| details.clone())
    };
    let (found, recorded) = (details(found), details(recorded));
    let empty = |details: &Value| {
        details == &Value::Null || details.as_object().is_some_and(|details| details.is_empty())
    };
    if empty(&found) && empty(&recorded) {
        return None;
    }
    let mut place = String::new();
    if same(case, &found, &recorded, &mut place) {
        return None;
    }
    Some(format!("{place}: not {} but {}", brief(&recorded), brief(&found)))
}

/// Whether a value is the recorded one, up to placeholders.
pub fn same_value(case: &Case, found: &Value, recorded: &Value) -> bool {
    same(case, found, recorded, &mut String::new())
}

/// Whether a value is the recorded one, up to placeholders; where not, the place.
fn same(case: &Case, found: &Value, recorded: &Value, place: &mut String) -> bool {
    match (found, recorded) {
        (Value::Object(found), Value::Object(recorded)) => {
            let missing = recorded.keys().find(|key| !found.contains_key(*key));
            let extra = found.keys().find(|key| !recorded.contains_key(*key));
            if let Some(key) = missing.or(extra) {
                *place = format!("{place}/{key} is in one of them");
                return false;
            }
            recorded.iter().all(|(key, value)| {
                let before = place.len();
                place.push('/');
                place.push_str(key);
                let same = same(case, &found[key], value, place);
                if same {
                    place.truncate(before);
                }
                same
            })
        }
        (Value::Array(found), Value::Array(recorded)) => {
            found.len() == recorded.len()
                && found
                    .iter()
                    .zip(recorded.iter())
                    .all(|(found, recorded)| same(case, found, recorded, place))
        }
        (Value::String(found), Value::String(recorded)) => {
            found == recorded
                || fits(case, found, recorded)
                || parsed(found)
                    .zip(parsed(recorded))
                    .is_some_and(|(found, recorded)| same(case, &found, &recorded, place))
        }
        // Text that AWS sent as JSON may be shown parsed.
        (Value::String(text), recorded) => {
            parse(text).is_ok_and(|found| same(case, &found, recorded, place))
        }
        (found, Value::String(text)) => fits(case, &found.to_string(), text),
        (found, recorded) => found == recorded,
    }
}

fn parsed(text: &str) -> Option<Value> {
    if !text.starts_with(['{', '[']) {
        return None;
    }
    parse(text).ok()
}

/// Whether a text fits one with placeholders: `<name>`, and the words of the case.
fn fits(case: &Case, found: &str, recorded: &str) -> bool {
    if case.words.iter().any(|word| word == recorded) {
        return true;
    }
    let mut pattern = recorded.to_owned();
    for word in &case.words {
        if word.len() > 3 && !pattern.contains(&format!("<{word}")) {
            pattern = pattern.replace(word, "<w>");
        }
    }
    let mut parts = Vec::new();
    let mut rest = pattern.as_str();
    while let Some(start) = rest.find('<') {
        let Some(length) = rest[start..].find('>') else { break };
        parts.push(&rest[..start]);
        rest = &rest[start + length + 1..];
    }
    parts.push(rest);
    if parts.len() == 1 {
        return false;
    }
    let mut at = 0;
    for (index, part) in parts.iter().enumerate() {
        if index == 0 {
            if !found.starts_with(part) {
                return false;
            }
            at = part.len();
        } else if index + 1 == parts.len() {
            return found[at..].ends_with(part);
        } else {
            match found[at..].find(part) {
                Some(next) => at += next + part.len(),
                None => return false,
            }
        }
    }
    true
}
