//! `StartSyncExecution`: an express execution in memory, from its start to its end.

use trunkline_engine::states::{
    Effect, Execution, Outcome as End, Payload, SeededEntropy, Stimulus,
};
use trunkline_types::Millis;

use super::input::Start;
use super::machines::{KnownMachine, KnownMachines};
use super::start::write_time;
use crate::codec::object::Object;
use crate::request_id;
use crate::service::{Call, Finished, Input, Outcome};

/// AWS bills in steps of so many milliseconds, and of so many megabytes.
const BILLED: &[u8] = br#"{"billedMemoryUsedInMB":64,"billedDurationInMilliseconds":100}"#;
const INCLUDED: &[u8] = br#"{"included":true}"#;

/// Runs an execution that waits for nothing. `None`: the control plane has to decide, or to run it
/// from its start, which no one has seen.
pub(super) fn run(call: &Call<'_>, input: &Input<'_>, machines: &KnownMachines) -> Option<Outcome> {
    let start = Start::read(input)?;
    let host = call.engine.host();
    host.check_readable().ok()?;
    let known = machines.find(call, &start.arn)?;
    if !known.is_express || known.is_logged {
        return None;
    }
    let named = format!("{}:{}", start.name, request_id::next());
    let arn = known.execution_arn("express", &named);
    let now = host.now();
    let end = end(&known, &arn, &start, now)?;
    let out = write(&known, &arn, &start, &end, (now, host.now().max(now)))?;
    Some(Outcome::Done(Finished::from(out)))
}

/// How the execution ends, if it does before it waits for anything.
fn end(known: &KnownMachine, arn: &str, start: &Start<'_>, now: Millis) -> Option<End> {
    let input = Payload::parse(start.input()).ok()?;
    let mut execution = Execution::new(&known.program, known.identity(arn, &start.name));
    let mut entropy = SeededEntropy::new(request_id::random(), "task-");
    let stimulus = Stimulus::Start { input };
    let effects = execution.step(&known.program, stimulus, now, &mut entropy);
    let mut end = None;
    for effect in effects {
        match effect {
            Effect::Finish(found) => end = Some(found),
            // It reaches out of the engine, whatever becomes of it.
            Effect::StartTask(_) | Effect::StartMapRun(_) => return None,
            _ => {}
        }
    }
    end
}

fn write(
    known: &KnownMachine,
    arn: &str,
    start: &Start<'_>,
    end: &End,
    (started, stopped): (Millis, Millis),
) -> Option<Vec<u8>> {
    let mut out = Vec::with_capacity(512 + 2 * start.input().len());
    let mut object = Object::open(&mut out);
    object.text("executionArn", arn);
    object.text("stateMachineArn", known.machine_arn());
    object.text("name", &start.name);
    write_time(&mut object, "startDate", started);
    write_time(&mut object, "stopDate", stopped);
    object.text("status", end.status());
    object.text("input", start.input());
    for details in ["inputDetails", "outputDetails"] {
        object.key(details).extend_from_slice(INCLUDED);
    }
    object.key("billingDetails").extend_from_slice(BILLED);
    match end {
        End::Succeeded { output } => object.text("output", output.text()),
        End::Failed { error, cause } => {
            for (name, text) in [("error", error), ("cause", cause)] {
                if let Some(text) = text {
                    object.text(name, text);
                }
            }
        }
        End::Aborted { .. } | End::TimedOut => return None,
    }
    object.close();
    Some(out)
}
