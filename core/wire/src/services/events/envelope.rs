//! An entry of PutEvents as the event that the bus gets.
//!
//! The detail arrives as JSON text inside of JSON, and is checked.

use serde::de::IgnoredAny;
use trunkline_engine::EventFields;

use super::detail;
use super::input::Entry;
use crate::codec::time;
use crate::model::TimeFormat;

/// Why an entry is refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Refusal {
    pub code: &'static str,
    pub message: String,
}

/// An entry that was checked, without its detail.
#[derive(Debug)]
pub(super) struct Checked<'a> {
    source: &'a str,
    detail_type: &'a str,
    time: Option<String>,
    resources: Vec<&'a str>,
}

/// Checks an entry, and adds its detail to `detail`.
pub(super) fn check<'a>(
    entry: &'a Entry<'_>,
    detail: &mut Vec<u8>,
) -> Result<Checked<'a>, Refusal> {
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
    detail::write(text.as_bytes(), detail);
    let time = entry.time.map(|seconds| time::write(seconds.floor(), TimeFormat::Iso));
    let resources = entry.resources.iter().flatten().map(|name| &**name).collect();
    Ok(Checked { source, detail_type, time, resources })
}

impl<'a> Checked<'a> {
    /// The event with this detail. It comes from `account` and `region`.
    pub fn fields(
        &'a self,
        account: &'a str,
        region: &'a str,
        detail: &'a [u8],
    ) -> EventFields<'a> {
        EventFields {
            source: self.source,
            detail_type: self.detail_type,
            account,
            region,
            time: self.time.as_deref(),
            resources: &self.resources,
            detail,
        }
    }
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
        let mut detail = Vec::new();
        let entry: Entry<'_> = serde_json::from_str(entry).unwrap();
        let checked = check(&entry, &mut detail)?;
        let fields = checked.fields("111111111111", "us-east-1", &detail);
        let EventFields { source, detail_type, account, region, time, resources, .. } = fields;
        let detail = std::str::from_utf8(fields.detail).unwrap();
        let (time, names) = (time.unwrap_or("now"), resources.join(","));
        Ok([source, detail_type, account, region, time, &names, detail].join(" "))
    }

    #[test]
    fn an_entry_becomes_an_event_of_its_caller() {
        let entry = r#"{"Source":"s\"","DetailType":"t","Time":1700000000.9,"Resources":["a","b"],
            "Detail":"{ \"a\" : [ 1.0 , \"x \\\" y\" ] }"}"#;
        assert_eq!(
            event(entry).unwrap(),
            r#"s" t 111111111111 us-east-1 2023-11-14T22:13:20Z a,b {"a":[1.0,"x \" y"]}"#
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
