//! JSON with spaces behind commas and colons, and ASCII alone: the form in which the control plane
//! writes outputs of services, so that an answer does not depend on who made it; and what it writes
//! of bodies, without the spaces.

use trunkline_engine::states;

use crate::value::Value;

/// Appends a value.
pub(super) fn write(value: &Value, out: &mut String) {
    match value {
        Value::Null => out.push_str("null"),
        Value::Bool(flag) => out.push_str(if *flag { "true" } else { "false" }),
        Value::Int(number) => out.push_str(&number.to_string()),
        // The shortest text that reads back as the same number, with a point.
        Value::Float(number) | Value::Time(number) => out.push_str(&format!("{number:?}")),
        Value::Text(text) => write_text(text, out),
        Value::Blob(bytes) => {
            out.push('"');
            out.push_str(&base64_simd::STANDARD.encode_to_string(bytes));
            out.push('"');
        }
        Value::List(items) => {
            out.push('[');
            for (place, item) in items.iter().enumerate() {
                out.push_str(if place == 0 { "" } else { ", " });
                write(item, out);
            }
            out.push(']');
        }
        Value::Map(members) => {
            out.push('{');
            for (place, (name, member)) in members.iter().enumerate() {
                out.push_str(if place == 0 { "" } else { ", " });
                write_text(name, out);
                out.push_str(": ");
                write(member, out);
            }
            out.push('}');
        }
    }
}

/// Appends a part of a document without spaces. `None` for one with fractions, which the control
/// plane writes in its own way.
pub(super) fn write_compact(value: &states::Value, out: &mut String) -> Option<()> {
    match value {
        states::Value::Number(states::Number::Float(_)) => return None,
        states::Value::Null | states::Value::Bool(_) | states::Value::Number(_) => value.write(out),
        states::Value::String(text) => write_text(text, out),
        states::Value::Array(items) => {
            out.push('[');
            for (place, item) in items.iter().enumerate() {
                out.push_str(if place == 0 { "" } else { "," });
                write_compact(item, out)?;
            }
            out.push(']');
        }
        states::Value::Object(members) => {
            out.push('{');
            for (place, (name, member)) in members.iter().enumerate() {
                out.push_str(if place == 0 { "" } else { "," });
                write_text(name, out);
                out.push(':');
                write_compact(member, out)?;
            }
            out.push('}');
        }
    }
    Some(())
}

fn write_text(text: &str, out: &mut String) {
    out.push('"');
    for letter in text.chars() {
        match letter {
            '"' | '\\' => out.extend(['\\', letter]),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '\u{8}' => out.push_str("\\b"),
            '\u{c}' => out.push_str("\\f"),
            ' '..='~' | '\u{7f}' => out.push(letter),
            _ => {
                let mut units = [0_u16; 2];
                for unit in letter.encode_utf16(&mut units) {
                    out.push_str(&format!("\\u{unit:04x}"));
                }
            }
        }
    }
    out.push('"');
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_written_as_the_control_plane_writes_them() {
        let value = Value::structure([
            ("a", Value::from("x\"é\n")),
            ("b", Value::List(vec![Value::Int(1), Value::Bool(true)])),
            ("c", Value::Time(1_700_000_000.5)),
            ("d", Value::Time(1_700_000_000.0)),
            ("e", Value::Map(Vec::new())),
        ]);
        let mut out = String::new();
        write(&value, &mut out);
        let wanted = concat!(
            r#"{"a": "x\"\u00e9\n", "b": [1, true], "#,
            r#""c": 1700000000.5, "d": 1700000000.0, "e": {}}"#
        );
        assert_eq!(out, wanted);
    }

    #[test]
    fn parts_of_bodies_are_written_without_spaces_unless_they_have_fractions() {
        let compact = |text: &str| {
            let mut out = String::new();
            write_compact(&states::parse(text).unwrap(), &mut out).map(|()| out)
        };
        let wanted = r#"{"a":[1,"\u00e9",null],"b":{}}"#;
        assert_eq!(compact(r#"{ "a": [1, "é", null], "b": {} }"#).as_deref(), Some(wanted));
        assert_eq!(compact("[1, 2.5]"), None);
    }
}
