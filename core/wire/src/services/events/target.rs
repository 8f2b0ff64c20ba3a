//! The event bus that an input names: by its name, or by the resource name of the bus or of one of
//! its rules.

use trunkline_engine::{BUS, ResourceName};

use crate::value::Value;

/// The bus of inputs that name none.
pub(super) const DEFAULT: &str = "default";

/// What the model says about names of buses in PutEvents.
pub(super) const NAME_OR_ARN_PATTERN: &str =
    "(arn:aws[\\w-]*:events:[a-z]+-[a-z]+-[\\w-]+:[0-9]{12}:event-bus\\/)?[\\.\\-_A-Za-z0-9]+";

/// Whether a text may name a bus in PutEvents.
pub(super) fn is_name_or_arn(text: &str) -> bool {
    let is_plain = |text: &str| {
        let allowed = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b'_');
        !text.is_empty() && text.bytes().all(allowed)
    };
    if !text.starts_with("arn:") {
        return is_plain(text);
    }
    matches!(of_arn(text), Some((account, region, name)) if is_plain(name)
        && account.len() == 12
        && account.bytes().all(|b| b.is_ascii_digit())
        && !region.is_empty())
}

/// The bus that a text names for a caller.
pub(super) fn named(text: Option<&str>, account: &str, region: &str) -> ResourceName {
    let text = text.unwrap_or(DEFAULT);
    let (account, region, name) = of_arn(text).unwrap_or((account, region, text));
    ResourceName::new(BUS, account, region, name)
}

/// The bus that an input of the control plane names; `None` where the operation is about no bus.
pub(super) fn of(
    account: &str,
    region: &str,
    operation: &str,
    input: &Value,
) -> Option<ResourceName> {
    let text = |member: &str| input.get(member).and_then(Value::as_str);
    let name = match operation {
        "CreateEventBus" | "DescribeEventBus" | "UpdateEventBus" | "DeleteEventBus" => text("Name"),
        "PutRule"
        | "DescribeRule"
        | "ListRules"
        | "DeleteRule"
        | "EnableRule"
        | "DisableRule"
        | "PutTargets"
        | "RemoveTargets"
        | "ListTargetsByRule"
        | "ListRuleNamesByTarget"
        | "PutPermission"
        | "RemovePermission" => text("EventBusName"),
        "CreateArchive" => Some(text("EventSourceArn")?),
        "TagResource" | "UntagResource" | "ListTagsForResource" => Some(text("ResourceARN")?),
        _ => return None,
    };
    Some(named(name, account, region))
}

/// Account, region and name of the bus in a resource name of a bus or of a rule.
fn of_arn(arn: &str) -> Option<(&str, &str, &str)> {
    let mut parts = arn.splitn(6, ':');
    let (scheme, partition, service) = (parts.next()?, parts.next()?, parts.next()?);
    let (region, account, resource) = (parts.next()?, parts.next()?, parts.next()?);
    if scheme != "arn" || service != "events" || partition != crate::arn::partition(region) {
        return None;
    }
    let (kind, name) = resource.split_once('/')?;
    let bus = match kind {
        "event-bus" => name,
        // A rule of the default bus has no bus in its name.
        "rule" => name.rsplit_once('/').map_or(DEFAULT, |(bus, _)| bus),
        _ => return None,
    };
    Some((account, region, bus))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bus_is_named_by_itself_by_its_arn_and_by_that_of_a_rule() {
        let shown = |text: &str| {
            let name = named(Some(text), "111111111111", "us-east-1");
            format!("{}/{}/{}", name.account, name.region, name.name)
        };
        assert_eq!(shown("shop"), "111111111111/us-east-1/shop");
        let arn = "arn:aws:events:eu-west-1:222222222222:";
        assert_eq!(shown(&format!("{arn}event-bus/shop")), "222222222222/eu-west-1/shop");
        assert_eq!(shown(&format!("{arn}rule/shop/paid")), "222222222222/eu-west-1/shop");
        assert_eq!(shown(&format!("{arn}rule/paid")), "222222222222/eu-west-1/default");
        let default = named(None, "1", "r");
        assert_eq!(&*default.name, DEFAULT);
    }

    #[test]
    fn an_entry_names_a_bus_by_a_plain_name_or_an_arn() {
        for text in ["default", "a.b-c_1", "arn:aws:events:us-east-1:123456789012:event-bus/b"] {
            assert!(is_name_or_arn(text), "{text}");
        }
        let arn = "arn:aws:events:us-east-1:12345:event-bus/b";
        for text in ["", "a b", "a/b", "arn:", arn, "arn:aws:sqs:us-east-1:123456789012:q"] {
            assert!(!is_name_or_arn(text), "{text}");
        }
    }
}
