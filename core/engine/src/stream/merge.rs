//! Reading several shards at once, in the order in which their records were put.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, VecDeque};

use trunkline_host::Admitted;
use trunkline_stream::{SequenceNumber, ShardId};
use trunkline_types::{Millis, Result};

use super::Stream;
use super::operation::READ;
use super::read::{ReadRequest, ShardView, StreamRecord};

/// Records that are read ahead of one shard.
const CHUNK_RECORDS: usize = 256;
/// Bytes that are read ahead of one shard, about.
const CHUNK_BYTES: usize = 64 << 10;

/// Where a read of several shards goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ShardPosition {
    /// The shard.
    pub shard: ShardId,
    /// The offset of the next record.
    pub offset: u64,
}

/// A record that was read ahead.
struct Ahead {
    sequence: SequenceNumber,
    time: Millis,
    key: String,
    data: Vec<u8>,
}

/// One shard on the way.
struct Cursor {
    view: ShardView,
    next: u64,
    ahead: VecDeque<Ahead>,
}

impl Stream {
    /// Hands out up to `max` records of these shards in the order of their times; records of one
    /// shard stay in order. Ends early at `max_bytes`, with one record at least. Moves the
    /// positions behind what was handed out. A shard that is expired is passed over.
    pub fn read_shards(
        &self,
        positions: &mut [ShardPosition],
        max: usize,
        max_bytes: usize,
        sink: impl FnMut(StreamRecord<'_>),
    ) -> Result<usize> {
        let call = self.host.admit(READ, &self.name)?;
        self.read_shards_admitted(&call, positions, max, max_bytes, sink)
    }

    /// [`Stream::read_shards`] by a call that was admitted, which may try more than once.
    pub fn read_shards_admitted(
        &self,
        call: &Admitted,
        positions: &mut [ShardPosition],
        max: usize,
        max_bytes: usize,
        mut sink: impl FnMut(StreamRecord<'_>),
    ) -> Result<usize> {
        debug_assert!(call.is_for(READ));
        let now = self.host.attempt(call)?;
        self.check_present()?;
        self.host.sweep_if_due(now);
        if let [only] = positions {
            let (shard, offset) = (only.shard, only.offset);
            let request = ReadRequest { shard, offset, max, max_bytes };
            let outcome = self.view(shard, now)?.read(&request, sink)?;
            only.offset = outcome.next;
            return Ok(outcome.records);
        }
        let mut cursors = Vec::new();
        let mut order = BinaryHeap::new();
        for (index, position) in positions.iter().enumerate() {
            let view = self.state().view(position.shard, now);
            let Some(view) = view else { continue };
            let mut cursor = Cursor { view, next: position.offset, ahead: VecDeque::new() };
            cursor.read_ahead(max)?;
            order.extend(cursor.key().map(|key| Reverse((key, cursors.len()))));
            cursors.push((index, cursor));
        }
        let (mut count, mut bytes) = (0, 0);
        while let Some(Reverse((_, at))) = order.pop() {
            let (index, cursor) = &mut cursors[at];
            let Some(record) = cursor.ahead.front() else { continue };
            let size = record.key.len() + record.data.len();
            if count == max || count > 0 && bytes + size > max_bytes {
                break;
            }
            let Ahead { sequence, time, ref key, ref data } = *record;
            let shard = cursor.view.id;
            sink(StreamRecord { shard, sequence, time, key, data });
            (count, bytes) = (count + 1, bytes + size);
            positions[*index].offset = sequence.next_offset();
            cursor.ahead.pop_front();
            if cursor.ahead.is_empty() {
                cursor.read_ahead(max - count)?;
            }
            order.extend(cursor.key().map(|key| Reverse((key, at))));
        }
        Ok(count)
    }
}

impl Cursor {
    /// The place of the next record among those of the other shards. Parents have lower ids, so of
    /// two records of one time the parent's comes first.
    fn key(&self) -> Option<(Millis, ShardId)> {
        self.ahead.front().map(|record| (record.time, self.view.id))
    }

    fn read_ahead(&mut self, max: usize) -> Result<()> {
        let (shard, offset) = (self.view.id, self.next);
        let max = max.min(CHUNK_RECORDS);
        let request = ReadRequest { shard, offset, max, max_bytes: CHUNK_BYTES };
        let ahead = &mut self.ahead;
        let outcome = self.view.read(&request, |record| {
            ahead.push_back(Ahead {
                sequence: record.sequence,
                time: record.time,
                key: record.key.to_owned(),
                data: record.data.to_vec(),
            });
        })?;
        self.next = outcome.next;
        Ok(())
    }
}
