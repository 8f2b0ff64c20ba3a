//! What is kept with a queue beside the engine's rules: a JSON object that every surface shares.
//! This surface reads who may use a queue for dead letters, and changes nothing.

use serde_json::Value;
use trunkline_engine::{Queue, Result};

use crate::check::invalid;

/// Refuses `target` as the dead-letter queue of `source` unless its owner permits that.
pub(crate) fn check_redrive_allowed(target: &Queue, source: &str) -> Result<()> {
    if permits(&target.document(), source) {
        return Ok(());
    }
    let name = &target.name().name;
    let reason = format!(
        "Its redrive_allow does not permit {source} as a source; change redrive_allow of {name} \
         first."
    );
    Err(invalid(name, "dead_letter", &reason))
}

fn permits(document: &[u8], source: &str) -> bool {
    if document.is_empty() {
        return true;
    }
    // A document that cannot be read may forbid it, so it does.
    let Ok(document) = serde_json::from_slice::<Value>(document) else { return false };
    match document.get("redrive_allow") {
        None | Some(Value::Null) => true,
        Some(Value::Array(names)) => names.iter().any(|name| name.as_str() == Some(source)),
        Some(_) => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_document_that_forbids_a_source_stands_in_its_way() {
        let permits = |document: &str| permits(document.as_bytes(), "orders");
        assert!(permits("") && permits("{}") && permits(r#"{"tags":{}}"#));
        assert!(permits(r#"{"redrive_allow":["mail","orders"]}"#));
        assert!(!permits(r#"{"redrive_allow":["mail"]}"#));
        assert!(!permits(r#"{"redrive_allow":"none"}"#));
        assert!(!permits("not json"));
    }
}
