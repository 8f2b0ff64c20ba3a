//! Who may use a queue, when signatures are proved: its own account unless its policy forbids it,
//! and another account only if its policy allows it.

use trunkline_engine::{Engine, Queue, ResourceName};

use super::{address, errors};
use crate::error::Result;
use crate::service::{Access, Guarded, policy_in};
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
        let policy = queue_policy(&queue.document());
        let guarded = Guarded {
            account,
            owner: &name.account,
            action: &action,
            resource: &resource,
            policy: policy.as_deref(),
            // Repairs are told apart by their input; see `check_target`.
            repairs: false,
        };
        // SQS tells actions in lower case.
        let word = |why: String| why.replace(&action, &action.to_ascii_lowercase());
        self.permit(&guarded).map_err(|why| errors::named("AccessDenied", word(why)))
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

/// The policy in the document of a queue.
pub(super) fn queue_policy(document: &[u8]) -> Option<String> {
    policy_in(document, &["sqs", "Policy"])
}
