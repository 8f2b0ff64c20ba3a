//! Events of a history, as GetWorkflowExecutionHistory tells them.

use serde_json::{Map, Value};

use crate::Millis;

/// One event.
#[derive(Debug, Clone, PartialEq)]
pub struct Event {
    /// Its number in the history, from one on.
    pub id: u64,
    /// Its type, such as `TimerFired`.
    pub kind: &'static str,
    /// When it happened.
    pub at: Millis,
    /// Its attributes.
    pub attributes: Map<String, Value>,
}

impl Event {
    /// The attributes of a JSON object without its members that are null.
    pub(crate) fn attributes_of(value: Value) -> Map<String, Value> {
        match value {
            Value::Object(members) => {
                members.into_iter().filter(|(_, value)| !value.is_null()).collect()
            }
            _ => Map::new(),
        }
    }

    /// The event as a JSON object, as it stands in answers.
    pub fn to_json(&self) -> Value {
        let mut object = Map::new();
        object.insert("eventTimestamp".to_owned(), seconds(self.at));
        object.insert("eventType".to_owned(), self.kind.into());
        object.insert("eventId".to_owned(), self.id.into());
        let mut name = self.kind[..1].to_ascii_lowercase();
        name.push_str(&self.kind[1..]);
        name.push_str("EventAttributes");
        object.insert(name, Value::Object(self.attributes.clone()));
        Value::Object(object)
    }
}

/// A time as the protocol writes it: seconds since 1970, with a fraction.
fn seconds(at: Millis) -> Value {
    (at as f64 / 1_000.0).into()
}
