//! Who may use a queue, when signatures are proved: its own account unless its policy forbids it,
//! and another account only if its policy allows it.

use memchr::memmem;
use trunkline_engine::{Engine, Queue, ResourceName};

use super::{address, errors};
use crate::error::Result;
use crate::policy::{AuthorizationRequest, Decision, Policy};
use crate::service::Access;
use crate::value::Value;

impl Access {
    /// Raises `AccessDenied` if `account` may not carry out `operation` on `queue`.
    pub fn check(&self, account: &str, operation: &str, queue: &Queue) -> Result<()> {
        let name = queue.name();
        // A signature is for one region, and so are the keys that a policy looks at.
        let signed = self.keys.iter().find(|(key, _)| *key == "aws:RequestedRegion");
        if signed.is_some_and(|(_, region)| *region != *name.region) {
            return Err(errors::no_such_queue());
        }
        // A batch needs what each of its entries needs.
        let action = format!("sqs:{}", operation.strip_suffix("Batch").unwrap_or(operation));
        let resource = address::arn(name);
        let decision = policy_of(queue).map_or(Decision::Silent, |policy| {
            let principal = &self.principal;
            let (action, resource, keys) = (&action, &resource, &self.keys);
            let request = AuthorizationRequest { account, principal, action, resource, keys };
            Policy::read(&policy).evaluate(&request)
        });
        let why = match decision {
            Decision::Allowed => return Ok(()),
            Decision::Silent if *name.account == *account => return Ok(()),
            Decision::Silent => "because no resource-based policy allows the {action} action",
            Decision::Denied => "with an explicit deny in a resource-based policy",
        };
        let action = action.to_ascii_lowercase();
        let (why, who) = (why.replace("{action}", &action), &self.principal);
        let message = format!(
            "User: {who} is not authorized to perform: {action} on resource: {resource} {why}"
        );
        Err(errors::named("AccessDenied", message))
    }

    /// The same for an operation of the control plane on the queue `name`, if there is one.
    pub(super) fn check_target(
        &self,
        engine: &Engine,
        account: &str,
        operation: &str,
        input: &Value,
        name: &ResourceName,
    ) -> Result<()> {
        match engine.find_queue(name).map_err(errors::from_engine)? {
            // The way out of a policy that denies its owner everything.
            Some(queue) if *queue.name().account == *account && repairs(operation, input) => Ok(()),
            Some(queue) => self.check(account, operation, &queue),
            None => Ok(()),
        }
    }

    /// Raises `AccessDenied` if `account` may not do by itself what a move task of `source` does
    /// for it: receive and delete there, and send to the destination or, where none is named, to
    /// each queue that sends its dead letters to `source`.
    pub(super) fn check_move(
        &self,
        engine: &Engine,
        account: &str,
        source: &ResourceName,
        destination: Option<&ResourceName>,
    ) -> Result<()> {
        let find = |name| engine.find_queue(name).map_err(errors::from_engine);
        let Some(queue) = find(source)? else { return Ok(()) };
        for operation in ["ReceiveMessage", "DeleteMessage"] {
            self.check(account, operation, &queue)?;
        }
        let targets = match destination {
            Some(name) => find(name)?.into_iter().collect(),
            None => {
                let (account, region) = (Some(&*source.account), Some(&*source.region));
                let mut all = engine.queues(account, region, "").map_err(errors::from_engine)?;
                let dead_letters =
                    |queue: &Queue| queue.config().dead_letter.map(|dead| dead.queue);
                all.retain(|other| dead_letters(other) == Some(queue.id()));
                all
            }
        };
        targets.iter().try_for_each(|target| self.check(account, "SendMessage", target))
    }
}

// Whether an operation only replaces a policy or takes a statement from it. As on AWS, the owner of
// a queue may do that whatever the policy says.
fn repairs(operation: &str, input: &Value) -> bool {
    match (operation, input.get("Attributes")) {
        ("RemovePermission", _) => true,
        ("SetQueueAttributes", Some(Value::Map(attributes))) => {
            !attributes.is_empty() && attributes.iter().all(|(name, _)| name == "Policy")
        }
        _ => false,
    }
}

fn policy_of(queue: &Queue) -> Option<String> {
    policy_in(&queue.document())
}

/// The policy in the document of a queue.
pub(super) fn policy_in(document: &[u8]) -> Option<String> {
    // Most queues have none, and then nothing is parsed.
    memmem::find(document, b"\"Policy\"")?;
    let document: serde_json::Value = serde_json::from_slice(document).ok()?;
    let policy = document.get("sqs")?.get("Policy")?.as_str()?;
    (!policy.is_empty()).then(|| policy.to_owned())
}
