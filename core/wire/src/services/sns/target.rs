//! ARNs of topics, endpoints and subscriptions.

use trunkline_engine::{ResourceName, TOPIC};

use super::errors::invalid;
use crate::error::Result;
use crate::value::Value;

/// The parts of an ARN: its region, its account, and the rest.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Arn<'a> {
    pub region: &'a str,
    pub account: &'a str,
    pub rest: &'a str,
}

/// Raises for a text that has too few elements for an ARN.
pub(super) fn check_elements(arn: &str, parameter: &str) -> Result<()> {
    match arn.split(':').count() {
        6.. => Ok(()),
        count => Err(invalid(format!(
            "Invalid parameter: {parameter} Reason: An ARN must have at least 6 elements, not \
             {count}"
        ))),
    }
}

/// Reads an ARN of SNS that a parameter holds.
pub(super) fn parse<'a>(arn: &'a str, parameter: &str) -> Result<Arn<'a>> {
    let parts: Vec<&str> = arn.splitn(6, ':').collect();
    check_elements(arn, parameter)?;
    let [_, _, service, region, account, rest] = parts[..] else {
        return Err(invalid(format!("Invalid parameter: {parameter}")));
    };
    if parts[0] != "arn" || service != "sns" || rest.is_empty() {
        return Err(invalid(format!("Invalid parameter: {parameter}")));
    }
    Ok(Arn { region, account, rest })
}

impl Arn<'_> {
    /// The topic that it names, or to which the subscription belongs that it names.
    pub fn topic(&self) -> ResourceName {
        let name = self.rest.split(':').next().unwrap_or(self.rest);
        ResourceName::new(TOPIC, self.account, self.region, name)
    }
}

/// The topic that an input of the control plane names, itself or by one of its subscriptions.
pub(super) fn of(input: &Value) -> Option<ResourceName> {
    let text = |member: &str| input.get(member).and_then(Value::as_str);
    let arn = ["TopicArn", "ResourceArn", "SubscriptionArn"].into_iter().find_map(text)?;
    Some(parse(arn, "TopicArn").ok()?.topic())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn topics_and_their_subscriptions_name_the_topic() {
        let topic = ResourceName::new(TOPIC, "111111111111", "us-east-1", "t");
        for arn in
            ["arn:aws:sns:us-east-1:111111111111:t", "arn:aws:sns:us-east-1:111111111111:t:id"]
        {
            assert_eq!(parse(arn, "TopicArn").map(|arn| arn.topic()), Ok(topic.clone()));
        }
        for (arn, why) in [
            ("x", " Reason: An ARN must have at least 6 elements, not 1"),
            ("arn:aws:sns:r:1", " Reason: An ARN must have at least 6 elements, not 5"),
            ("arn:aws:sqs:us-east-1:111111111111:t", ""),
            ("arn:aws:sns:us-east-1:111111111111:", ""),
        ] {
            let message = format!("Invalid parameter: TopicArn{why}");
            assert_eq!(parse(arn, "TopicArn"), Err(invalid(message)), "{arn}");
        }
    }
}
