//! The journal as its users see it.

use std::fmt;
use std::sync::Arc;

use trunkline_types::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use trunkline_types::sync::{Mutex, MutexGuard, lock};
use trunkline_types::{Durability, IdKey, Result, forked_since, process_generation};

use crate::commit::{Lead, read_only};
use crate::completion::Signal;
use crate::folder;
use crate::frame;
use crate::lsn::{Lsn, Ticket};
use crate::options::Options;
use crate::poison::Poison;
use crate::recovery::{self, Recovered};
use crate::room::Room;
use crate::segment::{Segment, SegmentTable};
use crate::shared::{Level, Shared};
use crate::storage::Storage;
use crate::tail::Tail;

/// An ordered, durable list of records. Records are bytes; what they mean is not known here.
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
    /// Where the journal ended when it was opened: nothing new means nothing to write at close.
    opened_at: Lsn,
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
    /// Opens the journal in `storage`, making it if there is none. Every record that it holds is
    /// handed to `replay`, in order; an error of `replay` ends the opening.
    pub fn open(
        storage: Arc<dyn Storage>,
        options: Options,
        replay: &mut dyn FnMut(Lsn, &[u8]) -> Result<()>,
    ) -> Result<Journal> {
        let options = options.normalized();
        let superblock = folder::load_or_create(&*storage, &options)?;
        let seed = frame::seed_of((superblock.key.0, superblock.key.1));
        let recovered = recovery::recover(&*storage, &options, seed, replay)?;
        let opened_at = recovered.end;
        let shared = share(storage, options, seed, recovered)?;
        Ok(Journal { shared, key: superblock.key, opened_at })
    }

    /// The key of ids and receipts that belongs to the data.
    pub fn key(&self) -> IdKey {
        self.key
    }

    /// Whether nothing can be appended.
    pub fn is_read_only(&self) -> bool {
        self.shared.read_only
    }

    /// Takes the append lock. No other method of the journal may be called while it is held.
    pub fn lock(&self) -> Result<Appender<'_>> {
        self.shared.check_usable()?;
        let tail = lock(&self.shared.tail);
        // Again under the lock, so that nothing is appended after the last flush of `close`.
        self.shared.check_usable()?;
        if self.shared.read_only {
            return Err(read_only());
        }
        Ok(Appender { shared: &self.shared, tail })
    }

    /// Returns at once while there is room for more unwritten bytes; otherwise writes some, or
    /// waits for whoever does. To be called before [`Journal::lock`] by whoever adds what stays:
    /// fails with `StorageFull` while the disk has no room for another segment.
    pub fn wait_for_room(&self) -> Result<()> {
        self.look_for_room()?;
        if !self.owes_bytes() {
            return Ok(());
        }
        self.shared.check_usable()?;
        self.shared.commit(self.shared.appended(), Durability::Os)
    }

    /// Whether [`Journal::wait_for_room`] would return at once.
    #[inline]
    pub fn has_room(&self) -> bool {
        self.shared.room.is_there() && !self.owes_bytes()
    }

    /// Whether more is unwritten than may be.
    #[inline]
    pub fn owes_bytes(&self) -> bool {
        self.shared.unwritten_bytes() > self.shared.options.unwritten_bytes_max
    }

    /// Whether the disk had no room for another segment when that was last tried. What makes room
    /// can still be appended.
    #[inline]
    pub fn lacks_room(&self) -> bool {
        self.shared.room.is_missing()
    }

    /// Tries again to make the next segment, if the disk had no room for it; fails while it has
    /// not.
    #[inline]
    pub fn look_for_room(&self) -> Result<()> {
        if self.shared.room.is_there() { Ok(()) } else { self.shared.look_for_room() }
    }

    /// How many bytes the present segment can still take.
    pub fn bytes_left(&self) -> u64 {
        lock(&self.shared.tail).bytes_left()
    }

    /// Blocks until everything up to `ticket` has come as far as `level`.
    pub fn commit(&self, ticket: Ticket, level: Durability) -> Result<()> {
        self.shared.commit(ticket, level)
    }

    /// Whether everything up to `ticket` has come as far as `level`; an error when it never will.
    pub fn is_settled(&self, ticket: Ticket, level: Durability) -> Result<bool> {
        if ticket <= self.settled(level) {
            return Ok(true);
        }
        self.shared.check_can_settle().map(|()| false)
    }

    /// The largest ticket that has come as far as `level`.
    pub fn settled(&self, level: Durability) -> Ticket {
        match self.shared.level(level) {
            Some(level) => Ticket::at(level.settled()),
            None => Ticket::from_u64(u64::MAX),
        }
    }

    /// Has `signal` called exactly once, when everything up to `ticket` has come as far as
    /// `level` or when that has become impossible; [`Journal::is_settled`] tells which. It may be
    /// called before this returns. An error means that it will not be called.
    pub fn notify_when(
        &self,
        ticket: Ticket,
        level: Durability,
        signal: Arc<dyn Signal>,
    ) -> Result<()> {
        self.shared.notify_when(ticket, level, signal)
    }

    /// Has everything appended brought to `level` soon, without anybody waiting for it.
    #[inline]
    pub fn settle_lazily(&self, level: Durability) -> Result<()> {
        self.shared.settle_lazily(level)
    }

    /// Everything appended so far.
    pub fn appended(&self) -> Ticket {
        self.shared.appended()
    }

    /// Makes everything appended so far durable.
    pub fn flush(&self) -> Result<()> {
        self.shared.check_usable()?;
        self.shared.commit(self.shared.appended(), Durability::Disk)
    }

    /// Appends the payload of the record at `lsn` to `out`, checked. `hint` is its length, if it
    /// is known: it saves a read. False means that the segment was given up meanwhile, so that the
    /// record has another place now, or is not needed any more.
    pub fn read(&self, lsn: Lsn, hint: Option<usize>, out: &mut Vec<u8>) -> Result<bool> {
        self.shared.check_open()?;
        self.shared.read(lsn, hint, out)
    }

    /// The segments that hold batches, oldest first; what is appended but not written is not in.
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

    /// Gives up the oldest segment, and makes everything appended so far durable before. False
    /// when only the segment that is written to is left. Nothing in it may be needed any more.
    pub fn release_oldest(&self) -> Result<bool> {
        self.shared.release_oldest()
    }

    /// Makes everything durable, ends the threads and gives up the folder. Idempotent. The other
    /// methods fail with `EngineClosed` from here on.
    pub fn close(&self) -> Result<()> {
        // The parent of a forked child owns files, lock and threads: the child leaves them alone.
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
                // A batch is known to be durable only by a later one that says so. This mark is
                // the later one of the last batch.
                Ticket::at(tail.end())
            }
        };
        let mut outcome = self.shared.commit(ticket, Durability::Disk);
        if outcome.is_ok() && ticket != Ticket::NOTHING {
            lock(&self.shared.tail).append_mark();
            outcome = self.shared.lead().drive(Durability::Disk);
        }
        self.shared.stop_threads();
        self.shared.storage.unlock();
        outcome
    }
}

impl Drop for Journal {
    fn drop(&mut self) {
        // Best effort: whoever wants to know calls `close`.
        let _closed = self.close();
    }
}

fn share(
    storage: Arc<dyn Storage>,
    options: Options,
    seed: u32,
    recovered: Recovered,
) -> Result<Arc<Shared>> {
    let Recovered { segments, end, oldest } = recovered;
    let newest = segments.last().copied();
    let segment_bytes = newest.map_or(0, |segment| segment.bytes);
    let mut table = SegmentTable::new(Arc::clone(&storage), segments);
    let read_only = storage.is_read_only();
    let file = if read_only { None } else { table.file(end.segment())? };
    let tail = Tail::new(end, segment_bytes, options.segment_bytes, oldest, seed);
    Ok(Arc::new_cyclic(|me| Shared {
        me: me.clone(),
        storage,
        options,
        seed,
        read_only,
        generation: process_generation(),
        closed: AtomicBool::new(false),
        release: Mutex::default(),
        tail: Mutex::new(tail),
        lead: Mutex::new(Lead::new(file, end.segment(), segment_bytes)),
        prepared: Mutex::default(),
        table: Mutex::new(table),
        written: Level::new(end),
        synced: Level::new(end),
        bytes_appended: AtomicUsize::new(0),
        bytes_written: AtomicUsize::new(0),
        poison: Poison::new(),
        room: Room::default(),
        threads: crate::writer::Threads::default(),
    }))
}

/// The append lock: the order of appends is the order in which it is taken.
pub struct Appender<'a> {
    shared: &'a Shared,
    tail: MutexGuard<'a, Tail>,
}

impl fmt::Debug for Appender<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Appender").field("end", &self.tail.end()).finish_non_exhaustive()
    }
}

impl Appender<'_> {
    /// Adds a record whose payload is `parts` one after the other; answers its place. Copies,
    /// and never waits for the disk. Longer than `limits::RECORD_BYTES_MAX` is a mistake of ours.
    #[inline]
    pub fn append(&mut self, parts: &[&[u8]]) -> Lsn {
        let (lsn, grown) = self.tail.append(parts);
        // Plain stores: the append lock is held, the other counter is the leader's.
        let bytes = self.shared.bytes_appended.load(Ordering::Relaxed) + grown;
        self.shared.bytes_appended.store(bytes, Ordering::Relaxed);
        lsn
    }

    /// Stands for everything appended so far.
    #[inline]
    pub fn ticket(&self) -> Ticket {
        Ticket::at(self.tail.end())
    }

    /// The payload of a record that is still in memory; `None` when it is in its file by now, to
    /// be read with [`Journal::read`] after the lock is released.
    pub fn unwritten(&self, lsn: Lsn) -> Option<&[u8]> {
        self.tail.payload(lsn)
    }
}
