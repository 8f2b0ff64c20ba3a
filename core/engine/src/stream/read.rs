//! Reading one shard, from any place in it.

use std::fmt;
use std::sync::Arc;

use trunkline_host::{Admitted, Log};
use trunkline_journal::retained::ReadBuffer;
use trunkline_stream::{Bounds, SequenceNumber, ShardId, Start};
use trunkline_types::{Code, Error, Millis, Result};

use super::operation::READ;
use super::put::{offset_of, offsets};
use super::{State, Stream, entry, errors};

/// What is read of one shard.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ReadRequest {
    /// The shard.
    pub shard: ShardId,
    /// The offset of the first record.
    pub offset: u64,
    /// Records at most.
    pub max: usize,
    /// Bytes of keys and data at most; one record is read whatever its size.
    pub max_bytes: usize,
}

/// A record that was read. It borrows from the engine for as long as the caller looks at it. Where
/// its bytes lie is no part of its value.
#[derive(Clone, Copy)]
pub struct StreamRecord<'a> {
    /// The shard it is in.
    pub shard: ShardId,
    /// Its place in the shard.
    pub sequence: SequenceNumber,
    /// When it was put.
    pub time: Millis,
    /// Its partition key.
    pub key: &'a str,
    /// The data blob.
    pub data: &'a [u8],
    /// The buffer that key and data lie in, one behind the other, if it may be kept.
    pub buffer: Option<&'a Arc<ReadBuffer>>,
}

impl PartialEq for StreamRecord<'_> {
    fn eq(&self, other: &Self) -> bool {
        let value = |one: &Self| (one.shard, one.sequence, one.time);
        value(self) == value(other) && (self.key, self.data) == (other.key, other.data)
    }
}

impl Eq for StreamRecord<'_> {}

impl fmt::Debug for StreamRecord<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { shard, sequence, time, key, data, .. } = self;
        f.debug_struct("StreamRecord")
            .field("shard", shard)
            .field("sequence", sequence)
            .field("time", time)
            .field("key", key)
            .field("data", data)
            .finish()
    }
}

/// Where a read ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ReadOutcome {
    /// Records that were read.
    pub records: usize,
    /// Bytes of their keys and data.
    pub bytes: usize,
    /// The offset to go on with.
    pub next: u64,
    /// Whether the shard is closed and was read to its end.
    pub is_end: bool,
    /// Whether nothing is left to be read now.
    pub is_tip: bool,
}

/// A shard at one moment, as a read needs it.
pub(super) struct ShardView {
    pub id: ShardId,
    pub created: Millis,
    pub closed: bool,
    pub log: Arc<Log>,
    /// Records before this time are gone.
    pub horizon: Millis,
}

impl Stream {
    /// The offset at which reading of `shard` starts. A number of another shard is refused.
    pub fn offset_at(&self, shard: ShardId, start: Start) -> Result<u64> {
        self.check_readable()?;
        let view = self.view(shard, self.host.now())?;
        if let Start::At(number) | Start::After(number) = start {
            view.check_number(number)?;
        }
        view.offset_at(start)
    }

    /// Hands out records of one shard, in order. Never waits for records.
    pub fn read(
        &self,
        request: &ReadRequest,
        sink: impl FnMut(StreamRecord<'_>),
    ) -> Result<ReadOutcome> {
        self.read_admitted(&self.host.admit(READ, &self.name)?, request, sink)
    }

    /// [`Stream::read`] by a call that was admitted.
    pub fn read_admitted(
        &self,
        call: &Admitted,
        request: &ReadRequest,
        sink: impl FnMut(StreamRecord<'_>),
    ) -> Result<ReadOutcome> {
        debug_assert!(call.is_for(READ));
        self.check_present()?;
        let now = call.now(&self.host);
        self.host.sweep_if_due(now);
        self.view(request.shard, now)?.read(request, self.traced(None, sink))
    }

    /// The shard as it is now.
    pub(super) fn view(&self, id: ShardId, now: Millis) -> Result<ShardView> {
        self.state().view(id, now).ok_or_else(|| errors::no_such_shard(id, &self.name))
    }
}

impl State {
    pub(super) fn view(&self, id: ShardId, now: Millis) -> Option<ShardView> {
        let (shard, log) = (self.shards.get(id)?, self.logs.get(&id)?.clone());
        let (created, closed) = (shard.created, !shard.is_open());
        Some(ShardView { id, created, closed, log, horizon: self.horizon(now) })
    }
}

impl ShardView {
    pub fn offset_at(&self, start: Start) -> Result<u64> {
        let (trimmed, next) = offsets(&self.log);
        let found = match start {
            Start::AtTimestamp(time) => offset_of(self.log.find_time(time)?),
            _ => 0,
        };
        Ok(start.offset(Bounds { trimmed, next }, |_| found))
    }

    fn check_number(&self, number: SequenceNumber) -> Result<()> {
        if number.shard != self.id {
            return Err(Error::new(
                Code::InvalidParameterValue,
                format!(
                    "Invalid StartingSequenceNumber. It encodes {}, while it was used in a call to \
                     a shard with {}",
                    number.shard, self.id
                ),
            ));
        }
        if number.created != self.created / 1_000 {
            return Err(errors::invalid(
                "start",
                number,
                "The sequence number did not come from this stream.",
            ));
        }
        Ok(())
    }

    pub fn read(
        &self,
        request: &ReadRequest,
        mut sink: impl FnMut(StreamRecord<'_>),
    ) -> Result<ReadOutcome> {
        // Before the entries: what is appended behind it is not the end.
        let (first, end) = offsets(&self.log);
        let next = request.offset.max(first);
        let mut outcome = ReadOutcome { records: 0, bytes: 0, next, is_end: false, is_tip: false };
        let mut failure = Ok(());
        if request.max > 0 {
            self.log.read_about(next + 1, request.max as u64, &mut |found| {
                let offset = offset_of(found.sequence);
                if found.time < self.horizon {
                    outcome.next = offset + 1;
                    return true;
                }
                let (key, data) = match entry::decode(found.payload) {
                    Ok(parts) => parts,
                    Err(damage) => {
                        failure = Err(damage);
                        return false;
                    }
                };
                let size = key.len() + data.len();
                if outcome.records > 0 && outcome.bytes + size > request.max_bytes {
                    return false;
                }
                let sequence = SequenceNumber::of(self.id, self.created, offset, found.time);
                let (shard, time, buffer) = (self.id, found.time, found.buffer);
                sink(StreamRecord { shard, sequence, time, key, data, buffer });
                outcome.records += 1;
                outcome.bytes += size;
                outcome.next = offset + 1;
                outcome.records < request.max
            })?;
        }
        failure?;
        outcome.is_tip = outcome.next.max(offsets(&self.log).0) >= end;
        outcome.is_end = self.closed && outcome.is_tip;
        Ok(outcome)
    }
}
