//! How a stream and its readers stand.

use trunkline_stream::ShardId;
use trunkline_types::{Millis, Result};

use super::Stream;
use super::put::offsets;

/// How a stream stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StreamStatistics {
    /// When this was.
    pub at: Millis,
    /// Each shard that is not expired, in the order of their ids.
    pub shards: Vec<ShardStatistics>,
    /// Its readers, by name.
    pub readers: Vec<ReaderStatistics>,
    /// How long records are kept.
    pub retention: Millis,
}

/// How a shard stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ShardStatistics {
    /// Its id.
    pub shard: ShardId,
    /// Whether it takes records.
    pub is_open: bool,
    /// Records that are there. Old ones count until they are removed.
    pub records: u64,
    /// Records that were ever put.
    pub put: u64,
}

/// How a reader stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReaderStatistics {
    /// Its name.
    pub name: String,
    /// Members that have not lapsed.
    pub members: u64,
    /// Records that it has not committed.
    pub behind: u64,
    /// For each shard the offset that is committed, and the one behind the newest record.
    pub positions: Vec<(ShardId, u64, u64)>,
}

impl Stream {
    /// How the stream stands.
    pub fn statistics(&self) -> Result<StreamStatistics> {
        self.check_readable()?;
        let now = self.host.now();
        self.host.sweep_all(now);
        let (shards, retention) = {
            let state = self.state();
            let shard = |shard: &trunkline_stream::Shard| {
                let (first, next) = state.logs.get(&shard.id).map_or((0, 0), |log| offsets(log));
                let (records, put) = (next - first, next);
                ShardStatistics { shard: shard.id, is_open: shard.is_open(), records, put }
            };
            (state.shards.all().map(shard).collect(), state.retention)
        };
        let readers = self.all_readers();
        let readers = readers.iter().map(|reader| reader.statistics(self)).collect();
        Ok(StreamStatistics { at: now, shards, readers, retention })
    }
}
