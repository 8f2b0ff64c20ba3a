//! The input of both operations, and the names that need no further look.

use serde::Deserialize;

use crate::codec::text::Text;
use crate::limits::{STATES_NAME_CHARS_MAX, STATES_PAYLOAD_BYTES_MAX};
use crate::request_id;
use crate::service::Input;

/// What an execution runs on where the caller gives nothing.
const NO_INPUT: &str = "{}";

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Members<'a> {
    #[serde(borrow)]
    state_machine_arn: Option<Text<'a>>,
    #[serde(borrow)]
    name: Option<Text<'a>>,
    #[serde(borrow)]
    input: Option<Text<'a>>,
    #[serde(borrow)]
    trace_header: Option<Text<'a>>,
    #[serde(borrow)]
    included_data: Option<Text<'a>>,
}

/// An execution that is to start.
pub(super) struct Start<'a> {
    pub arn: Text<'a>,
    pub name: String,
    input: Option<Text<'a>>,
}

impl<'a> Start<'a> {
    /// Reads an input; `None` for one that is not plainly right.
    pub fn read(input: &Input<'a>) -> Option<Self> {
        let members: Members<'a> = input.read().ok()?;
        if members.trace_header.is_some() || members.included_data.is_some() {
            return None;
        }
        let name = match members.name {
            Some(name) => is_plain(&name).then(|| name.0.into_owned())?,
            None => request_id::next(),
        };
        let start = Self { arn: members.state_machine_arn?, name, input: members.input };
        (start.input().len() <= STATES_PAYLOAD_BYTES_MAX).then_some(start)
    }

    /// The JSON text that the execution gets.
    pub fn input(&self) -> &str {
        self.input.as_deref().unwrap_or(NO_INPUT)
    }
}

/// Whether AWS takes a name without a question: it has letters, digits, `-` and `_` alone.
fn is_plain(name: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
    (1..=STATES_NAME_CHARS_MAX).contains(&name.len()) && name.bytes().all(plain)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(body: &str) -> Option<(String, String, String)> {
        let start = Start::read(&Input::Json(body.as_bytes()))?;
        Some((start.arn.to_string(), start.name.clone(), start.input().to_owned()))
    }

    #[test]
    fn plain_inputs_are_read_and_others_are_left_to_the_control_plane() {
        let full = r#"{"stateMachineArn":"a","name":"one","input":"{\"x\":1}"}"#;
        assert_eq!(read(full), Some(("a".into(), "one".into(), r#"{"x":1}"#.into())));
        let (_, name, input) = read(r#"{"stateMachineArn":"a"}"#).unwrap();
        assert_eq!((name.len(), &*input), (36, "{}"));
        for odd in [
            "",
            "[]",
            r#"{"name":"one"}"#,
            r#"{"stateMachineArn":1}"#,
            r#"{"stateMachineArn":"a","name":""}"#,
            r#"{"stateMachineArn":"a","name":"a b"}"#,
            r#"{"stateMachineArn":"a","name":"é"}"#,
            r#"{"stateMachineArn":"a","traceHeader":"x"}"#,
            r#"{"stateMachineArn":"a","includedData":"ALL_DATA"}"#,
        ] {
            assert_eq!(read(odd), None, "{odd}");
        }
        let long = "n".repeat(STATES_NAME_CHARS_MAX + 1);
        assert_eq!(read(&format!(r#"{{"stateMachineArn":"a","name":"{long}"}}"#)), None);
        let large = "1".repeat(STATES_PAYLOAD_BYTES_MAX + 1);
        assert_eq!(read(&format!(r#"{{"stateMachineArn":"a","input":"{large}"}}"#)), None);
    }
}
