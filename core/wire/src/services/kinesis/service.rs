//! Kinesis as the dispatcher sees it.

use std::sync::Arc;

use trunkline_engine::{Engine, ResourceName, StreamStatistics};

use super::settings::Settings;
use super::subscriptions::Subscriptions;
use super::throttle::Throttle;
use super::{access, errors, get_records, iterator, put, queues, subscribe, target};
use crate::error::{Result, WireError};
use crate::model::Protocol;
use crate::service::{Call, Exposition, Family, Input, OperationId, Outcome, Service, labels_of};
use crate::value::Value;

const OPERATIONS: [&str; 12] = [
    "PutRecord",
    "PutRecords",
    "GetRecords",
    "GetShardIterator",
    "SubscribeToShard",
    "ReceiveQueueRecords",
    "ReceiveDeadLetterQueueRecords",
    "AcknowledgeQueueRecords",
    "AcknowledgeDeadLetterQueueRecords",
    "UpdateQueueRecordsVisibility",
    "UpdateDeadLetterQueueRecordsVisibility",
    "RestoreDeadLetterQueueRecords",
];

/// The data plane of Kinesis.
#[derive(Default)]
pub struct Kinesis {
    subscriptions: Arc<Subscriptions>,
    throttle: Throttle,
}

impl Service for Kinesis {
    fn name(&self) -> &'static str {
        "kinesis"
    }

    fn operations(&self) -> &'static [&'static str] {
        &OPERATIONS
    }

    fn start(&self, call: &Call<'_>, operation: OperationId, input: &Input<'_>) -> Result<Outcome> {
        match OPERATIONS[operation] {
            "PutRecord" => put::one(call, input, &self.throttle),
            "PutRecords" => put::many(call, input, &self.throttle),
            "GetRecords" => get_records::start(call, input, &self.throttle),
            "SubscribeToShard" => subscribe::start(call, input, &self.subscriptions),
            "GetShardIterator" => iterator::start(call, input, &self.throttle),
            operation => queues::start(call, input, operation),
        }
    }

    fn authorize(
        &self,
        call: &Call<'_>,
        operation: &str,
        input: &Value,
    ) -> Result<Option<ResourceName>> {
        for member in ["QueueARN", "ChannelARN", "ResourceARN"] {
            let arn = input.get(member).and_then(Value::as_str);
            if let Some(arn) = arn
                && queues::authorize(call, operation, arn)?
            {
                return Ok(None);
            }
        }
        let target = target::of((call.account, call.region), operation, input)?;
        if let (Some(_), Some(name)) = (call.access, &target) {
            let stream = call.engine.find_stream(name).map_err(|e| errors::from_engine(&e))?;
            let settings = stream.map(|stream| stream.derived(Settings::read)).unwrap_or_default();
            access::check(call, operation, name, &settings)?;
        }
        Ok(target)
    }

    fn word(&self, error: WireError, _protocol: Protocol) -> WireError {
        errors::word(error)
    }

    fn show_metrics(&self, engine: &Engine, out: &mut Exposition) {
        let mut put = Family::counter("trunkline_stream_records_put", "Records that were put");
        let mut kept = Family::gauge("trunkline_stream_records", "Records that are kept");
        let help = "Records that a reader has not committed";
        let mut behind = Family::gauge("trunkline_stream_reader_lag_records", help);
        // A closed engine has no streams to show.
        for stream in engine.streams(None, None, "").unwrap_or_default() {
            let Ok(StreamStatistics { shards, readers, .. }) = stream.statistics() else {
                continue;
            };
            let labels = || labels_of("stream", stream.name());
            put.count(labels(), shards.iter().map(|shard| shard.put).sum());
            kept.count(labels(), shards.iter().map(|shard| shard.records).sum());
            for reader in readers {
                let mut labels = labels();
                labels.push(("reader", reader.name));
                behind.count(labels, reader.behind);
            }
        }
        [put, kept, behind].into_iter().for_each(|family| out.push(family));
    }
}
