//! `/_aws/sqs/messages`: looks at a queue without receiving from it.

use trunkline_engine::{QUEUE, ResourceName};

use super::Dispatcher;
use crate::auth::{DEFAULT_ACCOUNT, DEFAULT_REGION};
use crate::codec::form::Form;
use crate::codec::json::write_text;
use crate::error::Result;
use crate::message::{Request, Response};
use crate::services::sqs;

/// Most messages of one look.
const PEEK_MAX: usize = 10_000;

/// Most bytes of one look; messages beyond them are left out, and the answer says so.
const PEEK_BYTES_MAX: usize = 32 * 1024 * 1024;

/// What is to be looked at.
pub struct PeekRequest {
    queue: ResourceName,
    show_all: bool,
}

impl PeekRequest {
    /// Reads what `request` asks for.
    pub(super) fn of(request: &Request<'_>) -> Result<Self> {
        let mut form = Form::read(request.query.as_bytes())?;
        form.extend(Form::read(request.body)?);
        let url = form.get("QueueUrl").unwrap_or("");
        let address = sqs::parse_address(url, DEFAULT_ACCOUNT, region_of(request))?;
        let queue = ResourceName::new(QUEUE, address.account, address.region, address.name);
        Ok(Self { queue, show_all: form.get("ShowInvisible") == Some("true") })
    }
}

impl Dispatcher {
    pub(super) fn peek(&self, look: &PeekRequest) -> Result<Response> {
        let queue = self.engine.find_queue(&look.queue).map_err(sqs::from_engine)?;
        let queue = queue.ok_or_else(|| {
            sqs::named("QueueDoesNotExist", "The specified queue does not exist.")
        })?;
        let mut is_cut = false;
        let mut out = b"{\"Messages\":[".to_vec();
        let mut is_first = true;
        queue
            .peek(PEEK_MAX, look.show_all, |message| {
                is_cut |= out.len() + message.body.len() > PEEK_BYTES_MAX;
                if is_cut {
                    return;
                }
                if !is_first {
                    out.push(b',');
                }
                is_first = false;
                let id = message.message_id(self.engine.key());
                out.extend_from_slice(format!("{{\"MessageId\":\"{id}\",\"Body\":").as_bytes());
                write_text(&String::from_utf8_lossy(message.body), &mut out);
                out.extend_from_slice(
                    format!(
                        ",\"Attributes\":{{\"SentTimestamp\":\"{}\",\
                         \"ApproximateReceiveCount\":\"{}\"}},\"InFlight\":{}}}",
                        message.sent, message.receive_count, message.in_flight
                    )
                    .as_bytes(),
                );
            })
            .map_err(sqs::from_engine)?;
        let end: &[u8] = if is_cut { b"],\"Truncated\":true}" } else { b"]}" };
        out.extend_from_slice(end);
        Ok(Response::new(200, "application/json", out))
    }
}

fn region_of<'a>(request: &Request<'a>) -> &'a str {
    request.header("x-trunkline-region").unwrap_or(DEFAULT_REGION)
}
