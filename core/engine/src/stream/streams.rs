//! All streams of an engine: how one is created, and the bounds of its definition.

use std::collections::BTreeMap;
use std::sync::Arc;

use trunkline_host::{Host, Logs, Waiters};
use trunkline_stream::Shards;
use trunkline_types::sync::atomic::{AtomicBool, AtomicU32};
use trunkline_types::sync::{Mutex, RwLock, lock};
use trunkline_types::{Limits, Millis, ResourceId, ResourceKind, ResourceName, Result};

use super::{Leaving, State, Stream, errors};

/// The kind in the names of streams.
pub const STREAM: ResourceKind = ResourceKind("stream");

/// What a stream is created with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StreamConfig {
    /// Shards of equal width.
    pub shards: u32,
    /// How long records are kept.
    pub retention: Millis,
}

impl StreamConfig {
    fn check(&self, limits: &Limits) -> Result<()> {
        check_shards(self.shards, limits)?;
        check_retention(self.retention, limits)
    }
}

/// Refuses a number of shards that no stream has.
pub(super) fn check_shards(shards: u32, limits: &Limits) -> Result<()> {
    let max = limits.stream_shards_max;
    if (1..=max).contains(&shards) {
        return Ok(());
    }
    Err(errors::invalid("shards", shards, &format!("Must be between 1 and {max}.")))
}

/// Refuses a retention that no stream has.
pub(super) fn check_retention(retention: Millis, limits: &Limits) -> Result<()> {
    let (min, max) = (limits.stream_retention_min, limits.stream_retention_max);
    if (min..=max).contains(&retention) {
        return Ok(());
    }
    let seconds = |millis: Millis| millis as f64 / 1_000.0;
    let reason = format!("Must be between {} and {} seconds.", seconds(min), seconds(max));
    Err(errors::invalid("retention", seconds(retention), &reason))
}

/// All streams of an engine.
pub(crate) struct Streams {
    pub(super) host: Arc<Host>,
    pub(super) logs: Arc<Logs>,
    /// Held while a stream is created, so that a name is given once.
    creating: Mutex<()>,
    pub(super) leaving: Arc<Leaving>,
}

impl Streams {
    pub(super) fn new(host: Arc<Host>, logs: Arc<Logs>) -> Self {
        Self { host, logs, creating: Mutex::new(()), leaving: Arc::default() }
    }

    /// Creates a stream. Its definition is applied when this returns, and durable with any later
    /// ticket.
    pub fn create(
        &self,
        name: ResourceName,
        config: &StreamConfig,
        document: &[u8],
    ) -> Result<Arc<Stream>> {
        let host = &self.host;
        host.check_writable()?;
        config.check(&host.limits)?;
        host.refuse_if_full()?;
        let _creating = lock(&self.creating);
        if host.directory.id_of(&name).is_some() {
            return Err(errors::stream_exists(&name));
        }
        let now = host.now();
        let shards = Shards::create(config.shards, now);
        let logs: Result<BTreeMap<_, _>> =
            shards.all().map(|shard| Ok((shard.id, self.logs.create()?))).collect();
        let mut state = State::new(shards, logs?, config.retention);
        state.document = document.to_vec();
        let stream = Arc::new(self.stream(host.next_id(), name, state));
        {
            // In one step: a checkpoint behind the record finds the stream in the directory.
            let mut state = stream.state_mut();
            let mut append = host.append_at(now)?;
            stream.define(&mut state, &mut append);
            host.directory.add(stream.clone());
        }
        stream.arm_retention(now);
        Ok(stream)
    }

    pub(super) fn stream(&self, id: ResourceId, name: ResourceName, state: State) -> Stream {
        let first = match &*state.routes {
            [only] if !self.host.is_journaled() => Some(only.clone()),
            _ => None,
        };
        Stream {
            first,
            host: self.host.clone(),
            logs: self.logs.clone(),
            id,
            name,
            record_bytes_max: AtomicU32::new(state.record_bytes_max),
            state: RwLock::new(state),
            readers: Mutex::default(),
            waiters: Waiters::default(),
            leaving: self.leaving.clone(),
            removed: AtomicBool::new(false),
        }
    }

    pub(super) fn all(&self) -> Vec<Arc<Stream>> {
        self.host.directory.all()
    }
}
