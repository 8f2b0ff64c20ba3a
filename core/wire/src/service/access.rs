//! Who calls, when signatures are proved, and what the policy of a resource lets that caller do.

use crate::policy::{AuthorizationRequest, Decision, Policy};

/// The caller of a request whose signature was proved, and what policies may look at.
#[derive(Debug, Clone)]
pub struct Access {
    /// The resource name of the caller.
    pub principal: String,
    /// The keys of conditions, with their values for this request.
    pub keys: Vec<(&'static str, String)>,
}

/// An operation on a resource that has a policy of its own.
#[derive(Debug)]
pub(crate) struct Guarded<'a> {
    /// The caller's account; empty for a service, which belongs to none.
    pub account: &'a str,
    /// The account that owns the resource.
    pub owner: &'a str,
    /// The action: `sqs:SendMessage`.
    pub action: &'a str,
    /// The resource, as an ARN.
    pub resource: &'a str,
    /// The text of its policy, if it has one.
    pub policy: Option<&'a str>,
    /// Whether the operation only replaces the policy or takes statements from it. The owner may
    /// always do that: otherwise there is no way out of a policy that denies its owner everything.
    pub repairs: bool,
}

impl Access {
    /// Whether the caller may carry out an operation: its own account may unless the policy forbids
    /// it, and another account only if the policy allows it. The error is the text of AWS's answer,
    /// which each service sends with a code of its own.
    pub(crate) fn permit(&self, guarded: &Guarded<'_>) -> Result<(), String> {
        let Guarded { account, owner, action, resource, policy, repairs } = *guarded;
        let (principal, keys) = (&self.principal, &self.keys);
        let decision = policy.map_or(Decision::Silent, |policy| {
            let request = AuthorizationRequest { account, principal, action, resource, keys };
            Policy::read(policy).evaluate(&request)
        });
        let is_own = owner == account;
        let why = match decision {
            Decision::Allowed => return Ok(()),
            Decision::Silent if is_own => return Ok(()),
            Decision::Denied if is_own && repairs => return Ok(()),
            Decision::Silent => {
                format!("because no resource-based policy allows the {action} action")
            }
            Decision::Denied => "with an explicit deny in a resource-based policy".to_owned(),
        };
        Err(format!(
            "User: {principal} is not authorized to perform: {action} on resource: {resource} {why}"
        ))
    }

    /// The same caller, with one more key that policies may look at.
    pub(crate) fn with_key(&self, key: &'static str, value: String) -> Self {
        let keys = self.keys.iter().cloned().chain([(key, value)]).collect();
        Self { principal: self.principal.clone(), keys }
    }
}

/// The policy that the document of a resource has at `path`: a text, or an object. An empty text is
/// none.
pub(crate) fn policy_in(document: &[u8], path: &[&str]) -> Option<String> {
    // Most resources have none, and then nothing is parsed.
    memchr::memmem::find(document, b"\"Policy\"")?;
    let document: serde_json::Value = serde_json::from_slice(document).ok()?;
    match path.iter().try_fold(&document, |value, name| value.get(name))? {
        serde_json::Value::String(text) => (!text.is_empty()).then(|| text.clone()),
        object @ serde_json::Value::Object(_) => Some(object.to_string()),
        _ => None,
    }
}
