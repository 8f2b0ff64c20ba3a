//! The queue that an input of the control plane names, read once for the check of the caller's
//! right and for the operation.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE;
use trunkline_engine::{QUEUE, ResourceName};

use super::address;
use crate::value::Value;

/// The queue that `input` names; `None` where it names none, or in a way that is no address.
pub(super) fn of(
    account: &str,
    region: &str,
    operation: &str,
    input: &Value,
) -> Option<ResourceName> {
    let text =
        |member: &str| input.get(member).and_then(Value::as_str).filter(|text| !text.is_empty());
    match operation {
        "GetQueueUrl" => {
            let owner = text("QueueOwnerAWSAccountId").unwrap_or(account);
            Some(ResourceName::new(QUEUE, owner, region, text("QueueName")?))
        }
        "StartMessageMoveTask" | "ListMessageMoveTasks" => of_arn(text("SourceArn")?),
        "CancelMessageMoveTask" => of_arn(&source_of(text("TaskHandle")?)?),
        _ => address::parse(text("QueueUrl")?, account, region).ok().map(address::Address::to_name),
    }
}

/// The queue to which a move task sends all messages, if its input names one.
pub(super) fn destination_of(input: &Value) -> Option<ResourceName> {
    of_arn(input.get("DestinationArn")?.as_str()?)
}

// The resource name of the queue whose move task a handle names. The handle is JSON in Base64.
fn source_of(handle: &str) -> Option<String> {
    let plain = URL_SAFE.decode(handle).ok()?;
    let handle: serde_json::Value = serde_json::from_slice(&plain).ok()?;
    Some(handle.get("sourceArn")?.as_str()?.to_owned())
}

fn of_arn(arn: &str) -> Option<ResourceName> {
    let parts: Vec<&str> = arn.split(':').collect();
    match parts[..] {
        ["arn", _, "sqs", region, account, name] => {
            Some(ResourceName::new(QUEUE, account, region, name))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn target(operation: &str, members: &[(&str, &str)]) -> Option<ResourceName> {
        let member = |(name, text): &(&str, &str)| ((*name).to_owned(), Value::from(*text));
        let input = Value::Map(members.iter().map(member).collect());
        of("111111111111", "us-east-1", operation, &input)
    }

    #[test]
    fn an_input_names_one_queue_or_none() {
        let own = Some(ResourceName::new(QUEUE, "111111111111", "us-east-1", "q"));
        let other = Some(ResourceName::new(QUEUE, "222222222222", "eu-west-1", "q"));
        for url in ["q", "/111111111111/q", "http://a/111111111111/q"] {
            assert_eq!(target("DeleteQueue", &[("QueueUrl", url)]), own, "{url}");
        }
        for url in ["/queue/eu-west-1/222222222222/q", "queue/eu-west-1/222222222222/q"] {
            assert_eq!(target("DeleteQueue", &[("QueueUrl", url)]), other, "{url}");
        }
        for url in [
            "",
            "/",
            "//q",
            "/queue//222222222222/q",
            "/queue//222222222222/q/",
            "queue//222222222222/q",
            "/222222222222//q",
            "/22222222222%32/q",
            "/%32%32/q",
        ] {
            assert_eq!(target("DeleteQueue", &[("QueueUrl", url)]), None, "{url}");
        }
        assert_eq!(target("GetQueueUrl", &[("QueueName", "q")]), own);
        let empty = [("QueueName", "q"), ("QueueOwnerAWSAccountId", "")];
        assert_eq!(target("GetQueueUrl", &empty), own);
        let arn = [("SourceArn", "arn:aws:sqs:eu-west-1:222222222222:q")];
        assert_eq!(target("StartMessageMoveTask", &arn), other);
        let handle = URL_SAFE.encode(r#"{"sourceArn":"arn:aws:sqs:eu-west-1:222222222222:q"}"#);
        assert_eq!(target("CancelMessageMoveTask", &[("TaskHandle", &handle)]), other);
        for flawed in ["", "?", "e30=", &URL_SAFE.encode("{"), &handle[1..]] {
            assert_eq!(target("CancelMessageMoveTask", &[("TaskHandle", flawed)]), None);
        }
    }
}
