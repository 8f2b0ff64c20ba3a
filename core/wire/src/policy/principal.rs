//! Whom a statement is about.

use serde_json::{Map, Value};

use super::AuthorizationRequest;
use super::values::texts;

const KINDS: [&str; 4] = ["AWS", "Service", "Federated", "CanonicalUser"];

/// The principals that a statement lists, or all others.
#[derive(Debug)]
pub(super) struct Principals {
    named: Named,
    is_negated: bool,
}

#[derive(Debug)]
enum Named {
    Everyone,
    /// Accounts and their users, and services. Federated users never call here.
    Only(Vec<String>),
}

impl Principals {
    pub fn read(statement: &Map<String, Value>) -> Result<Self, String> {
        let (value, is_negated) = match (statement.get("Principal"), statement.get("NotPrincipal"))
        {
            (Some(value), None) => (value, false),
            (None, Some(value)) => (value, true),
            (None, None) => return Err("Principal is missing.".to_owned()),
            (Some(_), Some(_)) => {
                return Err("Principal and NotPrincipal exclude each other.".to_owned());
            }
        };
        Named::read(value).map(|named| Self { named, is_negated })
    }

    /// Whether the principal of `request` is among them.
    pub fn include(&self, request: &AuthorizationRequest<'_>) -> bool {
        let is_named = match &self.named {
            Named::Everyone => true,
            Named::Only(names) => names.iter().any(|name| is_named(name, request)),
        };
        is_named != self.is_negated
    }
}

impl Named {
    fn read(value: &Value) -> Result<Self, String> {
        let kinds = match value {
            Value::String(all) if all == "*" => return Ok(Self::Everyone),
            Value::Object(kinds) if !kinds.is_empty() => kinds,
            _ => return Err("Principal must be '*' or an object like {\"AWS\": ...}.".to_owned()),
        };
        let mut accounts = Vec::new();
        for (kind, names) in kinds {
            if !KINDS.contains(&kind.as_str()) {
                return Err(format!("'{kind}' is no kind of principal."));
            }
            let names =
                texts(names).ok_or_else(|| format!("Principal {kind} must be text or a list."))?;
            if kind == "Service" {
                // Anything else, `*` above all, must not be taken for an account.
                let services = names.into_iter().filter(|name| name.ends_with(".amazonaws.com"));
                accounts.extend(services.map(str::to_owned));
                continue;
            }
            if kind != "AWS" {
                continue;
            }
            for name in names {
                if !is_principal(name) {
                    return Err(format!(
                        "'{name}' is no account, no ARN and no id of a principal."
                    ));
                }
                accounts.push(name.to_owned());
            }
        }
        Ok(match accounts.iter().any(|name| name == "*") {
            true => Self::Everyone,
            false => Self::Only(accounts),
        })
    }
}

// An account, an ARN of IAM or STS in any partition, or the unique id of a user or a role.
fn is_principal(name: &str) -> bool {
    if let Some(rest) = name.strip_prefix("arn:aws") {
        let mut parts = rest.splitn(5, ':');
        let partition = parts.next().is_some_and(|p| p.is_empty() || p.starts_with('-'));
        let service = parts.next().is_some_and(|service| matches!(service, "iam" | "sts"));
        let region = parts.next() == Some("");
        let account = parts.next().is_some_and(|account| account == "*" || is_account(account));
        return partition && service && region && account && parts.next().is_some();
    }
    let is_id = name.len() >= 16
        && name.starts_with('A')
        && name.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit());
    name == "*" || is_account(name) || is_id
}

fn is_account(text: &str) -> bool {
    text.len() == 12 && text.bytes().all(|b| b.is_ascii_digit())
}

fn is_named(name: &str, request: &AuthorizationRequest<'_>) -> bool {
    // An account stands for everyone in it.
    let account = name.strip_suffix(":root").and_then(|arn| arn.rsplit_once("::"));
    let account = account.map_or(name, |(_, account)| account);
    account == request.account || name == request.principal
}
