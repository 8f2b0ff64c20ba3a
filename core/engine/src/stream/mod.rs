//! Streams with the semantics of Amazon Kinesis Data Streams: records are put into shards by the
//! hash of their partition keys, kept for a while, and read by any number of readers.
//!
//! The rules are `trunkline-stream`'s; here they meet the journal. A stream's definition, its
//! readers and their positions are records of this kind; what is put into a shard is an entry of a
//! retained log, one log a shard.
//!
//! Lock order: a reader's group, the state of a stream, the append lock, the state of a log.

mod accept;
mod component;
mod entry;
mod errors;
mod join;
mod member;
mod merge;
pub mod operation;
mod put;
mod read;
mod reader;
mod record;
mod replay;
mod reshard;
mod retention;
mod statistics;
mod status;
mod streams;
mod traced;
mod waiting;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, PoisonError};

use trunkline_host::{Append, Host, Location, Log, Logs, Waiters};
use trunkline_stream::{HashKey, ShardId, Shards};
use trunkline_types::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use trunkline_types::sync::{Mutex, RwLock, RwLockReadGuard, RwLockWriteGuard, lock};
use trunkline_types::{Millis, ResourceId, ResourceName, Result};

pub use component::STREAMS;
pub use entry::NewRecord;
pub use member::{FetchRequest, StreamMember};
pub use merge::ShardPosition;
pub use put::PutRecord;
pub use read::{ReadOutcome, ReadRequest, StreamRecord};
pub use reader::Reader;
use record::{Record, StreamRecord as DefinitionRecord};
pub use statistics::{ReaderStatistics, ShardStatistics, StreamStatistics};
pub use status::StreamChange;
pub(crate) use streams::Streams;
pub use streams::{STREAM, StreamConfig};
pub use waiting::MemberWait;

/// The name of a stream for embedders, who see no account and no region.
pub fn stream_name(name: impl Into<String>) -> ResourceName {
    ResourceName::local(STREAM, name)
}

/// A stream of an engine. Cheap to share; every method may be called from any thread.
pub struct Stream {
    host: Arc<Host>,
    logs: Arc<Logs>,
    id: ResourceId,
    name: ResourceName,
    state: RwLock<State>,
    readers: Mutex<BTreeMap<String, Arc<Reader>>>,
    waiters: Waiters,
    leaving: Arc<Leaving>,
    removed: AtomicBool,
    /// The route of the first shard, while it is the only one and its log is in memory and open.
    /// Puts use it without the lock of the state: resharding closes the log.
    first: Option<Route>,
    /// A copy of the state's, for puts: 0 stands for the engine's limit.
    record_bytes_max: AtomicU32,
}

/// Logs of streams and shards that a record says are gone, and that are not removed yet. A
/// checkpoint names them, because it has no such record any more.
#[derive(Default)]
struct Leaving(Mutex<BTreeSet<ResourceId>>);

impl Leaving {
    /// To be called before the record is appended.
    fn begin(&self, logs: impl Iterator<Item = ResourceId>) {
        lock(&self.0).extend(logs);
    }

    /// Removes logs that were named before.
    fn remove(&self, all: &Logs, ids: &[ResourceId]) -> Result<()> {
        for id in ids {
            all.remove(*id)?;
            lock(&self.0).remove(id);
        }
        Ok(())
    }

    fn all(&self) -> Vec<ResourceId> {
        lock(&self.0).iter().copied().collect()
    }
}

/// What changes when a stream is resharded or configured.
struct State {
    shards: Shards,
    /// The log of each shard that is not expired.
    logs: BTreeMap<ShardId, Arc<Log>>,
    /// The open shards, by the first hash key of their ranges.
    routes: Vec<Route>,
    retention: Millis,
    /// Records before this time are gone, whatever the retention became later.
    floor: Millis,
    document: Vec<u8>,
    derived: status::Derived,
    /// What the AWS surface is told of the stream for a while.
    pending: Option<status::Pending>,
    /// Largest record in bytes; 0 stands for the engine's limit.
    record_bytes_max: u32,
    /// Where the definition lies in the journal.
    location: Option<Location>,
    /// Counts the changes of the shards, so that readers notice them.
    version: u64,
}

/// An open shard.
#[derive(Clone)]
struct Route {
    start: HashKey,
    shard: ShardId,
    created: Millis,
    log: Arc<Log>,
}

impl Stream {
    /// The stream's id in this engine.
    pub fn id(&self) -> ResourceId {
        self.id
    }

    /// Account, region and name.
    pub fn name(&self) -> &ResourceName {
        &self.name
    }

    /// How long records are kept.
    pub fn retention(&self) -> Millis {
        self.state().retention
    }

    /// The time before which records are gone now.
    pub fn horizon(&self) -> Millis {
        self.state().horizon(self.host.now())
    }

    /// What the surfaces keep with the stream.
    pub fn document(&self) -> Vec<u8> {
        self.state().document.clone()
    }

    /// The shards, with their lineage.
    pub fn shards(&self) -> Shards {
        self.state().shards.clone()
    }

    /// Whether the stream was removed. Every verb on it then fails.
    pub fn is_removed(&self) -> bool {
        self.removed.load(Ordering::Acquire)
    }

    fn state(&self) -> RwLockReadGuard<'_, State> {
        self.state.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn state_mut(&self) -> RwLockWriteGuard<'_, State> {
        self.state.write().unwrap_or_else(PoisonError::into_inner)
    }

    #[inline]
    fn check_readable(&self) -> Result<()> {
        self.host.check_readable()?;
        self.check_present()
    }

    #[inline]
    fn check_writable(&self) -> Result<()> {
        self.host.check_writable()?;
        self.check_present()
    }

    #[inline]
    fn check_present(&self) -> Result<()> {
        if self.is_removed() { Err(errors::no_such_stream(&self.name)) } else { Ok(()) }
    }

    /// The definition as it is written down.
    fn definition(&self, state: &State) -> DefinitionRecord {
        let log_of = |id: &ShardId| state.logs.get(id).map_or(ResourceId(0), |log| log.id());
        DefinitionRecord {
            id: self.id,
            created: state.shards.created(),
            retention: state.retention,
            floor: state.floor,
            next_shard: state.shards.next_id(),
            account: self.name.account.clone(),
            region: self.name.region.clone(),
            name: self.name.name.clone(),
            document: state.document.clone(),
            pending: state.pending,
            record_bytes_max: state.record_bytes_max,
            shards: state.shards.all().map(|one| (one.clone(), log_of(&one.id))).collect(),
        }
    }

    /// Writes the definition down as a part of the step `append`.
    fn define(&self, state: &mut State, append: &mut Append<'_>) {
        let record = Record::Stream(self.definition(state));
        state.location = append.append_live(&record, state.location);
    }
}

impl State {
    fn new(shards: Shards, logs: BTreeMap<ShardId, Arc<Log>>, retention: Millis) -> Self {
        let mut state = Self {
            shards,
            logs,
            routes: Vec::new(),
            retention,
            floor: 0,
            document: Vec::new(),
            derived: status::Derived::default(),
            pending: None,
            record_bytes_max: 0,
            location: None,
            version: 0,
        };
        state.route();
        state
    }

    /// Brings the routes up to date with the shards.
    fn route(&mut self) {
        let route = |shard: &trunkline_stream::Shard| {
            let log = self.logs.get(&shard.id)?.clone();
            Some(Route { start: shard.range.start, shard: shard.id, created: shard.created, log })
        };
        self.routes = self.shards.open().filter_map(route).collect();
        self.version += 1;
    }

    /// The time before which records are gone.
    fn horizon(&self, now: Millis) -> Millis {
        // One that lies ahead was set while the clock was wrong. It says nothing about what comes.
        let floor = Some(self.floor).filter(|floor| *floor <= now).unwrap_or_default();
        now.saturating_sub(self.retention).max(floor)
    }
}
