//! Readers: named, durable positions in a stream, whose members share its shards.

use std::collections::BTreeMap;
use std::sync::Arc;

use trunkline_host::{Append, CheckpointSink, Host, Location};
use trunkline_journal::Ticket;
use trunkline_stream::{Group, Progress, ShardId, Start, readable};
use trunkline_types::sync::{Mutex, lock};
use trunkline_types::{Millis, Result};

use super::put::offsets;
use super::record::{ReaderKey, Record};
use super::{ReaderStatistics, State, Stream, errors};

/// A reader of a stream.
pub struct Reader {
    pub(super) key: ReaderKey,
    pub(super) name: String,
    created: Millis,
    pub(super) state: Mutex<ReaderState>,
}

#[derive(Default)]
pub(super) struct ReaderState {
    pub group: Group,
    /// The version of the stream's shards that the group knows.
    pub version: u64,
    /// Where the reader's own record lies in the journal, and its positions.
    location: Option<Location>,
    pub positions: BTreeMap<ShardId, Location>,
    pub removed: bool,
}

/// A reader as far as the records of a journal tell.
#[derive(Default, Clone)]
pub(super) struct ReaderImage {
    pub name: String,
    pub created: Millis,
    /// Where its own record lies; `None` if there was none so far.
    pub location: Option<Location>,
    pub positions: BTreeMap<ShardId, (u64, Location)>,
}

impl Reader {
    /// A reader as it was written down.
    pub(super) fn restore(key: ReaderKey, image: &ReaderImage) -> Self {
        let committed = image.positions.iter().map(|(shard, (next, _))| (*shard, *next)).collect();
        let state = ReaderState {
            group: Group::new(committed),
            location: image.location,
            positions: image.positions.iter().map(|(shard, (_, at))| (*shard, *at)).collect(),
            ..ReaderState::default()
        };
        let (name, created) = (image.name.clone(), image.created);
        Self { key, name, created, state: Mutex::new(state) }
    }

    /// Its name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Writes everything down, to be counted as live.
    fn define(&self, append: &mut Append<'_>) {
        let mut state = lock(&self.state);
        let record = Record::Reader { key: self.key, created: self.created, name: &self.name };
        state.location = append.append_live(&record, None);
        let positions: Vec<_> = state.group.positions().collect();
        for (shard, next) in positions {
            let record = Record::Position { key: self.key, shard, next };
            let location = append.append_live(&record, None);
            state.positions.extend(location.map(|location| (shard, location)));
        }
    }

    /// Its records, one by one.
    pub(super) fn records(&self, each: &mut dyn FnMut(&Record<'_>) -> Result<()>) -> Result<()> {
        let positions: Vec<_> = lock(&self.state).group.positions().collect();
        each(&Record::Reader { key: self.key, created: self.created, name: &self.name })?;
        positions
            .into_iter()
            .try_for_each(|(shard, next)| each(&Record::Position { key: self.key, shard, next }))
    }

    /// Hands its records to a checkpoint.
    pub(super) fn checkpoint(&self, sink: &mut CheckpointSink<'_>) -> Result<()> {
        let (location, positions) = {
            let state = lock(&self.state);
            let position =
                |(shard, at): (&ShardId, &Location)| (*shard, state.group.committed(*shard), *at);
            (state.location, state.positions.iter().map(position).collect::<Vec<_>>())
        };
        let Some(location) = location else { return Ok(()) };
        let (key, created, name) = (self.key, self.created, self.name.as_str());
        sink.record(location, &Record::Reader { key, created, name })?;
        positions.into_iter().try_for_each(|(shard, next, at)| {
            sink.record(at, &Record::Position { key, shard, next })
        })
    }

    /// Writes what lies in `segment` again.
    pub(super) fn relocate(&self, host: &Host, segment: u32) -> Result<()> {
        let mut state = lock(&self.state);
        let there = |location: &Location| location.segment() == segment;
        if state.removed {
            return Ok(());
        }
        let moved: Vec<_> =
            state.positions.iter().filter(|(_, at)| there(at)).map(|(id, at)| (*id, *at)).collect();
        let mut append = host.append()?;
        if state.location.as_ref().is_some_and(there) {
            let record = Record::Reader { key: self.key, created: self.created, name: &self.name };
            state.location = append.append_live(&record, state.location);
        }
        for (shard, old) in moved {
            let next = state.group.committed(shard);
            let record = Record::Position { key: self.key, shard, next };
            if let Some(location) = append.append_live(&record, Some(old)) {
                state.positions.insert(shard, location);
            }
        }
        Ok(())
    }

    /// Gives up what it has in the journal: it is gone.
    pub(super) fn release(&self, host: &Host) -> Result<()> {
        let mut state = lock(&self.state);
        state.removed = true;
        let own = state.location.take();
        let positions = std::mem::take(&mut state.positions);
        let mut append = host.append()?;
        own.into_iter().chain(positions.into_values()).for_each(|at| append.release(at));
        Ok(())
    }

    /// Forgets shards that are expired.
    pub(super) fn forget(&self, shards: &[ShardId], host: &Host) -> Result<()> {
        let mut state = lock(&self.state);
        let mut append = host.append()?;
        for shard in shards {
            state.group.forget(*shard);
            state.positions.remove(shard).into_iter().for_each(|at| append.release(at));
        }
        Ok(())
    }

    pub(super) fn statistics(&self, stream: &Stream) -> ReaderStatistics {
        let state = lock(&self.state);
        let shards = stream.state();
        let position = |(shard, log): (&ShardId, &Arc<trunkline_host::Log>)| {
            let (first, next) = offsets(log);
            (*shard, state.group.committed(*shard).clamp(first, next), next)
        };
        let positions: Vec<_> = shards.logs.iter().map(position).collect();
        ReaderStatistics {
            name: self.name.clone(),
            members: state.group.members() as u64,
            behind: positions.iter().map(|(_, committed, next)| next - committed).sum(),
            positions,
        }
    }
}

impl ReaderState {
    /// Shares the shards anew, if the members, the shards or what is done changed.
    pub fn balance(&mut self, shards: &State) {
        self.version = shards.version;
        let mut progress = Progress::new();
        // Parents have lower ids. A shard that never held a record is done when its parents are.
        for shard in shards.shards.all() {
            let committed = self.group.committed(shard.id);
            let end = shards.logs.get(&shard.id).map_or(0, |log| offsets(log).1);
            let is_before = shard.parents().all(|id| progress.get(&id).is_none_or(Option::is_none));
            let is_done = !shard.is_open() && committed >= end && is_before;
            progress.insert(shard.id, (!is_done).then_some(committed));
        }
        self.group.balance(&readable(&shards.shards, &progress));
    }
}

impl Stream {
    /// The reader `name`, which is created if there is none: then it begins at `start`.
    pub fn reader(&self, name: &str, start: Start) -> Result<(Arc<Reader>, Option<Ticket>)> {
        self.check_readable()?;
        let mut readers = lock(&self.readers);
        if let Some(reader) = readers.get(name) {
            return Ok((reader.clone(), None));
        }
        self.check_writable()?;
        check_name(name)?;
        if matches!(start, Start::At(_) | Start::After(_)) {
            return Err(errors::invalid(
                "start",
                "of a sequence number",
                "A reader reads every shard, and a sequence number is of one; use a time.",
            ));
        }
        self.host.refuse_if_full()?;
        let now = self.host.now();
        let key = ReaderKey { stream: self.id, reader: self.host.next_id().0 };
        // No record is put in a new shard meanwhile: each shard has a position from here on, and
        // shards that come later are read from their beginnings.
        let state = self.state();
        let mut committed = BTreeMap::new();
        for shard in state.logs.keys() {
            if let Some(view) = state.view(*shard, now) {
                committed.insert(*shard, view.offset_at(start)?);
            }
        }
        let image = ReaderState { group: Group::new(committed), ..ReaderState::default() };
        let (name, created) = (name.to_owned(), now);
        let reader = Arc::new(Reader { key, name, created, state: Mutex::new(image) });
        let ticket = {
            let mut append = self.host.append_at(now)?;
            self.check_present()?;
            reader.define(&mut append);
            append.ticket()
        };
        readers.insert(reader.name.clone(), reader.clone());
        Ok((reader, ticket))
    }

    /// The readers, by name.
    pub fn all_readers(&self) -> Vec<Arc<Reader>> {
        lock(&self.readers).values().cloned().collect()
    }

    /// Removes a reader with its positions. Its members fail from then on.
    pub fn remove_reader(&self, name: &str) -> Result<Option<Ticket>> {
        self.check_writable()?;
        let (reader, ticket) = {
            let mut readers = lock(&self.readers);
            let Some(reader) = readers.get(name).cloned() else {
                return Err(errors::no_such_reader(name, &self.name));
            };
            let mut append = self.host.append()?;
            append.append(&Record::ReaderRemoved(reader.key));
            readers.remove(name);
            (reader, append.ticket())
        };
        reader.release(&self.host)?;
        self.waiters.wake_all();
        Ok(ticket)
    }
}

fn check_name(name: &str) -> Result<()> {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"_.-".contains(&byte);
    if (1..=128).contains(&name.len()) && name.bytes().all(is_plain) {
        return Ok(());
    }
    let shown: String = name.chars().take(128).collect();
    Err(errors::invalid(
        "name",
        format!("{shown:?}"),
        "A reader's name has 1 to 128 letters, digits, underscores, dots or hyphens.",
    ))
}
