//! Records that were read. Those of a sealed file stay in the buffer that the file was read into;
//! the others are copied out of the engine once. Columns as Arrow lays them out are made when a
//! table is asked for.

use std::fmt::Write;
use std::sync::{Arc, OnceLock};

use trunkline_arrow::{Column, Field, ObjectColumns, Table};
use trunkline_engine::{ReadBuffer, SequenceNumber, ShardId, StreamRecord};

/// About how long the texts of a sequence number and of a shard are.
const SEQUENCE_DIGITS: usize = 56;
const SHARD_CHARS: usize = 20;

/// The records of one batch.
pub(crate) struct Columns {
    rows: Vec<Place>,
    sources: Vec<Source>,
    arrow: OnceLock<Arrow>,
}

/// Where keys and data lie.
enum Source {
    /// Keys and data apart: data of equal length stay aligned, and are copied faster.
    Copied(Vec<u8>, Vec<u8>),
    Buffer(Arc<ReadBuffer>),
}

/// One record: where its key and its data lie in a source, and how long they are.
struct Place {
    sequence: SequenceNumber,
    time: i64,
    source: u32,
    at: At,
    key: u32,
    data: u32,
}

/// Where a key and its data start.
#[derive(Clone, Copy)]
struct At {
    key: u32,
    data: u32,
}

/// Text and bytes lie side by side; `ends` say where each ends, behind a leading zero.
struct Arrow {
    key_ends: Arc<Vec<i32>>,
    keys: Arc<Vec<u8>>,
    data_ends: Arc<Vec<i32>>,
    data: Arc<Vec<u8>>,
}

/// Collects the records of one read. Reads are bounded to far less than 2 GiB.
#[derive(Default)]
pub(crate) struct Builder {
    rows: Vec<Place>,
    sources: Vec<Source>,
    /// The buffer that is the last source.
    last: Option<Arc<ReadBuffer>>,
    /// Bytes of keys and data that lie in buffers.
    in_buffers: usize,
}

/// Bytes of keys and data that one read returns at most, apart from a single larger record.
pub(crate) const BYTES_MAX: usize = 64 << 20;

/// Records whose places are reserved at once.
const ROWS_RESERVED: usize = 256;

/// Buffers are kept up to so many times the bytes that are wanted of them.
const KEPT_MAX: usize = 4;

impl Source {
    #[inline]
    fn bytes(&self) -> (&[u8], &[u8]) {
        match self {
            Self::Copied(keys, data) => (keys, data),
            Self::Buffer(buffer) => (buffer.bytes(), buffer.bytes()),
        }
    }
}

impl Builder {
    #[inline]
    pub fn push(&mut self, record: StreamRecord<'_>) {
        let at = self.kept(&record).unwrap_or_else(|| self.copy(&record));
        if self.rows.len() == self.rows.capacity() {
            self.rows.reserve(ROWS_RESERVED);
        }
        self.rows.push(Place {
            sequence: record.sequence,
            time: record.time as i64,
            source: self.sources.len() as u32 - 1,
            at,
            key: record.key.len() as u32,
            data: record.data.len() as u32,
        });
    }

    /// Keeps the buffer that the record lies in; where it lies there.
    #[inline]
    fn kept(&mut self, record: &StreamRecord<'_>) -> Option<At> {
        let buffer = record.buffer?;
        let key = buffer.offset_of(record.key.as_bytes())? as u32;
        let data = buffer.offset_of(record.data)? as u32;
        if !self.last.as_ref().is_some_and(|last| Arc::ptr_eq(last, buffer)) {
            self.sources.push(Source::Buffer(buffer.clone()));
            self.last = Some(buffer.clone());
        }
        self.in_buffers += record.key.len() + record.data.len();
        Some(At { key, data })
    }

    /// Copies key and data; where they lie.
    #[inline]
    fn copy(&mut self, record: &StreamRecord<'_>) -> At {
        if !matches!(self.sources.last(), Some(Source::Copied(..))) {
            self.sources.push(Source::Copied(Vec::new(), Vec::new()));
            self.last = None;
        }
        let Some(Source::Copied(keys, data)) = self.sources.last_mut() else {
            unreachable!("it was pushed")
        };
        let at = At { key: keys.len() as u32, data: data.len() as u32 };
        keys.extend_from_slice(record.key.as_bytes());
        data.extend_from_slice(record.data);
        at
    }

    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    pub fn finish(self) -> Columns {
        let memory = |source: &Source| match source {
            Source::Copied(..) => 0,
            Source::Buffer(buffer) => buffer.memory(),
        };
        let kept: usize = self.sources.iter().map(memory).sum();
        let columns = Columns { rows: self.rows, sources: self.sources, arrow: OnceLock::new() };
        if kept > KEPT_MAX * self.in_buffers { columns.copied() } else { columns }
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
        self.rows.len()
    }

    /// The record at `index`, which is there.
    pub fn row(&self, index: usize) -> Row<'_> {
        let Place { sequence, time, source, at, key, data } = self.rows[index];
        let (keys, all) = self.sources[source as usize].bytes();
        let (key_at, data_at) = (at.key as usize, at.data as usize);
        let key = &keys[key_at..key_at + key as usize];
        Row { sequence, time, key, data: &all[data_at..data_at + data as usize] }
    }

    /// The same without buffers of which little is wanted.
    fn copied(mut self) -> Self {
        let (mut keys, mut all) = (Vec::new(), Vec::new());
        let mut starts = Vec::with_capacity(self.len());
        for index in 0..self.len() {
            starts.push(At { key: keys.len() as u32, data: all.len() as u32 });
            let row = self.row(index);
            keys.extend_from_slice(row.key);
            all.extend_from_slice(row.data);
        }
        for (row, at) in self.rows.iter_mut().zip(starts) {
            (row.source, row.at) = (0, at);
        }
        self.sources = vec![Source::Copied(keys, all)];
        self
    }

    fn arrow(&self) -> Arrow {
        let (mut key_ends, mut data_ends) = (vec![0], vec![0]);
        key_ends.reserve(self.len());
        data_ends.reserve(self.len());
        let mut keys = Vec::with_capacity(self.rows.iter().map(|row| row.key as usize).sum());
        let mut data = Vec::with_capacity(self.rows.iter().map(|row| row.data as usize).sum());
        for row in (0..self.len()).map(|index| self.row(index)) {
            keys.extend_from_slice(row.key);
            key_ends.push(keys.len() as i32);
            data.extend_from_slice(row.data);
            data_ends.push(data.len() as i32);
        }
        Arrow {
            key_ends: Arc::new(key_ends),
            keys: Arc::new(keys),
            data_ends: Arc::new(data_ends),
            data: Arc::new(data),
        }
    }

    /// The columns of Arrow: sequence, timestamp, key, data and shard.
    pub fn table(&self) -> Option<Table> {
        let names = ["sequence", "timestamp", "key", "data", "shard"];
        Table::new(names.into_iter().filter_map(|name| self.field(name)).collect())
    }

    /// Columns of the records, and behind them members of their data, each a JSON object; none if
    /// some of the data is none, or has no place in columns.
    pub fn members(&self, record: &[String], members: Vec<String>) -> Option<Table> {
        let mut objects = ObjectColumns::new(members);
        for row in (0..self.len()).map(|index| self.row(index)) {
            objects.push(row.data).ok()?;
        }
        let mut fields: Vec<_> = record.iter().filter_map(|name| self.field(name)).collect();
        fields.extend(objects.finish());
        Table::new(fields)
    }

    /// A column of the records. Sequences and shards become text each time; the others are laid
    /// out once and shared.
    fn field(&self, name: &str) -> Option<Field> {
        let arrow = || self.arrow.get_or_init(|| self.arrow());
        Some(match name {
            "sequence" => Field::new(c"sequence", self.sequences()),
            "timestamp" => {
                let times = self.rows.iter().map(|row| row.time).collect();
                Field::new(c"timestamp", Column::Time(Arc::new(times)))
            }
            "key" => {
                let (offsets, bytes) = (arrow().key_ends.clone(), arrow().keys.clone());
                Field::new(c"key", Column::Text { offsets, bytes })
            }
            "data" => {
                let (offsets, bytes) = (arrow().data_ends.clone(), arrow().data.clone());
                Field::new(c"data", Column::Binary { offsets, bytes })
            }
            "shard" => Field::new(c"shard", self.shards()),
            _ => return None,
        })
    }

    fn sequences(&self) -> Column {
        Column::written(self.len(), SEQUENCE_DIGITS, |place, out| {
            let _ = write!(out, "{}", self.rows[place].sequence);
        })
    }

    fn shards(&self) -> Column {
        // Rows of one shard come one behind the other.
        let mut last: Option<(ShardId, String)> = None;
        Column::written(self.len(), SHARD_CHARS, |place, out| {
            let own = self.rows[place].sequence.shard;
            if last.as_ref().is_none_or(|(shard, _)| *shard != own) {
                last = Some((own, own.to_string()));
            }
            out.push_str(last.as_ref().map_or("", |(_, text)| text));
        })
    }

    /// The last record of each shard.
    pub fn ends(&self) -> Vec<SequenceNumber> {
        let mut ends: Vec<SequenceNumber> = Vec::new();
        for row in self.rows.iter().rev() {
            if !ends.iter().any(|end| end.shard == row.sequence.shard) {
                ends.push(row.sequence);
            }
        }
        ends
    }
}
