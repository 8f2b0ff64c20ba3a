//! Lifecycle rules: what of them is expiry, as the engine takes it. What is not built is refused by
//! its name.

use trunkline_engine::{ExpiryRule, Pairs};

use super::context::Context;
use super::errors;
use crate::error::Result;
use crate::value::Value;

const RULES_MAX: usize = 1_000;

/// The rules of the input.
pub(super) fn rules(context: &Context) -> Result<Vec<ExpiryRule>> {
    let asked = context.input.get("LifecycleConfiguration").and_then(|asked| asked.get("Rules"));
    let Some(Value::List(rules)) = asked else { return Err(errors::malformed_xml()) };
    if rules.is_empty() || rules.len() > RULES_MAX {
        return Err(errors::malformed_xml());
    }
    let read: Result<Vec<Option<ExpiryRule>>> = rules.iter().map(rule).collect();
    Ok(read?.into_iter().flatten().collect())
}

/// A rule; `None` if it is disabled.
fn rule(rule: &Value) -> Result<Option<ExpiryRule>> {
    for member in ["Transitions", "NoncurrentVersionTransitions"] {
        if matches!(rule.get(member), Some(Value::List(items)) if !items.is_empty()) {
            return Err(errors::not_implemented(member));
        }
    }
    let is_enabled = match rule.get("Status").and_then(Value::as_str) {
        Some("Enabled") => true,
        Some("Disabled") => false,
        _ => return Err(errors::malformed_xml()),
    };
    let mut made = ExpiryRule {
        id: rule.get("ID").and_then(Value::as_str).unwrap_or("").to_owned(),
        prefix: rule.get("Prefix").and_then(Value::as_str).unwrap_or("").to_owned(),
        ..ExpiryRule::default()
    };
    if let Some(filter) = rule.get("Filter") {
        read_filter(filter, &mut made);
        if let Some(and) = filter.get("And") {
            read_filter(and, &mut made);
        }
    }
    if let Some(expiration) = rule.get("Expiration") {
        made.days = days(expiration, "Days")?;
        made.date = match expiration.get("Date") {
            Some(Value::Time(seconds)) => Some((seconds * 1_000.0) as u64),
            _ => None,
        };
        let marker = expiration.get("ExpiredObjectDeleteMarker");
        made.removes_lone_markers = matches!(marker, Some(Value::Bool(true)));
    }
    if let Some(noncurrent) = rule.get("NoncurrentVersionExpiration") {
        made.noncurrent_days = days(noncurrent, "NoncurrentDays")?;
        made.noncurrent_kept = days(noncurrent, "NewerNoncurrentVersions")?;
    }
    if let Some(uploads) = rule.get("AbortIncompleteMultipartUpload") {
        made.upload_days = days(uploads, "DaysAfterInitiation")?;
    }
    let acts = made.days.is_some()
        || made.date.is_some()
        || made.removes_lone_markers
        || made.noncurrent_days.is_some()
        || made.upload_days.is_some();
    if !acts {
        let message = "At least one action needs to be specified in a rule.";
        return Err(errors::invalid_request(message));
    }
    Ok(is_enabled.then_some(made))
}

fn days(value: &Value, member: &str) -> Result<Option<u64>> {
    let Some(number) = value.get(member).and_then(Value::as_int) else { return Ok(None) };
    let days = u64::try_from(number).ok().filter(|days| (1..=36_500).contains(days));
    days.map(Some).ok_or_else(|| {
        let message = format!("'{member}' for an action must be a positive integer");
        errors::error("InvalidArgument", 400, message)
    })
}

fn read_filter(filter: &Value, rule: &mut ExpiryRule) {
    if let Some(prefix) = filter.get("Prefix").and_then(Value::as_str) {
        prefix.clone_into(&mut rule.prefix);
    }
    let size = |name: &str| {
        filter.get(name).and_then(Value::as_int).and_then(|size| u64::try_from(size).ok())
    };
    rule.larger_than = size("ObjectSizeGreaterThan").or(rule.larger_than);
    rule.smaller_than = size("ObjectSizeLessThan").or(rule.smaller_than);
    let mut tags = Pairs::new();
    let mut add = |tag: &Value| {
        let text = |name: &str| tag.get(name).and_then(Value::as_str).map(str::to_owned);
        if let (Some(key), Some(value)) = (text("Key"), text("Value")) {
            tags.push((key, value));
        }
    };
    if let Some(tag) = filter.get("Tag") {
        add(tag);
    }
    if let Some(Value::List(items)) = filter.get("Tags") {
        items.iter().for_each(add);
    }
    rule.tags.extend(tags);
}
