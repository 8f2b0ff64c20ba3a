//! Queues of streams: the operations that carry their records.
//!
//! A queue is two queues of the engine, in a region of their own so that they take no name of an
//! SQS queue: one for what can be received, one for its dead letters. A message is the place of a
//! record, its shard and its sequence number, and not the record: a queue costs some 100 bytes a
//! record that waits, and what the stream does not have any more cannot be received. The control
//! plane, in Python, feeds places to the first queue by a reader of the stream, and keeps what AWS
//! tells of the queue in that queue's document.

mod change;
mod receive;

use std::sync::Arc;

use serde::Deserialize;
use trunkline_engine::{QUEUE, Queue, ResourceName, STREAM, Stream};

use super::access;
use super::errors::{from_engine, not_found};
use crate::arn::partition;
use crate::error::Result;
use crate::service::{Call, Input, Outcome};

/// Carries out an operation of the data plane on a queue.
pub(super) fn start(
    call: &Call<'_>,
    input: &Input<'_>,
    operation: &'static str,
) -> Result<Outcome> {
    match operation.starts_with("Receive") {
        true => receive::start(call, input, operation),
        false => change::start(call, input, operation),
    }
}

/// A queue of a stream.
struct StreamQueue {
    records: Arc<Queue>,
    dead: Arc<Queue>,
    kept: Kept,
}

/// What the control plane keeps of a queue, as far as it is needed here. Times are in seconds.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Kept {
    stream: [String; 3],
    gone: Option<f64>,
    policy: Option<String>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Document {
    kinesis: Kept,
}

impl StreamQueue {
    /// The queue that an operation works on, or that of its dead letters.
    fn of(&self, operation: &str) -> &Arc<Queue> {
        if operation.contains("DeadLetter") { &self.dead } else { &self.records }
    }

    fn stream(&self, call: &Call<'_>) -> Result<Option<Arc<Stream>>> {
        let [account, region, name] = &self.kept.stream;
        let name = ResourceName::new(STREAM, &**account, &**region, &**name);
        call.engine.find_stream(&name).map_err(|error| from_engine(&error))
    }
}

/// The account, the region and the id in the resource name of a queue.
fn parts_of(arn: &str) -> Option<(&str, &str, &str)> {
    let mut parts = arn.splitn(6, ':');
    let (scheme, partition_of, service) = (parts.next()?, parts.next()?, parts.next()?);
    let (region, account, resource) = (parts.next()?, parts.next()?, parts.next()?);
    let id = resource.strip_prefix("queue/")?;
    let is_ours = scheme == "arn" && service == "kinesis" && partition_of == partition(region);
    is_ours.then_some((account, region, id))
}

/// The queue of this resource name, if the caller may carry out `operation` on it.
fn find(call: &Call<'_>, operation: &str, arn: &str) -> Result<StreamQueue> {
    let missing = || not_found(format!("Queue {arn} not found."));
    let (account, region, id) = parts_of(arn).ok_or_else(missing)?;
    let find = |id: &str| {
        let name = ResourceName::new(QUEUE, account, format!("kinesis.{region}"), id);
        call.engine.find_queue(&name).map_err(|error| from_engine(&error))
    };
    let kept = |queue: &Queue| {
        let document: Document = serde_json::from_slice(&queue.document()).unwrap_or_default();
        document.kinesis
    };
    let records = find(id)?;
    let settings = records.as_deref().map(kept).unwrap_or_default();
    access::check_resource(call, operation, (account, arn), settings.policy.as_deref())?;
    let (Some(records), Some(dead)) = (records, find(&format!("{id}-dead"))?) else {
        return Err(missing());
    };
    let now = call.engine.host().now() as f64 / 1_000.0;
    if settings.gone.is_some_and(|gone| gone <= now) {
        return Err(missing());
    }
    Ok(StreamQueue { records, dead, kept: settings })
}

/// Raises if the caller may not carry out an operation of the control plane on the queue or the
/// channel that `arn` names; false for a resource name of something else.
pub(super) fn authorize(call: &Call<'_>, operation: &str, arn: &str) -> Result<bool> {
    if parts_of(arn).is_some() {
        return find(call, operation, arn).map(|_| true);
    }
    let mut parts = arn.splitn(6, ':').skip(2);
    let (service, account) = (parts.next(), parts.nth(1).unwrap_or_default());
    let is_channel = parts.next().is_some_and(|resource| resource.starts_with("channel/"));
    if service != Some("kinesis") || !is_channel {
        return Ok(false);
    }
    access::check_resource(call, operation, (account, arn), None).map(|()| true)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_queue_is_named_by_its_account_its_region_and_its_id() {
        let arn = "arn:aws:kinesis:eu-west-1:222222222222:queue/a1";
        assert_eq!(parts_of(arn), Some(("222222222222", "eu-west-1", "a1")));
        for bad in ["", "arn:aws:kinesis:a:1:stream/s", "arn:aws:sqs:eu-west-1:1:queue/a1"] {
            assert_eq!(parts_of(bad), None, "{bad}");
        }
    }
}
