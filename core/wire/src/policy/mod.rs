//! Resource policies: whether the statements of a queue (or a topic, or a key) let somebody do
//! something. Pure: a document and a question in, a verdict out.

mod condition;
mod pattern;
mod principal;

use serde_json::Value;

/// What is asked.
#[derive(Debug, Clone, Copy)]
pub struct Question<'a> {
    /// The account that asks.
    pub account: &'a str,
    /// Who asks, as a resource name.
    pub principal: &'a str,
    /// What is to be done: `sqs:SendMessage`.
    pub action: &'a str,
    /// What it is to be done with, as a resource name.
    pub resource: &'a str,
    /// What conditions may look at: `aws:SecureTransport` and the like.
    pub keys: &'a [(&'static str, String)],
}

/// What a policy says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// A statement forbids it; no other statement counts.
    Denied,
    /// A statement allows it, and none forbids it.
    Allowed,
    /// No statement is about it.
    Silent,
}

/// The verdict of `policy`. One that cannot be read forbids everything: it was meant to forbid
/// something.
pub fn judge(policy: &str, question: &Question<'_>) -> Verdict {
    let Ok(Value::Object(policy)) = serde_json::from_str(policy) else { return Verdict::Denied };
    let mut verdict = Verdict::Silent;
    for statement in each(policy.get("Statement")) {
        let denies = statement.get("Effect").and_then(Value::as_str) != Some("Allow");
        if !is_about(statement, question) {
            continue;
        }
        // A condition that is not understood lets a prohibition stand and a permission fall.
        if !condition::hold(statement.get("Condition"), question.keys).unwrap_or(denies) {
            continue;
        }
        if denies {
            return Verdict::Denied;
        }
        verdict = Verdict::Allowed;
    }
    verdict
}

fn is_about(statement: &Value, question: &Question<'_>) -> bool {
    let action = |name: &str| pattern::fits_without_case(name, question.action);
    let resource = |name: &str| pattern::fits(name, question.resource);
    listed(statement, ["Action", "NotAction"], &action)
        && listed(statement, ["Resource", "NotResource"], &resource)
        && principal::fits(statement, question)
}

// Whether the first field lists what is asked for, or the second does not. In a resource's policy
// the resource may be left out: it is the one that the policy belongs to.
fn listed(statement: &Value, fields: [&str; 2], fits: &dyn Fn(&str) -> bool) -> bool {
    let any = |field: &Value| each(Some(field)).filter_map(Value::as_str).any(fits);
    match (statement.get(fields[0]), statement.get(fields[1])) {
        (Some(field), _) => any(field),
        (None, Some(field)) => !any(field),
        (None, None) => fields[0] == "Resource",
    }
}

/// One value, or each of a list: IAM allows both nearly everywhere.
fn each(value: Option<&Value>) -> impl Iterator<Item = &Value> {
    let (one, many) = match value {
        Some(Value::Array(items)) => (None, items.as_slice()),
        other => (other, &[][..]),
    };
    one.into_iter().chain(many)
}

#[cfg(test)]
mod tests {
    use super::*;

    const ROOT: &str = "arn:aws:iam::111122223333:root";
    const QUEUE: &str = "arn:aws:sqs:us-east-1:000000000000:q";

    fn judged(policy: &str, action: &str) -> Verdict {
        let keys = [("aws:SecureTransport", "true".to_owned())];
        let account = "111122223333";
        let question = Question { account, principal: ROOT, action, resource: QUEUE, keys: &keys };
        judge(policy, &question)
    }

    #[test]
    fn a_statement_allows_what_it_lists_to_whom_it_names() {
        for principal in ["\"*\"", r#"{"AWS":"*"}"#, r#"{"AWS":["9","111122223333"]}"#] {
            let policy = format!(
                r#"{{"Statement":{{"Effect":"Allow","Principal":{principal},
                "Action":["SQS:Send*"],"Resource":"arn:aws:sqs:*:000000000000:q"}}}}"#
            );
            assert_eq!(judged(&policy, "sqs:SendMessage"), Verdict::Allowed, "{principal}");
            assert_eq!(judged(&policy, "sqs:ReceiveMessage"), Verdict::Silent);
        }
    }

    #[test]
    fn a_prohibition_wins_wherever_it_stands() {
        let policy = r#"{"Statement":[
            {"Effect":"Deny","Principal":"*","Action":"sqs:PurgeQueue"},
            {"Effect":"Allow","Principal":"*","Action":"sqs:*"}]}"#;
        assert_eq!(judged(policy, "sqs:PurgeQueue"), Verdict::Denied);
        assert_eq!(judged(policy, "sqs:SendMessage"), Verdict::Allowed);
    }

    #[test]
    fn the_negated_fields_take_everything_else() {
        let policy = r#"{"Statement":{"Effect":"Allow","NotPrincipal":{"AWS":"999999999999"},
            "NotAction":"sqs:Delete*","NotResource":"arn:aws:sqs:us-east-1:000000000000:other"}}"#;
        assert_eq!(judged(policy, "sqs:SendMessage"), Verdict::Allowed);
        assert_eq!(judged(policy, "sqs:DeleteMessage"), Verdict::Silent);
    }

    #[test]
    fn what_is_not_understood_forbids_and_never_allows() {
        assert_eq!(judged("nonsense", "sqs:SendMessage"), Verdict::Denied);
        let with = |effect: &str| {
            format!(
                r#"{{"Statement":{{"Effect":"{effect}","Principal":"*","Action":"*",
                "Condition":{{"Moonlight":{{"aws:SecureTransport":"true"}}}}}}}}"#
            )
        };
        assert_eq!(judged(&with("Allow"), "sqs:SendMessage"), Verdict::Silent);
        assert_eq!(judged(&with("Deny"), "sqs:SendMessage"), Verdict::Denied);
    }
}
