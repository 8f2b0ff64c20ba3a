//! Resharding: splitting a shard, merging two neighbours, and bringing a stream to a number of
//! shards of equal width.

use trunkline_types::Millis;

use crate::hash_key::{HashKey, HashKeyRange};
use crate::shard_id::ShardId;
use crate::shards::{NewShard, Reshard, Shard, Shards};

/// Why a stream cannot be resharded like this.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReshardError {
    /// There is no shard with this id.
    NoSuchShard(ShardId),
    /// The shard was split or merged already.
    Closed(ShardId),
    /// The hash key does not lie strictly inside the shard: it has to be more than one above its
    /// first hash key and below its last.
    NotInside {
        /// The shard.
        shard: ShardId,
        /// Its hash keys.
        range: HashKeyRange,
        /// The hash key that was to start the second half.
        key: HashKey,
    },
    /// The second shard does not begin where the first one ends.
    NotAdjacent(ShardId, ShardId),
}

impl std::fmt::Display for ReshardError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::NoSuchShard(id) => write!(f, "the stream has no shard {id}"),
            Self::Closed(id) => write!(f, "shard {id} is closed: it was split or merged before"),
            Self::NotInside { shard, range, key } => write!(
                f,
                "hash key {key} does not split shard {shard}: it must be greater than {} + 1 and \
                 less than {}",
                range.start, range.end
            ),
            Self::NotAdjacent(first, second) => {
                write!(f, "shard {second} does not begin where shard {first} ends")
            }
        }
    }
}

impl std::error::Error for ReshardError {}

impl Shards {
    /// Splits `shard` so that the second half begins at `key`.
    pub fn decide_split(
        &self,
        shard: ShardId,
        key: HashKey,
        now: Millis,
    ) -> Result<Reshard, ReshardError> {
        let range = self.open_shard(shard)?.range;
        // AWS asks for one more than the first hash key, on the lower side only.
        let lower = range.start.0.saturating_add(1);
        if key.0 <= lower || key >= range.end {
            return Err(ReshardError::NotInside { shard, range, key });
        }
        Ok(self.split(shard, range, key, now))
    }

    /// Merges two neighbours, `first` with the lower hash keys.
    pub fn decide_merge(
        &self,
        first: ShardId,
        second: ShardId,
        now: Millis,
    ) -> Result<Reshard, ReshardError> {
        let (low, high) = (self.open_shard(first)?.range, self.open_shard(second)?.range);
        if !low.is_followed_by(&high) {
            return Err(ReshardError::NotAdjacent(first, second));
        }
        let range = HashKeyRange { start: low.start, end: high.end };
        let opens = vec![NewShard { id: self.next_id(), range }];
        Ok(Reshard { at: now, closes: vec![first, second], opens })
    }

    /// The steps that lead to `count` open shards of equal width. A shard that has one of the
    /// wanted ranges already is left alone.
    ///
    /// # Panics
    /// If `count` is 0.
    pub fn decide_resize(&self, count: u32, now: Millis) -> Vec<Reshard> {
        let wanted: Vec<_> = HashKeyRange::uniform(count).collect();
        let mut after = self.clone();
        let mut steps = Vec::new();
        let mut carry_out = |after: &mut Shards, step: Reshard| {
            after.apply(&step);
            steps.push(step);
        };
        // First a shard border at each wanted one, then no border between.
        for range in &wanted {
            let owner = after.owner(range.start);
            let Some(shard) = after.get(owner).filter(|shard| shard.range.start != range.start)
            else {
                continue;
            };
            let step = after.split(owner, shard.range, range.start, now);
            carry_out(&mut after, step);
        }
        for range in &wanted {
            while let Some(step) = after.merge_within(range, now) {
                carry_out(&mut after, step);
            }
        }
        steps
    }

    fn merge_within(&self, range: &HashKeyRange, now: Millis) -> Option<Reshard> {
        let first = self.get(self.owner(range.start))?;
        if first.range.end >= range.end {
            return None;
        }
        let second = self.owner(HashKey(first.range.end.0 + 1));
        self.decide_merge(first.id, second, now).ok()
    }

    fn split(&self, shard: ShardId, range: HashKeyRange, key: HashKey, now: Millis) -> Reshard {
        let low = HashKeyRange { start: range.start, end: HashKey(key.0 - 1) };
        let high = HashKeyRange { start: key, end: range.end };
        let next = self.next_id();
        let opens = vec![
            NewShard { id: next, range: low },
            NewShard { id: ShardId(next.0 + 1), range: high },
        ];
        Reshard { at: now, closes: vec![shard], opens }
    }

    fn open_shard(&self, id: ShardId) -> Result<&Shard, ReshardError> {
        let shard = self.get(id).ok_or(ReshardError::NoSuchShard(id))?;
        if shard.is_open() { Ok(shard) } else { Err(ReshardError::Closed(id)) }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn ranges(shards: &Shards) -> Vec<HashKeyRange> {
        shards.open().map(|shard| shard.range).collect()
    }

    fn covers_everything_once(shards: &Shards) -> bool {
        let open = ranges(shards);
        open.first().is_some_and(|range| range.start == HashKey(0))
            && open.last().is_some_and(|range| range.end == HashKey(u128::MAX))
            && open.windows(2).all(|pair| pair[0].is_followed_by(&pair[1]))
    }

    #[test]
    fn a_split_and_a_merge_keep_the_lineage() {
        let mut shards = Shards::create(1, 10);
        let split = shards.decide_split(ShardId(0), HashKey(1 << 100), 20).expect("it is inside");
        shards.apply(&split);
        let children: Vec<_> = shards.children(ShardId(0)).map(|shard| shard.id).collect();
        assert_eq!(children, [ShardId(1), ShardId(2)]);
        assert_eq!(shards.get(ShardId(0)).and_then(|shard| shard.closed), Some(20));
        assert_eq!(shards.owner(HashKey((1 << 100) - 1)), ShardId(1));
        assert_eq!(shards.owner(HashKey(1 << 100)), ShardId(2));

        let merge = shards.decide_merge(ShardId(1), ShardId(2), 30).expect("they are neighbours");
        shards.apply(&merge);
        let merged = shards.get(ShardId(3)).expect("it is open");
        assert_eq!((merged.parent, merged.adjacent_parent), (Some(ShardId(1)), Some(ShardId(2))));
        assert_eq!(merged.range, HashKeyRange::ALL);
        // Expired shards are forgotten; their children still name them.
        assert_eq!(shards.expire(|closed| closed < 20), []);
        assert_eq!(shards.expire(|closed| closed < 25), [ShardId(0)]);
        assert_eq!(shards.get(ShardId(1)).and_then(|shard| shard.parent), Some(ShardId(0)));
    }

    #[test]
    fn what_cannot_be_split_or_merged_is_refused() {
        let mut shards = Shards::create(4, 10);
        let range = shards.get(ShardId(1)).expect("it is open").range;
        for key in [range.start.0, range.start.0 + 1, range.end.0, 0] {
            let key = HashKey(key);
            let refused = ReshardError::NotInside { shard: ShardId(1), range, key };
            assert_eq!(shards.decide_split(ShardId(1), key, 20), Err(refused));
        }
        assert!(shards.decide_split(ShardId(1), HashKey(range.start.0 + 2), 20).is_ok());
        assert!(shards.decide_split(ShardId(1), HashKey(range.end.0 - 1), 20).is_ok());
        for (first, second) in [(0, 2), (1, 0), (0, 0)] {
            let (first, second) = (ShardId(first), ShardId(second));
            let refused = Err(ReshardError::NotAdjacent(first, second));
            assert_eq!(shards.decide_merge(first, second, 20), refused);
        }
        let unknown = Err(ReshardError::NoSuchShard(ShardId(9)));
        assert_eq!(shards.decide_merge(ShardId(0), ShardId(9), 20), unknown);
        shards.apply(&shards.decide_merge(ShardId(0), ShardId(1), 20).expect("neighbours"));
        let closed = Err(ReshardError::Closed(ShardId(1)));
        assert_eq!(shards.decide_split(ShardId(1), range.middle(), 30), closed);
    }

    proptest! {
        #[test]
        fn any_resize_ends_in_uniform_ranges(counts in prop::collection::vec(1u32..40, 1..6)) {
            let mut shards = Shards::create(3, 0);
            for (step, count) in counts.into_iter().enumerate() {
                for reshard in shards.decide_resize(count, step as u64 + 1) {
                    prop_assert!(reshard.closes.len() + reshard.opens.len() == 3);
                    shards.apply(&reshard);
                    prop_assert!(covers_everything_once(&shards));
                }
                prop_assert_eq!(ranges(&shards), HashKeyRange::uniform(count).collect::<Vec<_>>());
                // Nothing is left to do.
                prop_assert_eq!(shards.decide_resize(count, 99), vec![]);
            }
        }
    }
}
