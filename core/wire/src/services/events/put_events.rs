//! PutEvents: every entry is put for itself, in order, with one wait for the disk.

use std::sync::Arc;

use trunkline_engine::{Admission, Admitted, Bus, PUT_EVENT, PutEvent, ResourceName, Ticket};
use trunkline_types::Code;

use super::envelope::{self, Refusal};
use super::errors::from_engine;
use super::input::{self, Entry, PutEventsInput};
use super::{access, target};
use crate::codec::json::write_text;
use crate::error::{Result, WireError};
use crate::request_id;
use crate::service::{Call, Finished, Input, Outcome};

/// What became of an entry: the id of the event, or why it was refused.
type Entered = std::result::Result<String, Refusal>;

/// Carries out a PutEvents.
pub(super) fn start(call: &Call<'_>, input: &Input<'_>) -> Result<Outcome> {
    let input: PutEventsInput<'_> = input.read()?;
    let host = call.engine.host();
    input::check(input.entries.as_ref(), &host.limits)?;
    let entries = input.entries.unwrap_or_default();
    let named = |entry: &Entry<'_>| {
        target::named(entry.event_bus_name.as_deref(), call.account, call.region)
    };
    let buses: Vec<ResourceName> = entries.iter().map(named).collect();
    // The whole request is one call, which is admitted for the first bus that it names.
    let Some(first) = buses.first() else { return Ok(finished(&[], None)) };
    let admission = match call.held {
        Some(held) => host.resume(held),
        None => host.try_admit(PUT_EVENT, first),
    };
    let admitted = match admission.map_err(|error| from_engine(&error))? {
        Admission::Ready(admitted) => admitted,
        Admission::Held(held) => return Ok(Outcome::Held(*held)),
    };
    let mut put = Put { call, admitted: &admitted, text: Vec::new(), ticket: None };
    let mut results = Vec::with_capacity(entries.len());
    for (entry, bus) in entries.iter().zip(&buses) {
        results.push(put.entry(entry, bus)?);
    }
    let settling = host
        .begin_settle(first, put.ticket, call.engine.durability())
        .map_err(|error| from_engine(&error))?;
    Ok(finished(&results, settling))
}

struct Put<'a> {
    call: &'a Call<'a>,
    admitted: &'a Admitted,
    /// The event of the entry at hand.
    text: Vec<u8>,
    /// The last that was handed out: whatever is durable with it, what came before is, too.
    ticket: Option<Ticket>,
}

impl Put<'_> {
    fn entry(&mut self, entry: &Entry<'_>, name: &ResourceName) -> Result<Entered> {
        let Call { engine, account, region, access, .. } = *self.call;
        if let Some(access) = access
            && let Err(error) = access::check(access, engine, account, "PutEvents", name)
        {
            let code = "AccessDeniedException";
            return Ok(Err(Refusal { code, message: error.message().to_owned() }));
        }
        self.text.clear();
        if let Err(refusal) = envelope::write(entry, account, region, &mut self.text) {
            return Ok(Err(refusal));
        }
        // As on AWS, an event for a bus that does not exist is accepted, and reaches no target.
        let Some(bus) = self.bus(name)? else { return Ok(Ok(request_id::next())) };
        // A header of the request traces its entries, unless they say something else.
        let trace_header = entry.trace_header.as_deref().or_else(|| trace_of(self.call));
        let event = PutEvent { trace_header, ..PutEvent::new(&self.text) };
        match bus.put_admitted(self.admitted, event) {
            Ok(outcome) => {
                self.ticket = outcome.ticket.or(self.ticket);
                Ok(Ok(outcome.id))
            }
            Err(error) => {
                let code = match error.code() {
                    Code::OverLimit => "ThrottlingException",
                    Code::InvalidParameterValue | Code::UnsupportedOperation => "InvalidArgument",
                    // The engine itself cannot go on: that is not about one entry.
                    _ => return Err(from_engine(&error)),
                };
                Ok(Err(Refusal { code, message: error.message().to_owned() }))
            }
        }
    }

    /// The bus of this name. Every account has a default bus in every region.
    fn bus(&self, name: &ResourceName) -> Result<Option<Arc<Bus>>> {
        let engine = self.call.engine;
        let found = engine.find_bus(name).map_err(|error| from_engine(&error))?;
        if found.is_some() || &*name.name != target::DEFAULT {
            return Ok(found);
        }
        let made = engine.bus(name.clone(), b"").map_err(|error| from_engine(&error))?;
        Ok(Some(made.0))
    }
}

/// The trace that the whole request belongs to.
fn trace_of<'a>(call: &Call<'a>) -> Option<&'a str> {
    call.request.header("x-amzn-trace-id").filter(|trace| !trace.is_empty())
}

fn finished(results: &[Entered], settling: Option<trunkline_engine::Settling>) -> Outcome {
    let failed = results.iter().filter(|result| result.is_err()).count();
    let mut out = format!("{{\"FailedEntryCount\":{failed},\"Entries\":[").into_bytes();
    for (place, result) in results.iter().enumerate() {
        out.extend_from_slice(if place > 0 { b",{" } else { b"{" });
        match result {
            Ok(id) => {
                out.extend_from_slice(b"\"EventId\":");
                write_text(id, &mut out);
            }
            Err(refusal) => {
                out.extend_from_slice(b"\"ErrorCode\":");
                write_text(refusal.code, &mut out);
                out.extend_from_slice(b",\"ErrorMessage\":");
                write_text(&refusal.message, &mut out);
            }
        }
        out.push(b'}');
    }
    out.extend_from_slice(b"]}");
    Outcome::Done(Finished { output: out.into(), settling })
}

/// The error for an operation that the data plane does not have.
#[cold]
pub(super) fn unknown() -> WireError {
    WireError::internal("The operation is not part of the data plane of EventBridge.")
}
