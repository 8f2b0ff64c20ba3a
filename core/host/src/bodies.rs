//! Bodies: content that is too large for a record, kept as files beside the journal.
//!
//! A body is written to a draft, synced, and renamed; then the kind of resource that owns it
//! appends a record that names it. So after a crash a body that a record names is whole, and one
//! that none names is swept at the next opening. A reader of a body holds a reference to it. When
//! the last one is gone the file is removed, once the record that gave the body up is durable.
//!
//! An engine without a journal keeps its bodies in memory.

use std::sync::Arc;

use trunkline_journal::{
    File, Signal, Storage, Ticket, body_checksum, body_draft_name, body_name,
    parse_body_draft_name, parse_body_name,
};
use trunkline_types::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use trunkline_types::sync::{Mutex, MutexGuard, lock, try_lock};
use trunkline_types::{Code, Durability, Error, Result};

use crate::waiters::Parker;

/// Numbers that one opening of an engine gives out, as a power of two.
const NUMBER_BITS: u32 = 32;
/// Bytes that a check reads at a time.
const CHECKED_BYTES: usize = 256 << 10;
/// Openings that numbers tell apart.
const OPENINGS: u64 = (1 << 28) - 1;

/// The bodies of one engine.
pub struct Bodies {
    storage: Arc<dyn Storage>,
    next: AtomicU64,
    unused: Mutex<Unused>,
    /// Held while files are removed, and while they are copied.
    removing: Mutex<()>,
    /// Set when bodies that had to wait for a record can be removed.
    is_removal_due: AtomicBool,
}

impl std::fmt::Debug for Bodies {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Bodies").finish_non_exhaustive()
    }
}

/// Bodies that nothing refers to any more, and whose files are still there.
#[derive(Default)]
struct Unused {
    /// The ticket stands for the records that gave the body up.
    bodies: Vec<(u64, Option<Ticket>)>,
    /// Set when the engine closes: what is dropped from then on stays.
    is_closed: bool,
    /// The thread that removes files when nothing else does, once it watches.
    watcher: Option<Arc<Parker>>,
}

/// Has the ticker remove what was given up, once the record that gave it up is durable.
struct Removal {
    bodies: Arc<Bodies>,
    ticker: Arc<Parker>,
}

impl Signal for Removal {
    fn signal(&self) {
        self.bodies.is_removal_due.store(true, Ordering::Release);
        self.ticker.signal();
    }
}

impl Bodies {
    pub(crate) fn new(storage: Arc<dyn Storage>, incarnation: u32) -> Arc<Self> {
        let next = AtomicU64::new(first_number(incarnation));
        Arc::new(Self {
            storage,
            next,
            unused: Mutex::default(),
            removing: Mutex::new(()),
            is_removal_due: AtomicBool::new(false),
        })
    }

    /// Begins a body.
    pub fn create(self: &Arc<Self>) -> Result<BodyWriter> {
        let id = self.next.fetch_add(1, Ordering::Relaxed);
        let file = self.storage.create(&body_draft_name(id))?;
        Ok(BodyWriter { bodies: self.clone(), id, file, len: 0, crc: 0, is_finished: false })
    }

    /// Whether there is a file for each body, by its id; for a kind that opens.
    pub fn list(&self) -> Result<Vec<u64>> {
        let mut ids: Vec<u64> =
            self.storage.list()?.iter().filter_map(|name| parse_body_name(name)).collect();
        ids.sort_unstable();
        Ok(ids)
    }

    /// Removes the drafts, and the bodies that are not in `used`, which is sorted.
    pub fn sweep_orphans(&self, used: &[u64]) -> Result<()> {
        for name in self.storage.list()? {
            let is_orphan = parse_body_draft_name(&name).is_some()
                || parse_body_name(&name).is_some_and(|id| used.binary_search(&id).is_err());
            if is_orphan {
                self.storage.remove(&name)?;
            }
        }
        Ok(())
    }

    /// Keeps every file where it is while the result lives: for copies.
    pub(crate) fn pause(&self) -> Paused<'_> {
        Paused { storage: &*self.storage, _removing: lock(&self.removing) }
    }

    /// The engine closes: bodies that are dropped from now on are not given up.
    pub(crate) fn close(&self) {
        lock(&self.unused).is_closed = true;
    }

    /// Takes the bodies that were given up, unless the engine has closed.
    pub(crate) fn take_unused(&self) -> Vec<(u64, Option<Ticket>)> {
        let mut unused = lock(&self.unused);
        if unused.is_closed { Vec::new() } else { std::mem::take(&mut unused.bodies) }
    }

    /// Gives bodies back that cannot be removed yet.
    pub(crate) fn keep_unused(&self, bodies: Vec<(u64, Option<Ticket>)>) {
        lock(&self.unused).bodies.extend(bodies);
    }

    /// Keeps others from removing files; `None` while they are copied.
    pub(crate) fn begin_removal(&self) -> Option<MutexGuard<'_, ()>> {
        try_lock(&self.removing)
    }

    /// Whether bodies can be removed that had to wait; it says so once.
    pub(crate) fn take_removal_due(&self) -> bool {
        self.is_removal_due.load(Ordering::Relaxed)
            && self.is_removal_due.swap(false, Ordering::AcqRel)
    }

    /// What has them removed when it is signalled.
    pub(crate) fn removal(self: &Arc<Self>, ticker: Arc<Parker>) -> Arc<dyn Signal> {
        Arc::new(Removal { bodies: self.clone(), ticker })
    }

    /// Removes the file of a body.
    pub(crate) fn remove(&self, id: u64) -> Result<()> {
        self.storage.remove(&body_name(id))
    }

    fn give_up(&self, id: u64) {
        let mut unused = lock(&self.unused);
        if unused.is_closed {
            return;
        }
        unused.bodies.push((id, None));
        self.is_removal_due.store(true, Ordering::Release);
        let watcher = unused.watcher.clone();
        drop(unused);
        if let Some(watcher) = watcher {
            watcher.signal();
        }
    }

    /// Whether a thread is woken when a body is given up.
    pub(crate) fn is_watched(&self) -> bool {
        lock(&self.unused).watcher.is_some()
    }

    /// Has a thread woken when a body is given up: its last user may be a reader.
    pub(crate) fn watch(&self, watcher: Arc<Parker>) {
        lock(&self.unused).watcher = Some(watcher);
    }
}

/// The first number of those that an opening gives out: larger than all that earlier ones gave.
pub fn first_number(incarnation: u32) -> u64 {
    (u64::from(incarnation) & OPENINGS) << NUMBER_BITS | 1
}

/// Files that stay.
pub(crate) struct Paused<'a> {
    pub storage: &'a dyn Storage,
    _removing: MutexGuard<'a, ()>,
}

/// What proves that a body is as it was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BodyChecksum {
    /// Its length.
    pub bytes: u64,
    /// The CRC32C of its bytes.
    pub crc: u32,
}

/// A body that a record names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NamedBody {
    /// Its id.
    pub id: u64,
    /// Bytes that it has at least.
    pub bytes: u64,
    /// Of the whole body; `None` if an earlier version wrote it.
    pub checksum: Option<BodyChecksum>,
}

/// A body that is being written. Dropping it removes what was written.
#[derive(Debug)]
pub struct BodyWriter {
    bodies: Arc<Bodies>,
    id: u64,
    file: Arc<dyn File>,
    len: u64,
    crc: u32,
    is_finished: bool,
}

impl BodyWriter {
    /// Appends bytes.
    pub fn write(&mut self, bytes: &[u8]) -> Result<()> {
        self.file.write_at(self.len, bytes)?;
        self.crc = body_checksum(self.crc, bytes);
        self.len += bytes.len() as u64;
        Ok(())
    }

    /// How many bytes were written.
    pub fn written(&self) -> u64 {
        self.len
    }

    /// Ends the body. It survives the machine if `durability` is [`Durability::Disk`].
    pub fn finish(mut self, durability: Durability) -> Result<Arc<Body>> {
        let storage = &self.bodies.storage;
        let is_synced = durability == Durability::Disk;
        if is_synced {
            self.file.sync_data()?;
        }
        storage.rename(&body_draft_name(self.id), &body_name(self.id))?;
        self.is_finished = true;
        let body = Body::of(self.id, Some(BodyChecksum { bytes: self.len, crc: self.crc }));
        body.attach(&self.bodies);
        if is_synced {
            storage.sync_dir()?;
        }
        Ok(body)
    }
}

impl Drop for BodyWriter {
    fn drop(&mut self) {
        if !self.is_finished {
            // Best effort: the next opening sweeps what is left.
            let _removed = self.bodies.storage.remove(&body_draft_name(self.id));
        }
    }
}

/// A body that is whole. The last reference gives its file up.
#[derive(Debug)]
pub struct Body {
    id: u64,
    checksum: Option<BodyChecksum>,
    /// Absent while a journal is replayed.
    bodies: Mutex<Option<Arc<Bodies>>>,
}

impl Body {
    /// The body of this id, for a loader; it belongs to no engine yet.
    pub fn of(id: u64, checksum: Option<BodyChecksum>) -> Arc<Self> {
        Arc::new(Self { id, checksum, bodies: Mutex::default() })
    }

    /// What proves that it is as it was written; `None` if an earlier version wrote it.
    pub fn checksum(&self) -> Option<BodyChecksum> {
        self.checksum
    }

    /// Hands the body to the engine that keeps its file.
    pub fn attach(&self, bodies: &Arc<Bodies>) {
        *lock(&self.bodies) = Some(bodies.clone());
    }

    /// The id, for records.
    pub fn id(&self) -> u64 {
        self.id
    }

    /// Opens the file.
    pub fn open(self: &Arc<Self>) -> Result<BodyReader> {
        let opened = match &*lock(&self.bodies) {
            Some(bodies) => bodies.storage.open(&body_name(self.id))?,
            None => None,
        };
        let file = opened.ok_or_else(|| missing(self.id))?;
        Ok(BodyReader { file, body: self.clone(), read: BodyChecksum { bytes: 0, crc: 0 } })
    }
}

impl Drop for Body {
    fn drop(&mut self) {
        if let Some(bodies) = &*lock(&self.bodies) {
            bodies.give_up(self.id);
        }
    }
}

/// An open body. Who reads all of it, in order, is told if it is not as it was written.
#[derive(Debug)]
pub struct BodyReader {
    file: Arc<dyn File>,
    body: Arc<Body>,
    /// Of what was read from the start on without a gap.
    read: BodyChecksum,
}

impl BodyReader {
    /// Reads from `offset` until `bytes` is full or the body ends; returns how many bytes there
    /// were. The read that ends a whole one fails if the body is damaged.
    pub fn read_at(&mut self, offset: u64, bytes: &mut [u8]) -> Result<usize> {
        let count = self.file.read_at(offset, bytes)?;
        if offset == self.read.bytes {
            self.read.crc = body_checksum(self.read.crc, &bytes[..count]);
            self.read.bytes += count as u64;
            let is_whole = |written: &BodyChecksum| written.bytes == self.read.bytes;
            if self.body.checksum.filter(is_whole).is_some_and(|written| written != self.read) {
                return Err(damaged_body(self.body.id));
            }
        }
        Ok(count)
    }
}

/// Fails unless a file holds what was written to the body `id`.
pub(crate) fn check_body(file: &dyn File, id: u64, written: BodyChecksum) -> Result<()> {
    let mut bytes = vec![0; CHECKED_BYTES];
    let mut read = BodyChecksum { bytes: 0, crc: 0 };
    while read.bytes < written.bytes {
        let wanted =
            bytes.len().min(usize::try_from(written.bytes - read.bytes).unwrap_or(usize::MAX));
        let count = file.read_at(read.bytes, &mut bytes[..wanted])?;
        if count == 0 {
            break;
        }
        read.crc = body_checksum(read.crc, &bytes[..count]);
        read.bytes += count as u64;
    }
    if read == written { Ok(()) } else { Err(damaged_body(id)) }
}

#[cold]
fn damaged_body(id: u64) -> Error {
    let name = body_name(id);
    let text = format!("The file {name} is not as it was written. Restore it from a copy.");
    Error::new(Code::CorruptJournal, text)
}

#[cold]
fn missing(id: u64) -> Error {
    let text = format!("The data folder has no file {}. Restore it from a copy.", body_name(id));
    Error::new(Code::CorruptJournal, text)
}
