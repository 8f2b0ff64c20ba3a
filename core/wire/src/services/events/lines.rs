//! `POST /_trunkline/buses/<name>/events`: events as JSON lines, for clients that speak no protocol
//! of AWS. Each line is an event and gets a line of the answer.

use std::sync::Arc;

use trunkline_engine::{BUS, Engine, PutEvent, ResourceName};

use super::errors::from_engine;
use super::target;
use crate::auth::{DEFAULT_ACCOUNT, DEFAULT_REGION};
use crate::codec::json::write_text;
use crate::error::{Result, WireError};
use crate::message::{Request, Response};
use crate::service::AdminWork;

/// The work behind a path below `/_trunkline/`; `None` if it is no bus's.
pub(super) fn read(path: &str, request: &Request<'_>) -> Option<Result<AdminWork>> {
    let name = path.strip_prefix("buses/")?.strip_suffix("/events")?;
    if name.contains('/') {
        return None;
    }
    if request.method != "POST" {
        let message = "This path takes POST.";
        return Some(Err(WireError::new("MethodNotAllowed", 405, message)));
    }
    let region = request.header("x-trunkline-region").unwrap_or(DEFAULT_REGION);
    let name = ResourceName::new(BUS, DEFAULT_ACCOUNT, region, name);
    let body = request.body.to_vec();
    Some(Ok(Box::new(move |engine| put(engine, &name, &body))))
}

fn put(engine: &Arc<Engine>, name: &ResourceName, body: &[u8]) -> Result<Response> {
    let bus = if &*name.name == target::DEFAULT {
        Some(engine.bus(name.clone(), b"").map_err(|error| from_engine(&error))?.0)
    } else {
        engine.find_bus(name).map_err(|error| from_engine(&error))?
    };
    let bus = bus.ok_or_else(|| {
        let message = format!("Event bus {} does not exist.", name.name);
        WireError::new("ResourceNotFoundException", 404, message)
    })?;
    let mut out = Vec::new();
    let mut ticket = None;
    for line in body.split(|byte| *byte == b'\n').map(<[u8]>::trim_ascii) {
        // A line feed at the end is no event.
        if line.is_empty() {
            continue;
        }
        match bus.put(PutEvent::new(line)) {
            Ok(outcome) => {
                ticket = outcome.ticket.or(ticket);
                out.extend_from_slice(b"{\"id\":");
                write_text(&outcome.id, &mut out);
                let (matched, delivered) = (outcome.matched, outcome.delivered);
                let counts = format!(
                    ",\"matched\":{matched},\"delivered\":{delivered},\"failed\":{}}}\n",
                    outcome.failed
                );
                out.extend_from_slice(counts.as_bytes());
            }
            Err(error) => {
                // The engine itself cannot go on: that is not about one event.
                engine.check_healthy().map_err(|error| from_engine(&error))?;
                out.extend_from_slice(b"{\"error\":");
                write_text(error.code().name(), &mut out);
                out.extend_from_slice(b",\"message\":");
                write_text(error.message(), &mut out);
                out.extend_from_slice(b"}\n");
            }
        }
    }
    let host = engine.host();
    let settling = host.begin_settle(name, ticket, engine.durability());
    if let Some(settling) = settling.map_err(|error| from_engine(&error))? {
        settling.wait(host).map_err(|error| from_engine(&error))?;
    }
    Ok(Response::new(200, "application/x-ndjson", out))
}
