//! Records that were read, column by column, as Arrow lays them out: one copy out of the engine.

use std::sync::Arc;

use trunkline_arrow::{Column, Field, Table};
use trunkline_engine::{SequenceNumber, StreamRecord};

/// The records of one batch. Text and bytes lie side by side; `ends` say where each ends, behind a
/// leading zero.
pub(crate) struct Columns {
    pub sequences: Vec<SequenceNumber>,
    times: Arc<Vec<i64>>,
    key_ends: Arc<Vec<i32>>,
    keys: Arc<Vec<u8>>,
    data_ends: Arc<Vec<i32>>,
    data: Arc<Vec<u8>>,
}

/// Collects the records of one read. Reads are bounded to far less than 2 GiB.
pub(crate) struct Builder {
    sequences: Vec<SequenceNumber>,
    times: Vec<i64>,
    key_ends: Vec<i32>,
    keys: Vec<u8>,
    data_ends: Vec<i32>,
    data: Vec<u8>,
}

/// Bytes of keys and data that one read returns at most, apart from a single larger record.
pub(crate) const BYTES_MAX: usize = 64 << 20;

impl Builder {
    pub fn new() -> Self {
        Self {
            sequences: Vec::new(),
            times: Vec::new(),
            key_ends: vec![0],
            keys: Vec::new(),
            data_ends: vec![0],
            data: Vec::new(),
        }
    }

    #[inline]
    pub fn push(&mut self, record: StreamRecord<'_>) {
        self.sequences.push(record.sequence);
        self.times.push(record.time as i64);
        self.keys.extend_from_slice(record.key.as_bytes());
        self.key_ends.push(self.keys.len() as i32);
        self.data.extend_from_slice(record.data);
        self.data_ends.push(self.data.len() as i32);
    }

    pub fn is_empty(&self) -> bool {
        self.sequences.is_empty()
    }

    pub fn finish(self) -> Columns {
        Columns {
            sequences: self.sequences,
            times: Arc::new(self.times),
            key_ends: Arc::new(self.key_ends),
            keys: Arc::new(self.keys),
            data_ends: Arc::new(self.data_ends),
            data: Arc::new(self.data),
        }
    }
}

/// One record, borrowed from its columns.
pub(crate) struct Row<'a> {
    pub sequence: SequenceNumber,
    pub time: i64,
    pub key: &'a [u8],
    pub data: &'a [u8],
}

impl Columns {
    pub fn len(&self) -> usize {
        self.sequences.len()
    }

    /// The record at `index`, which is there.
    pub fn row(&self, index: usize) -> Row<'_> {
        let range = |ends: &[i32]| ends[index] as usize..ends[index + 1] as usize;
        Row {
            sequence: self.sequences[index],
            time: self.times[index],
            key: &self.keys[range(&self.key_ends)],
            data: &self.data[range(&self.data_ends)],
        }
    }

    /// The columns sequence, timestamp, key, data and shard. Numbers and shards become text here;
    /// the others are shared.
    pub fn table(&self) -> Option<Table> {
        let sequence = Column::text(self.sequences.iter().map(SequenceNumber::to_string));
        let shard = Column::text(self.sequences.iter().map(|one| one.shard.to_string()));
        let (offsets, bytes) = (self.key_ends.clone(), self.keys.clone());
        let key = Column::Text { offsets, bytes };
        let (offsets, bytes) = (self.data_ends.clone(), self.data.clone());
        let data = Column::Binary { offsets, bytes };
        Table::new(vec![
            Field { name: c"sequence", column: sequence },
            Field { name: c"timestamp", column: Column::Time(self.times.clone()) },
            Field { name: c"key", column: key },
            Field { name: c"data", column: data },
            Field { name: c"shard", column: shard },
        ])
    }
}
