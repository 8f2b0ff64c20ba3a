//! An event as JSON text, without a value in between: a history is written more often than read.

use super::{Details, Event};

impl Event {
    /// The text of [`Event::to_value`].
    pub fn to_text(&self, data: bool) -> String {
        let mut out = String::new();
        match &self.details {
            // By far the most events are these.
            Details::StateEntered { name, input, .. } if data => {
                out.reserve(input.quoted().len() + 256);
                self.head(&mut out, "stateEnteredEventDetails");
                crate::value::write_string(name, &mut out);
                out.push_str(",\"input\":");
                out.push_str(input.quoted());
                out.push_str(",\"inputDetails\":{\"truncated\":false}}}");
            }
            Details::StateExited { name, output, assigned, .. } if data && assigned.is_empty() => {
                out.reserve(output.quoted().len() + 256);
                self.head(&mut out, "stateExitedEventDetails");
                crate::value::write_string(name, &mut out);
                out.push_str(",\"output\":");
                out.push_str(output.quoted());
                out.push_str(",\"outputDetails\":{\"truncated\":false}}}");
            }
            _ => self.to_value(data).write(&mut out),
        }
        out
    }

    /// What comes before the name of a state.
    fn head(&self, out: &mut String, details: &str) {
        use crate::value::Number;
        out.push_str("{\"timestamp\":");
        Number::Float(self.at_ms as f64 / 1_000.0).write(out);
        out.push_str(",\"type\":\"");
        out.push_str(self.kind());
        out.push_str("\",\"id\":");
        Number::Int(self.id as i64).write(out);
        out.push_str(",\"previousEventId\":");
        Number::Int(self.previous_id as i64).write(out);
        out.push_str(",\"");
        out.push_str(details);
        out.push_str("\":{\"name\":");
    }
}
