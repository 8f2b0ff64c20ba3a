//! Which subscription of a consumer to a shard is the current one.

use std::collections::HashMap;
use std::sync::Arc;

use trunkline_engine::{ShardId, Stream};
use trunkline_types::Millis;
use trunkline_types::sync::{Mutex, lock};

use crate::error::{Result, WireError};
use crate::limits::SUBSCRIPTION_TAKE_OVER_MIN;

/// A consumer of a stream, by the stream's id, and one of the shards.
type Key = (u32, String, ShardId);

/// The subscriptions that are open.
#[derive(Default)]
pub(super) struct Subscriptions(Mutex<Table>);

#[derive(Default)]
struct Table {
    open: HashMap<Key, Open>,
    next: u64,
}

#[derive(Clone, Copy)]
struct Open {
    number: u64,
    since: Millis,
}

/// A subscription that is open until this is dropped, or another one takes it over.
pub(super) struct Lease {
    table: Arc<Subscriptions>,
    key: Key,
    number: u64,
    who: String,
}

impl Subscriptions {
    /// Opens a subscription. It takes an older one over, but not one of the last seconds.
    pub fn take(
        self: &Arc<Self>,
        stream: &Stream,
        shard: ShardId,
        consumer: &str,
        now: Millis,
    ) -> Result<Lease> {
        let name = stream.name();
        let who = format!("{}:{}:{shard}:{consumer}", name.account, name.name);
        let key = (stream.id().0, consumer.to_owned(), shard);
        let mut table = lock(&self.0);
        let is_young = |open: &Open| now < open.since.saturating_add(SUBSCRIPTION_TAKE_OVER_MIN);
        if table.open.get(&key).is_some_and(is_young) {
            return Err(in_use(&who));
        }
        table.next += 1;
        let number = table.next;
        table.open.insert(key.clone(), Open { number, since: now });
        Ok(Lease { table: self.clone(), key, number, who })
    }
}

impl Lease {
    /// Raises if another subscription has taken this one over.
    pub fn check(&self) -> Result<()> {
        let table = lock(&self.table.0);
        match table.open.get(&self.key) {
            Some(open) if open.number == self.number => Ok(()),
            _ => Err(in_use(&self.who)),
        }
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        let mut table = lock(&self.table.0);
        if table.open.get(&self.key).is_some_and(|open| open.number == self.number) {
            table.open.remove(&self.key);
        }
    }
}

fn in_use(who: &str) -> WireError {
    let message = format!("Another active subscription exists for this consumer: {who}");
    WireError::new("ResourceInUseException", 400, message)
}
