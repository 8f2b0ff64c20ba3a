//! Messages to people and devices, for tests and people to look at: text messages, pushes, mails.
//!
//! Their deliveries wait in destinations that nothing leases, unless mails are sent on to an SMTP
//! server. A look moves them into documents, of which the newest are kept.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use serde_json::{Map, Value, json};
use trunkline_engine::delivery::Ended;
use trunkline_engine::{AttemptRef, Engine, LeasedDelivery, ResourceId, attributes};
use trunkline_types::Result as EngineResult;

use crate::codec::form::Form;
use crate::error::{Result, WireError};
use crate::limits::OUTBOX_MESSAGES_MAX;
use crate::message::{Request, Response};
use crate::service::AdminWork;

/// The destination of messages that have no subscription.
pub(super) const DIRECT: &str = "sns/direct";
/// The destination of mails that ask for a confirmation.
const CONFIRMATIONS: &str = "sns/mail-confirmations";
const DOCUMENTS: &str = "sns/outbox/";
const PAGE: usize = 1_000;
/// The protocols whose deliveries wait for a look.
pub(super) const PROTOCOLS: [&str; 4] = ["sms", "application", "email", "email-json"];

/// The attributes of a message as JSON.
pub(super) fn plain_attributes(block: &[u8]) -> Value {
    let given = attributes::decode(block).unwrap_or_default();
    let given = given.into_iter().filter(|attribute| !attribute.system);
    let entries = given.map(|attribute| {
        let value = match attribute.data_type.starts_with("Binary") {
            true => json!({ "BinaryValue": BASE64_STANDARD.encode(&attribute.value) }),
            false => json!({ "StringValue": String::from_utf8_lossy(&attribute.value) }),
        };
        let mut value = value;
        value["DataType"] = attribute.data_type.into();
        (attribute.name, value)
    });
    Value::Object(entries.collect::<Map<_, _>>())
}

/// `GET` and `DELETE /_trunkline/outbox`.
pub(super) fn all(request: &Request<'_>) -> AdminWork {
    let is_delete = request.method == "DELETE";
    Box::new(move |engine| {
        let messages = look(engine)?;
        if is_delete {
            for (key, _) in &messages {
                put(engine, key, None)?;
            }
            return answer(&json!({ "messages": [] }));
        }
        let messages: Vec<Value> = messages.into_iter().map(|(_, message)| message).collect();
        answer(&json!({ "messages": messages }))
    })
}

/// The paths of LocalStack below `/_aws/sns`.
pub(super) fn localstack(path: &str, request: &Request<'_>) -> Option<Result<AdminWork>> {
    if let Some(arn) = path.strip_prefix("subscription-tokens/") {
        return Some(Ok(token(arn.replace("%3A", ":").replace("%3a", ":"))));
    }
    let (protocol, list, filter) = match path {
        "sms-messages" => ("sms", "sms_messages", "phoneNumber"),
        "platform-endpoint-messages" => {
            ("application", "platform_endpoint_messages", "endpointArn")
        }
        _ => return None,
    };
    let form = match Form::read(request.query.as_bytes()) {
        Ok(form) => form,
        Err(error) => return Some(Err(error)),
    };
    let text = |name: &str| form.get(name).map(str::to_owned);
    let region = text("region").unwrap_or_else(|| "us-east-1".to_owned());
    let account = text("accountId").unwrap_or_else(|| "000000000000".to_owned());
    let (wanted, is_delete) = (text(filter), request.method == "DELETE");
    Some(Ok(Box::new(move |engine| {
        let mut found = Map::new();
        for (key, message) in look(engine)? {
            let is_meant = message["Protocol"] == protocol
                && message["Region"] == *region
                && message["Account"] == *account
                && wanted.as_ref().is_none_or(|wanted| message["Endpoint"] == **wanted);
            if is_meant && is_delete {
                put(engine, &key, None)?;
            } else if is_meant {
                let endpoint = message["Endpoint"].as_str().unwrap_or_default().to_owned();
                let messages = found.entry(endpoint).or_insert_with(|| json!([]));
                if let Value::Array(messages) = messages {
                    messages.push(message);
                }
            }
        }
        answer(&json!({ list: found, "region": region }))
    })))
}

fn token(arn: String) -> AdminWork {
    Box::new(move |engine| {
        let id = arn.rsplit(':').next().unwrap_or_default();
        let found = engine.document(&format!("sns/subscription/{id}"));
        let found: Value =
            found.and_then(|found| serde_json::from_slice(&found).ok()).unwrap_or_default();
        match found["token"].as_str() {
            Some(token) => answer(&json!({ "subscription_token": token, "subscription_arn": arn })),
            None => Err(WireError::new("NotFound", 404, "The subscription waits for no token.")),
        }
    })
}

fn answer(body: &Value) -> Result<Response> {
    Ok(Response::new(200, "application/json", body.to_string()))
}

fn put(engine: &Engine, key: &str, value: Option<&[u8]>) -> Result<()> {
    engine.put_document(key, value).map(drop).map_err(|error| WireError::from_engine(&error))
}

/// Moves what waits into documents; all of them with their keys, oldest first.
fn look(engine: &Engine) -> Result<Vec<(String, Value)>> {
    gather(engine).map_err(|error| WireError::from_engine(&error))?;
    let (mut messages, mut after) = (Vec::new(), None::<String>);
    loop {
        let page = engine.document_page(DOCUMENTS, after.as_deref(), PAGE);
        let Some((last, _)) = page.last() else { break };
        after = Some(last.clone());
        for (key, bytes) in page {
            messages.push((key, serde_json::from_slice(&bytes).unwrap_or_default()));
        }
    }
    let beyond = messages.len().saturating_sub(OUTBOX_MESSAGES_MAX);
    for (key, _) in messages.drain(..beyond) {
        put(engine, &key, None)?;
    }
    Ok(messages)
}

fn gather(engine: &Engine) -> EngineResult<()> {
    if let Some(id) = engine.find_destination(CONFIRMATIONS)? {
        drain(engine, id, &|delivery, _| {
            serde_json::from_slice(&delivery.body).unwrap_or_default()
        })?;
    }
    if let Some(id) = engine.find_destination(DIRECT)? {
        drain(engine, id, &|delivery, id| {
            let mut message: Value = serde_json::from_slice(&delivery.body).unwrap_or_default();
            message["MessageId"] = id.into();
            message
        })?;
    }
    for topic in engine.topics(None, None, "")? {
        let mut after = None;
        loop {
            let page = topic.subscriptions(after, PAGE)?;
            let Some(last) = page.last() else { break };
            after = Some(last.id);
            for one in page.iter().filter(|one| one.is_outside) {
                let protocol = one.name.as_deref().and_then(|name| name.split(':').next());
                let Some(protocol) = protocol.filter(|name| PROTOCOLS.contains(name)) else {
                    continue;
                };
                let arn = topic.subscription_arn(one.id);
                drain(engine, one.target, &|delivery, _| {
                    let mut message = of_subscription(delivery, protocol);
                    message["Account"] = (*topic.name().account).into();
                    message["Region"] = (*topic.name().region).into();
                    message["Endpoint"] = one.endpoint.as_str().into();
                    message["TopicArn"] = topic.arn().into();
                    message["SubscriptionArn"] = arn.as_str().into();
                    message
                })?;
            }
        }
    }
    Ok(())
}

/// What an envelope says, for a protocol that has none.
fn of_subscription(delivery: &LeasedDelivery, protocol: &str) -> Value {
    let text = String::from_utf8_lossy(&delivery.body).into_owned();
    let envelope: Value = serde_json::from_str(&text).unwrap_or_default();
    let is_whole = protocol == "email-json";
    let message = if is_whole { text.into() } else { envelope["Message"].clone() };
    json!({
        "Protocol": protocol,
        "Message": message,
        "MessageId": envelope["MessageId"],
        "Subject": envelope["Subject"],
        "MessageAttributes": envelope.get("MessageAttributes").cloned().unwrap_or(json!({})),
        "MessageStructure": null,
    })
}

fn drain(
    engine: &Engine,
    id: ResourceId,
    read: &dyn Fn(&LeasedDelivery, String) -> Value,
) -> EngineResult<()> {
    // What something sends on is not for a look.
    if engine.outbox().has_handler(id)? {
        return Ok(());
    }
    let handler = engine.outbox().enter_handler(id)?;
    loop {
        let leased = handler.lease(PAGE)?;
        if leased.is_empty() {
            return Ok(());
        }
        for delivery in leased {
            let (queue, seq) = delivery.origin;
            let message_id = engine.key().message_id(queue, seq).to_string();
            let message = read(&delivery, message_id).to_string();
            let key = format!("{DOCUMENTS}{:020}-{:010}-{seq:020}", delivery.accepted, id.0);
            engine.put_document(&key, Some(message.as_bytes()))?;
            handler.settle(&AttemptRef::from(&delivery), &Ended::Delivered)?;
        }
    }
}
