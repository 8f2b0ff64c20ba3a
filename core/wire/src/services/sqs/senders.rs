//! Which topics and rules may send to a queue, when signatures are proved: those that its policy
//! allows. As on AWS, a service has no rights of its own, not even in the account of the queue.

use trunkline_engine::{Authorizer, Clock, DeliverySource, Grant, ResourceName};

use super::access::queue_policy;
use super::address;
use crate::codec::time;
use crate::model::TimeFormat;
use crate::policy::{AuthorizationRequest, Decision, Policy};

/// Asks the policies of queues.
#[derive(Debug)]
pub struct QueuePolicies {
    // Policies speak of the time of the world, whatever the engine's clock says.
    wall: Clock,
}

impl Default for QueuePolicies {
    fn default() -> Self {
        Self { wall: Clock::system() }
    }
}

impl Authorizer for QueuePolicies {
    fn grant(&self, queue: &ResourceName, document: &[u8], source: &DeliverySource<'_>) -> Grant {
        match queue_policy(document) {
            Some(policy) => {
                let now = (self.wall.now() / 1_000) as i64;
                let is_allowed = decide(&policy, queue, source, now) == Decision::Allowed;
                Grant { is_allowed, is_for_now: looks_at_time(&policy) }
            }
            None => Grant { is_allowed: false, is_for_now: false },
        }
    }
}

fn decide(policy: &str, queue: &ResourceName, source: &DeliverySource<'_>, now: i64) -> Decision {
    let principal = source.service();
    let keys = [
        ("aws:SourceArn", source.arn()),
        ("aws:SourceAccount", source.account().to_owned()),
        ("aws:PrincipalIsAWSService", "true".to_owned()),
        ("aws:PrincipalServiceName", principal.to_owned()),
        ("aws:PrincipalType", "Service".to_owned()),
        ("aws:ViaAWSService", "false".to_owned()),
        ("aws:SecureTransport", "true".to_owned()),
        ("aws:RequestedRegion", queue.region.to_string()),
        ("aws:CurrentTime", time::write(now as f64, TimeFormat::Iso)),
        ("aws:EpochTime", now.to_string()),
    ];
    let resource = address::arn(queue);
    let (action, account) = ("sqs:SendMessage", "");
    let request =
        AuthorizationRequest { account, principal, action, resource: &resource, keys: &keys };
    Policy::read(policy).evaluate(&request)
}

// An escape may hide the name of a key.
fn looks_at_time(policy: &str) -> bool {
    let policy = policy.to_ascii_lowercase();
    ["currenttime", "epochtime", "\\u"].iter().any(|name| policy.contains(name))
}
