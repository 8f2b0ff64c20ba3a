//! Which queues there are, by id and by name.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, PoisonError};

use trunkline_types::sync::{RwLock, RwLockReadGuard, RwLockWriteGuard};
use trunkline_types::{Millis, ResourceId};

use crate::queue::Queue;

/// The full name of a queue. Order is by account, region and name.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct QueueName {
    /// The account, 12 digits.
    pub account: String,
    /// The region.
    pub region: String,
    /// The name, unique in its account and region.
    pub name: String,
}

impl QueueName {
    /// A name for embedders, who see no account and no region.
    pub fn local(name: impl Into<String>) -> Self {
        let (account, region) = ("000000000000".to_owned(), "us-east-1".to_owned());
        Self { account, region, name: name.into() }
    }
}

#[derive(Default)]
pub(crate) struct Registry {
    tables: RwLock<Tables>,
}

#[derive(Default)]
struct Tables {
    by_id: HashMap<ResourceId, Arc<Queue>>,
    by_name: BTreeMap<QueueName, ResourceId>,
    /// Names that were removed, and when. Only the newest removal of a name; see `REMOVED_MAX`.
    removed: HashMap<QueueName, Millis>,
}

/// Names whose removal is remembered at most; the oldest are forgotten first.
const REMOVED_MAX: usize = 10_000;

impl Registry {
    pub fn get(&self, id: ResourceId) -> Option<Arc<Queue>> {
        self.read().by_id.get(&id).cloned()
    }

    pub fn find(&self, name: &QueueName) -> Option<Arc<Queue>> {
        let tables = self.read();
        tables.by_name.get(name).and_then(|id| tables.by_id.get(id)).cloned()
    }

    pub fn add(&self, queue: Arc<Queue>) {
        let mut tables = self.write();
        tables.removed.remove(queue.name());
        tables.by_name.insert(queue.name().clone(), queue.id());
        tables.by_id.insert(queue.id(), queue);
    }

    pub fn remove(&self, queue: &Queue, at: Millis) {
        let mut tables = self.write();
        tables.by_id.remove(&queue.id());
        tables.by_name.remove(queue.name());
        if tables.removed.len() >= REMOVED_MAX {
            let oldest = tables.removed.iter().min_by_key(|(_, at)| **at);
            if let Some(name) = oldest.map(|(name, _)| name.clone()) {
                tables.removed.remove(&name);
            }
        }
        tables.removed.insert(queue.name().clone(), at);
    }

    pub fn removed_at(&self, name: &QueueName) -> Option<Millis> {
        self.read().removed.get(name).copied()
    }

    /// The queues of an account and region whose name starts with `prefix`, in order.
    pub fn list(
        &self,
        account: Option<&str>,
        region: Option<&str>,
        prefix: &str,
    ) -> Vec<Arc<Queue>> {
        let tables = self.read();
        let wanted = |name: &QueueName| {
            account.is_none_or(|account| name.account == account)
                && region.is_none_or(|region| name.region == region)
                && name.name.starts_with(prefix)
        };
        let ids = tables.by_name.iter().filter(|(name, _)| wanted(name)).map(|(_, id)| id);
        ids.filter_map(|id| tables.by_id.get(id)).cloned().collect()
    }

    /// Every queue, in order of its id: what is done to all is done in one order each time.
    pub fn all(&self) -> Vec<Arc<Queue>> {
        let mut queues: Vec<_> = self.read().by_id.values().cloned().collect();
        queues.sort_unstable_by_key(|queue| queue.id());
        queues
    }

    /// Forgets every queue: breaks the circle between the engine and its queues.
    pub fn clear(&self) -> Vec<Arc<Queue>> {
        std::mem::take(&mut *self.write()).by_id.into_values().collect()
    }

    fn read(&self) -> RwLockReadGuard<'_, Tables> {
        self.tables.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, Tables> {
        self.tables.write().unwrap_or_else(PoisonError::into_inner)
    }
}
