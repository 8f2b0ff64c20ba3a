//! From the name of a stream to a stream that takes the call.

use std::sync::Arc;

use trunkline_engine::{
    Admission, Admitted, Held, Operation, ResourceName, Settling, Stream, StreamChange, Ticket,
};

use super::errors::{from_engine, no_such_stream};
use super::settings::Settings;
use super::{access, target};
use crate::error::Result;
use crate::service::{Call, Finished, Outcome, Output};

/// A stream, and what Kinesis keeps of it.
pub(super) struct Found {
    pub stream: Arc<Stream>,
    pub settings: Arc<Settings>,
}

/// A call that may start, or what holds it up.
pub(super) enum Admittance {
    Ready(Admitted),
    Held(Held),
}

/// The stream that the members of an input name; one that is being created is none yet.
pub(super) fn find(
    call: &Call<'_>,
    operation: &str,
    name: Option<&str>,
    arn: Option<&str>,
) -> Result<Found> {
    let name = target::named(name, arn, (call.account, call.region))?;
    let stream = call.engine.find_stream(&name).map_err(|error| from_engine(&error))?;
    let stream = stream.ok_or_else(|| no_such_stream(&name))?;
    of_stream(call, operation, stream)
}

/// The stream, if the caller may carry out `operation` on it.
pub(super) fn of_stream(call: &Call<'_>, operation: &str, stream: Arc<Stream>) -> Result<Found> {
    let settings = stream.derived(Settings::read);
    access::check(call, operation, stream.name(), &settings)?;
    if stream.change_now() == Some(StreamChange::Creating) {
        return Err(no_such_stream(stream.name()));
    }
    Ok(Found { stream, settings })
}

/// Asks the engine whether a call may start.
pub(super) fn admit(
    call: &Call<'_>,
    operation: Operation,
    name: &ResourceName,
) -> Result<Admittance> {
    let host = call.engine.host();
    let admission = match call.held {
        Some(held) => host.resume(held),
        None => host.try_admit(operation, name),
    };
    Ok(match admission.map_err(|error| from_engine(&error))? {
        Admission::Ready(admitted) => Admittance::Ready(admitted),
        Admission::Held(held) => Admittance::Held(*held),
    })
}

/// The output once `ticket` is as durable as the engine promises.
pub(super) fn settle(
    call: &Call<'_>,
    stream: &Stream,
    ticket: Option<Ticket>,
    output: Vec<u8>,
) -> Result<Outcome> {
    let durability = call.engine.durability();
    let settling: Option<Settling> = call
        .engine
        .host()
        .begin_settle(stream.name(), ticket, durability)
        .map_err(|error| from_engine(&error))?;
    Ok(Outcome::Done(Finished { output: Output(output), settling }))
}
