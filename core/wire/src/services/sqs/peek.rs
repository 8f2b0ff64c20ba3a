//! `/_aws/sqs/messages`: shows the messages of a queue without receiving them, as LocalStack does.
//!
//! The queue is in the query, in a form, in the body of a `ReceiveMessage` that is sent here, or in
//! the path.

use std::sync::Arc;

use serde_json::Value;
use trunkline_engine::{Engine, ResourceName};

use super::address::{self, Address};
use super::deliveries::{Bodies, Writer};
use super::errors;
use super::names::{System, User};
use crate::auth::{DEFAULT_ACCOUNT, DEFAULT_REGION};
use crate::codec::form::Form;
use crate::error::{Result, WireError};
use crate::limits::{PEEK_BYTES_MAX, PEEK_MESSAGES_MAX};
use crate::message::{Request, Response};
use crate::service::AdminWork;

/// What stands where a receipt does: no verb takes it. LocalStack's clients know it by this name.
const NO_RECEIPT: &str = "SQS/BACKDOOR/ACCESS";

/// Reads which queue `request` asks for; `path` is what comes behind `messages`.
pub(super) fn read(path: &str, request: &Request<'_>) -> Result<AdminWork> {
    let mut form = Form::read(request.query.as_bytes())?;
    let is_json = request.header("content-type").is_some_and(|kind| kind.contains("json"));
    let sent = if is_json { url_of_json(request.body)? } else { None };
    if !is_json {
        form.extend(Form::read(request.body)?);
    }
    let url = sent.as_deref().or(form.get("QueueUrl")).unwrap_or_default();
    let region = request.header("x-trunkline-region").or_else(|| signed_region(request));
    let name = match of_path(path) {
        Some(address) => address.to_name(),
        None => address::parse(url, DEFAULT_ACCOUNT, region.unwrap_or(DEFAULT_REGION))?.to_name(),
    };
    let show_all = form.get("ShowInvisible") == Some("true");
    Ok(Box::new(move |engine| show(engine, &name, show_all)))
}

fn url_of_json(body: &[u8]) -> Result<Option<String>> {
    let read: Value = serde_json::from_slice(body).map_err(|error| {
        WireError::new("SerializationException", 400, format!("The body is not JSON: {error}."))
    })?;
    Ok(read.get("QueueUrl").and_then(Value::as_str).map(str::to_owned))
}

/// `REGION/ACCOUNT/NAME`.
fn of_path(path: &str) -> Option<Address<'_>> {
    let (region, queue) = path.split_once('/')?;
    address::of_path(queue, region)
}

/// The region that the request is signed for. The signature itself is not looked at: who may call
/// is decided as for the other paths of the operator.
fn signed_region<'a>(request: &'a Request<'_>) -> Option<&'a str> {
    let (_, scope) = request.header("authorization")?.split_once("Credential=")?;
    scope.split('/').nth(2).filter(|region| !region.is_empty())
}

fn show(engine: &Arc<Engine>, name: &ResourceName, show_all: bool) -> Result<Response> {
    let queue = engine.find_queue(name).map_err(errors::from_engine)?;
    let queue = queue.ok_or_else(errors::no_such_queue)?;
    let writer = Writer { engine: engine.clone(), queue, system: System::ALL, user: User::All };
    let (mut is_cut, mut bodies) = (false, Bodies::default());
    let mut out = b"{\"Messages\":[".to_vec();
    let looked = writer.queue.peek(PEEK_MESSAGES_MAX, show_all, |message| {
        is_cut |= out.len() + message.body.len() > PEEK_BYTES_MAX;
        if is_cut {
            return;
        }
        if !bodies.is_empty() {
            out.push(b',');
        }
        writer.write(&message, NO_RECEIPT, &mut bodies, &mut out);
    });
    looked.map_err(errors::from_engine)?;
    bodies.fill_digests(&mut out);
    let end: &[u8] = if is_cut { b"],\"Truncated\":true}" } else { b"]}" };
    out.extend_from_slice(end);
    Ok(Response::new(200, "application/json", out))
}
