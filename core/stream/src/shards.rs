//! The shards of a stream and their lineage: which are open, which came from which.

use std::collections::BTreeMap;

use trunkline_types::Millis;

use crate::hash_key::{HashKey, HashKeyRange};
use crate::shard_id::ShardId;

/// One shard.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shard {
    /// Its id.
    pub id: ShardId,
    /// The hash keys whose records it takes, or took while it was open.
    pub range: HashKeyRange,
    /// The shard that was split or merged into this one.
    pub parent: Option<ShardId>,
    /// The second shard of a merge.
    pub adjacent_parent: Option<ShardId>,
    /// When it was created.
    pub created: Millis,
    /// When it was closed by a split or a merge; `None` while it takes records.
    pub closed: Option<Millis>,
}

impl Shard {
    /// Whether it takes records.
    pub fn is_open(&self) -> bool {
        self.closed.is_none()
    }

    /// Whether it was open at `time`.
    pub fn was_open_at(&self, time: Millis) -> bool {
        self.created <= time && self.closed.is_none_or(|closed| closed > time)
    }

    /// Its parents: none, one, or two.
    pub fn parents(&self) -> impl Iterator<Item = ShardId> {
        self.parent.into_iter().chain(self.adjacent_parent)
    }
}

/// One step of resharding: some shards are closed, and others take over their hash keys.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reshard {
    /// When it happens.
    pub at: Millis,
    /// One shard for a split; for a merge two, the one with the lower hash keys first.
    pub closes: Vec<ShardId>,
    /// Two shards for a split, one for a merge.
    pub opens: Vec<NewShard>,
}

/// A shard that is to be opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NewShard {
    /// Its id.
    pub id: ShardId,
    /// The hash keys whose records it takes.
    pub range: HashKeyRange,
}

/// The shards of one stream. Open shards cover the hash space exactly once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shards {
    created: Millis,
    shards: BTreeMap<ShardId, Shard>,
    /// The open shards by the first hash key of their ranges.
    open: BTreeMap<HashKey, ShardId>,
    next: ShardId,
}

impl Shards {
    /// The shards of a new stream: `count` ranges of equal width.
    ///
    /// # Panics
    /// If `count` is 0.
    pub fn create(count: u32, now: Millis) -> Self {
        let mut this =
            Self { created: now, shards: BTreeMap::new(), open: BTreeMap::new(), next: ShardId(0) };
        for range in HashKeyRange::uniform(count) {
            let id = this.next;
            this.insert(Shard {
                id,
                range,
                parent: None,
                adjacent_parent: None,
                created: now,
                closed: None,
            });
        }
        this
    }

    /// The shards of a stream as they were written down: those that are not expired, and the id
    /// that the next one gets. `None` if the open ones do not cover the hash space exactly once.
    pub fn restore(created: Millis, next: ShardId, shards: Vec<Shard>) -> Option<Self> {
        let mut this = Self { created, shards: BTreeMap::new(), open: BTreeMap::new(), next };
        for shard in shards {
            if shard.is_open() {
                this.open.insert(shard.range.start, shard.id);
            }
            this.shards.insert(shard.id, shard);
        }
        this.is_whole().then_some(this)
    }

    fn is_whole(&self) -> bool {
        let mut start = Some(HashKey(0));
        for shard in self.open() {
            if start != Some(shard.range.start) || shard.range.end < shard.range.start {
                return false;
            }
            start = shard.range.end.0.checked_add(1).map(HashKey);
        }
        let ids_are_old = self.shards.keys().all(|id| *id < self.next);
        start.is_none() && ids_are_old
    }

    /// When the stream was created.
    pub fn created(&self) -> Millis {
        self.created
    }

    /// The id that the next shard gets.
    pub fn next_id(&self) -> ShardId {
        self.next
    }

    /// The open shard that takes a record with this hash key.
    pub fn owner(&self, key: HashKey) -> ShardId {
        let found = self.open.range(..=key).next_back();
        // Open shards cover the hash space from 0 on.
        found.map_or(ShardId(0), |(_, id)| *id)
    }

    /// The shard with this id; `None` when there never was one, or it is expired.
    pub fn get(&self, id: ShardId) -> Option<&Shard> {
        self.shards.get(&id)
    }

    /// All shards, in the order of their ids.
    pub fn all(&self) -> impl Iterator<Item = &Shard> {
        self.shards.values()
    }

    /// The open shards, in the order of their hash keys.
    pub fn open(&self) -> impl Iterator<Item = &Shard> {
        self.open.values().filter_map(|id| self.shards.get(id))
    }

    /// The shards that a reader goes on with when it has read `id` to its end.
    pub fn children(&self, id: ShardId) -> impl Iterator<Item = &Shard> {
        self.all().filter(move |shard| shard.parents().any(|parent| parent == id))
    }

    /// Carries out one step of resharding: the only way in which shards of a stream change.
    pub fn apply(&mut self, reshard: &Reshard) {
        for id in &reshard.closes {
            if let Some(shard) = self.shards.get_mut(id) {
                shard.closed = Some(reshard.at);
                self.open.remove(&shard.range.start);
            }
        }
        for new in &reshard.opens {
            self.insert(Shard {
                id: new.id,
                range: new.range,
                parent: reshard.closes.first().copied(),
                adjacent_parent: reshard.closes.get(1).copied(),
                created: reshard.at,
                closed: None,
            });
        }
    }

    /// Forgets the shards that were closed so long ago that every record of theirs is older than
    /// the retention. A record of the moment of the closing is as old as it. Returns their ids.
    pub fn expire(&mut self, is_old: impl Fn(Millis) -> bool) -> Vec<ShardId> {
        let expired = |shard: &&Shard| shard.closed.is_some_and(&is_old);
        let ids: Vec<_> = self.all().filter(expired).map(|shard| shard.id).collect();
        for id in &ids {
            self.shards.remove(id);
        }
        ids
    }

    fn insert(&mut self, shard: Shard) {
        self.next = self.next.max(ShardId(shard.id.0 + 1));
        self.open.insert(shard.range.start, shard.id);
        self.shards.insert(shard.id, shard);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_written_down_is_restored_and_what_has_gaps_is_not() {
        let mut shards = Shards::create(3, 10);
        let split = shards.decide_split(ShardId(1), HashKey(1 << 127), 20).expect("inside");
        shards.apply(&split);
        let all: Vec<_> = shards.all().cloned().collect();
        let restored = Shards::restore(10, shards.next_id(), all.clone());
        assert_eq!(restored, Some(shards.clone()));
        let without = |gone: u32| all.iter().filter(|one| one.id.0 != gone).cloned().collect();
        assert!(Shards::restore(10, shards.next_id(), without(1)).is_some(), "it is closed");
        for gone in [0, 2, 4] {
            assert_eq!(Shards::restore(10, shards.next_id(), without(gone)), None, "{gone}");
        }
        assert_eq!(Shards::restore(10, ShardId(4), all), None, "an id would be used twice");
        assert_eq!(Shards::restore(10, ShardId(0), Vec::new()), None);
    }
}
