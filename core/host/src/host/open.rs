//! Opening: each record of the journal goes to the loader of its kind; when all are read, the
//! loaders build the components, in the order of the table of kinds.

use std::cell::{Cell, RefCell};
use std::hash::{BuildHasher, RandomState};
use std::sync::Arc;

use trunkline_journal::{
    Access, FileStorage, Journal, Lsn, MemoryStorage, Options as JournalOptions, Storage, Ticket,
};
use trunkline_timer::Timers;
use trunkline_types::sync::atomic::{AtomicU32, Ordering};
use trunkline_types::sync::{Mutex, lock};
use trunkline_types::{
    Code, Durability, Error, IdKey, Limits, ResourceId, Result, process_generation,
};

use super::Host;
use super::compaction::Compactor;
use super::component::{COMPONENT_OWNERS, Component, ComponentKind, Loader};
use super::ticker::Ticker;
use crate::bodies::Bodies;
use crate::checkpoint::Part;
use crate::codec::{Encode, Put, Take, damaged};
use crate::directory::Directory;
use crate::faults::Faults;
use crate::gate::Gate;
use crate::live_bytes::LiveBytes;
use crate::location::Location;
use crate::options::OpenOptions;
use crate::run_queue::RunQueue;
use crate::trace::Trace;

/// The host's own record: the engine was opened. It holds what must never be given out twice.
pub(crate) struct Opened {
    pub incarnation: u32,
    pub next_id: u32,
    /// The epoch of the journal: it counts the openings of its folder.
    pub epoch: u64,
}

const OPENED: u8 = 1;

/// When less is left in the current segment, in bytes, an opening is not recorded: the rest belongs
/// to deletes and compaction, should the disk be full.
const OPENED_MARGIN: u64 = 64 << 10;

impl Encode for Opened {
    fn encode(&self, out: &mut Vec<u8>) {
        out.put_u8(OPENED);
        out.put_u32(self.incarnation);
        out.put_u32(self.next_id);
        out.put_u64(self.epoch);
    }
}

/// What a journal adds up to, kind by kind.
pub(crate) struct Replay {
    pub incarnation: u32,
    pub records: u64,
    pub loaders: Vec<Box<dyn Loader>>,
    next_id: u32,
    /// The epoch at the newest record of an opening.
    epoch: u64,
    opened: Option<Location>,
    /// The loader of each kind of record, by the record's first byte.
    by_kind: [Option<u8>; 256],
}

impl Replay {
    pub fn new(limits: &Limits, kinds: &[&'static ComponentKind]) -> Result<Self> {
        let mut by_kind = [None; 256];
        for (index, kind) in kinds.iter().enumerate() {
            for record in kind.first_bytes() {
                if record == OPENED || by_kind[usize::from(record)].is_some() {
                    let text = format!("The records {record} of {} have an owner.", kind.name);
                    return Err(Error::new(Code::InternalError, text));
                }
                by_kind[usize::from(record)] = Some(index as u8);
            }
        }
        let loaders = kinds.iter().map(|kind| (kind.loader)(limits)).collect();
        Ok(Self {
            incarnation: 0,
            records: 0,
            loaders,
            next_id: 1,
            epoch: 0,
            opened: None,
            by_kind,
        })
    }

    /// Adds the record that lies at `lsn`.
    pub fn apply(&mut self, lsn: Lsn, record: &[u8]) -> Result<()> {
        self.records += 1;
        let len = u32::try_from(record.len()).unwrap_or(u32::MAX);
        self.apply_at(Location { lsn, len }, record)
    }

    fn apply_at(&mut self, at: Location, record: &[u8]) -> Result<()> {
        match Take(record).u8()? {
            OPENED => self.opened(at, record),
            kind => self.loader(kind)?.apply(at, record),
        }
    }

    /// Adds a part of the checkpoint that the journal was opened from.
    fn load(&mut self, part: &[u8]) -> Result<()> {
        match Part::decode(part)? {
            Part::Record(at, record) => self.apply_at(at, record),
            Part::Section(kind, section) => self.loader(kind)?.restore(section),
        }
    }

    fn loader(&mut self, kind: u8) -> Result<&mut dyn Loader> {
        match self.by_kind[usize::from(kind)] {
            Some(loader) => Ok(&mut *self.loaders[usize::from(loader)]),
            None => Err(damaged("a kind this version does not know")),
        }
    }

    /// Every record was applied.
    fn join(&mut self) {
        for index in 0..self.loaders.len() {
            let (earlier, rest) = self.loaders.split_at_mut(index);
            rest[0].join(earlier);
        }
    }

    fn opened(&mut self, at: Location, record: &[u8]) -> Result<()> {
        let mut take = Take(&record[1..]);
        self.incarnation = self.incarnation.max(take.u32()?);
        self.next_id = self.next_id.max(take.u32()?);
        // Records of format 1 end here.
        self.epoch = if take.0.is_empty() { 0 } else { take.u64()? };
        self.opened = (at != Location::NOWHERE).then_some(at);
        Ok(())
    }

    /// The incarnation of the last opening. The epoch counts the openings that were not recorded.
    pub fn last_incarnation(&self, journal: &Journal) -> u32 {
        self.incarnation.wrapping_add(journal.epoch().saturating_sub(self.epoch) as u32)
    }

    /// The incarnation of this opening, for writing: another one than of all openings before.
    fn next_incarnation(&self, journal: Option<&Journal>) -> u32 {
        // Any number may stand in a journal that another program wrote.
        let next = self.incarnation.wrapping_add(1);
        match journal {
            // The epoch of this opening is counted already.
            Some(journal) if journal.epoch() > self.epoch => self.last_incarnation(journal),
            _ => next,
        }
    }

    /// The id that is given out next.
    fn next_id(&self) -> u32 {
        let seen = self.loaders.iter().filter_map(|loader| loader.last_id());
        seen.map(|ResourceId(id)| id.saturating_add(1)).fold(self.next_id, u32::max)
    }
}

/// Opens a host as `options` say.
pub(crate) fn open(options: OpenOptions, kinds: &[&'static ComponentKind]) -> Result<Arc<Host>> {
    let (mut replay, journal) = match storage(&options)? {
        Some(storage) => {
            let (replay, journal) = read(storage, &options, kinds)?;
            (replay, Some(journal))
        }
        None => (Replay::new(&options.limits, kinds)?, None),
    };
    let next_id = replay.next_id();
    let loaders = std::mem::take(&mut replay.loaders);
    let host = Arc::new(host(options, journal, &replay, next_id, kinds));
    host.compactor.attach(Arc::downgrade(&host));
    if let Err(error) = build(&host, loaders, &replay) {
        host.release();
        return Err(error);
    }
    Ok(host)
}

/// Reads what a storage holds: its checkpoint and what lies behind it, or the whole journal.
fn read(
    storage: Arc<dyn Storage>,
    options: &OpenOptions,
    kinds: &[&'static ComponentKind],
) -> Result<(Replay, Journal)> {
    let replay = RefCell::new(Replay::new(&options.limits, kinds)?);
    let is_unreadable = Cell::new(false);
    let mut load = |part: &[u8]| {
        let loaded = replay.borrow_mut().load(part);
        is_unreadable.set(loaded.is_err());
        loaded
    };
    let mut apply = |lsn: Lsn, record: &[u8]| replay.borrow_mut().apply(lsn, record);
    let journal_options = journal_options(options);
    let opened =
        Journal::open_from_checkpoint(storage.clone(), journal_options, &mut load, &mut apply);
    if is_unreadable.get() {
        // Its bytes are as they were written, and make no sense to this version. The journal has
        // everything.
        let mut replay = Replay::new(&options.limits, kinds)?;
        let journal = read_all(storage, options, &mut replay)?;
        return Ok((replay, journal));
    }
    let (mut replay, journal) = (replay.into_inner(), opened?);
    replay.join();
    Ok((replay, journal))
}

/// Replays everything that a storage holds, without building anything from it.
pub(crate) fn read_all(
    storage: Arc<dyn Storage>,
    options: &OpenOptions,
    replay: &mut Replay,
) -> Result<Journal> {
    let mut apply = |lsn: Lsn, bytes: &[u8]| replay.apply(lsn, bytes);
    let journal = Journal::open(storage, journal_options(options), &mut apply)?;
    replay.join();
    Ok(journal)
}

fn journal_options(options: &OpenOptions) -> JournalOptions {
    JournalOptions {
        segment_bytes: options.segment_bytes,
        key: options.seed.map(seeded_key),
        background: options.background,
        ..JournalOptions::default()
    }
}

fn storage(options: &OpenOptions) -> Result<Option<Arc<dyn Storage>>> {
    if let Some(storage) = &options.storage {
        return Ok(Some(storage.clone()));
    }
    let Some(path) = &options.path else { return Ok(None) };
    let access = if options.read_only { Access::ReadOnly } else { Access::ReadWrite };
    Ok(Some(Arc::new(FileStorage::open(path, access)?)))
}

fn host(
    options: OpenOptions,
    journal: Option<Journal>,
    replay: &Replay,
    next_id: u32,
    kinds: &[&'static ComponentKind],
) -> Host {
    let key = match &journal {
        Some(journal) => journal.key(),
        None => options.seed.map_or_else(random_key, seeded_key),
    };
    let now = options.clock.now();
    let incarnation = replay.next_incarnation(journal.as_ref());
    let storage = match &journal {
        Some(journal) => journal.storage().clone(),
        None => Arc::new(MemoryStorage::new()),
    };
    Host {
        opened_at: now.saturating_sub(options.clock.stepped()),
        key,
        incarnation,
        bodies: Bodies::new(storage, incarnation),
        durability: if journal.is_some() { options.durability } else { Durability::Memory },
        durable_receives: options.durable_receives,
        limits: options.limits,
        journal,
        live_bytes: Mutex::new(LiveBytes::default()),
        opened: Mutex::new(replay.opened),
        timers: Timers::new(now),
        unsorted: AtomicU32::new(0),
        ticker: Ticker::default(),
        compactor: Compactor::new(options.background),
        run_queue: RunQueue::default(),
        directory: Directory::default(),
        components: Mutex::default(),
        faults: Faults::default(),
        trace: Trace::new(key),
        kinds: kinds.to_vec(),
        next_id: AtomicU32::new(next_id.clamp(1, COMPONENT_OWNERS - 1)),
        gate: Gate::new(options.read_only, process_generation()),
        background: options.background,
        checkpoint_bytes: options.checkpoint_bytes,
        clock: options.clock,
    }
}

fn build(host: &Arc<Host>, loaders: Vec<Box<dyn Loader>>, replay: &Replay) -> Result<()> {
    let now = host.now();
    for (kind, loader) in host.kinds.iter().zip(loaders) {
        let component: Arc<dyn Component> = loader.finish(host)?;
        lock(&host.components).push((kind.owner(), component));
    }
    host.all_components().iter().try_for_each(|component| component.opened())?;
    replay.opened.into_iter().for_each(|location| host.live_bytes().add(location, now));
    host.announce(replay.epoch)
}

impl Host {
    /// Records the opening, durably before anything else happens: receipts of this incarnation must
    /// never be taken for receipts of another. The epoch of the journal, which is durable already,
    /// does the same when it is larger than `recorded`, so an opening on a full disk needs no byte.
    fn announce(&self, recorded: u64) -> Result<()> {
        if self.check_writable().is_err() {
            return Ok(());
        }
        if let Some(journal) = &self.journal
            && journal.epoch() > recorded
            && journal.bytes_left() < OPENED_MARGIN
        {
            return Ok(());
        }
        let ticket = self.append_opened(None)?;
        match (&self.journal, ticket) {
            (Some(journal), Some(ticket)) => journal.commit(ticket, self.durability),
            _ => Ok(()),
        }
    }

    /// Appends the numbers that are never given out twice; if `segment` is given, only when the
    /// last copy lies there, or there is none.
    pub(crate) fn append_opened(&self, segment: Option<u32>) -> Result<Option<Ticket>> {
        let mut opened = lock(&self.opened);
        let mut log = self.append()?;
        let there = |at: &Location| segment.is_none_or(|segment| at.segment() == segment);
        if segment.is_some() && !opened.as_ref().is_none_or(there) {
            return Ok(log.ticket());
        }
        *opened = log.append_live(&self.opened_record(), *opened);
        Ok(log.ticket())
    }

    pub(crate) fn opened_record(&self) -> Opened {
        let next_id = self.next_id.load(Ordering::Relaxed);
        let epoch = self.journal.as_ref().map_or(0, Journal::epoch);
        Opened { incarnation: self.incarnation, next_id, epoch }
    }
}

fn seeded_key(seed: u64) -> IdKey {
    // Two rounds of splitmix64: neighbouring seeds give unrelated keys.
    let mix = |mut z: u64| {
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    };
    let step = 0x9e37_79b9_7f4a_7c15u64;
    IdKey(mix(seed.wrapping_add(step)), mix(seed.wrapping_add(step.wrapping_mul(2))))
}

fn random_key() -> IdKey {
    // The standard library seeds each state from the operating system.
    let draw = || RandomState::new().hash_one(std::process::id());
    IdKey(draw(), draw())
}
