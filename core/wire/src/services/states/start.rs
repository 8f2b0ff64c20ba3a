//! `StartExecution`: a durable execution, which runs until it waits before the answer comes.

use trunkline_engine::StartRequest;

use super::input::Start;
use super::machines::KnownMachines;
use crate::codec::object::Object;
use crate::codec::time;
use crate::error::{Result, WireError};
use crate::model::TimeFormat;
use crate::service::{Call, Finished, Input, Outcome, Output};

/// What is kept with an execution that neither a version nor an alias led to.
const DOCUMENT: &[u8] = br#"{"version": null, "alias": null}"#;

/// Starts an execution. `None`: nothing was done, and the control plane has to decide.
pub(super) fn start(
    call: &Call<'_>,
    input: &Input<'_>,
    machines: &KnownMachines,
) -> Result<Option<Outcome>> {
    let Some(start) = Start::read(input) else { return Ok(None) };
    let known = machines.find(call, &start.arn);
    let known = known.filter(|known| !known.is_express && !known.is_watched(call.engine));
    let Some(known) = known else { return Ok(None) };
    let Some((machine, program)) = known.durable(call.engine) else { return Ok(None) };
    let arn = known.execution_arn("execution", &start.name);
    let request = StartRequest {
        name: &start.name,
        program,
        input: start.input(),
        identity: known.identity(&arn, &start.name),
        document: DOCUMENT,
        tells_events: known.is_logged,
        ..StartRequest::default()
    };
    // A start that failed has done nothing; the control plane words the error.
    let Ok(started) = machine.start(&request) else { return Ok(None) };
    let mut out = Vec::with_capacity(160);
    let mut object = Object::open(&mut out);
    object.text("executionArn", &arn);
    write_time(&mut object, "startDate", started.status.started);
    object.close();
    let (host, durability) = (call.engine.host(), call.engine.durability());
    let settling = host.begin_settle(machine.name(), started.ticket, durability);
    let settling = settling.map_err(|error| WireError::from_engine(&error))?;
    Ok(Some(Outcome::Done(Finished { output: Output(out), settling })))
}

/// A moment, in seconds.
pub(super) fn write_time(object: &mut Object<'_>, name: &str, millis: u64) {
    let text = time::write(millis as f64 / 1_000.0, TimeFormat::Epoch);
    object.key(name).extend_from_slice(text.as_bytes());
}
