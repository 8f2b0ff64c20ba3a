//! Compaction: disk space comes back, the oldest segment first, always.
//!
//! Everything that is alive and lies in the oldest segment is appended again at the tail, in its
//! whole state; once that is durable the segment is reclaimed. Invariant: a record refers only to
//! things that lie in its own or an older segment, so dropping the oldest segment leaves no
//! dangling reference. A message may precede its shared payload: the payload then stays longer.
//!
//! On a full disk the oldest segment goes as soon as nothing in it lives, or half of the log is
//! garbage.
//!
//! Cost: a segment is compacted when the log is more than twice as large as what lives in it, so a
//! byte that stays is copied about once for every byte that passes by; or when hardly anything
//! lives in it, so that one definition does not hold up a log whose entries are all sealed.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Weak};
use std::time::Duration;

use trunkline_journal::{Journal, JournalStatistics, Segment, Signal};
use trunkline_types::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use trunkline_types::sync::{Mutex, MutexGuard, lock};
use trunkline_types::{Code, Durability, Error, Millis, Result};

use super::Host;
use crate::append::{Segments, WatchSegments};
use crate::checkpoint::CheckpointSink;
use crate::live_bytes::Usage;
use crate::location::Location;
use crate::waiters::Parker;

/// Segments that are never compacted: the one being written and one behind it.
const SEGMENTS_KEPT: usize = 2;
/// Log beyond twice what lives in it that is tolerated, in segments, so that small engines rest.
const SLACK_SEGMENTS: u64 = 4;
/// The oldest segment is compacted whatever the length of the log if no more than one in so many of
/// its bytes lives: that much more is written at most.
const NEARLY_FREE: u64 = 64;
/// And if no more records live there: a queue that is just being emptied needs no relocation.
const NEARLY_FREE_RECORDS: u64 = 256;
/// On a full disk: space left for what is written beside the records that are relocated, in bytes.
const RELOCATION_MARGIN: u64 = 64 << 10;
/// An idle journal of this length, in bytes, is shrunk when no more than `SHRINK_LIVE_MAX` lives in
/// it.
const SHRINK_FROM: u64 = 8 << 20;
/// See [`SHRINK_FROM`].
const SHRINK_LIVE_MAX: u64 = 128 << 10;
/// In the background a checkpoint is written when the journal behind the last one is so many times
/// as long as that one: an eighth of what is written are checkpoints, at most.
const CHECKPOINT_RATIO: u64 = 8;
/// At closing a checkpoint is written unless less than this, in bytes, would be replayed: about
/// 5 ms, which the checkpoint's own syncs may take.
const CHECKPOINT_AT_CLOSE: u64 = 4 << 20;
/// How long the compactor sleeps at most before it looks whether the engine is gone.
const NAP: Duration = Duration::from_secs(10);

/// Gives disk space back, in the background.
pub struct Compactor {
    /// Whether a thread may be started; without one, compaction runs when it is asked for.
    background: bool,
    /// What the thread works on.
    host: Mutex<Weak<Host>>,
    /// The newest segment that was seen.
    seen: AtomicU32,
    started: AtomicBool,
    parker: Arc<Parker>,
    /// Held while a segment may be reclaimed, and by a copy, which needs all of them to stay: for
    /// as long as a whole log is copied. Of the verbs only those that reclaim space take it.
    working: Mutex<()>,
    /// Held while records are relocated, some at a time, and while content changes its owner.
    relocating: Mutex<()>,
    /// A kind has no checkpoint, so none is tried again.
    has_no_checkpoint: AtomicBool,
    /// Why the last attempt failed, if it did.
    failure: Mutex<Option<Error>>,
}

impl WatchSegments for Compactor {
    #[cold]
    fn begin(&self, segment: u32) {
        let before = self.seen.fetch_max(segment, Ordering::Relaxed);
        // The first write after opening says nothing about space, unless there is a history.
        if before == 0 && segment <= SEGMENTS_KEPT as u32 {
            return;
        }
        self.request();
    }
}

impl Compactor {
    pub(crate) fn new(background: bool) -> Self {
        Self {
            background,
            host: Mutex::new(Weak::new()),
            seen: AtomicU32::new(0),
            started: AtomicBool::new(false),
            parker: Arc::default(),
            working: Mutex::new(()),
            relocating: Mutex::new(()),
            has_no_checkpoint: AtomicBool::new(false),
            failure: Mutex::default(),
        }
    }

    /// Names the host whose space is given back.
    pub(crate) fn attach(&self, host: Weak<Host>) {
        *lock(&self.host) = host;
    }

    /// What a step of the journal tells it.
    pub(crate) fn segments(&self) -> Segments<'_> {
        Segments { seen: &self.seen, watcher: self }
    }

    /// Wakes the compactor, and starts its thread at the first need.
    #[cold]
    pub(crate) fn request(&self) {
        if !self.background {
            return;
        }
        if !self.started.swap(true, Ordering::SeqCst) {
            let (weak, parker) = (lock(&self.host).clone(), self.parker.clone());
            let thread = std::thread::Builder::new().name("trunkline-compactor".into());
            if thread.spawn(move || run(&weak, &parker)).is_err() {
                // The log then only grows; the next segment tries again.
                self.started.store(false, Ordering::SeqCst);
            }
        }
        self.parker.signal();
    }

    /// Keeps every segment where it is while the result lives.
    pub(crate) fn pause(&self) -> MutexGuard<'_, ()> {
        lock(&self.working)
    }

    /// Pauses relocation while the result lives: content is either relocated or changes its owner.
    /// A copy written between the record that moves a message and its end at the source would come
    /// behind the move, and bring the message back at the next opening.
    ///
    /// Taken before the lock of a resource and the append lock, and held for neither a read nor a
    /// sync.
    pub fn pause_relocation(&self) -> MutexGuard<'_, ()> {
        lock(&self.relocating)
    }

    /// Fails with the reason while the log grows because the oldest segment cannot be reclaimed.
    pub(crate) fn check(&self) -> Result<()> {
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

    pub(crate) fn stop(&self) {
        self.parker.signal();
    }
}

fn run(host: &Weak<Host>, parker: &Parker) {
    loop {
        let is_idle = !parker.park(NAP);
        let Some(host) = host.upgrade() else { return };
        if host.gate.is_closed() || host.gate.is_forked() {
            return;
        }
        // An error is kept for `check_space`. What failed may work later: a file may be repaired.
        // A panic ends this attempt and not the thread.
        let _kept = catch_unwind(AssertUnwindSafe(|| {
            let compacted =
                compact(&host).and_then(|()| if is_idle { shrink(&host) } else { Ok(()) });
            host.checkpoint_if_due();
            compacted
        }));
    }
}

impl Host {
    /// The compactor.
    pub fn compactor(&self) -> &Compactor {
        &self.compactor
    }

    /// Gives disk space back now, as far as it is worth it, instead of in the background.
    pub fn compact(&self) -> Result<()> {
        self.check_writable()?;
        compact(self)?;
        // A segment that the background thread is reclaiming has left the table before its file
        // has gone.
        drop(self.compactor.pause());
        shrink(self)
    }

    /// Relocates what lives in the oldest segment and reclaims it, worth it or not: for tests.
    #[doc(hidden)]
    pub fn compact_oldest(&self) -> Result<()> {
        self.check_writable()?;
        match &self.journal {
            Some(journal) => compact_oldest(self, journal, segments_kept(journal)),
            None => Ok(()),
        }
    }

    /// Fails while disk space cannot be given back in the background, and says why: a record that
    /// is still needed may be damaged. The journal then grows, which nothing else would tell.
    pub fn check_space(&self) -> Result<()> {
        self.check_readable()?;
        self.compactor.check()
    }

    /// Writes a checkpoint, so that the next opening replays only what is behind it. False if there
    /// is nothing to write one for, or a kind of resource has none.
    pub fn checkpoint(&self) -> Result<bool> {
        self.check_writable()?;
        self.write_checkpoint(&mut || ())
    }

    /// The same, and calls `between` before each part of the state that is written, where another
    /// thread might run verbs: for tests.
    #[doc(hidden)]
    pub fn checkpoint_with(&self, between: &mut dyn FnMut()) -> Result<bool> {
        self.check_writable()?;
        self.write_checkpoint(between)
    }

    /// Bytes of the journal that an opening would replay, and the length of the newest checkpoint,
    /// 0 for none.
    #[doc(hidden)]
    pub fn behind_checkpoint(&self) -> (u64, u64) {
        self.journal.as_ref().map_or((0, 0), Journal::behind_checkpoint)
    }

    /// How the journal stands, if there is one.
    pub fn journal_statistics(&self) -> Option<JournalStatistics> {
        self.journal.as_ref().map(Journal::statistics)
    }

    /// Hands the state to `sink` as a checkpoint holds it; false if a kind has no form for it.
    #[doc(hidden)]
    pub fn export_checkpoint(&self, sink: &mut dyn FnMut(&[u8]) -> Result<()>) -> Result<bool> {
        // What changes its owner at this moment may have left a record before the checkpoint, and
        // still be with both. It is complete when this lock is free.
        drop(self.compactor.pause_relocation());
        let mut sink = CheckpointSink::new(sink);
        let opened = lock(&self.opened).unwrap_or(Location::NOWHERE);
        sink.record(opened, &self.opened_record())?;
        for component in self.all_components() {
            if !component.checkpoint(&mut sink)? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    fn write_checkpoint(&self, between: &mut dyn FnMut()) -> Result<bool> {
        let Some(journal) = self.journal.as_ref().filter(|journal| !journal.is_full()) else {
            return Ok(false);
        };
        let mut has_none = false;
        let written = journal.checkpoint(&mut |sink| {
            has_none = !self.export_checkpoint(&mut |part| {
                between();
                sink(part)
            })?;
            if has_none { Err(no_checkpoint()) } else { Ok(()) }
        });
        if has_none {
            self.compactor.has_no_checkpoint.store(true, Ordering::Relaxed);
            return Ok(false);
        }
        written
    }

    /// Writes a checkpoint if enough lies behind the last one. One that fails is tried again later:
    /// it only makes the next opening faster.
    fn checkpoint_if_due(&self) {
        let (Some(journal), Some(least)) = (&self.journal, self.checkpoint_bytes) else { return };
        let (behind, last) = journal.behind_checkpoint();
        let is_due = behind >= least.max(CHECKPOINT_RATIO * last);
        if is_due && !self.compactor.has_no_checkpoint.load(Ordering::Relaxed) {
            let _tried = self.checkpoint();
        }
    }

    /// The engine closes: no verb begins any more.
    pub(crate) fn checkpoint_at_close(&self) {
        let (Some(journal), Some(least)) = (&self.journal, self.checkpoint_bytes) else { return };
        let is_worth_it = journal.behind_checkpoint().0 >= least.min(CHECKPOINT_AT_CLOSE);
        if is_worth_it && !self.gate.is_read_only() {
            let _tried = self.write_checkpoint(&mut || ());
        }
    }

    fn needs(&self, newest: Millis) -> bool {
        let now = self.now();
        self.all_components().iter().any(|component| component.needs(newest, now))
    }
}

#[cold]
fn no_checkpoint() -> Error {
    Error::new(Code::UnsupportedOperation, "A kind of resource of this engine has no checkpoint.")
}

/// Reclaims segments as long as it is worth it.
fn compact(host: &Host) -> Result<()> {
    let Some(journal) = &host.journal else { return Ok(()) };
    while is_worth_it(host, journal) && !host.gate.is_closed() {
        let outcome = compact_oldest(host, journal, segments_kept(journal));
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
    if count(journal, &segments) <= segments_kept(journal) {
        return false;
    }
    let (oldest, largest) = (&segments[0], segments.iter().map(|segment| segment.bytes).max());
    let (Usage { live, bytes, newest }, live_bytes) = {
        let live_bytes = host.live_bytes();
        (live_bytes.usage(oldest.number), live_bytes.total())
    };
    // Little that lives there, such as the definitions of resources, keeps no other segment: their
    // files are used again instead of new ones.
    let is_nearly_free = live <= NEARLY_FREE_RECORDS
        && bytes <= u64::from(oldest.bytes) / NEARLY_FREE
        && !journal.is_full();
    if (live == 0 || is_nearly_free) && !host.needs(newest) {
        return true;
    }
    let total: u64 = segments.iter().map(|segment| u64::from(segment.bytes)).sum();
    if journal.is_full() {
        // What is relocated must find its place in what is left of the present segment.
        // Messages that share a record need more than that when each gets its own.
        let at_most = bytes.max(u64::from(oldest.bytes));
        let relocated = if live == 0 { 0 } else { live_bytes.min(at_most) };
        let fits = relocated + RELOCATION_MARGIN < journal.bytes_left();
        return fits && (live == 0 || total > 2 * live_bytes);
    }
    total > 2 * live_bytes + SLACK_SEGMENTS * u64::from(largest.unwrap_or(0))
}

/// The segment that is being written stays. So does the one behind it, to which batches may still
/// be on their way, unless its space is needed.
/// The segments of the journal, with one that was reached and is not written yet: the caller learns
/// that a segment was reached before anything is written there.
fn count(journal: &Journal, segments: &[Segment]) -> usize {
    let newest = segments.last().map_or(0, |segment| segment.number);
    segments.len() + usize::from(journal.current_segment() > newest)
}

fn segments_kept(journal: &Journal) -> usize {
    if journal.is_full() { 1 } else { SEGMENTS_KEPT }
}

/// Leaves one short segment of a journal in which little lives, so that an empty engine gives its
/// disk space back.
fn shrink(host: &Host) -> Result<()> {
    let Some(journal) = &host.journal else { return Ok(()) };
    let total: u64 = journal.segments().iter().map(|segment| u64::from(segment.bytes)).sum();
    if total < SHRINK_FROM || host.live_bytes().total() > SHRINK_LIVE_MAX || !journal.shrink()? {
        return Ok(());
    }
    // The first record behind this starts the short segment.
    host.append_opened(None)?;
    journal.flush()?;
    let old = journal.segments().len() - 1;
    for _ in 0..old {
        if host.gate.is_closed() {
            break;
        }
        compact_oldest(host, journal, 1)?;
    }
    Ok(())
}

fn compact_oldest(host: &Host, journal: &Journal, kept: usize) -> Result<()> {
    let _working = host.compactor.pause();
    let segments = journal.segments();
    if count(journal, &segments) <= kept {
        return Ok(());
    }
    let oldest = segments[0].number;
    let Usage { live, newest, .. } = host.live_bytes().usage(oldest);
    if live > 0 || host.needs(newest) {
        host.append_opened(Some(oldest))?;
        for component in host.all_components() {
            component.relocate(oldest)?;
        }
    }
    let ticket = host.append()?.ticket();
    if let Some(ticket) = ticket {
        // Always on disk, whatever the engine's level: the originals are about to go.
        journal.commit(ticket, Durability::Disk)?;
    }
    if journal.reclaim_oldest()? {
        host.live_bytes().forget(oldest);
    }
    Ok(())
}
