//! One destination at work: its configuration, its backlog and its counters.

use std::collections::HashMap;
use std::sync::Arc;

use trunkline_delivery::Attempt;
use trunkline_host::Subscription;
use trunkline_types::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};
use trunkline_types::sync::{Mutex, lock};
use trunkline_types::{Receipt, ResourceId};

use super::backlog::Backlog;
use super::config::DestinationConfig;

/// A destination of an open engine.
pub(super) struct Destination {
    pub id: ResourceId,
    pub backlog: Arc<dyn Backlog>,
    prepared: Mutex<Arc<Prepared>>,
    pub counters: Counters,
    /// The subscription for deliveries that fall due later, while there is one.
    pub subscription: Mutex<Option<Subscription>>,
    pub is_removed: AtomicBool,
    /// A timer brings it back, because its endpoint was called as often as it may be.
    pub is_paced: AtomicBool,
    /// Handlers that lease from here.
    pub handlers: AtomicU32,
    /// Handlers that ever leased from here: the number of the next.
    pub entered: AtomicU32,
    /// The attempts that handlers have, and have not answered for, each with the number of its
    /// handler. Locked before the backlog.
    pub attempts: Mutex<HashMap<Receipt, u32>>,
    /// Deliveries that handlers have, and have not answered for.
    pub handed_out: AtomicU32,
}

/// A configuration, and what each attempt starts from.
pub(super) struct Prepared {
    pub config: DestinationConfig,
    /// Over HTTP, an attempt without its body; or why none can be made.
    pub template: Result<Attempt, String>,
}

impl Prepared {
    fn new(config: DestinationConfig) -> Arc<Self> {
        let template = config.attempt(Vec::new()).map_err(|error| error.message().to_owned());
        Arc::new(Self { config, template })
    }
}

/// What became of deliveries since the engine was opened.
#[derive(Default)]
pub(super) struct Counters {
    pub delivered: AtomicU64,
    pub retried: AtomicU64,
    pub dead_lettered: AtomicU64,
    pub failed: AtomicU64,
}

/// How a destination stands.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct DestinationStatistics {
    /// Deliveries that are due.
    pub due: u64,
    /// Deliveries that are being attempted or wait for their next attempt.
    pub leased: u64,
    /// Delivered since the engine was opened.
    pub delivered: u64,
    /// Attempts that failed and were followed by another.
    pub retried: u64,
    /// Given to the dead-letter queue.
    pub dead_lettered: u64,
    /// Given up and recorded as failures.
    pub failed: u64,
}

impl Destination {
    pub fn new(id: ResourceId, backlog: Arc<dyn Backlog>, config: DestinationConfig) -> Self {
        Self {
            id,
            backlog,
            prepared: Mutex::new(Prepared::new(config)),
            counters: Counters::default(),
            subscription: Mutex::new(None),
            is_removed: AtomicBool::new(false),
            is_paced: AtomicBool::new(false),
            handlers: AtomicU32::new(0),
            entered: AtomicU32::new(0),
            attempts: Mutex::default(),
            handed_out: AtomicU32::new(0),
        }
    }

    pub fn prepared(&self) -> Arc<Prepared> {
        lock(&self.prepared).clone()
    }

    pub fn set_config(&self, config: DestinationConfig) {
        *lock(&self.prepared) = Prepared::new(config);
    }

    pub fn is_attempted_here(&self) -> bool {
        lock(&self.prepared).config.is_attempted_here()
    }

    /// Attempts at once that the engine may make by itself.
    pub fn limit(&self) -> u32 {
        let prepared = self.prepared();
        let is_ours =
            prepared.config.is_attempted_here() && !self.is_removed.load(Ordering::Acquire);
        if is_ours { prepared.config.concurrency } else { 0 }
    }

    /// Takes the destination out of service.
    pub fn remove(&self) {
        self.is_removed.store(true, Ordering::Release);
        self.unsubscribe();
    }

    /// Ends the subscription for deliveries that fall due later.
    pub fn unsubscribe(&self) {
        // Dropped without the lock: an unused wake is passed on, and may come back here.
        let ended = lock(&self.subscription).take();
        drop(ended);
    }

    /// Whether a handler has work: deliveries that are due, or that it has not answered for.
    pub fn is_handling(&self) -> bool {
        self.handlers.load(Ordering::SeqCst) > 0
            && (self.handed_out.load(Ordering::SeqCst) > 0 || self.backlog.counts().due > 0)
    }

    pub fn statistics(&self) -> DestinationStatistics {
        let counts = self.backlog.counts();
        let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        DestinationStatistics {
            due: counts.due,
            leased: counts.leased,
            delivered: read(&self.counters.delivered),
            retried: read(&self.counters.retried),
            dead_lettered: read(&self.counters.dead_lettered),
            failed: read(&self.counters.failed),
        }
    }
}
