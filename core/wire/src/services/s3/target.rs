//! Targets of notifications, and whether their policies let S3 tell them. As on AWS, the service
//! has no rights of its own, not even in the account of the target.

use serde_json::{Value as Json, json};
use trunkline_engine::{Bucket, Clock, Engine, QUEUE, ResourceName, TOPIC};

use crate::codec::time;
use crate::model::TimeFormat;
use crate::policy::{AuthorizationRequest, Decision, Policy};
use crate::service::policy_in;

/// The principal that sends.
const PRINCIPAL: &str = "s3.amazonaws.com";
/// The version of a function that may change.
const LATEST: &str = "$LATEST";

/// The service of a target.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Service {
    Queue,
    Topic,
    Function,
}

/// A target, as its ARN names it.
#[derive(Debug)]
pub(super) struct Target<'a> {
    pub service: Service,
    arn: &'a str,
    region: &'a str,
    account: &'a str,
    name: &'a str,
    /// The version or alias of a function.
    pub qualifier: Option<&'a str>,
}

impl<'a> Target<'a> {
    /// The target of an ARN, if that is one of this service.
    pub fn read(arn: &'a str, service: Service) -> Option<Self> {
        let mut parts = arn.splitn(6, ':').skip(2);
        let (found, region, account) = (parts.next()?, parts.next()?, parts.next()?);
        let resource = parts.next()?;
        let wanted = match service {
            Service::Queue => "sqs",
            Service::Topic => "sns",
            Service::Function => "lambda",
        };
        if found != wanted {
            return None;
        }
        let (name, qualifier) = match service {
            Service::Function => {
                let named = resource.strip_prefix("function:")?;
                named.split_once(':').map_or((named, None), |(name, own)| (name, Some(own)))
            }
            _ => (resource, None),
        };
        Some(Self { service, arn, region, account, name, qualifier })
    }

    /// Kind, account, region and name of the resource of the engine that is told.
    pub fn resource(&self) -> (String, String, String, String) {
        let Self { account, region, name, .. } = *self;
        let (kind, account, region, name) = match self.service {
            Service::Queue => (QUEUE, account, region, name.to_owned()),
            Service::Topic => (TOPIC, account, region, name.to_owned()),
            // Where the invocations of the function wait: a destination of the outbox.
            Service::Function => (QUEUE, "outbox", "", format!("lambda/{region}/{account}/{name}")),
        };
        (kind.0.to_owned(), account.to_owned(), region.to_owned(), name)
    }

    /// Whether the policy of the target lets S3 tell it of the bucket.
    pub fn permits(&self, engine: &Engine, bucket: &Bucket) -> bool {
        let Some(policy) = self.policy(engine) else { return false };
        // Policies speak of the time of the world, whatever the engine's clock says.
        let now = (Clock::system().now() / 1_000) as i64;
        let owner = &bucket.name().account;
        let keys = [
            ("aws:SourceArn", bucket.arn()),
            ("aws:SourceAccount", owner.clone()),
            ("aws:PrincipalIsAWSService", "true".to_owned()),
            ("aws:PrincipalServiceName", PRINCIPAL.to_owned()),
            ("aws:PrincipalType", "Service".to_owned()),
            ("aws:ViaAWSService", "false".to_owned()),
            ("aws:SecureTransport", "true".to_owned()),
            ("aws:RequestedRegion", self.region.to_owned()),
            ("aws:CurrentTime", time::write(now as f64, TimeFormat::Iso)),
            ("aws:EpochTime", now.to_string()),
        ];
        let action = match self.service {
            Service::Queue => "sqs:SendMessage",
            Service::Topic => "SNS:Publish",
            Service::Function => "lambda:InvokeFunction",
        };
        let request = AuthorizationRequest {
            account: "",
            principal: PRINCIPAL,
            action,
            resource: self.arn,
            keys: &keys,
        };
        Policy::read(&policy).evaluate(&request) == Decision::Allowed
    }

    fn policy(&self, engine: &Engine) -> Option<String> {
        let Self { account, region, name, .. } = *self;
        match self.service {
            Service::Queue => {
                let queue = engine.find_queue(&ResourceName::new(QUEUE, account, region, name));
                policy_in(&queue.ok()??.document(), &["sqs", "Policy"])
            }
            Service::Topic => {
                let topic = engine.find_topic(&ResourceName::new(TOPIC, account, region, name));
                policy_in(&topic.ok()??.document(), &["sns", "attributes", "Policy"])
            }
            Service::Function => {
                let key = format!("lambda/functions/{region}/{account}/{name}");
                function_policy(&engine.document(&key)?, self.qualifier.unwrap_or(LATEST))
            }
        }
    }
}

/// The policy in the document of a function, for a version or an alias.
fn function_policy(document: &[u8], qualifier: &str) -> Option<String> {
    let document: Json = serde_json::from_slice(document).ok()?;
    let kept = document.get("policy")?.get(qualifier)?.get("statements")?.as_object()?;
    let statements: Vec<&Json> = kept.values().collect();
    Some(json!({ "Version": "2012-10-17", "Statement": statements }).to_string())
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn an_arn_names_a_target_of_its_service_alone() {
        let arn = "arn:aws:lambda:eu-west-1:111122223333:function:tea:live";
        let target = Target::read(arn, Service::Function).unwrap();
        assert_eq!((target.name, target.qualifier), ("tea", Some("live")));
        assert_eq!(target.resource().3, "lambda/eu-west-1/111122223333/tea");
        assert!(Target::read(arn, Service::Queue).is_none());
        for flawed in ["arn:aws:lambda:eu-west-1:1:tea", "arn:aws:lambda", ""] {
            assert!(Target::read(flawed, Service::Function).is_none(), "{flawed}");
        }
    }

    #[test]
    fn the_policy_of_a_function_is_that_of_its_version() {
        let document = br#"{"policy":{"live":{"statements":{"a":{"Sid":"a"}}}}}"#;
        let text = function_policy(document, "live").unwrap();
        let policy: serde_json::Value = serde_json::from_str(&text).unwrap();
        let expected = serde_json::json!({"Version": "2012-10-17", "Statement": [{"Sid": "a"}]});
        assert_eq!(policy, expected);
        assert_eq!(function_policy(document, LATEST), None);
    }
}
