//! Opening: journal to image, image to queues. Nothing else knows about restarts.

use std::collections::BTreeMap;
use std::hash::{BuildHasher, RandomState};
use std::sync::Arc;
use trunkline_types::sync::atomic::AtomicU32;

use trunkline_journal::{Access, FileStorage, Journal, Options as JournalOptions, Storage};
use trunkline_timer::Timers;
use trunkline_types::sync::{Mutex, lock};
use trunkline_types::{
    Code, Durability, Error, IdKey, Limits, QueueKind, ResourceId, Result, process_generation,
};

use crate::compaction::Compactor;
use crate::faults::Faults;
use crate::fifo::FifoQueue;
use crate::host::{Gate, Host};
use crate::image::{Image, QueueImage};
use crate::live_bytes::LiveBytes;
use crate::options::OpenOptions;
use crate::queue::{Kind, Queue};
use crate::record::Record;
use crate::redrive::Redrives;
use crate::registry::Registry;
use crate::standard::StandardQueue;
use crate::ticker::Ticker;

/// Opens an engine as `options` say.
pub(crate) fn open(options: OpenOptions) -> Result<Arc<Host>> {
    check_limits(&options.limits)?;
    let mut image = Image { next_queue: 1, ..Image::default() };
    let journal = match storage(&options)? {
        Some(storage) => Some(replay(storage, &options, &mut image)?),
        None => None,
    };
    image.settle();
    let host = Arc::new(host(options, journal, &mut image));
    if let Err(error) = build(&host, image) {
        host.let_go();
        return Err(error);
    }
    Redrives::resume(&host);
    Ok(host)
}

/// Replays what a storage holds, without building queues from it.
pub(crate) fn replay(
    storage: Arc<dyn Storage>,
    options: &OpenOptions,
    image: &mut Image,
) -> Result<Journal> {
    let key = options.seed.map(seeded_key);
    let journal_options = JournalOptions {
        segment_bytes: options.segment_bytes,
        key,
        background: options.background,
        ..JournalOptions::default()
    };
    Journal::open(storage, journal_options, &mut |lsn, bytes| image.apply(lsn, bytes))
}

fn storage(options: &OpenOptions) -> Result<Option<Arc<dyn Storage>>> {
    if let Some(storage) = &options.storage {
        return Ok(Some(storage.clone()));
    }
    let Some(path) = &options.path else { return Ok(None) };
    let access = if options.read_only { Access::ReadOnly } else { Access::ReadWrite };
    Ok(Some(Arc::new(FileStorage::open(path, access)?)))
}

fn host(options: OpenOptions, journal: Option<Journal>, image: &mut Image) -> Host {
    let key = match &journal {
        Some(journal) => journal.key(),
        None => options.seed.map_or_else(random_key, seeded_key),
    };
    let now = options.clock.now();
    Host {
        key,
        // Any number may stand in a journal that somebody else wrote.
        run: image.run.wrapping_add(1),
        durability: if journal.is_some() { options.durability } else { Durability::Memory },
        limits: options.limits,
        journal,
        live_bytes: Mutex::new(LiveBytes::default()),
        opened: Mutex::new(image.opened),
        timers: Timers::new(now),
        unsorted: AtomicU32::new(0),
        ticker: Ticker::default(),
        compactor: Compactor::new(options.background),
        registry: Registry::default(),
        documents: Mutex::new(BTreeMap::new()),
        redrives: Redrives::default(),
        faults: Faults::default(),
        next_queue: AtomicU32::new(image.next_queue.max(1)),
        creating: Mutex::new(()),
        gate: Gate::new(options.read_only, process_generation()),
        clock: options.clock,
    }
}

fn build(host: &Arc<Host>, image: Image) -> Result<()> {
    let now = host.now();
    for (id, queue) in image.queues {
        build_queue(host, id, queue)?;
    }
    {
        let mut space = lock(&host.live_bytes);
        let locations = image.documents.values().filter_map(|document| document.location);
        for location in locations.chain(image.opened) {
            space.add(location.lsn, u64::from(location.len), now);
        }
    }
    *lock(&host.documents) = image.documents;
    host.announce()
}

fn build_queue(host: &Arc<Host>, id: ResourceId, mut image: QueueImage) -> Result<()> {
    let Some(definition) = image.definition.take() else { return Ok(()) };
    let purged_at = image.purged_at;
    if let Some(location) = definition.location {
        lock(&host.live_bytes).add(location.lsn, u64::from(location.len), host.now());
    }
    let room = match definition.config.kind {
        QueueKind::Standard => Kind::Standard(StandardQueue::new(image.next_seq.max(1))),
        QueueKind::Fifo => {
            Kind::Fifo(FifoQueue::new(host, &definition.config, image.next_seq.max(1)))
        }
    };
    let queue = Arc::new(Queue::new(host.clone(), id, definition, purged_at, room));
    match queue.kind_rules() {
        Kind::Standard(room) => room.restore(&queue, image),
        Kind::Fifo(room) => room.restore(&queue, image),
    }
    host.registry.add(queue);
    Ok(())
}

impl Host {
    /// Writes down that the engine was opened. Durable before anything else happens: receipts of
    /// this run must never be taken for receipts of another.
    pub fn announce(&self) -> Result<()> {
        if self.check_writable().is_err() {
            return Ok(());
        }
        let ticket = self.log_opened(None)?;
        match (&self.journal, ticket) {
            (Some(journal), Some(ticket)) => journal.commit(ticket, self.durability),
            _ => Ok(()),
        }
    }

    /// Writes the numbers that are never handed out twice; if `segment` is given, only when the
    /// last copy lies there.
    pub fn log_opened(&self, segment: Option<u32>) -> Result<Option<trunkline_journal::Ticket>> {
        let mut opened = lock(&self.opened);
        let mut log = self.append()?;
        let there = |location: &crate::append::Location| {
            segment.is_none_or(|no| location.lsn.segment() == no)
        };
        if segment.is_some() && !opened.as_ref().is_some_and(there) {
            return Ok(log.ticket());
        }
        let next_queue = self.next_queue.load(trunkline_types::sync::atomic::Ordering::Relaxed);
        let record = Record::Opened { run: self.run, next_queue };
        *opened = log.append_live(&record, *opened);
        Ok(log.ticket())
    }
}

/// Limits may be raised, but not beyond what a record of the journal can hold.
fn check_limits(limits: &Limits) -> Result<()> {
    const MESSAGE_BYTES_MAX: u32 = 512 << 20;
    if limits.message_bytes_max > MESSAGE_BYTES_MAX {
        return Err(Error::new(
            Code::InvalidParameterValue,
            format!(
                "limits.message_bytes_max is {}; {MESSAGE_BYTES_MAX} bytes is the most. Keep \
                 larger bodies elsewhere and send where they are.",
                limits.message_bytes_max
            ),
        ));
    }
    Ok(())
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

pub(crate) fn random_key() -> IdKey {
    // The standard library seeds each state from the operating system.
    let draw = || RandomState::new().hash_one(std::process::id());
    IdKey(draw(), draw())
}
