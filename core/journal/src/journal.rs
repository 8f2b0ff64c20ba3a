//! The public interface of a journal.

use std::fmt;
use std::sync::Arc;

use trunkline_types::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use trunkline_types::sync::{Mutex, MutexGuard, lock};
use trunkline_types::{Durability, Error, IdKey, Result, forked_since, process_generation};

use crate::checkpoint;
use crate::completion::Signal;
use crate::control::Position;
use crate::folder;
use crate::frame;
use crate::lsn::{Lsn, Ticket};
use crate::maintenance::Maintenance;
use crate::options::Options;
use crate::poison::Poison;
use crate::recovery::{self, Recovered};
use crate::retained::OpenFiles;
use crate::segment::{Segment, SegmentTable};
use crate::shared::{DiskSpace, Lead, Level, SegmentWriter, Shared, Threads, read_only};
use crate::storage::Storage;
use crate::superblock::SUPERBLOCK_NAME;
use crate::tail::Tail;

/// An ordered, durable list of records. A record is a byte string.
///
/// ```
/// use std::sync::Arc;
/// use trunkline_journal::{Journal, MemoryStorage, Options};
/// use trunkline_types::Durability;
///
/// let storage = Arc::new(MemoryStorage::new());
/// let journal = Journal::open(storage.clone(), Options::default(), &mut |_, _| Ok(()))?;
/// let ticket = {
///     let mut appender = journal.lock()?;
///     appender.append(&[b"hello ", b"world"]);
///     appender.ticket()
/// };
/// journal.commit(ticket, Durability::Disk)?;
/// journal.close()?;
///
/// let mut seen = Vec::new();
/// Journal::open(storage, Options::default(), &mut |_, payload| {
///     seen.push(payload.to_vec());
///     Ok(())
/// })?;
/// assert_eq!(seen, [b"hello world"]);
/// # Ok::<(), trunkline_types::Error>(())
/// ```
pub struct Journal {
    pub(crate) shared: Arc<Shared>,
    key: IdKey,
    /// The end of the journal at open. `close` writes nothing when nothing was appended since.
    opened_at: Lsn,
    checkpoint_defect: Option<Error>,
}

impl fmt::Debug for Journal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Journal")
            .field("written", &self.shared.written.settled())
            .field("synced", &self.shared.synced.settled())
            .field("poisoned", &self.shared.poison.is_set())
            .finish_non_exhaustive()
    }
}

impl Journal {
    /// Opens the journal in `storage`; creates it if there is none. Calls `replay` with every
    /// record, in order. An error of `replay` aborts the opening.
    pub fn open(
        storage: Arc<dyn Storage>,
        options: Options,
        replay: &mut dyn FnMut(Lsn, &[u8]) -> Result<()>,
    ) -> Result<Journal> {
        Self::open_at(storage, options, None, replay)
    }

    /// Opens like [`Journal::open`], but starts at the newest checkpoint: `load` gets its records,
    /// and `replay` those of the journal behind it. Without a whole checkpoint everything is
    /// replayed; [`Journal::checkpoint_defect`] tells why.
    pub fn open_from_checkpoint(
        storage: Arc<dyn Storage>,
        options: Options,
        load: &mut dyn FnMut(&[u8]) -> Result<()>,
        replay: &mut dyn FnMut(Lsn, &[u8]) -> Result<()>,
    ) -> Result<Journal> {
        Self::open_at(storage, options, Some(load), replay)
    }

    fn open_at(
        storage: Arc<dyn Storage>,
        options: Options,
        load: Option<recovery::Load<'_>>,
        replay: recovery::Replay<'_>,
    ) -> Result<Journal> {
        let options = options.normalized();
        let superblock = folder::load_or_create(&*storage, &options)?;
        storage.claim(SUPERBLOCK_NAME)?;
        let seed = frame::seed_of((superblock.key.0, superblock.key.1));
        let recovered = recovery::recover(&*storage, &options, &superblock, load, replay)?;
        let checkpoint_defect = recovered.checkpoint_defect.clone();
        let opened_at = recovered.end.end;
        let shared = share(storage, options, seed, recovered)?;
        Ok(Journal { shared, key: superblock.key, opened_at, checkpoint_defect })
    }

    /// The key of message ids and receipts, stored in the superblock.
    pub fn key(&self) -> IdKey {
        self.key
    }

    /// Counts the openings of the folder for writing. No two openings have the same epoch.
    pub fn epoch(&self) -> u64 {
        let control = lock(&self.shared.control);
        control.as_ref().map_or(0, |control| control.state().epoch)
    }

    /// The last durable position that the control file names.
    pub fn durable_position(&self) -> Option<Position> {
        lock(&self.shared.control).as_ref().map(|control| control.state().durable)
    }

    /// Whether the storage was opened read-only, so that appends fail.
    pub fn is_read_only(&self) -> bool {
        self.shared.read_only
    }

    /// Takes the append lock. Call no other method of the journal while holding it.
    pub fn lock(&self) -> Result<Appender<'_>> {
        Appender::lock(&self.shared)
    }

    /// Back-pressure: blocks while more bytes are unwritten than allowed. Call it before
    /// [`Journal::lock`] and before appending data that stays, such as messages. Fails with
    /// `StorageFull` while the disk cannot hold another segment.
    pub fn wait_for_capacity(&self) -> Result<()> {
        self.probe()?;
        if !self.over_write_limit() {
            return Ok(());
        }
        self.shared.check_usable()?;
        self.shared.commit(self.shared.appended(), Durability::Os)
    }

    /// Whether [`Journal::wait_for_capacity`] would return at once.
    #[inline]
    pub fn has_capacity(&self) -> bool {
        self.shared.disk_space.is_available() && !self.over_write_limit()
    }

    /// Whether more bytes are unwritten than `Options::unwritten_bytes_max`.
    #[inline]
    pub fn over_write_limit(&self) -> bool {
        self.shared.unwritten_bytes() > self.shared.options.unwritten_bytes_max
    }

    /// Whether the last attempt to preallocate a segment found the disk full. Records that free
    /// space can still be appended.
    #[inline]
    pub fn is_full(&self) -> bool {
        self.shared.disk_space.is_full()
    }

    /// Retries the preallocation of the next segment if the disk was full; fails while it still
    /// is.
    #[inline]
    pub fn probe(&self) -> Result<()> {
        if self.shared.disk_space.is_available() { Ok(()) } else { self.shared.probe() }
    }

    /// Free bytes in the current segment.
    pub fn bytes_left(&self) -> u64 {
        lock(&self.shared.tail).bytes_left()
    }

    /// Blocks until everything up to `ticket` has reached `level`.
    pub fn commit(&self, ticket: Ticket, level: Durability) -> Result<()> {
        self.shared.commit(ticket, level)
    }

    /// Whether everything up to `ticket` has reached `level`; an error if it never will.
    pub fn is_settled(&self, ticket: Ticket, level: Durability) -> Result<bool> {
        if ticket <= self.settled(level) {
            return Ok(true);
        }
        self.shared.check_can_settle().map(|()| false)
    }

    /// The largest ticket that has reached `level`.
    pub fn settled(&self, level: Durability) -> Ticket {
        match self.shared.level(level) {
            Some(level) => Ticket::at(level.settled()),
            None => Ticket::from_u64(u64::MAX),
        }
    }

    /// Calls `signal` exactly once: when everything up to `ticket` has reached `level`, or when
    /// that has become impossible. [`Journal::is_settled`] tells which. The call may happen before
    /// this method returns. After an error it never happens.
    pub fn notify_when(
        &self,
        ticket: Ticket,
        level: Durability,
        signal: Arc<dyn Signal>,
    ) -> Result<()> {
        self.shared.notify_when(ticket, level, signal)
    }

    /// Schedules a background flush of everything appended so far to `level`.
    #[inline]
    pub fn flush_in_background(&self, level: Durability) -> Result<()> {
        self.shared.flush_in_background(level)
    }

    /// Fails when nothing more is accepted, and says why: an earlier write failed.
    pub fn check_usable(&self) -> Result<()> {
        self.shared.check_usable()
    }

    /// The ticket of everything appended so far.
    pub fn appended(&self) -> Ticket {
        self.shared.appended()
    }

    /// Makes everything appended so far durable.
    pub fn flush(&self) -> Result<()> {
        self.shared.check_usable()?;
        self.shared.commit(self.shared.appended(), Durability::Disk)
    }

    /// Appends the payload of the record at `lsn` to `out` after checking it. `hint` is its length,
    /// if known, and saves a read. Returns false if its segment was reclaimed: the record was
    /// relocated or is no longer needed.
    pub fn read(&self, lsn: Lsn, hint: Option<usize>, out: &mut Vec<u8>) -> Result<bool> {
        self.shared.check_open()?;
        self.shared.read(lsn, hint, out)
    }

    /// The segments that hold batches, oldest first, without unwritten batches.
    pub fn segments(&self) -> Vec<Segment> {
        lock(&self.shared.table).all().to_vec()
    }

    /// Hands every written record of segment `number` to `each`, in order, checked.
    pub fn scan_segment(
        &self,
        number: u32,
        each: &mut dyn FnMut(Lsn, &[u8]) -> Result<()>,
    ) -> Result<()> {
        self.shared.check_open()?;
        self.shared.scan_segment(number, each)
    }

    /// Reclaims the oldest segment after making everything appended so far durable. Returns false
    /// if only the current segment is left. No record in the segment may be needed any more.
    pub fn reclaim_oldest(&self) -> Result<bool> {
        self.shared.reclaim_oldest()
    }

    /// Writes a checkpoint, so that the next opening replays only what is behind it. `export` hands
    /// its records to the sink it gets. Returns false if there is nothing to write one for.
    ///
    /// The export has to contain the effect of every record that was appended before the call. It
    /// may contain the effect of later ones, so replaying a record on top of its effect must be
    /// harmless.
    pub fn checkpoint(
        &self,
        export: &mut dyn FnMut(checkpoint::Sink<'_>) -> Result<()>,
    ) -> Result<bool> {
        self.shared.checkpoint(export)
    }

    /// Bytes of the journal behind its newest checkpoint, about: what an opening has to replay. And
    /// the length of that checkpoint, 0 if there is none.
    pub fn behind_checkpoint(&self) -> (u64, u64) {
        let appended = self.shared.bytes_appended.load(Ordering::Relaxed);
        self.shared.progress.behind(appended as u64)
    }

    /// Reads the newest checkpoint and compares its checksums; returns its length. A defect is an
    /// error that names the file.
    pub fn verify_checkpoint(&self) -> Result<Option<u64>> {
        self.shared.verify_checkpoint()
    }

    /// Why the checkpoint of the folder could not be used at the opening, if it could not.
    pub fn checkpoint_defect(&self) -> Option<&Error> {
        self.checkpoint_defect.as_ref()
    }

    /// Lets the next append start a segment of the first length again. For a journal whose live
    /// data is small: reclaiming the longer segments then frees nearly all disk space. Returns
    /// false if the current segment is that short already.
    pub fn shrink(&self) -> Result<bool> {
        self.shared.shrink()
    }

    pub(crate) fn shared(&self) -> &Shared {
        &self.shared
    }

    /// Makes everything durable, stops the threads and unlocks the folder. Idempotent. All other
    /// methods fail with `EngineClosed` afterwards.
    pub fn close(&self) -> Result<()> {
        // A forked child must not touch the files, the lock and the threads of its parent.
        if forked_since(self.shared.generation) {
            return Ok(());
        }
        let ticket = {
            let tail = lock(&self.shared.tail);
            if self.shared.closed.swap(true, Ordering::SeqCst) {
                return Ok(());
            }
            if tail.end() == self.opened_at || self.shared.read_only {
                Ticket::NOTHING
            } else {
                Ticket::at(tail.end())
            }
        };
        let mut outcome = self.shared.commit(ticket, Durability::Disk);
        if outcome.is_ok() && ticket != Ticket::NOTHING {
            outcome = self.shared.store_control();
        }
        self.shared.stop_threads();
        // IMPORTANT: every change of the folder has to be done before another opening may take it.
        let _no_maintenance = self.shared.maintenance.take_unless_mine();
        let _no_preallocation = self.shared.release_files();
        self.shared.storage.unlock();
        outcome
    }
}

impl Drop for Journal {
    fn drop(&mut self) {
        // Best effort: call `close` to see the error.
        let _closed = self.close();
    }
}

fn share(
    storage: Arc<dyn Storage>,
    options: Options,
    seed: u32,
    recovered: Recovered,
) -> Result<Arc<Shared>> {
    let Recovered { segments, end: position, control, progress, .. } = recovered;
    let end = position.end;
    let epoch = control.as_ref().map_or(0, |control| control.state().epoch);
    let newest = segments.last().copied();
    let segment_bytes = newest.map_or(0, |segment| segment.bytes);
    let mut table = SegmentTable::new(Arc::clone(&storage), segments);
    let sealed_files = Arc::new(OpenFiles::new(Arc::clone(&storage)));
    let read_only = storage.is_read_only();
    let file = if read_only { None } else { table.file(end.segment())? };
    let mut tail = Tail::new(position, epoch, segment_bytes, options.segment_bytes, seed);
    tail.set_oldest(table.all().first().map_or(0, |oldest| oldest.number));
    Ok(Arc::new_cyclic(|me| Shared {
        me: me.clone(),
        storage,
        options,
        seed,
        read_only,
        generation: process_generation(),
        closed: AtomicBool::new(false),
        maintenance: Maintenance::default(),
        tail: Mutex::new(tail),
        recent: Mutex::default(),
        lead: Mutex::new(Lead::new(SegmentWriter::new(file, end.segment(), segment_bytes))),
        prepared: Mutex::default(),
        table: Mutex::new(table),
        sealed_files,
        control: Mutex::new(control),
        written: Level::new(end),
        synced: Level::new(end),
        bytes_appended: AtomicUsize::new(0),
        bytes_written: AtomicUsize::new(0),
        syncs: AtomicUsize::new(0),
        progress,
        poison: Poison::new(),
        disk_space: DiskSpace::default(),
        threads: Threads::default(),
    }))
}

/// The append lock. Records are ordered by the acquisition of this lock.
pub struct Appender<'a> {
    shared: &'a Shared,
    tail: MutexGuard<'a, Tail>,
}

impl fmt::Debug for Appender<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Appender").field("end", &self.tail.end()).finish_non_exhaustive()
    }
}

impl<'a> Appender<'a> {
    pub(crate) fn lock(shared: &'a Shared) -> Result<Self> {
        shared.check_usable()?;
        let mut tail = lock(&shared.tail);
        // Again under the lock, so that nothing is appended after the last flush of `close`.
        shared.check_usable()?;
        if shared.read_only {
            return Err(read_only());
        }
        tail.begin_step();
        Ok(Self { shared, tail })
    }

    /// Appends a record whose payload is the concatenation of `parts`; returns its location. Copies
    /// the bytes and never waits for the disk. Panics above `limits::RECORD_BYTES_MAX` bytes.
    #[inline]
    pub fn append(&mut self, parts: &[&[u8]]) -> Lsn {
        let (lsn, grown) = self.tail.append(parts);
        // Plain stores: the append lock is held, the other counter is the leader's.
        let bytes = self.shared.bytes_appended.load(Ordering::Relaxed) + grown;
        self.shared.bytes_appended.store(bytes, Ordering::Relaxed);
        lsn
    }

    /// Keeps the next `count` records together, of at most `bytes` in all: a crash leaves all of
    /// them or none. They have to follow at once, under this lock, and nothing else may follow
    /// them there. False, and no promise, if they are longer together than
    /// `limits::RECORD_BYTES_MAX`.
    pub fn reserve(&mut self, count: usize, bytes: usize) -> bool {
        self.tail.reserve(count, bytes)
    }

    /// The ticket of everything appended so far.
    #[inline]
    pub fn ticket(&self) -> Ticket {
        Ticket::at(self.tail.end())
    }

    /// Where the last record ends.
    #[inline]
    pub fn end(&self) -> Lsn {
        self.tail.end()
    }

    /// The payload of a record that is not written yet. `None` if it is in its file: read it with
    /// [`Journal::read`] after releasing the lock.
    pub fn unwritten(&self, lsn: Lsn) -> Option<&[u8]> {
        self.tail.payload(lsn)
    }
}
