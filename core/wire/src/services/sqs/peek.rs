//! `/_aws/sqs/messages`: shows the messages of a queue without receiving them.

use std::sync::Arc;

use trunkline_engine::{Engine, ResourceName};

use super::{address, errors};
use crate::auth::{DEFAULT_ACCOUNT, DEFAULT_REGION};
use crate::codec::form::Form;
use crate::codec::json::write_text;
use crate::error::Result;
use crate::limits::{PEEK_BYTES_MAX, PEEK_MESSAGES_MAX};
use crate::message::{Request, Response};
use crate::service::AdminWork;

/// Reads which queue `request` asks for.
pub(super) fn read(request: &Request<'_>) -> Result<AdminWork> {
    let mut form = Form::read(request.query.as_bytes())?;
    form.extend(Form::read(request.body)?);
    let url = form.get("QueueUrl").unwrap_or("");
    let region = request.header("x-trunkline-region").unwrap_or(DEFAULT_REGION);
    let address = address::parse(url, DEFAULT_ACCOUNT, region)?;
    let name = address.to_name();
    let show_all = form.get("ShowInvisible") == Some("true");
    Ok(Box::new(move |engine| show(engine, &name, show_all)))
}

fn show(engine: &Arc<Engine>, name: &ResourceName, show_all: bool) -> Result<Response> {
    let queue = engine.find_queue(name).map_err(errors::from_engine)?;
    let queue = queue.ok_or_else(errors::no_such_queue)?;
    let mut is_cut = false;
    let mut out = b"{\"Messages\":[".to_vec();
    let mut is_first = true;
    queue
        .peek(PEEK_MESSAGES_MAX, show_all, |message| {
            is_cut |= out.len() + message.body.len() > PEEK_BYTES_MAX;
            if is_cut {
                return;
            }
            if !is_first {
                out.push(b',');
            }
            is_first = false;
            let id = message.message_id(engine.key());
            out.extend_from_slice(format!("{{\"MessageId\":\"{id}\",\"Body\":").as_bytes());
            write_text(&String::from_utf8_lossy(message.body), &mut out);
            out.extend_from_slice(
                format!(
                    ",\"Attributes\":{{\"SentTimestamp\":\"{}\",\
                     \"ApproximateReceiveCount\":\"{}\"}},\"InFlight\":{}}}",
                    message.sent, message.receipt.delivery, message.in_flight
                )
                .as_bytes(),
            );
        })
        .map_err(errors::from_engine)?;
    let end: &[u8] = if is_cut { b"],\"Truncated\":true}" } else { b"]}" };
    out.extend_from_slice(end);
    Ok(Response::new(200, "application/json", out))
}
