//! Reading several shards at once, in the order in which their records were put.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

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

/// A record that was read ahead: where its key and its data end in the buffers of its cursor.
struct Ahead {
    sequence: SequenceNumber,
    time: Millis,
    key_end: usize,
    data_end: usize,
}

/// One shard on the way, with records that were read ahead side by side in two buffers.
struct Cursor {
    view: ShardView,
    next: u64,
    ahead: Vec<Ahead>,
    /// How many of them were handed out.
    done: usize,
    keys: String,
    data: Vec<u8>,
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
        sink: impl FnMut(StreamRecord<'_>),
    ) -> Result<usize> {
        debug_assert!(call.is_for(READ));
        let now = self.host.attempt(call)?;
        self.check_present()?;
        self.host.sweep_if_due(now);
        let mut sink = self.traced(None, sink);
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
            let mut cursor = Cursor::new(view, position.offset);
            cursor.read_ahead(max)?;
            order.extend(cursor.key().map(|key| Reverse((key, cursors.len()))));
            cursors.push((index, cursor));
        }
        let (mut count, mut bytes) = (0, 0);
        while let Some(Reverse((_, at))) = order.pop() {
            let (index, cursor) = &mut cursors[at];
            let Some(record) = cursor.first() else { continue };
            let size = record.key.len() + record.data.len();
            if count == max || count > 0 && bytes + size > max_bytes {
                break;
            }
            positions[*index].offset = record.sequence.next_offset();
            sink(record);
            (count, bytes) = (count + 1, bytes + size);
            cursor.done += 1;
            if cursor.done == cursor.ahead.len() {
                cursor.read_ahead(max - count)?;
            }
            order.extend(cursor.key().map(|key| Reverse((key, at))));
        }
        Ok(count)
    }
}

impl Cursor {
    fn new(view: ShardView, next: u64) -> Self {
        let (keys, data) = (String::new(), Vec::new());
        Self { view, next, ahead: Vec::new(), done: 0, keys, data }
    }

    /// The next record.
    fn first(&self) -> Option<StreamRecord<'_>> {
        let Ahead { sequence, time, key_end, data_end } = *self.ahead.get(self.done)?;
        let before = self.done.checked_sub(1).map(|index| &self.ahead[index]);
        let (key_start, data_start) = before.map_or((0, 0), |one| (one.key_end, one.data_end));
        let (key, data) = (&self.keys[key_start..key_end], &self.data[data_start..data_end]);
        Some(StreamRecord { shard: self.view.id, sequence, time, key, data, buffer: None })
    }

    /// The place of the next record among those of the other shards. Parents have lower ids, so of
    /// two records of one time the parent's comes first.
    fn key(&self) -> Option<(Millis, ShardId)> {
        self.ahead.get(self.done).map(|record| (record.time, self.view.id))
    }

    fn read_ahead(&mut self, max: usize) -> Result<()> {
        let Self { view, next, ahead, done, keys, data } = self;
        *done = 0;
        ahead.clear();
        keys.clear();
        data.clear();
        let (shard, max) = (view.id, max.min(CHUNK_RECORDS));
        let request = ReadRequest { shard, offset: *next, max, max_bytes: CHUNK_BYTES };
        let outcome = view.read(&request, |record| {
            keys.push_str(record.key);
            data.extend_from_slice(record.data);
            let (sequence, time) = (record.sequence, record.time);
            ahead.push(Ahead { sequence, time, key_end: keys.len(), data_end: data.len() });
        })?;
        *next = outcome.next;
        Ok(())
    }
}
