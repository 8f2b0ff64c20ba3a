//! What the records of streams add up to when a journal is replayed.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use trunkline_host::{Component, Host, Loader, Location, Logs, ResourceReport, Take, damaged};
use trunkline_stream::{Shard, ShardId, Shards};
use trunkline_types::{Code, Error, Millis, ResourceId, ResourceName, Result};

use super::State;
use super::reader::{Reader, ReaderImage};
use super::record::{ReaderKey, Record, StreamRecord};
use super::streams::{STREAM, Streams};

/// Collects the records of streams. A record that was written again may come in any order with
/// those of the same stream, and ids are never used twice: so each is kept under its own id, and
/// what belongs to a stream that is gone is dropped at the end.
#[derive(Default)]
pub(super) struct StreamLoader {
    streams: BTreeMap<ResourceId, (StreamRecord, Location)>,
    removed: BTreeSet<ResourceId>,
    readers: BTreeMap<ReaderKey, ReaderImage>,
    removed_readers: BTreeSet<ReaderKey>,
    /// Every log that a stream ever had.
    logs: BTreeSet<ResourceId>,
    last_id: u32,
}

impl StreamLoader {
    fn apply_stream(&mut self, at: Location, stream: StreamRecord) {
        self.saw(stream.id.0);
        for (_, log) in &stream.shards {
            self.saw(log.0);
            self.logs.insert(*log);
        }
        if !self.removed.contains(&stream.id) {
            self.streams.insert(stream.id, (stream, at));
        }
    }

    /// The image of a reader; `None` if it was removed.
    fn reader(&mut self, key: ReaderKey) -> Option<&mut ReaderImage> {
        self.saw(key.reader);
        let gone = self.removed.contains(&key.stream) || self.removed_readers.contains(&key);
        (!gone).then(|| self.readers.entry(key).or_default())
    }

    fn saw(&mut self, id: u32) {
        self.last_id = self.last_id.max(id);
    }

    fn readers_of(&self, stream: ResourceId) -> impl Iterator<Item = (&ReaderKey, &ReaderImage)> {
        let all = ReaderKey { stream, reader: 0 }..=ReaderKey { stream, reader: u32::MAX };
        self.readers.range(all).filter(|(_, image)| image.location.is_some())
    }

    /// Removes the logs of streams and shards that are gone: a crash came before that was done.
    fn remove_leftovers(&self, host: &Host, logs: &Logs) -> Result<()> {
        if host.check_writable().is_err() {
            return Ok(());
        }
        let kept: BTreeSet<_> = self
            .streams
            .values()
            .flat_map(|(stream, _)| stream.shards.iter().map(|(_, log)| *log))
            .collect();
        self.logs.difference(&kept).try_for_each(|log| logs.remove(*log))
    }
}

impl Loader for StreamLoader {
    fn apply(&mut self, at: Location, record: &[u8]) -> Result<()> {
        match Record::decode(record)? {
            Record::Stream(stream) => self.apply_stream(at, stream),
            Record::StreamRemoved(id) => {
                self.saw(id.0);
                self.removed.insert(id);
                self.streams.remove(&id);
                self.readers.retain(|key, _| key.stream != id);
            }
            Record::Reader { key, created, name } => {
                if let Some(image) = self.reader(key) {
                    (image.name, image.created) = (name.to_owned(), created);
                    image.location = Some(at);
                }
            }
            Record::Position { key, shard, next } => {
                if let Some(image) = self.reader(key) {
                    // An older copy that comes again moves nothing back.
                    let known = image.positions.get(&shard).is_some_and(|(old, _)| *old > next);
                    if !known {
                        image.positions.insert(shard, (next, at));
                    }
                }
            }
            Record::ReaderRemoved(key) => {
                self.saw(key.reader);
                self.readers.remove(&key);
                self.removed_readers.insert(key);
            }
        }
        Ok(())
    }

    fn restore(&mut self, section: &[u8]) -> Result<()> {
        let mut take = Take(section);
        while !take.0.is_empty() {
            let log = take.u32()?;
            self.saw(log);
            self.logs.insert(ResourceId(log));
        }
        Ok(())
    }

    fn last_id(&self) -> Option<ResourceId> {
        (self.last_id > 0).then_some(ResourceId(self.last_id))
    }

    fn report(&self, _: Millis) -> Vec<ResourceReport> {
        let count = |id: ResourceId| self.readers_of(id).count() as u64;
        self.streams.values().map(|(stream, _)| report(stream, count(stream.id))).collect()
    }

    fn finish(self: Box<Self>, host: &Arc<Host>) -> Result<Arc<dyn Component>> {
        let logs = host.component::<Logs>().ok_or_else(|| {
            Error::new(Code::InternalError, "Streams keep their records in retained logs.")
        })?;
        self.remove_leftovers(host, &logs)?;
        let streams = Streams::new(host.clone(), logs.clone());
        let now = host.now();
        for (record, location) in self.streams.values() {
            host.live_bytes().add(*location, now);
            let mut record = record.clone();
            if let Some(pending) = &mut record.pending {
                // No change takes longer; a later end is of a clock that was ahead.
                pending.until = pending.until.min(now + host.limits.stream_change_duration);
            }
            let record = &record;
            let stream = Arc::new(streams.stream(
                record.id,
                name_of(record),
                state_of(record, *location, &logs)?,
            ));
            let mut readers = trunkline_types::sync::lock(&stream.readers);
            for (key, image) in self.readers_of(record.id) {
                let mut live = host.live_bytes();
                image.location.into_iter().for_each(|at| live.add(at, now));
                let mut image = image.clone();
                // A reader forgets a shard that expires, which no record says of its own.
                let is_there = |id: &ShardId| record.shards.iter().any(|(one, _)| one.id == *id);
                image.positions.retain(|shard, _| is_there(shard));
                image.positions.values().for_each(|(_, at)| live.add(*at, now));
                readers.insert(image.name.clone(), Arc::new(Reader::restore(*key, &image)));
            }
            drop(readers);
            host.directory.add(stream.clone());
            stream.arm_retention(now);
            stream.arm_deletion();
        }
        Ok(Arc::new(streams))
    }
}

fn name_of(record: &StreamRecord) -> ResourceName {
    ResourceName::new(STREAM, &record.account, &record.region, &record.name)
}

fn state_of(record: &StreamRecord, location: Location, logs: &Logs) -> Result<State> {
    let shards: Vec<Shard> = record.shards.iter().map(|(shard, _)| shard.clone()).collect();
    let shards = Shards::restore(record.created, record.next_shard, shards)
        .ok_or_else(|| damaged("a stream whose shards do not cover its hash space"))?;
    let log = |(shard, log): &(Shard, ResourceId)| (shard.id, logs.get_or_create(*log));
    let logs = record.shards.iter().map(log).collect();
    let mut state = State::new(shards, logs, record.retention);
    state.floor = record.floor;
    state.document = record.document.clone();
    state.pending = record.pending;
    state.record_bytes_max = record.record_bytes_max;
    state.location = Some(location);
    Ok(state)
}

/// How a stream stands, for people. The records themselves are in the report of its logs, whose
/// ids are told as counters of the name `log`.
pub(super) fn report(stream: &StreamRecord, readers: u64) -> ResourceReport {
    let open = stream.shards.iter().filter(|(shard, _)| shard.is_open()).count() as u64;
    let all = stream.shards.len() as u64;
    let mut counters = vec![
        ("open_shards", open),
        ("closed_shards", all - open),
        ("retention", stream.retention),
        ("readers", readers),
    ];
    counters.extend(stream.shards.iter().map(|(_, log)| ("log", u64::from(log.0))));
    ResourceReport { name: name_of(stream), counters }
}
