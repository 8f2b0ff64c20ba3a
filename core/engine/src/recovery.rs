//! Opening: journal to image, image to queues. Nothing else knows about restarts.

use std::collections::BTreeMap;
use std::hash::{BuildHasher, RandomState};
use std::sync::Arc;
use std::sync::atomic::AtomicU32;

use trunkline_journal::{Access, FileStorage, Journal, Options as JournalOptions, Storage};
use trunkline_timer::Timers;
use trunkline_types::sync::{Mutex, lock};
use trunkline_types::{
    Code, Durability, Error, IdKey, Limits, QueueId, QueueKind, Result, process_generation,
};

use crate::clean::Cleaner;
use crate::core::{Core, Gate};
use crate::faults::Faults;
use crate::fifo::FifoRoom;
use crate::image::{Image, QueueImage};
use crate::moves::Moves;
use crate::options::OpenOptions;
use crate::queue::{Queue, Room};
use crate::record::Record;
use crate::registry::Registry;
use crate::space::Space;
use crate::standard::StandardRoom;
use crate::ticker::Ticker;

/// Opens an engine as `options` say.
pub(crate) fn open(options: OpenOptions) -> Result<Arc<Core>> {
    check_limits(&options.limits)?;
    let mut image = Image { next_queue: 1, ..Image::default() };
    let journal = match storage(&options)? {
        Some(storage) => Some(replay(storage, &options, &mut image)?),
        None => None,
    };
    image.settle();
    let core = Arc::new(core(options, journal, &mut image));
    if let Err(error) = build(&core, image) {
        core.let_go();
        return Err(error);
    }
    Moves::resume(&core);
    Ok(core)
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

fn core(options: OpenOptions, journal: Option<Journal>, image: &mut Image) -> Core {
    let key = match &journal {
        Some(journal) => journal.key(),
        None => options.seed.map_or_else(random_key, seeded_key),
    };
    let now = options.clock.now();
    Core {
        key,
        // Any number may stand in a journal that somebody else wrote.
        run: image.run.wrapping_add(1),
        durability: if journal.is_some() { options.durability } else { Durability::Memory },
        limits: options.limits,
        journal,
        space: Mutex::new(Space::default()),
        opened: Mutex::new(image.opened),
        timers: Timers::new(now),
        unsorted: AtomicU32::new(0),
        ticker: Ticker::default(),
        cleaner: Cleaner::new(options.background),
        registry: Registry::default(),
        documents: Mutex::new(BTreeMap::new()),
        moves: Moves::default(),
        faults: Faults::default(),
        next_queue: AtomicU32::new(image.next_queue.max(1)),
        creating: Mutex::new(()),
        gate: Gate::new(options.read_only, process_generation()),
        clock: options.clock,
    }
}

fn build(core: &Arc<Core>, image: Image) -> Result<()> {
    let now = core.now();
    for (id, queue) in image.queues {
        build_queue(core, id, queue)?;
    }
    {
        let mut space = lock(&core.space);
        let homes = image.documents.values().filter_map(|document| document.home);
        for home in homes.chain(image.opened) {
            space.add(home.lsn, u64::from(home.len), now);
        }
    }
    *lock(&core.documents) = image.documents;
    core.announce()
}

fn build_queue(core: &Arc<Core>, id: QueueId, mut image: QueueImage) -> Result<()> {
    let Some(definition) = image.definition.take() else { return Ok(()) };
    let purged_at = image.purged_at;
    if let Some(home) = definition.home {
        lock(&core.space).add(home.lsn, u64::from(home.len), core.now());
    }
    let room = match definition.config.kind {
        QueueKind::Standard => Room::Standard(StandardRoom::new(image.next_seq.max(1))),
        QueueKind::Fifo => {
            Room::Fifo(FifoRoom::new(core, &definition.config, image.next_seq.max(1)))
        }
    };
    let queue = Arc::new(Queue::new(core.clone(), id, definition, purged_at, room));
    match queue.room() {
        Room::Standard(room) => room.restore(&queue, image),
        Room::Fifo(room) => room.restore(&queue, image),
    }
    core.registry.add(queue);
    Ok(())
}

impl Core {
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
        let mut log = self.log()?;
        let there = |home: &crate::log::Home| segment.is_none_or(|no| home.lsn.segment() == no);
        if segment.is_some() && !opened.as_ref().is_some_and(there) {
            return Ok(log.ticket());
        }
        let next_queue = self.next_queue.load(std::sync::atomic::Ordering::Relaxed);
        let record = Record::Opened { run: self.run, next_queue };
        *opened = log.settle(&record, *opened);
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
