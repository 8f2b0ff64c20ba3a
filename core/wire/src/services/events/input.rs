//! The input of PutEvents, and what every request must satisfy before any entry is looked at.

use std::fmt::Write;

use serde::Deserialize;
use trunkline_types::Limits;

use super::errors::invalid;
use super::target;
use crate::codec::text::Text;
use crate::codec::time;
use crate::error::Result;
use crate::limits::{QUOTE_CHARS_MAX, TRACE_HEADER_CHARS_MAX};
use crate::model::TimeFormat;

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct PutEventsInput<'a> {
    #[serde(borrow)]
    pub endpoint_id: Option<Text<'a>>,
    #[serde(borrow)]
    pub entries: Option<Vec<Entry<'a>>>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Entry<'a> {
    /// Seconds since the epoch.
    pub time: Option<f64>,
    #[serde(borrow)]
    pub source: Option<Text<'a>>,
    #[serde(borrow)]
    pub resources: Option<Vec<Text<'a>>>,
    #[serde(borrow)]
    pub detail_type: Option<Text<'a>>,
    #[serde(borrow)]
    pub detail: Option<Text<'a>>,
    #[serde(borrow)]
    pub event_bus_name: Option<Text<'a>>,
    #[serde(borrow)]
    pub trace_header: Option<Text<'a>>,
}

impl Entry<'_> {
    /// The size as EventBridge counts it.
    fn size(&self) -> usize {
        /// What a time counts for.
        const TIME: usize = 14;
        let text = |text: &Option<Text<'_>>| text.as_deref().map_or(0, str::len);
        let resources: usize = self.resources.iter().flatten().map(|name| name.len()).sum();
        let time = if self.time.is_some() { TIME } else { 0 };
        time + text(&self.source) + text(&self.detail_type) + text(&self.detail) + resources
    }

    /// The entry as AWS quotes it in a message.
    fn quote(&self, out: &mut String) {
        let text = |text: &Option<Text<'_>>| text.as_deref().unwrap_or("null").to_owned();
        let resources = self.resources.as_ref();
        let resources = resources.map(|names| {
            let names: Vec<&str> = names.iter().map(|name| &**name).collect();
            format!("[{}]", names.join(", "))
        });
        let time = self.time.map(|time| time::write(time, TimeFormat::Iso));
        // Writing to memory cannot fail.
        let _ = write!(
            out,
            "PutEventsRequestEntry(time={}, source={}, resources={}, detailType={}, detail={}, \
             eventBusName={}, traceHeader={}, kmsKeyIdentifier=null, internalMetadata=null)",
            time.as_deref().unwrap_or("null"),
            text(&self.source),
            resources.as_deref().unwrap_or("null"),
            text(&self.detail_type),
            text(&self.detail),
            text(&self.event_bus_name),
            text(&self.trace_header),
        );
    }
}

/// Checks the number of entries, their texts that have a form, and their size together.
pub(super) fn check(entries: Option<&Vec<Entry<'_>>>, limits: &Limits) -> Result<()> {
    let Some(entries) = entries else {
        return Err(violations(&["Value null at 'entries' failed to satisfy constraint: Member \
                                 must not be null"
            .to_owned()]));
    };
    let mut found = Vec::new();
    let most = limits.batch_entries_max as usize;
    if entries.is_empty() {
        found.push(
            "Value '[]' at 'entries' failed to satisfy constraint: Member must have length \
             greater than or equal to 1"
                .to_owned(),
        );
    }
    if entries.len() > most {
        let mut quoted = String::new();
        for entry in entries {
            quoted.push_str(if quoted.is_empty() { "" } else { ", " });
            entry.quote(&mut quoted);
        }
        found.push(format!(
            "Value '[{quoted}]' at 'entries' failed to satisfy constraint: Member must have \
             length less than or equal to {most}"
        ));
    }
    for (place, entry) in entries.iter().enumerate() {
        check_texts(place + 1, entry, &mut found);
    }
    if !found.is_empty() {
        return Err(violations(&found));
    }
    let size: usize = entries.iter().map(Entry::size).sum();
    if size > limits.put_events_bytes_max as usize {
        return Err(invalid("Total size of the entries in the request is over the limit."));
    }
    Ok(())
}

fn check_texts(place: usize, entry: &Entry<'_>, found: &mut Vec<String>) {
    let mut report = |member: &str, value: &str, constraint: &str| {
        let value: String = value.chars().take(QUOTE_CHARS_MAX).collect();
        found.push(format!(
            "Value '{value}' at 'entries.{place}.member.{member}' failed to satisfy constraint: \
             {constraint}"
        ));
    };
    if let Some(name) = &entry.event_bus_name {
        if name.is_empty() {
            let text = "Member must have length greater than or equal to 1";
            report("eventBusName", name, text);
        } else if !target::is_name_or_arn(name) {
            let text = format!(
                "Member must satisfy regular expression pattern: {}",
                target::NAME_OR_ARN_PATTERN
            );
            report("eventBusName", name, &text);
        }
    }
    match entry.trace_header.as_deref() {
        Some("") => {
            report("traceHeader", "", "Member must have length greater than or equal to 1");
        }
        Some(trace) if trace.chars().count() > TRACE_HEADER_CHARS_MAX => {
            let text =
                format!("Member must have length less than or equal to {TRACE_HEADER_CHARS_MAX}");
            report("traceHeader", trace, &text);
        }
        _ => {}
    }
}

fn violations(found: &[String]) -> crate::error::WireError {
    let plural = if found.len() == 1 { "error" } else { "errors" };
    invalid(format!("{} validation {plural} detected: {}", found.len(), found.join("; ")))
}
