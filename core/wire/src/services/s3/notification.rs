//! Who is told of changes: queues, topics, functions, and the default event bus.

use trunkline_engine::{Bucket, ObjectNotification};

use super::answer::Answer;
use super::context::Context;
use super::target::{Service, Target};
use super::{errors, settings};
use crate::error::{Result, WireError};
use crate::request_id;
use crate::value::Value;

/// The name of the document that keeps what was put.
const NAME: &str = "notification";
const MEMBER: &str = "NotificationConfiguration";

/// The members of each kind of targets: its list, and the ARN in its entries.
const KINDS: [(&str, &str); 3] = [
    ("QueueConfigurations", "QueueArn"),
    ("TopicConfigurations", "TopicArn"),
    ("LambdaFunctionConfigurations", "LambdaFunctionArn"),
];

const DESTINATION: &str = "Unable to validate the following destination configurations";

/// The events that buckets tell of.
const EVENTS: [&str; 17] = [
    "s3:ObjectCreated:*",
    "s3:ObjectCreated:Put",
    "s3:ObjectCreated:Post",
    "s3:ObjectCreated:Copy",
    "s3:ObjectCreated:CompleteMultipartUpload",
    "s3:ObjectRemoved:*",
    "s3:ObjectRemoved:Delete",
    "s3:ObjectRemoved:DeleteMarkerCreated",
    "s3:ObjectTagging:*",
    "s3:ObjectTagging:Put",
    "s3:ObjectTagging:Delete",
    "s3:LifecycleExpiration:*",
    "s3:LifecycleExpiration:Delete",
    "s3:LifecycleExpiration:DeleteMarkerCreated",
    "s3:ObjectAcl:Put",
    "s3:ReducedRedundancyLostObject",
    "s3:TestEvent",
];

pub(super) fn put(context: &Context) -> Result<Answer> {
    let bucket = context.bucket()?;
    let asked = context.input.get(MEMBER).ok_or_else(errors::malformed_xml)?;
    let validates = context.header("x-amz-skip-destination-validation") != Some("true");
    let mut told = Vec::new();
    let mut tested = Vec::new();
    for (list, member) in KINDS {
        let Some(Value::List(entries)) = asked.get(list) else { continue };
        for entry in entries {
            let target = target(entry, member)?;
            let one = notification(entry, &target)?;
            // Where signatures are proved the policy counts, whether the caller wants it or not.
            let is_permitted = context.access.is_none() || target.permits(&context.engine, &bucket);
            if !is_permitted || validates && !bucket.has_target(&one) {
                return Err(invalid(DESTINATION));
            }
            // As on AWS, a function gets no event for a test.
            if validates && target.service != Service::Function {
                tested.push(one.clone());
            }
            told.push(one);
        }
    }
    tested.iter().try_for_each(|one| test(context, &bucket, one))?;
    if asked.get("EventBridgeConfiguration").is_some() {
        let name = bucket.name();
        let target =
            ("bus".to_owned(), name.account.clone(), name.region.clone(), "default".to_owned());
        let events = ["ObjectCreated", "ObjectRemoved", "ObjectTagging", "LifecycleExpiration"];
        let events = events.iter().map(|kind| format!("s3:{kind}:*")).collect();
        told.push(ObjectNotification { events, target, ..ObjectNotification::default() });
    }
    let text = settings::as_json(context, MEMBER)?;
    let ticket = bucket.configure(|config| {
        config.notifications = told;
        config.documents.insert(NAME.to_owned(), text);
    });
    Ok(Answer::empty().after(ticket.map_err(|error| context.failed(&error))?))
}

fn target<'a>(entry: &'a Value, member: &str) -> Result<Target<'a>> {
    let arn = entry.get(member).and_then(Value::as_str).ok_or_else(errors::malformed_xml)?;
    let service = match member {
        "QueueArn" => Service::Queue,
        "TopicArn" => Service::Topic,
        _ => Service::Function,
    };
    Target::read(arn, service).ok_or_else(|| invalid("The ARN is not well formed"))
}

fn notification(entry: &Value, target: &Target<'_>) -> Result<ObjectNotification> {
    let Some(Value::List(events)) = entry.get("Events") else {
        return Err(errors::malformed_xml());
    };
    let events: Vec<String> = events.iter().filter_map(Value::as_str).map(str::to_owned).collect();
    if events.is_empty() || events.iter().any(|event| !EVENTS.contains(&&**event)) {
        return Err(invalid("A specified event is not supported for notifications."));
    }
    let (mut prefix, mut suffix) = (String::new(), String::new());
    let key = entry.get("Filter").and_then(|filter| filter.get("Key"));
    if let Some(Value::List(rules)) = key.and_then(|key| key.get("FilterRules")) {
        for rule in rules {
            let text = |name: &str| rule.get(name).and_then(Value::as_str).unwrap_or("");
            match text("Name").to_ascii_lowercase().as_str() {
                "prefix" => text("Value").clone_into(&mut prefix),
                "suffix" => text("Value").clone_into(&mut suffix),
                _ => {
                    let message = "filter rule name must be either prefix or suffix";
                    return Err(invalid(message));
                }
            }
        }
    }
    let id = entry.get("Id").and_then(Value::as_str).map_or_else(request_id::next, str::to_owned);
    let (qualifier, target) = (target.qualifier.unwrap_or("").to_owned(), target.resource());
    Ok(ObjectNotification { id, events, prefix, suffix, target, qualifier })
}

fn invalid(message: &str) -> WireError {
    errors::error("InvalidArgument", 400, message)
}

/// Tells a target that it will be told, as S3 does, which shows that it is there.
fn test(context: &Context, bucket: &Bucket, told: &ObjectNotification) -> Result<()> {
    let event = serde_json::json!({
        "Service": "Amazon S3",
        "Event": "s3:TestEvent",
        "Time": crate::codec::time::write(
            context.engine.clock().now() as f64 / 1_000.0,
            crate::model::TimeFormat::Iso,
        ),
        "Bucket": bucket.name().name,
        "RequestId": context.request_id,
        "HostId": context.request_id,
    });
    let told = bucket.tell(told, event.to_string().as_bytes());
    told.map_err(|_| invalid(DESTINATION))
}

pub(super) fn get(context: &Context) -> Result<Answer> {
    let found = context.bucket()?.config().documents.get(NAME).cloned();
    let Some(text) = found else { return Ok(Answer::empty()) };
    let output = settings::from_json(context, &text, MEMBER)?;
    Ok(Answer { output, ..Answer::default() })
}
