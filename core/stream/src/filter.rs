//! Which shards a listing shows: the filters of the operation `ListShards`.

use trunkline_types::Millis;

use crate::shard_id::ShardId;
use crate::shards::{Shard, Shards};

/// A filter of `ListShards`. Times before the trim horizon stand for the trim horizon.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ShardFilter {
    /// The shards whose ids come after this one.
    AfterShardId(ShardId),
    /// The shards that were open at the trim horizon.
    AtTrimHorizon,
    /// The shards that were open at the trim horizon or were created later: all that can be read.
    FromTrimHorizon,
    /// The shards that are open.
    AtLatest,
    /// The shards that were open at this time.
    AtTimestamp(Millis),
    /// The shards that were open at this time or were created later.
    FromTimestamp(Millis),
}

impl Shards {
    /// The shards that pass `filter`, in the order of their ids. `horizon` is the trim horizon: the
    /// time before which records are gone.
    pub fn list(&self, filter: ShardFilter, horizon: Millis) -> impl Iterator<Item = &Shard> {
        // Before that, no record is gone: a shard counts however short it was open.
        let keeps_all = horizon <= self.created();
        // Nothing was open before the stream was there.
        let horizon = horizon.max(self.created());
        let open_since = move |shard: &Shard, time| shard.closed.is_none_or(|closed| closed > time);
        self.all().filter(move |shard| match filter {
            ShardFilter::AfterShardId(id) => shard.id > id && open_since(shard, horizon),
            ShardFilter::AtTrimHorizon => shard.was_open_at(horizon),
            ShardFilter::FromTrimHorizon => keeps_all || open_since(shard, horizon),
            ShardFilter::AtLatest => shard.is_open(),
            ShardFilter::AtTimestamp(time) => shard.was_open_at(time.max(horizon)),
            ShardFilter::FromTimestamp(time) => open_since(shard, time.max(horizon)),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::HashKey;

    /// Created at 100 with shard 0; split at 200 into 1 and 2; merged at 300 into 3.
    fn shards() -> Shards {
        let mut shards = Shards::create(1, 100);
        let split = shards.decide_split(ShardId(0), HashKey(1 << 127), 200).expect("inside");
        shards.apply(&split);
        let merge = shards.decide_merge(ShardId(1), ShardId(2), 300).expect("neighbours");
        shards.apply(&merge);
        shards
    }

    #[test]
    fn a_shard_that_was_open_for_no_time_is_listed() {
        let mut shards = Shards::create(1, 100);
        let split = shards.decide_split(ShardId(0), HashKey(1 << 127), 100).expect("inside");
        shards.apply(&split);
        assert_eq!(shards.list(ShardFilter::FromTrimHorizon, 0).count(), 3);
    }

    #[test]
    fn each_filter_shows_its_shards() {
        let shards = shards();
        let list = |filter, horizon| -> Vec<u32> {
            shards.list(filter, horizon).map(|shard| shard.id.0).collect()
        };
        for (filter, horizon, expected) in [
            (ShardFilter::AtTrimHorizon, 0, &[0][..]),
            (ShardFilter::AtTrimHorizon, 200, &[1, 2]),
            (ShardFilter::FromTrimHorizon, 0, &[0, 1, 2, 3]),
            (ShardFilter::FromTrimHorizon, 200, &[1, 2, 3]),
            (ShardFilter::FromTrimHorizon, 300, &[3]),
            (ShardFilter::AtLatest, 0, &[3]),
            (ShardFilter::AtTimestamp(250), 0, &[1, 2]),
            (ShardFilter::AtTimestamp(50), 0, &[0]),
            (ShardFilter::AtTimestamp(150), 200, &[1, 2]),
            (ShardFilter::FromTimestamp(250), 0, &[1, 2, 3]),
            (ShardFilter::AfterShardId(ShardId(1)), 0, &[2, 3]),
            (ShardFilter::AfterShardId(ShardId(1)), 300, &[3]),
        ] {
            assert_eq!(list(filter, horizon), expected, "{filter:?} at {horizon}");
        }
    }
}
