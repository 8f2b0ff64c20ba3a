//! An entry of PutEvents as the event that the bus gets.
//!
//! The detail arrives as JSON text inside of JSON, and is checked.

use serde::de::IgnoredAny;

use super::detail;
use super::input::Entry;
use crate::codec::json::write_text;
use crate::codec::time;
use crate::model::TimeFormat;

/// Why an entry is refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Refusal {
    pub code: &'static str,
    pub message: String,
}

/// Writes the event of `entry` into `out`. It comes from `account` and `region`.
pub(super) fn write(
    entry: &Entry<'_>,
    account: &str,
    region: &str,
    out: &mut Vec<u8>,
) -> Result<(), Refusal> {
    let source = required(entry.source.as_deref(), "Source")?;
    let detail_type = required(entry.detail_type.as_deref(), "DetailType")?;
    let text = required(entry.detail.as_deref(), "Detail")?;
    if source.starts_with("aws.") {
        return Err(Refusal {
            code: "NotAuthorizedForSourceException",
            message: "Not authorized for the source.".to_owned(),
        });
    }
    let is_object = text.trim_ascii_start().starts_with('{');
    if !is_object || serde_json::from_str::<IgnoredAny>(text).is_err() {
        let message = "Detail is malformed.".to_owned();
        return Err(Refusal { code: "MalformedDetail", message });
    }
    out.extend_from_slice(b"{\"detail-type\":");
    write_text(detail_type, out);
    out.extend_from_slice(b",\"source\":");
    write_text(source, out);
    out.extend_from_slice(b",\"account\":");
    write_text(account, out);
    if let Some(seconds) = entry.time {
        out.extend_from_slice(b",\"time\":");
        write_text(&time::write(seconds.floor(), TimeFormat::Iso), out);
    }
    out.extend_from_slice(b",\"region\":");
    write_text(region, out);
    out.extend_from_slice(b",\"resources\":[");
    for (place, name) in entry.resources.iter().flatten().enumerate() {
        if place > 0 {
            out.push(b',');
        }
        write_text(name, out);
    }
    out.extend_from_slice(b"],\"detail\":");
    detail::write(text.as_bytes(), out);
    out.push(b'}');
    Ok(())
}

fn required<'a>(text: Option<&'a str>, member: &str) -> Result<&'a str, Refusal> {
    text.filter(|text| !text.is_empty()).ok_or_else(|| Refusal {
        code: "InvalidArgument",
        message: format!(
            "Parameter {member} is not valid. Reason: {member} is a required argument."
        ),
    })
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn event(entry: &str) -> Result<String, Refusal> {
        let mut out = Vec::new();
        let entry: Entry<'_> = serde_json::from_str(entry).unwrap();
        write(&entry, "111111111111", "us-east-1", &mut out)?;
        Ok(String::from_utf8(out).unwrap())
    }

    #[test]
    fn an_entry_becomes_an_event_of_its_caller() {
        let entry = r#"{"Source":"s\"","DetailType":"t","Time":1700000000.9,"Resources":["a","b"],
            "Detail":"{ \"a\" : [ 1.0 , \"x \\\" y\" ] }"}"#;
        assert_eq!(
            event(entry).unwrap(),
            concat!(
                r#"{"detail-type":"t","source":"s\"","account":"111111111111","#,
                r#""time":"2023-11-14T22:13:20Z","region":"us-east-1","resources":["a","b"],"#,
                r#""detail":{"a":[1.0,"x \" y"]}}"#
            )
        );
    }

    #[test]
    fn an_entry_is_refused_for_the_first_thing_that_is_wrong() {
        let cases = [
            (r#"{"Detail":"x"}"#, "InvalidArgument", "Source"),
            (r#"{"Source":"","Detail":"x"}"#, "InvalidArgument", "Source"),
            (r#"{"Source":"s","Detail":"x"}"#, "InvalidArgument", "DetailType"),
            (r#"{"Source":"s","DetailType":"t"}"#, "InvalidArgument", "Detail"),
            (r#"{"Source":"s","DetailType":"t","Detail":"[1]"}"#, "MalformedDetail", "Detail"),
            (r#"{"Source":"s","DetailType":"t","Detail":"{{}"}"#, "MalformedDetail", "Detail"),
            (r#"{"Source":"s","DetailType":"t","Detail":"{} {}"}"#, "MalformedDetail", "Detail"),
            (
                r#"{"Source":"aws.s3","DetailType":"t","Detail":"{}"}"#,
                "NotAuthorizedForSourceException",
                "source",
            ),
        ];
        for (entry, code, part) in cases {
            let refusal = event(entry).unwrap_err();
            assert_eq!(refusal.code, code, "{entry}");
            assert!(refusal.message.contains(part), "{entry}: {}", refusal.message);
        }
    }
}
