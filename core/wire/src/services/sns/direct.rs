//! Messages to one phone or one endpoint of a platform application: nothing of this engine sends
//! them on, so they wait in the outbox to be looked at.

use serde_json::{Value, json};
use trunkline_engine::delivery::RetryTable;
use trunkline_engine::{DestinationConfig, Engine, Outgoing, ResourceId, Target, Transport};

use super::checked::Checked;
use super::errors::{from_engine, invalid};
use super::outbox::{DIRECT, plain_attributes};
use crate::error::{Result, WireError};
use crate::service::{Call, Finished, Outcome};

/// How long a look into the outbox has a message before it is there again.
const LEASE: u64 = 30_000;

pub(super) fn to_phone(call: &Call<'_>, number: &str, message: &Checked<'_>) -> Result<Outcome> {
    let digits = number.strip_prefix('+').unwrap_or_default();
    let is_number = digits.starts_with(|c: char| ('1'..='9').contains(&c))
        && (2..=15).contains(&digits.len())
        && digits.bytes().all(|byte| byte.is_ascii_digit());
    if !is_number {
        return Err(invalid(format!(
            "Invalid parameter: PhoneNumber Reason: {number} is not valid to publish to"
        )));
    }
    let key = format!("sns/opted-out/{}/{}/{number}", call.account, call.region);
    if call.engine.document(&key).is_some() {
        let message = "User has opted out of receiving messages and cannot be reached.";
        return Err(WireError::new("OptedOut", 400, message));
    }
    keep(call, message, &json!({ "Protocol": "sms", "Endpoint": number }))
}

pub(super) fn to_endpoint(call: &Call<'_>, arn: &str, message: &Checked<'_>) -> Result<Outcome> {
    let found = call.engine.document(&format!("sns/endpoint/{arn}"));
    let endpoint: Value =
        found.and_then(|found| serde_json::from_slice(&found).ok()).ok_or_else(|| {
            invalid(
                "Invalid parameter: TargetArn Reason: No endpoint found for the target arn \
                 specified",
            )
        })?;
    if endpoint["attributes"]["Enabled"] != "true" {
        return Err(WireError::new("EndpointDisabled", 400, "Endpoint is disabled"));
    }
    keep(call, message, &json!({ "Protocol": "application", "Endpoint": arn }))
}

fn keep(call: &Call<'_>, message: &Checked<'_>, about: &Value) -> Result<Outcome> {
    let engine = call.engine;
    let mut about = about.clone();
    about["Account"] = call.account.into();
    about["Region"] = call.region.into();
    about["Message"] = (*message.message).into();
    about["Subject"] = message.subject.map_or(Value::Null, Into::into);
    about["MessageStructure"] = if message.is_structured { "json".into() } else { Value::Null };
    about["MessageAttributes"] = plain_attributes(&message.attributes.block);
    let engine_error = |error: trunkline_types::Error| from_engine(&error);
    let destination = destination(engine).map_err(engine_error)?;
    let (body, target) = (about.to_string(), Target::Outbox(destination));
    let message = Outgoing { body: body.as_bytes(), ..Outgoing::default() };
    let sent = engine.deliver(target, &message).map_err(engine_error)?;
    let id = sent.message_id(engine.key());
    let queue = engine.queue_by_id(destination);
    let settling = match queue {
        Some(queue) => {
            queue.begin_settle(sent.ticket, engine.durability()).map_err(engine_error)?
        }
        None => None,
    };
    let output = json!({ "MessageId": id.to_string() }).to_string().into_bytes();
    Ok(Outcome::Done(Finished { output: output.into(), settling }))
}

fn destination(engine: &Engine) -> Result<ResourceId, trunkline_types::Error> {
    if let Some(id) = engine.find_destination(DIRECT)? {
        return Ok(id);
    }
    let config = DestinationConfig {
        transport: Transport::Handler { lease: LEASE },
        retry: RetryTable::sns_managed(),
        dead_letter: None,
        concurrency: 1,
        renderer: None,
        http: Default::default(),
    };
    match engine.create_destination(DIRECT, &config) {
        Ok(id) => Ok(id),
        // Another call made it meanwhile.
        Err(error) => engine.find_destination(DIRECT)?.ok_or(error),
    }
}
