//! Giving disk space back: the oldest segment first, always.
//!
//! Everything that is alive and has its location in the oldest segment is written again at the
//! tail, in its whole state; once that is durable the segment is let go. A record of a segment only
//! ever speaks of things whose location is in that segment or an earlier one, so nothing that is
//! kept refers to what was let go.
//!
//! On a full disk the oldest segment goes as soon as nothing in it lives, or half of the log is
//! garbage.
//!
//! Cost: a segment is cleaned when the log is more than twice as large as what lives in it, so a
//! byte that stays is copied about once for every byte that passes by.

use std::sync::{Arc, Weak};
use std::time::Duration;
use trunkline_types::sync::atomic::{AtomicBool, AtomicU32, Ordering};

use trunkline_journal::{Journal, Lsn, Signal};
use trunkline_types::sync::{Mutex, MutexGuard, lock};
use trunkline_types::{Code, Durability, Error, Result};

use crate::host::Host;
use crate::queue::Kind;
use crate::record::Record;
use crate::waiters::Parker;

/// Segments that are never cleaned: the one being written and one behind it.
const SEGMENTS_KEPT: usize = 2;
/// Log beyond twice what lives in it that is tolerated, in segments, so that small engines rest.
const SLACK_SEGMENTS: u64 = 4;
/// On a full disk: room left for what is written beside the messages that are carried, in bytes.
const RELOCATION_MARGIN: u64 = 64 << 10;
/// How long the compactor sleeps at most before it looks whether the engine is gone.
const NAP: Duration = Duration::from_secs(10);

pub(crate) struct Compactor {
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
    relocating: Mutex<()>,
    /// Why the last attempt failed, if it did.
    failure: Mutex<Option<Error>>,
}

impl Compactor {
    pub fn new(background: bool) -> Self {
        Self {
            background,
            seen: AtomicU32::new(0),
            started: AtomicBool::new(false),
            parker: Arc::default(),
            working: Mutex::new(()),
            relocating: Mutex::new(()),
            failure: Mutex::default(),
        }
    }

    /// Told of every location that is written: wakes the compactor when a new segment begins, and
    /// starts its thread at the first need.
    #[inline]
    pub fn on_append(host: &Arc<Host>, at: Lsn) {
        if at.segment() > host.compactor.seen.load(Ordering::Relaxed) {
            Self::begin(host, at.segment());
        }
    }

    #[cold]
    fn begin(host: &Arc<Host>, segment: u32) {
        let compactor = &host.compactor;
        let before = compactor.seen.fetch_max(segment, Ordering::Relaxed);
        // The first write after opening says nothing about space, unless there is a history.
        if before == 0 && segment <= SEGMENTS_KEPT as u32 {
            return;
        }
        Self::request(host);
    }

    /// Wakes the compactor, and starts its thread at the first need.
    #[cold]
    pub fn request(host: &Arc<Host>) {
        let compactor = &host.compactor;
        if !compactor.background {
            return;
        }
        if !compactor.started.swap(true, Ordering::SeqCst) {
            let (weak, parker) = (Arc::downgrade(host), compactor.parker.clone());
            let thread = std::thread::Builder::new().name("trunkline-compactor".into());
            if thread.spawn(move || run(&weak, &parker)).is_err() {
                // The log then only grows; the next segment tries again.
                compactor.started.store(false, Ordering::SeqCst);
            }
        }
        compactor.parker.signal();
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
    pub fn pause_relocation(&self) -> MutexGuard<'_, ()> {
        lock(&self.relocating)
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

fn run(host: &Weak<Host>, parker: &Parker) {
    loop {
        parker.park(NAP);
        let Some(host) = host.upgrade() else { return };
        if host.is_closed() || host.is_forked() {
            return;
        }
        // The error is kept for who asks. What failed may work later: a file may be repaired.
        let _kept = compact(&host);
    }
}

/// Lets go of segments as long as it is worth it.
pub(crate) fn compact(host: &Host) -> Result<()> {
    let Some(journal) = &host.journal else { return Ok(()) };
    while is_worth_it(host, journal) && !host.is_closed() {
        let outcome = compact_oldest(host, journal);
        *lock(&host.compactor.failure) = outcome.clone().err();
        outcome?;
    }
    *lock(&host.compactor.failure) = None;
    if let Err(cause) = journal.probe() {
        return if cause.code() == Code::StorageFull { Ok(()) } else { Err(cause) };
    }
    Ok(())
}

fn is_worth_it(host: &Host, journal: &Journal) -> bool {
    let segments = journal.segments();
    if segments.len() <= segments_kept(journal) {
        return false;
    }
    let (oldest, largest) = (&segments[0], segments.iter().map(|segment| segment.bytes).max());
    let space = lock(&host.live_bytes);
    let (live, newest) = space.usage(oldest.number);
    if live == 0 && newest + host.limits.dedup_window < host.now() {
        return true;
    }
    let total: u64 = segments.iter().map(|segment| u64::from(segment.bytes)).sum();
    if journal.is_full() {
        // What is carried must find its place in what is left of the present segment.
        let carried = if live == 0 { 0 } else { space.total().min(u64::from(oldest.bytes)) };
        let carried = carried + RELOCATION_MARGIN;
        let fits = carried < journal.bytes_left();
        return fits && (live == 0 || total > 2 * space.total());
    }
    total > 2 * space.total() + SLACK_SEGMENTS * u64::from(largest.unwrap_or(0))
}

/// The segment that is being written stays. So does the one behind it, to which batches may still
/// be on their way, unless its space is needed.
fn segments_kept(journal: &Journal) -> usize {
    if journal.is_full() { 1 } else { SEGMENTS_KEPT }
}

/// Carries what lives in the oldest segment to the tail, and lets the segment go.
pub(crate) fn compact_oldest(host: &Host, journal: &Journal) -> Result<()> {
    let _working = lock(&host.compactor.working);
    let segments = journal.segments();
    if segments.len() <= segments_kept(journal) {
        return Ok(());
    }
    let oldest = segments[0].number;
    let (live, newest) = lock(&host.live_bytes).usage(oldest);
    if live > 0 || newest + host.limits.dedup_window >= host.now() {
        relocate(host, oldest)?;
    }
    let ticket = host.append()?.ticket();
    if let Some(ticket) = ticket {
        // Always on disk, whatever the engine's level: the originals are about to go.
        journal.commit(ticket, Durability::Disk)?;
    }
    if journal.reclaim_oldest()? {
        lock(&host.live_bytes).forget(oldest);
    }
    Ok(())
}

fn relocate(host: &Host, segment: u32) -> Result<()> {
    host.log_opened(Some(segment))?;
    relocate_documents(host, segment)?;
    for queue in host.registry.all() {
        queue.relocate_definition(segment)?;
        match queue.kind_rules() {
            Kind::Standard(room) => room.relocate(&queue, segment)?,
            Kind::Fifo(room) => room.relocate(&queue, segment)?,
        }
    }
    Ok(())
}

fn relocate_documents(host: &Host, segment: u32) -> Result<()> {
    let mut documents = lock(&host.documents);
    let mut log = host.append()?;
    for (key, document) in documents.iter_mut() {
        let old = document.location.filter(|location| location.lsn.segment() == segment);
        if old.is_some() {
            document.location =
                log.append_live(&Record::Document { key, value: Some(&document.value) }, old);
        }
    }
    Ok(())
}
