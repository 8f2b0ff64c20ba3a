//! Giving disk space back: the oldest segment first, always.
//!
//! Everything that is alive and has its home in the oldest segment is written again at the tail, in
//! its whole state; once that is durable the segment is let go. A record of a segment only ever
//! speaks of things whose home is in that segment or an earlier one, so nothing that is kept refers
//! to what was let go.
//!
//! On a full disk the oldest segment goes as soon as nothing in it lives, or half of the log is
//! garbage.
//!
//! Cost: a segment is cleaned when the log is more than twice as large as what lives in it, so a
//! byte that stays is copied about once for every byte that passes by.

use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, Weak};
use std::time::Duration;

use trunkline_journal::{Journal, Lsn, Signal};
use trunkline_types::sync::{Mutex, MutexGuard, lock};
use trunkline_types::{Code, Durability, Error, Result};

use crate::core::Core;
use crate::queue::Room;
use crate::record::Record;
use crate::waiters::Parker;

/// Segments that are never cleaned: the one being written and one behind it.
const SEGMENTS_KEPT: usize = 2;
/// Log beyond twice what lives in it that is tolerated, in segments, so that small engines rest.
const SLACK_SEGMENTS: u64 = 4;
/// On a full disk: room left for what is written beside the messages that are carried, in bytes.
const CARRY_MARGIN: u64 = 64 << 10;
/// How long the cleaner sleeps at most before it looks whether the engine is gone.
const NAP: Duration = Duration::from_secs(10);

pub(crate) struct Cleaner {
    /// Whether a thread may be started; without one, cleaning happens when it is asked for.
    background: bool,
    /// The newest segment that was seen.
    seen: AtomicU32,
    started: AtomicBool,
    parker: Arc<Parker>,
    /// Held while segments may be let go, and by whoever needs them to stay. Nobody who serves a
    /// message takes it: it may be held for as long as a whole log is copied.
    working: Mutex<()>,
    /// Held while messages are written again, a few at a time, and while one changes queues.
    carrying: Mutex<()>,
    /// Why the last attempt failed, if it did.
    failure: Mutex<Option<Error>>,
}

impl Cleaner {
    pub fn new(background: bool) -> Self {
        Self {
            background,
            seen: AtomicU32::new(0),
            started: AtomicBool::new(false),
            parker: Arc::default(),
            working: Mutex::new(()),
            carrying: Mutex::new(()),
            failure: Mutex::default(),
        }
    }

    /// Told of every home that is written: wakes the cleaner when a new segment begins, and starts
    /// its thread at the first need.
    #[inline]
    pub fn wrote(core: &Arc<Core>, at: Lsn) {
        if at.segment() > core.cleaner.seen.load(Ordering::Relaxed) {
            Self::begin(core, at.segment());
        }
    }

    #[cold]
    fn begin(core: &Arc<Core>, segment: u32) {
        let cleaner = &core.cleaner;
        let before = cleaner.seen.fetch_max(segment, Ordering::Relaxed);
        // The first write after opening says nothing about space, unless there is a history.
        if before == 0 && segment <= SEGMENTS_KEPT as u32 {
            return;
        }
        Self::press(core);
    }

    /// Wakes the cleaner, and starts its thread at the first need.
    #[cold]
    pub fn press(core: &Arc<Core>) {
        let cleaner = &core.cleaner;
        if !cleaner.background {
            return;
        }
        if !cleaner.started.swap(true, Ordering::SeqCst) {
            let (weak, parker) = (Arc::downgrade(core), cleaner.parker.clone());
            let thread = std::thread::Builder::new().name("trunkline-cleaner".into());
            if thread.spawn(move || run(&weak, &parker)).is_err() {
                // The log then only grows; the next segment tries again.
                cleaner.started.store(false, Ordering::SeqCst);
            }
        }
        cleaner.parker.signal();
    }

    /// Keeps every segment where it is while the result lives.
    pub fn pause(&self) -> MutexGuard<'_, ()> {
        lock(&self.working)
    }

    /// Lets messages either be carried or change queues while the result lives. A copy that
    /// cleaning wrote between the move of a message and its end in the source would come behind the
    /// move, and bring the message back at the next opening.
    ///
    /// Taken before the lock of a queue and the append lock, and held for neither a read nor a
    /// sync.
    pub fn hold_still(&self) -> MutexGuard<'_, ()> {
        lock(&self.carrying)
    }

    /// Fails with the reason while the log grows because the oldest segment cannot be let go.
    pub fn check(&self) -> Result<()> {
        let failure = lock(&self.failure);
        let Some(cause) = &*failure else { return Ok(()) };
        Err(Error::new(
            cause.code(),
            format!(
                "What was sent is safe, but disk space is not given back ({}). It is tried again \
                 with every new segment.",
                cause.message()
            ),
        ))
    }

    pub fn stop(&self) {
        self.parker.signal();
    }
}

fn run(core: &Weak<Core>, parker: &Parker) {
    loop {
        parker.park(NAP);
        let Some(core) = core.upgrade() else { return };
        if core.is_closed() || core.is_forked() {
            return;
        }
        // The error is kept for who asks. What failed may work later: a file may be repaired.
        let _kept = clean(&core);
    }
}

/// Lets go of segments as long as it is worth it.
pub(crate) fn clean(core: &Core) -> Result<()> {
    let Some(journal) = &core.journal else { return Ok(()) };
    while is_worth_it(core, journal) && !core.is_closed() {
        let outcome = clean_oldest(core, journal);
        *lock(&core.cleaner.failure) = outcome.clone().err();
        outcome?;
    }
    *lock(&core.cleaner.failure) = None;
    if let Err(cause) = journal.probe() {
        return if cause.code() == Code::StorageFull { Ok(()) } else { Err(cause) };
    }
    Ok(())
}

fn is_worth_it(core: &Core, journal: &Journal) -> bool {
    let segments = journal.segments();
    if segments.len() <= segments_kept(journal) {
        return false;
    }
    let (oldest, largest) = (&segments[0], segments.iter().map(|segment| segment.bytes).max());
    let space = lock(&core.space);
    let (live, newest) = space.usage(oldest.number);
    if live == 0 && newest + core.limits.dedup_window < core.now() {
        return true;
    }
    let total: u64 = segments.iter().map(|segment| u64::from(segment.bytes)).sum();
    if journal.is_full() {
        // What is carried must find its place in what is left of the present segment.
        let carried = if live == 0 { 0 } else { space.live_bytes().min(u64::from(oldest.bytes)) };
        let carried = carried + CARRY_MARGIN;
        let fits = carried < journal.bytes_left();
        return fits && (live == 0 || total > 2 * space.live_bytes());
    }
    total > 2 * space.live_bytes() + SLACK_SEGMENTS * u64::from(largest.unwrap_or(0))
}

/// The segment that is being written stays. So does the one behind it, to which batches may still
/// be on their way, unless its space is needed.
fn segments_kept(journal: &Journal) -> usize {
    if journal.is_full() { 1 } else { SEGMENTS_KEPT }
}

/// Carries what lives in the oldest segment to the tail, and lets the segment go.
pub(crate) fn clean_oldest(core: &Core, journal: &Journal) -> Result<()> {
    let _working = lock(&core.cleaner.working);
    let segments = journal.segments();
    if segments.len() <= segments_kept(journal) {
        return Ok(());
    }
    let oldest = segments[0].number;
    let (live, newest) = lock(&core.space).usage(oldest);
    if live > 0 || newest + core.limits.dedup_window >= core.now() {
        carry(core, oldest)?;
    }
    let ticket = core.log()?.ticket();
    if let Some(ticket) = ticket {
        // Always on disk, whatever the engine's level: the originals are about to go.
        journal.commit(ticket, Durability::Disk)?;
    }
    if journal.reclaim_oldest()? {
        lock(&core.space).forget(oldest);
    }
    Ok(())
}

fn carry(core: &Core, segment: u32) -> Result<()> {
    core.log_opened(Some(segment))?;
    carry_documents(core, segment)?;
    for queue in core.registry.all() {
        queue.carry_definition(segment)?;
        match queue.room() {
            Room::Standard(room) => room.carry(&queue, segment)?,
            Room::Fifo(room) => room.carry(&queue, segment)?,
        }
    }
    Ok(())
}

fn carry_documents(core: &Core, segment: u32) -> Result<()> {
    let mut documents = lock(&core.documents);
    let mut log = core.log()?;
    for (key, document) in documents.iter_mut() {
        let old = document.home.filter(|home| home.lsn.segment() == segment);
        if old.is_some() {
            document.home =
                log.settle(&Record::Document { key, value: Some(&document.value) }, old);
        }
    }
    Ok(())
}
