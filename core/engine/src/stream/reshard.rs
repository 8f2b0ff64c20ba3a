//! Changes of a stream: splits, merges, resizing, retention, document.

use std::collections::BTreeMap;

use trunkline_journal::Ticket;
use trunkline_stream::{HashKey, Reshard, ReshardError, ShardId, Shards};
use trunkline_types::{Millis, Result};

use super::status::Derived;
use super::streams::{check_retention, check_shards};
use super::{State, Stream, errors};

/// The steps of a resharding, or why there are none.
type Decided = std::result::Result<Vec<Reshard>, ReshardError>;

impl Stream {
    /// Splits `shard` so that the second half begins at `at`, or in its middle. Returns the two new
    /// shards.
    pub fn split(
        &self,
        shard: ShardId,
        at: Option<HashKey>,
    ) -> Result<(Vec<ShardId>, Option<Ticket>)> {
        self.reshard(|shards, now| {
            let middle = || shards.get(shard).map_or(HashKey(0), |shard| shard.range.middle());
            Ok(vec![shards.decide_split(shard, at.unwrap_or_else(middle), now)?])
        })
    }

    /// Merges two neighbours, in whichever order they are given. Returns the new shard.
    pub fn merge(&self, first: ShardId, second: ShardId) -> Result<(Vec<ShardId>, Option<Ticket>)> {
        self.reshard(|shards, now| {
            let start = |id| shards.get(id).map(|shard| shard.range.start);
            let (low, high) =
                if start(first) <= start(second) { (first, second) } else { (second, first) };
            Ok(vec![shards.decide_merge(low, high, now)?])
        })
    }

    /// Brings the stream to `count` open shards of equal width. Returns the shards that are new.
    pub fn resize(&self, count: u32) -> Result<(Vec<ShardId>, Option<Ticket>)> {
        check_shards(count, &self.host.limits)?;
        self.reshard(|shards, now| Ok(shards.decide_resize(count, now)))
    }

    /// Changes how long records are kept. A shorter time drops old records at once; a longer one
    /// brings none back.
    pub fn set_retention(&self, retention: Millis) -> Result<Option<Ticket>> {
        check_retention(retention, &self.host.limits)?;
        self.change(|state, now| {
            state.floor = state.horizon(now);
            state.retention = retention;
        })
    }

    /// Replaces what the surfaces keep with the stream.
    pub fn set_document(&self, document: &[u8]) -> Result<Option<Ticket>> {
        self.change(|state, _| {
            state.document = document.to_vec();
            state.derived = Derived::default();
        })
    }

    pub(super) fn change(&self, change: impl FnOnce(&mut State, Millis)) -> Result<Option<Ticket>> {
        self.check_writable()?;
        self.host.refuse_if_full()?;
        let now = self.host.now();
        let mut state = self.state_mut();
        self.check_present()?;
        let mut append = self.host.append_at(now)?;
        change(&mut state, now);
        self.define(&mut state, &mut append);
        Ok(append.ticket())
    }

    /// Carries out the steps that `decide` finds, all in one record.
    fn reshard(
        &self,
        decide: impl FnOnce(&Shards, Millis) -> Decided,
    ) -> Result<(Vec<ShardId>, Option<Ticket>)> {
        self.check_writable()?;
        self.host.refuse_if_full()?;
        let now = self.host.now();
        let (opened, ticket) = {
            // No record is put while this is held: each is in the old shards or in the new ones.
            let mut state = self.state_mut();
            self.check_present()?;
            let steps =
                decide(&state.shards, now).map_err(|error| errors::reshard(error, &self.name))?;
            let mut shards = state.shards.clone();
            steps.iter().for_each(|step| shards.apply(step));
            if shards.all().count() > self.host.limits.stream_shards_max as usize {
                return Err(errors::too_many_shards(&self.host.limits));
            }
            let mut logs = BTreeMap::new();
            for shard in shards.all().filter(|shard| !state.logs.contains_key(&shard.id)) {
                logs.insert(shard.id, self.logs.create()?);
            }
            let mut append = self.host.append_at(now)?;
            let is_open = |id: &&ShardId| shards.get(**id).is_some_and(|shard| shard.is_open());
            let opened = logs.keys().filter(is_open).copied().collect();
            state.logs.append(&mut logs);
            state.shards = shards;
            // Puts that found the first shard without this lock look again from here on.
            let closed = state.shards.all().filter(|shard| !shard.is_open());
            let logs = closed.filter_map(|shard| state.logs.get(&shard.id));
            logs.for_each(|log| log.close_in_memory());
            state.route();
            self.define(&mut state, &mut append);
            (opened, append.ticket())
        };
        // Readers look for the children of what was closed.
        self.waiters.wake_all();
        Ok((opened, ticket))
    }
}
