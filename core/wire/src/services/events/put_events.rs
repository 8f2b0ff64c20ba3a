//! PutEvents: every entry succeeds or fails for itself, in order. Neighbours for the same bus are
//! put together, and there is one wait for the disk.

use std::ops::Range;
use std::sync::Arc;

use trunkline_engine::{Admission, Admitted, Bus, EventFields, PUT_EVENT, ResourceName, Ticket};
use trunkline_types::{Code, Error};

use super::endpoint::Endpoint;
use super::envelope::{self, Checked, Refusal};
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
    let endpoint = match input.endpoint_id.as_deref() {
        Some(id) => Some(Endpoint::find(call.engine, call.account, id)?),
        None => None,
    };
    let entries = input.entries.unwrap_or_default();
    let buses = Vec::new();
    let mut put = Put { call, endpoint: endpoint.as_ref(), ticket: None, buses };
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
    let mut details = Vec::new();
    let ready: Vec<_> = entries
        .iter()
        .zip(&places)
        .map(|(entry, place)| put.ready(entry, *place, &mut details))
        .collect();
    let mut results = Vec::with_capacity(entries.len());
    let mut rest = &*ready;
    for neighbours in places.chunk_by(|a, b| a == b) {
        let some;
        (some, rest) = rest.split_at(neighbours.len());
        put.all(&admitted, some, neighbours[0], &details, &mut results)?;
    }
    let settling = host
        .begin_settle(&first, put.ticket, call.engine.durability())
        .map_err(|error| from_engine(&error))?;
    Ok(finished(&results, settling))
}

struct Put<'a> {
    call: &'a Call<'a>,
    /// The global endpoint that the request goes to.
    endpoint: Option<&'a Endpoint>,
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

/// An entry that was checked.
struct Ready<'a> {
    checked: Checked<'a>,
    /// Where its detail is.
    detail: Range<usize>,
    trace_header: Option<&'a str>,
}

impl<'a> Put<'a> {
    /// The region that the request is for.
    fn region(&self) -> &'a str {
        self.endpoint.map_or(self.call.region, |endpoint| &endpoint.primary)
    }

    /// Which of the buses an entry names.
    fn place_of(&mut self, entry: &'a Entry<'_>) -> usize {
        let given = entry.event_bus_name.as_deref();
        let known = self.buses.iter().position(|bus| bus.given == given);
        known.unwrap_or_else(|| {
            let account = self.call.account;
            let mut name = target::named(given, account, self.region());
            if let Some(endpoint) = self.endpoint {
                name = endpoint.resolve(name, account);
            }
            self.buses.push(Destination { given, name, found: None });
            self.buses.len() - 1
        })
    }

    /// Checks an entry, and adds its detail to `details`.
    fn ready(
        &self,
        entry: &'a Entry<'_>,
        place: usize,
        details: &mut Vec<u8>,
    ) -> std::result::Result<Ready<'a>, Refusal> {
        let Call { engine, account, access, .. } = *self.call;
        if let Some(access) = access
            && let Err(error) =
                access::check(access, engine, account, "PutEvents", &self.buses[place].name)
        {
            let code = "AccessDeniedException";
            return Err(Refusal { code, message: error.message().to_owned() });
        }
        let start = details.len();
        let checked = envelope::check(entry, details)?;
        // A header of the request traces its entries, unless they say something else.
        let trace_header = entry.trace_header.as_deref().or_else(|| trace_of(self.call));
        Ok(Ready { checked, detail: start..details.len(), trace_header })
    }

    /// Puts entries that name the same bus.
    fn all(
        &mut self,
        admitted: &Admitted,
        entries: &[std::result::Result<Ready<'a>, Refusal>],
        place: usize,
        details: &[u8],
        results: &mut Vec<Entered>,
    ) -> Result<()> {
        let bus = match entries.iter().any(std::result::Result::is_ok) {
            true => self.bus(place)?,
            false => None,
        };
        let (account, region) = (self.call.account, self.region());
        let fields: Vec<(EventFields<'_>, Option<&str>)> = entries
            .iter()
            .flatten()
            .map(|Ready { checked, detail, trace_header }| {
                (checked.fields(account, region, &details[detail.clone()]), *trace_header)
            })
            .collect();
        let put = bus.map(|bus| bus.put_fields_admitted(admitted, &fields));
        let mut put = put.map(Vec::into_iter);
        for entry in entries {
            let entered = match (entry, &mut put) {
                (Err(refusal), _) => Err(refusal.clone()),
                // As on AWS, an event for a bus that does not exist is accepted, and reaches no
                // target.
                (Ok(_), None) => Ok(request_id::next()),
                (Ok(_), Some(put)) => match put.next().ok_or_else(unknown)? {
                    Ok(outcome) => {
                        self.ticket = self.ticket.max(outcome.ticket);
                        Ok(outcome.id)
                    }
                    Err(error) => Err(refusal(&error)?),
                },
            };
            results.push(entered);
        }
        Ok(())
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

/// Why the engine refused an event. What it says of itself fails the request.
fn refusal(error: &Error) -> Result<Refusal> {
    let code = match error.code() {
        Code::OverLimit => "ThrottlingException",
        Code::InvalidParameterValue | Code::UnsupportedOperation => "InvalidArgument",
        _ => return Err(from_engine(error)),
    };
    Ok(Refusal { code, message: error.message().to_owned() })
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
