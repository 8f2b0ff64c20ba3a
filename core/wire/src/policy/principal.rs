//! Whether a statement names the one who asks.

use serde_json::Value;

use super::{Question, each};

pub(super) fn fits(statement: &Value, question: &Question<'_>) -> bool {
    match (statement.get("Principal"), statement.get("NotPrincipal")) {
        (Some(named), _) => names(named, question),
        (None, Some(named)) => !names(named, question),
        (None, None) => false,
    }
}

// Services and federated users never call here, so only accounts and their users are looked at.
fn names(named: &Value, question: &Question<'_>) -> bool {
    match named {
        Value::String(all) => all == "*",
        Value::Object(kinds) => {
            each(kinds.get("AWS")).filter_map(Value::as_str).any(|name| is_named(name, question))
        }
        _ => false,
    }
}

fn is_named(name: &str, question: &Question<'_>) -> bool {
    // An account stands for everyone in it.
    let root = name.strip_prefix("arn:aws:iam::").and_then(|rest| rest.strip_suffix(":root"));
    name == "*" || root.unwrap_or(name) == question.account || name == question.principal
}
