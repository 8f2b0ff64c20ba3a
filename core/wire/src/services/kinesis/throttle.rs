//! What a shard takes and hands out in a second, where the limits of the engine bound that.

use std::collections::HashMap;

use trunkline_engine::{ResourceName, ShardId, Stream};
use trunkline_types::sync::{Mutex, lock};
use trunkline_types::{Limits, Millis};

use crate::error::WireError;

/// What was used of the shards, by the stream's id and the shard.
#[derive(Default)]
pub(super) struct Throttle(Mutex<HashMap<(u32, ShardId), Used>>);

/// What was used of one shard in one second of the engine's clock.
#[derive(Default, Clone, Copy)]
struct Used {
    second: u64,
    bytes: u64,
    records: u32,
    reads: u32,
    iterators: u32,
    /// Reads are refused until then: an earlier one took more than a second's bytes.
    pause: Millis,
}

/// Shards that are remembered; those of earlier seconds are forgotten beyond that.
const SHARDS_MAX: usize = 4_096;

/// Whether puts are bounded.
pub(super) fn bounds_writes(limits: &Limits) -> bool {
    limits.shard_write_bytes_rate > 0 || limits.shard_write_records_rate > 0
}

impl Throttle {
    /// Whether the shard takes a record of so many bytes now; if so, it counts.
    pub fn may_write(
        &self,
        limits: &Limits,
        (stream, shard): (&Stream, ShardId),
        bytes: usize,
        now: Millis,
    ) -> bool {
        let is_over = |used: u64, rate: u32| rate > 0 && used > u64::from(rate);
        self.with(stream, shard, now, |used| {
            let (sum, records) = (used.bytes + bytes as u64, used.records + 1);
            // A record of more than a second's bytes passes when nothing else did.
            let is_first = used.records == 0;
            if !is_first
                && (is_over(sum, limits.shard_write_bytes_rate)
                    || is_over(u64::from(records), limits.shard_write_records_rate))
            {
                return false;
            }
            (used.bytes, used.records) = (sum, records);
            true
        })
    }

    /// Whether the shard answers another read now; if so, it counts.
    pub fn may_read(
        &self,
        limits: &Limits,
        (stream, shard): (&Stream, ShardId),
        now: Millis,
    ) -> bool {
        let rate = limits.shard_reads_rate;
        if rate == 0 && limits.shard_read_bytes_rate == 0 {
            return true;
        }
        self.with(stream, shard, now, |used| {
            if now < used.pause || (rate > 0 && used.reads >= rate) {
                return false;
            }
            used.reads += 1;
            true
        })
    }

    /// Whether the shard gives another iterator now; if so, it counts.
    pub fn may_begin(
        &self,
        limits: &Limits,
        (stream, shard): (&Stream, ShardId),
        now: Millis,
    ) -> bool {
        let rate = limits.shard_iterators_rate;
        rate == 0
            || self.with(stream, shard, now, |used| {
                let is_free = used.iterators < rate;
                used.iterators += u32::from(is_free);
                is_free
            })
    }

    /// Counts what a read handed out.
    pub fn note_read(
        &self,
        limits: &Limits,
        (stream, shard): (&Stream, ShardId),
        bytes: usize,
        now: Millis,
    ) {
        let rate = u64::from(limits.shard_read_bytes_rate);
        if rate > 0 && bytes as u64 > rate {
            let pause = now + bytes as u64 * 1_000 / rate;
            self.with(stream, shard, now, |used| used.pause = pause);
        }
    }

    fn with<T>(
        &self,
        stream: &Stream,
        shard: ShardId,
        now: Millis,
        change: impl FnOnce(&mut Used) -> T,
    ) -> T {
        let second = now / 1_000;
        let mut table = lock(&self.0);
        if table.len() >= SHARDS_MAX {
            table.retain(|_, used| used.second == second || used.pause > now);
        }
        let used = table.entry((stream.id().0, shard)).or_default();
        if used.second != second {
            *used = Used { second, pause: used.pause, ..Used::default() };
        }
        change(used)
    }
}

/// The message about a shard that is asked for too much.
pub(super) fn message(shard: ShardId, name: &ResourceName) -> String {
    format!(
        "Rate exceeded for shard {shard} in stream {} under account {}.",
        name.name, name.account
    )
}

/// The error for a whole request.
#[cold]
pub(super) fn exceeded(shard: ShardId, name: &ResourceName) -> WireError {
    WireError::new("ProvisionedThroughputExceededException", 400, message(shard, name))
}
