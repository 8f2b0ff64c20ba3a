//! `ReceiveQueueRecords` and the same for dead letters: a long poll for places, and the records
//! that lie there.

use std::io::Write;
use std::sync::Arc;

use serde::Deserialize;
use trunkline_engine::{
    Admission, Admitted, Awaited, Engine, Queue, ReadRequest, Receive, SequenceNumber, ShardId,
    Start, Stream, Ticket, operation, stream_operation,
};
use trunkline_types::{Millis, Receipt};

use crate::codec::append_blob;
use crate::codec::text::Text;
use crate::error::Result;
use crate::limits::{QUEUE_RECORDS_MAX, QUEUE_WAIT_SECONDS};
use crate::service::{Call, Finished, Input, Outcome, Output, Wait};
use crate::services::kinesis::check::Violations;
use crate::services::kinesis::errors::from_engine;
use crate::services::kinesis::output::List;

#[derive(Debug, Deserialize)]
struct ReceiveInput<'a> {
    #[serde(borrow, rename = "QueueARN")]
    queue_arn: Option<Text<'a>>,
    #[serde(rename = "Limit")]
    limit: Option<i64>,
    #[serde(rename = "WaitTimeSeconds")]
    wait: Option<i64>,
    #[serde(rename = "VisibilityTimeoutSeconds")]
    visibility: Option<i64>,
}

/// The default of `WaitTimeSeconds`.
const WAIT_SECONDS: i64 = 9;

pub(super) fn start(
    call: &Call<'_>,
    input: &Input<'_>,
    operation: &'static str,
) -> Result<Outcome> {
    let input: ReceiveInput<'_> = input.read()?;
    let mut found = Violations::default();
    found.queue_arn(input.queue_arn.as_deref());
    found.range(input.limit, "limit", 1, QUEUE_RECORDS_MAX);
    found.range(input.wait, "waitTimeSeconds", 1, QUEUE_WAIT_SECONDS);
    found.visibility(input.visibility, "visibilityTimeoutSeconds");
    found.finish()?;
    let queue = super::find(call, operation, input.queue_arn.as_deref().unwrap_or_default())?;
    let source = queue.of(operation).clone();
    let admission = match call.held {
        Some(held) => source.resume(held),
        None => source.try_admit(operation::RECEIVE),
    };
    let admitted = match admission.map_err(|error| from_engine(&error))? {
        Admission::Ready(admitted) => admitted,
        Admission::Held(held) => return Ok(Outcome::Held(*held)),
    };
    // Who asks for dead letters gets them when leases end, and not with the next receive.
    if Arc::ptr_eq(&source, &queue.dead) {
        queue.records.give_up_eagerly().map_err(|error| from_engine(&error))?;
    }
    // A queue that is being deleted delivers nothing, and nor does one whose stream is gone.
    let stream = match queue.kept.gone {
        Some(_) => None,
        None => queue.stream(call)?,
    };
    let wait = input.wait.unwrap_or(WAIT_SECONDS) as Millis * 1_000;
    Ok(Outcome::Wait(Box::new(Poll {
        engine: call.engine.clone(),
        max: input.limit.unwrap_or(QUEUE_RECORDS_MAX) as usize,
        visibility: input.visibility.map(|seconds| seconds as Millis * 1_000),
        wait: if stream.is_some() { wait } else { 0 },
        stream,
        source,
        admitted,
    })))
}

struct Poll {
    engine: Arc<Engine>,
    source: Arc<Queue>,
    stream: Option<Arc<Stream>>,
    admitted: Admitted,
    max: usize,
    visibility: Option<Millis>,
    wait: Millis,
}

/// A message as it was received.
struct Received {
    receipt: Receipt,
    count: u32,
    first: Millis,
    place: Option<(ShardId, SequenceNumber)>,
}

impl Poll {
    /// As many messages as may be. Not one by one: those that are received for no time at all are
    /// visible again behind each receive.
    fn receive(&self, last: &mut Option<Ticket>) -> Result<Vec<Received>> {
        let request = Receive {
            max: self.max,
            visibility: self.visibility,
            attempt_id: None,
            wait: Some(self.wait.max(1)),
        };
        let mut found = Vec::new();
        let received = self.source.receive_admitted(&self.admitted, &request, |delivery| {
            found.push(Received {
                receipt: delivery.receipt,
                count: delivery.receive_count,
                first: delivery.first_received,
                place: place_of(delivery.body),
            });
        });
        let received = received.map_err(|error| from_engine(&error))?;
        *last = (*last).max(received.ticket);
        Ok(found)
    }

    /// Writes the record of a message; false if the stream has it no more.
    fn write(&self, stream: &Stream, message: &Received, list: &mut List<'_>) -> Result<bool> {
        let Some((shard, sequence)) = message.place else { return Ok(false) };
        // The shard may be gone with its last record.
        let Ok(offset) = stream.offset_at(shard, Start::At(sequence)) else { return Ok(false) };
        let request = ReadRequest { shard, offset, max: 1, max_bytes: 1 };
        let host = self.engine.host();
        let admitted = host.admit_internal(stream_operation::READ);
        let admitted = admitted.map_err(|error| from_engine(&error))?;
        let mut is_there = false;
        let read = stream.read_admitted(&admitted, &request, |record| {
            if record.sequence != sequence {
                return;
            }
            is_there = true;
            let mut object = list.object();
            object.text("ReceiptHandle", &self.source.encode_receipt(&message.receipt));
            let out = object.key("RecordId");
            out.push(b'"');
            sequence.write(out);
            out.push(b'"');
            object.text("PartitionKey", record.key);
            let out = object.key("Data");
            out.push(b'"');
            append_blob(record.data, out);
            out.push(b'"');
            time(object.key("ApproximateArrivalTimestamp"), record.time);
            time(object.key("FirstReceiveTimestamp"), message.first);
            object.key("ReceiveCount").extend_from_slice(message.count.to_string().as_bytes());
            object.close();
        });
        match read {
            Ok(_) => Ok(is_there),
            Err(_) if stream.shards().get(shard).is_none() => Ok(false),
            Err(error) => Err(from_engine(&error)),
        }
    }
}

impl Wait for Poll {
    fn attempt(&mut self) -> Result<Option<Finished>> {
        let Some(stream) = self.stream.clone() else { return Ok(None) };
        let mut out = b"{\"QueueRecords\":".to_vec();
        let mut list = List::open(&mut out);
        let (mut count, mut last) = (0, None);
        while count == 0 {
            let found = self.receive(&mut last)?;
            if found.is_empty() {
                return Ok(None);
            }
            for message in &found {
                if self.write(&stream, message, &mut list)? {
                    count += 1;
                    continue;
                }
                // Its retention has ended.
                let deleted = self.source.delete(&message.receipt);
                last = last.max(deleted.map_err(|error| from_engine(&error))?);
            }
        }
        list.close();
        if self.visibility.unwrap_or_else(|| self.source.config().visibility) == 0 {
            // They are visible again, and may be dead letters.
            self.source.give_up_exhausted().map_err(|error| from_engine(&error))?;
        }
        out.push(b'}');
        let settling = self.source.begin_settle(last, self.engine.durability());
        let settling = settling.map_err(|error| from_engine(&error))?;
        Ok(Some(Finished { output: Output(out), settling }))
    }

    fn resource(&self) -> Arc<dyn Awaited> {
        self.source.clone()
    }

    fn patience(&self) -> Millis {
        self.wait
    }

    fn empty(&self) -> Output {
        Output(b"{\"QueueRecords\":[]}".to_vec())
    }
}

/// The place that a message names: a shard and a sequence number.
fn place_of(body: &[u8]) -> Option<(ShardId, SequenceNumber)> {
    let (shard, sequence) = std::str::from_utf8(body).ok()?.split_once(' ')?;
    Some((shard.parse().ok()?, sequence.parse().ok()?))
}

fn time(out: &mut Vec<u8>, at: Millis) {
    // Writing to memory cannot fail.
    let _ = write!(out, "{}.{:03}", at / 1_000, at % 1_000);
}
