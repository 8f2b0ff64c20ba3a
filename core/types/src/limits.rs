//! Every bound in one table, to be raised by the embedder. By default they are AWS's values, but
//! for the rules that only protect AWS's own operation: [`Limits::aws`] adds those.

use crate::Millis;

/// The limits of one engine. Sources: the SQS quotas and API pages, 2025/2026.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// Largest body plus attributes a queue may be configured for, in bytes (AWS: 1 MiB).
    pub message_bytes_max: u32,
    /// Smallest value of a queue's own maximum, in bytes.
    pub message_bytes_min: u32,
    /// Longest delay, of a queue or of a message (AWS: 15 minutes).
    pub delay_max: Millis,
    /// Shortest retention (AWS: 60 seconds).
    pub retention_min: Millis,
    /// Longest retention (AWS: 14 days).
    pub retention_max: Millis,
    /// Longest lease, counted from the receive (AWS: 12 hours).
    pub visibility_max: Millis,
    /// Longest wait of one receive at the AWS surface (AWS: 20 seconds).
    pub receive_wait_max: Millis,
    /// Most messages in flight in a standard queue; one more is an `OverLimit` (AWS: 120,000).
    pub standard_in_flight_max: u32,
    /// Most messages in flight in a FIFO queue; a receive returns no more (AWS: 120,000).
    pub fifo_in_flight_max: u32,
    /// Deliveries after which a message goes to the dead-letter queue, at most (AWS: 1,000).
    pub max_receive_count_max: u32,
    /// How long a deduplication id is remembered after its first send (AWS: 5 minutes).
    pub dedup_window: Millis,
    /// How long a receive may be repeated with its attempt id (AWS: 5 minutes).
    pub attempt_window: Millis,
    /// Pause between two purges of one queue at the AWS surface (AWS: 60 seconds; by default none).
    pub purge_interval: Millis,
    /// Pause before a removed name may be created again at the AWS surface (AWS: 60 seconds; by
    /// default none).
    pub recreate_interval: Millis,
    /// Longest group, deduplication or attempt id, in characters (AWS: 128).
    pub id_chars_max: u32,
    /// Longest queue name, suffix included (AWS: 80).
    pub name_chars_max: u32,
    /// Most message attributes (AWS: 10).
    pub attributes_max: u32,
    /// Longest attribute name, in characters (AWS: 256).
    pub attribute_name_chars_max: u32,
    /// Most entries of one batch at the AWS surface (AWS: 10).
    pub batch_entries_max: u32,
    /// Most bytes of one batch at the AWS surface (AWS: 1 MiB).
    pub batch_bytes_max: u32,
    /// Most bytes of the entries of one PutEvents (AWS: 256 KiB).
    pub put_events_bytes_max: u32,
    /// Fastest message move task, in messages a second (AWS: 500).
    pub move_rate_max: u32,
    /// Share of the messages in flight above which a tenant of a fair queue is noisy, in percent.
    pub noisy_share_percent: u32,
    /// Own messages in flight below which a tenant is never noisy.
    pub noisy_in_flight_min: u32,
    /// Shortest retention of a stream (AWS: 24 hours).
    pub stream_retention_min: Millis,
    /// Longest retention of a stream (AWS: 365 days).
    pub stream_retention_max: Millis,
    /// Most shards of a stream, closed ones that are still readable included (AWS: 10,000 for one
    /// resizing; quotas differ by region).
    pub stream_shards_max: u32,
    /// Largest record of a stream, data and partition key together, in bytes (AWS: 1 MiB by
    /// default, 10 MiB at most).
    pub stream_record_bytes_max: u32,
    /// Longest partition key, in characters (AWS: 256).
    pub partition_key_chars_max: u32,
    /// How long a stream is CREATING, UPDATING or DELETING at the AWS surface (AWS: some seconds;
    /// 0: not at all).
    pub stream_change_duration: Millis,
    /// Bytes that a shard takes in a second at the AWS surface (AWS: 1 MiB; 0: any).
    pub shard_write_bytes_rate: u32,
    /// Records that a shard takes in a second at the AWS surface (AWS: 1,000; 0: any).
    pub shard_write_records_rate: u32,
    /// Bytes that a shard hands out in a second at the AWS surface (AWS: 2 MiB; 0: any).
    pub shard_read_bytes_rate: u32,
    /// Calls of GetRecords that a shard answers in a second (AWS: 5; 0: any).
    pub shard_reads_rate: u32,
    /// Calls of GetShardIterator that a shard answers in a second (AWS: 5; 0: any).
    pub shard_iterators_rate: u32,
    /// How much of AWS's quotas of an account holds at the AWS surface, in percent: calls of
    /// control planes in a second, changes of a stream in a day, streams and shards (AWS: 100; 0:
    /// none).
    pub account_quotas_percent: u32,
    /// Most executions of SWF that are open in a domain (AWS: 100,000).
    pub workflow_executions_max: u32,
    /// Most Lambda functions that an execution of SWF has called and that have not ended (AWS:
    /// 1,000).
    pub workflow_functions_max: u32,
}

const SECOND: Millis = 1_000;
const DAY: Millis = 86_400 * SECOND;

impl Limits {
    /// The default table with the rules that only protect AWS's own operation.
    pub fn aws() -> Self {
        Self {
            purge_interval: 60 * SECOND,
            recreate_interval: 60 * SECOND,
            // AWS takes longer, and says not how long.
            stream_change_duration: SECOND / 2,
            shard_write_bytes_rate: 1_048_576,
            shard_write_records_rate: 1_000,
            shard_read_bytes_rate: 2_097_152,
            shard_reads_rate: 5,
            shard_iterators_rate: 5,
            account_quotas_percent: 100,
            ..Self::default()
        }
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            message_bytes_max: 1_048_576,
            message_bytes_min: 1_024,
            delay_max: 900 * SECOND,
            retention_min: 60 * SECOND,
            retention_max: 14 * DAY,
            visibility_max: 43_200 * SECOND,
            receive_wait_max: 20 * SECOND,
            standard_in_flight_max: 120_000,
            fifo_in_flight_max: 120_000,
            max_receive_count_max: 1_000,
            dedup_window: 300 * SECOND,
            attempt_window: 300 * SECOND,
            purge_interval: 0,
            recreate_interval: 0,
            id_chars_max: 128,
            name_chars_max: 80,
            attributes_max: 10,
            attribute_name_chars_max: 256,
            batch_entries_max: 10,
            batch_bytes_max: 1_048_576,
            put_events_bytes_max: 262_144,
            move_rate_max: 500,
            noisy_share_percent: 10,
            noisy_in_flight_min: 30,
            stream_retention_min: DAY,
            stream_retention_max: 365 * DAY,
            stream_shards_max: 10_000,
            stream_record_bytes_max: 1_048_576,
            partition_key_chars_max: 256,
            stream_change_duration: 0,
            shard_write_bytes_rate: 0,
            shard_write_records_rate: 0,
            shard_read_bytes_rate: 0,
            shard_reads_rate: 0,
            shard_iterators_rate: 0,
            account_quotas_percent: 0,
            workflow_executions_max: 100_000,
            workflow_functions_max: 1_000,
        }
    }
}
