//! PutEvents: every entry is put for itself, in order, with one wait for the disk.

use std::sync::Arc;

use trunkline_engine::{Admission, Admitted, Bus, PUT_EVENT, ResourceName, Ticket};
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
    let mut put = Put { call, detail: Vec::new(), ticket: None, buses: Vec::new() };
    let places: Vec<usize> = entries.iter().map(|entry| put.place_of(entry)).collect();
    // The whole request is one call, which is admitted for the first bus that it names.
    let Some(first) = put.buses.first().map(|bus| bus.name.clone()) else {
        return Ok(finished(&[], None));
    };
    let admission = match call.held {
        Some(held) => host.resume(held),
        None => host.try_admit(PUT_EVENT, &first),
    };
    let admitted = match admission.map_err(|error| from_engine(&error))? {
        Admission::Ready(admitted) => admitted,
        Admission::Held(held) => return Ok(Outcome::Held(*held)),
    };
    let mut results = Vec::with_capacity(entries.len());
    for (entry, place) in entries.iter().zip(places) {
        results.push(put.entry(&admitted, entry, place)?);
    }
    let settling = host
        .begin_settle(&first, put.ticket, call.engine.durability())
        .map_err(|error| from_engine(&error))?;
    Ok(finished(&results, settling))
}

struct Put<'a> {
    call: &'a Call<'a>,
    /// The detail of the entry at hand.
    detail: Vec<u8>,
    /// The last that was handed out: whatever is durable with it, what came before is, too.
    ticket: Option<Ticket>,
    /// The buses that entries name, in the order in which they come up.
    buses: Vec<Destination<'a>>,
}

/// A bus that an entry names.
struct Destination<'a> {
    given: Option<&'a str>,
    name: ResourceName,
    /// The bus, once it was looked for; `None` in it for one that does not exist.
    found: Option<Option<Arc<Bus>>>,
}

impl<'a> Put<'a> {
    /// Which of the buses an entry names.
    fn place_of(&mut self, entry: &'a Entry<'_>) -> usize {
        let given = entry.event_bus_name.as_deref();
        let known = self.buses.iter().position(|bus| bus.given == given);
        known.unwrap_or_else(|| {
            let name = target::named(given, self.call.account, self.call.region);
            self.buses.push(Destination { given, name, found: None });
            self.buses.len() - 1
        })
    }

    fn entry(&mut self, admitted: &Admitted, entry: &Entry<'_>, place: usize) -> Result<Entered> {
        let Call { engine, account, region, access, .. } = *self.call;
        let name = &self.buses[place].name;
        if let Some(access) = access
            && let Err(error) = access::check(access, engine, account, "PutEvents", name)
        {
            let code = "AccessDeniedException";
            return Ok(Err(Refusal { code, message: error.message().to_owned() }));
        }
        self.detail.clear();
        let checked = match envelope::check(entry, &mut self.detail) {
            Ok(checked) => checked,
            Err(refusal) => return Ok(Err(refusal)),
        };
        // As on AWS, an event for a bus that does not exist is accepted, and reaches no target.
        let Some(bus) = self.bus(place)? else { return Ok(Ok(request_id::next())) };
        // A header of the request traces its entries, unless they say something else.
        let trace_header = entry.trace_header.as_deref().or_else(|| trace_of(self.call));
        let fields = checked.fields(account, region, &self.detail);
        match bus.put_fields_admitted(admitted, &fields, trace_header) {
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

    /// One of the buses. Every account has a default bus in every region.
    fn bus(&mut self, place: usize) -> Result<Option<Arc<Bus>>> {
        let Destination { name, found, .. } = &mut self.buses[place];
        if let Some(found) = found {
            return Ok(found.clone());
        }
        let engine = self.call.engine;
        let mut bus = engine.find_bus(name).map_err(|error| from_engine(&error))?;
        if bus.is_none() && &*name.name == target::DEFAULT {
            let made = engine.bus(name.clone(), b"").map_err(|error| from_engine(&error))?;
            bus = Some(made.0);
        }
        *found = Some(bus.clone());
        Ok(bus)
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
