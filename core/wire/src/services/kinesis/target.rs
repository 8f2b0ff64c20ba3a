//! The stream that an input names: by its name, or by its resource name or that of a consumer.

use trunkline_engine::{ResourceName, STREAM};

use super::errors::{invalid, not_found};
use crate::arn::partition;
use crate::error::Result;
use crate::value::Value;

/// The resource name of a stream.
pub(super) fn arn(name: &ResourceName) -> String {
    let (region, account) = (&name.region, &name.account);
    format!("arn:{}:kinesis:{region}:{account}:stream/{}", partition(region), name.name)
}

/// The stream that a name, a resource name, or both name for a caller.
pub(super) fn named(
    name: Option<&str>,
    arn: Option<&str>,
    (account, region): (&str, &str),
) -> Result<ResourceName> {
    let of_arn = arn.map(|arn| of_arn(arn).ok_or_else(|| foreign(arn))).transpose()?;
    match (name, of_arn) {
        (Some(name), Some(found)) if name != &*found.name => Err(invalid(format!(
            "StreamName {name} and StreamARN {} name different streams.",
            arn.unwrap_or_default()
        ))),
        (_, Some(found)) => Ok(found),
        (Some(name), None) => Ok(ResourceName::new(STREAM, account, region, name)),
        (None, None) => Err(invalid("Either StreamName or StreamARN must be given.")),
    }
}

#[cold]
fn foreign(arn: &str) -> crate::error::WireError {
    not_found(format!("{arn} is not the resource name of a stream."))
}

/// The stream in the resource name of a stream or of a consumer.
pub(super) fn of_arn(arn: &str) -> Option<ResourceName> {
    let mut parts = arn.splitn(6, ':');
    let (scheme, partition_of, service) = (parts.next()?, parts.next()?, parts.next()?);
    let (region, account, resource) = (parts.next()?, parts.next()?, parts.next()?);
    if scheme != "arn" || service != "kinesis" || partition_of != partition(region) {
        return None;
    }
    let rest = resource.strip_prefix("stream/")?;
    let name = rest.split_once('/').map_or(rest, |(name, _)| name);
    (!name.is_empty()).then(|| ResourceName::new(STREAM, account, region, name))
}

/// The name and the second of the creation of the consumer in its resource name.
pub(super) fn consumer_of(arn: &str) -> Option<(&str, &str)> {
    arn.rsplit_once("/consumer/")?.1.rsplit_once(':')
}

/// The stream that an input of the control plane names; `None` where the operation is about none.
pub(super) fn of(
    (account, region): (&str, &str),
    operation: &str,
    input: &Value,
) -> Result<Option<ResourceName>> {
    let text = |member: &str| input.get(member).and_then(Value::as_str);
    if operation == "CreateStream" {
        return Ok(text("StreamName").map(|name| ResourceName::new(STREAM, account, region, name)));
    }
    // Queues and channels are created on one stream, in a list of one.
    let listed = match input.get("StreamConfigurationList") {
        Some(Value::List(given)) => given.first(),
        _ => None,
    };
    let listed = listed.and_then(|one| one.get("StreamARN")).and_then(Value::as_str);
    let arn = ["StreamARN", "ConsumerARN", "ResourceARN"].into_iter().find_map(text).or(listed);
    match (text("StreamName"), arn) {
        (None, None) => Ok(None),
        (name, arn) => named(name, arn, (account, region)).map(Some),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stream_is_named_by_itself_by_its_arn_and_by_that_of_a_consumer() {
        let caller = ("111111111111", "us-east-1");
        let shown = |name: Option<&str>, arn: Option<&str>| {
            let name = named(name, arn, caller).map_err(|error| error.to_string())?;
            Ok::<_, String>(format!("{}/{}/{}", name.account, name.region, name.name))
        };
        assert_eq!(shown(Some("clicks"), None).as_deref(), Ok("111111111111/us-east-1/clicks"));
        let stream = "arn:aws:kinesis:eu-west-1:222222222222:stream/clicks";
        let expected = "222222222222/eu-west-1/clicks";
        assert_eq!(shown(None, Some(stream)).as_deref(), Ok(expected));
        assert_eq!(shown(Some("clicks"), Some(stream)).as_deref(), Ok(expected));
        let consumer = format!("{stream}/consumer/c:1");
        assert_eq!(shown(None, Some(&consumer)).as_deref(), Ok(expected));
        assert!(shown(Some("other"), Some(stream)).is_err());
        assert!(shown(None, None).is_err());
        for bad in ["", "arn:", "arn:aws:sqs:eu-west-1:222222222222:q", "arn:aws:kinesis:a:1:x"] {
            assert!(shown(None, Some(bad)).is_err(), "{bad}");
        }
    }
}
