//! Values of a policy that may stand alone or in a list.

use serde_json::Value;

/// One value, or each of a list: IAM allows both nearly everywhere.
pub(super) fn each(value: Option<&Value>) -> impl Iterator<Item = &Value> {
    let (one, many) = match value {
        Some(Value::Array(items)) => (None, items.as_slice()),
        other => (other, &[][..]),
    };
    one.into_iter().chain(many)
}

/// One text, or a list of at least one; `None` for anything else.
pub(super) fn texts(value: &Value) -> Option<Vec<&str>> {
    let texts: Option<Vec<&str>> = each(Some(value)).map(Value::as_str).collect();
    texts.filter(|texts| !texts.is_empty())
}
