//! What every request of the data plane must satisfy, in the words of AWS's model.

use trunkline_types::Limits;

use super::decoded::Entry;
use super::input::{GetRecordsInput, GetShardIteratorInput, PutRecordInput, SubscribeInput};
use crate::error::{Result, WireError};
use crate::limits::{
    ARN_CHARS_MAX, GET_RECORDS_MAX, HASH_KEY_CHARS_MAX, PUT_RECORDS_MAX, QUEUE_VISIBILITY_SECONDS,
    QUOTE_CHARS_MAX, RECORD_BYTES_MAX, SEQUENCE_CHARS_MAX, SHARD_ITERATOR_CHARS_MAX,
    STREAM_NAME_CHARS_MAX, VIOLATIONS_MAX,
};

/// Everything that was found.
#[derive(Default)]
pub(super) struct Violations(Vec<String>);

const NAME_PATTERN: &str = "[a-zA-Z0-9_.-]+";
const QUEUE_PATTERN: &str = r"arn:aws.*:kinesis:.*:\d{12}:queue/\S+";
const ITERATOR_TYPES: [&str; 5] =
    ["AFTER_SEQUENCE_NUMBER", "LATEST", "AT_TIMESTAMP", "AT_SEQUENCE_NUMBER", "TRIM_HORIZON"];

impl Violations {
    fn report(&mut self, value: &str, path: &str, constraint: &str) {
        if self.0.len() < VIOLATIONS_MAX {
            let text =
                format!("Value {value} at '{path}' failed to satisfy constraint: {constraint}");
            self.0.push(text);
        }
    }

    fn quoted(&mut self, text: &str, path: &str, constraint: &str) {
        let quoted: String = text.chars().take(QUOTE_CHARS_MAX).collect();
        self.report(&format!("'{quoted}'"), path, constraint);
    }

    /// A member that is required.
    pub fn required<T>(&mut self, value: Option<T>, path: &str) -> Option<T> {
        if value.is_none() {
            self.report("null", path, "Member must not be null");
        }
        value
    }

    /// Raises for a text that is empty or longer than `max` characters.
    pub fn length(&mut self, text: &str, path: &str, max: usize) {
        if text.is_empty() {
            self.quoted(text, path, "Member must have length greater than or equal to 1");
        } else if text.len() > max && text.chars().count() > max {
            let constraint = format!("Member must have length less than or equal to {max}");
            self.quoted(text, path, &constraint);
        }
    }

    /// The name of a stream, a shard or a consumer.
    pub fn name(&mut self, text: &str, path: &str) {
        let allowed = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'.' | b'-');
        if !text.is_empty() && text.bytes().all(allowed) && text.len() <= STREAM_NAME_CHARS_MAX {
            return;
        }
        if text.is_empty() || !text.bytes().all(allowed) {
            let text_of = format!("Member must satisfy regular expression pattern: {NAME_PATTERN}");
            self.quoted(text, path, &text_of);
        }
        self.length(text, path, STREAM_NAME_CHARS_MAX);
    }

    /// Decimal digits without a leading zero.
    fn digits(&mut self, text: &str, path: &str, max: usize) {
        let is_number = !text.is_empty()
            && text.len() <= max
            && text.bytes().all(|byte| byte.is_ascii_digit())
            && (text == "0" || !text.starts_with('0'));
        if !is_number {
            let constraint = format!(
                "Member must satisfy regular expression pattern: 0|([1-9]\\d{{0,{}}})",
                max - 1
            );
            self.quoted(text, path, &constraint);
        }
    }

    /// A sequence number.
    pub fn sequence(&mut self, text: &str, path: &str) {
        self.digits(text, path, SEQUENCE_CHARS_MAX);
    }

    fn hash_key(&mut self, text: &str, path: &str) {
        self.digits(text, path, HASH_KEY_CHARS_MAX);
    }

    /// The type of an iterator or of a starting position.
    pub fn iterator_type(&mut self, text: &str, path: &str) {
        if !ITERATOR_TYPES.contains(&text) {
            let allowed = ITERATOR_TYPES.join(", ");
            let constraint = format!("Member must satisfy enum value set: [{allowed}]");
            self.quoted(text, path, &constraint);
        }
    }

    /// Raises what was found.
    pub fn finish(self) -> Result<()> {
        let found = self.0;
        if found.is_empty() {
            return Ok(());
        }
        let plural = if found.len() == 1 { "error" } else { "errors" };
        let message = format!("{} validation {plural} detected: {}", found.len(), found.join("; "));
        Err(WireError::new("ValidationException", 400, message))
    }

    /// A number within bounds, if it is given.
    pub fn range(&mut self, number: Option<i64>, path: &str, least: i64, most: i64) {
        let Some(number) = number else { return };
        if number < least {
            let constraint = format!("Member must have value greater than or equal to {least}");
            self.report(&format!("'{number}'"), path, &constraint);
        }
        if number > most {
            let constraint = format!("Member must have value less than or equal to {most}");
            self.report(&format!("'{number}'"), path, &constraint);
        }
    }

    /// The length of a list that must hold something.
    pub fn count(&mut self, count: usize, path: &str, max: usize) {
        if count == 0 {
            self.report("'[]'", path, "Member must have length greater than or equal to 1");
        }
        if count > max {
            let constraint = format!("Member must have length less than or equal to {max}");
            self.report(&format!("'[a list of {count}]'"), path, &constraint);
        }
    }

    /// The resource name of a queue.
    pub fn queue_arn(&mut self, arn: Option<&str>) {
        if let Some(arn) = self.required(arn, "queueARN") {
            self.length(arn, "queueARN", ARN_CHARS_MAX);
            if !(arn.starts_with("arn:aws") && arn.contains(":queue/")) {
                let constraint =
                    format!("Member must satisfy regular expression pattern: {QUEUE_PATTERN}");
                self.quoted(arn, "queueARN", &constraint);
            }
        }
    }

    /// A visibility timeout in seconds, if it is given.
    pub fn visibility(&mut self, seconds: Option<i64>, path: &str) {
        self.range(seconds, path, 0, QUEUE_VISIBILITY_SECONDS);
    }

    fn data(&mut self, data: Option<&[u8]>, path: &str) {
        if let Some(data) = self.required(data, path)
            && data.len() > RECORD_BYTES_MAX
        {
            let constraint =
                format!("Member must have length less than or equal to {RECORD_BYTES_MAX}");
            let length = data.len();
            let value = format!("'java.nio.HeapByteBuffer[pos=0 lim={length} cap={length}]'");
            self.report(&value, path, &constraint);
        }
    }

    /// A key that is missing is for the stream to refuse.
    fn partition_key(&mut self, key: Option<&str>, path: &str, limits: &Limits) {
        if let Some(key) = key {
            self.length(key, path, limits.partition_key_chars_max as usize);
        }
    }
}

pub(super) fn put_record(input: &PutRecordInput<'_>, limits: &Limits) -> Result<()> {
    let mut found = Violations::default();
    if let Some(name) = &input.stream_name {
        found.name(name, "streamName");
    }
    found.data(input.data.as_ref().map(|data| &*data.0), "data");
    found.partition_key(input.partition_key.as_deref(), "partitionKey", limits);
    if let Some(key) = &input.explicit_hash_key {
        found.hash_key(key, "explicitHashKey");
    }
    if let Some(number) = &input.sequence_number_for_ordering {
        found.sequence(number, "sequenceNumberForOrdering");
    }
    found.finish()
}

pub(super) fn put_records(
    name: Option<&str>,
    records: Option<&[Entry<'_>]>,
    limits: &Limits,
) -> Result<()> {
    let mut found = Violations::default();
    if let Some(records) = found.required(records, "records") {
        found.count(records.len(), "records", PUT_RECORDS_MAX);
        let mut path = String::new();
        for (place, record) in records.iter().enumerate() {
            if is_plain(record, limits) {
                continue;
            }
            let mut at = |member: &str| {
                path.clear();
                path.push_str(&format!("records.{}.member.{member}", place + 1));
                path.clone()
            };
            found.data(record.data, &at("data"));
            found.partition_key(record.partition_key, &at("partitionKey"), limits);
            if let Some(key) = record.explicit_hash_key {
                found.hash_key(key, &at("explicitHashKey"));
            }
        }
    }
    if let Some(name) = name {
        found.name(name, "streamName");
    }
    found.finish()
}

/// Whether nothing about the record needs a closer look.
fn is_plain(record: &Entry<'_>, limits: &Limits) -> bool {
    let max = limits.partition_key_chars_max as usize;
    record.explicit_hash_key.is_none()
        && record.data.is_some_and(|data| data.len() <= RECORD_BYTES_MAX)
        && record.partition_key.is_some_and(|key| (1..=max).contains(&key.len()))
}

pub(super) fn get_shard_iterator(input: &GetShardIteratorInput<'_>) -> Result<()> {
    let mut found = Violations::default();
    if let Some(name) = &input.stream_name {
        found.name(name, "streamName");
    }
    if let Some(shard) = found.required(input.shard_id.as_deref(), "shardId") {
        found.name(shard, "shardId");
    }
    if let Some(kind) = found.required(input.shard_iterator_type.as_deref(), "shardIteratorType") {
        found.iterator_type(kind, "shardIteratorType");
    }
    if let Some(number) = &input.starting_sequence_number {
        found.sequence(number, "startingSequenceNumber");
    }
    found.finish()
}

pub(super) fn get_records(input: &GetRecordsInput<'_>) -> Result<()> {
    let mut found = Violations::default();
    if let Some(token) = found.required(input.shard_iterator.as_deref(), "shardIterator") {
        found.length(token, "shardIterator", SHARD_ITERATOR_CHARS_MAX);
    }
    found.range(input.limit, "limit", 1, GET_RECORDS_MAX);
    found.finish()
}

pub(super) fn subscribe(input: &SubscribeInput<'_>) -> Result<()> {
    let mut found = Violations::default();
    found.required(input.consumer_arn.as_deref(), "consumerARN");
    if let Some(shard) = found.required(input.shard_id.as_deref(), "shardId") {
        found.name(shard, "shardId");
    }
    if let Some(position) = found.required(input.starting_position.as_ref(), "startingPosition") {
        if let Some(kind) = found.required(position.kind.as_deref(), "startingPosition.type") {
            found.iterator_type(kind, "startingPosition.type");
        }
        if let Some(number) = &position.sequence_number {
            found.sequence(number, "startingPosition.sequenceNumber");
        }
    }
    found.finish()
}

/// Raises for a partition key that is missing where it decides the shard.
pub(super) fn partition_key(key: Option<&str>, path: &str) -> Result<()> {
    let mut found = Violations::default();
    found.required(key, path);
    found.finish()
}
