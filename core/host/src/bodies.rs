//! Bodies: content that is too large for a record, kept as files beside the journal.
//!
//! A body is written to a draft, synced, and renamed; then the kind of resource that owns it appends
//! a record that names it. So after a crash a body that a record names is whole, and one that none
//! names is swept at the next opening. Whoever reads a body holds a reference to it. When the last
//! one is gone the file is removed, once the record that gave the body up is durable.
//!
//! An engine without a journal keeps its bodies in memory.

use std::sync::{Arc, OnceLock};

use trunkline_journal::{
    File, Storage, Ticket, body_draft_name, body_name, parse_body_draft_name, parse_body_name,
};
use trunkline_types::sync::atomic::{AtomicU64, Ordering};
use trunkline_types::sync::{Mutex, MutexGuard, lock, try_lock};
use trunkline_types::{Code, Durability, Error, Result};

use crate::host::Host;

/// Numbers that one opening of an engine gives out, as a power of two.
const NUMBER_BITS: u32 = 32;
/// Openings that numbers tell apart.
const OPENINGS: u64 = (1 << 28) - 1;

/// The bodies of one engine.
pub struct Bodies {
    storage: Arc<dyn Storage>,
    next: AtomicU64,
    unused: Mutex<Unused>,
    /// Held while files are removed, and while they are copied.
    removing: Mutex<()>,
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
}

impl Bodies {
    pub(crate) fn new(storage: Arc<dyn Storage>, incarnation: u32) -> Arc<Self> {
        let next = AtomicU64::new(first_number(incarnation));
        Arc::new(Self { storage, next, unused: Mutex::default(), removing: Mutex::new(()) })
    }

    /// Begins a body.
    pub fn create(self: &Arc<Self>) -> Result<BodyWriter> {
        let id = self.next.fetch_add(1, Ordering::Relaxed);
        let file = self.storage.create(&body_draft_name(id))?;
        Ok(BodyWriter { bodies: self.clone(), id, file, len: 0, is_finished: false })
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

    fn give_up(&self, id: u64) {
        let mut unused = lock(&self.unused);
        if !unused.is_closed {
            unused.bodies.push((id, None));
        }
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

impl Host {
    /// Where bodies are kept.
    pub fn bodies(&self) -> &Arc<Bodies> {
        &self.bodies
    }

    /// Removes the files of bodies that are not used any more, as far as the records that gave them
    /// up are durable. Verbs that give bodies up call it when they are done.
    pub fn remove_unused_bodies(&self) -> Result<()> {
        if self.check_writable().is_err() {
            return Ok(());
        }
        // Nobody waits for a copy: the next verb removes what this one leaves.
        let Some(_removing) = try_lock(&self.bodies.removing) else { return Ok(()) };
        let given_up = {
            let mut unused = lock(&self.bodies.unused);
            if unused.is_closed { Vec::new() } else { std::mem::take(&mut unused.bodies) }
        };
        if given_up.is_empty() {
            return Ok(());
        }
        let appended = self.journal.as_ref().map(|journal| journal.appended());
        let mut kept = Vec::new();
        let mut removed = Ok(());
        for (id, ticket) in given_up {
            let ticket = ticket.or(appended);
            let is_durable = match ticket {
                Some(ticket) => self.is_settled(ticket, self.durability).unwrap_or(false),
                None => true,
            };
            if is_durable && removed.is_ok() {
                removed = self.bodies.storage.remove(&body_name(id));
            } else {
                kept.push((id, ticket));
            }
        }
        lock(&self.bodies.unused).bodies.extend(kept);
        removed
    }
}

/// A body that is being written. Dropping it removes what was written.
#[derive(Debug)]
pub struct BodyWriter {
    bodies: Arc<Bodies>,
    id: u64,
    file: Arc<dyn File>,
    len: u64,
    is_finished: bool,
}

impl BodyWriter {
    /// Appends bytes.
    pub fn write(&mut self, bytes: &[u8]) -> Result<()> {
        self.file.write_at(self.len, bytes)?;
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
        let body = Body::of(self.id);
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
    /// Absent while a journal is replayed.
    bodies: OnceLock<Arc<Bodies>>,
}

impl Body {
    /// The body of this id, for a loader; it belongs to no engine yet.
    pub fn of(id: u64) -> Arc<Self> {
        Arc::new(Self { id, bodies: OnceLock::new() })
    }

    /// Hands the body to the engine that keeps its file.
    pub fn attach(&self, bodies: &Arc<Bodies>) {
        let _was_attached = self.bodies.set(bodies.clone());
    }

    /// The id, for records.
    pub fn id(&self) -> u64 {
        self.id
    }

    /// Opens the file.
    pub fn open(self: &Arc<Self>) -> Result<BodyReader> {
        let opened = match self.bodies.get() {
            Some(bodies) => bodies.storage.open(&body_name(self.id))?,
            None => None,
        };
        let file = opened.ok_or_else(|| missing(self.id))?;
        Ok(BodyReader { file, _body: self.clone() })
    }
}

impl Drop for Body {
    fn drop(&mut self) {
        if let Some(bodies) = self.bodies.get() {
            bodies.give_up(self.id);
        }
    }
}

/// An open body.
#[derive(Debug)]
pub struct BodyReader {
    file: Arc<dyn File>,
    _body: Arc<Body>,
}

impl BodyReader {
    /// Reads from `offset` until `bytes` is full or the body ends; returns how many bytes there
    /// were.
    pub fn read_at(&self, offset: u64, bytes: &mut [u8]) -> Result<usize> {
        self.file.read_at(offset, bytes)
    }
}

#[cold]
fn missing(id: u64) -> Error {
    let text = format!("The data folder has no file {}. Restore it from a copy.", body_name(id));
    Error::new(Code::CorruptJournal, text)
}

#[cfg(test)]
mod tests {
    use trunkline_journal::MemoryStorage;

    use super::*;
    use crate::options::OpenOptions;

    fn host(storage: &MemoryStorage) -> Arc<Host> {
        let options =
            OpenOptions { storage: Some(Arc::new(storage.clone())), ..OpenOptions::memory() };
        Host::open(options, &[]).unwrap()
    }

    fn write(host: &Host, bytes: &[u8]) -> Arc<Body> {
        let mut writer = host.bodies().create().unwrap();
        writer.write(bytes).unwrap();
        writer.finish(Durability::Disk).unwrap()
    }

    #[test]
    fn a_body_is_there_until_its_last_reader_is_gone() {
        let host = host(&MemoryStorage::new());
        let body = write(&host, b"hello");
        let reader = body.open().unwrap();
        drop(body);
        host.remove_unused_bodies().unwrap();
        let mut bytes = [0; 8];
        assert_eq!((reader.read_at(0, &mut bytes).unwrap(), &bytes[..5]), (5, &b"hello"[..]));
        assert_eq!(host.bodies().list().unwrap().len(), 1);
        drop(reader);
        host.flush().unwrap();
        host.remove_unused_bodies().unwrap();
        assert_eq!(host.bodies().list().unwrap(), []);
    }

    #[test]
    fn what_was_not_finished_is_removed_and_closing_gives_nothing_up() {
        let storage = MemoryStorage::new();
        let first = host(&storage);
        let body = write(&first, b"kept");
        drop(first.bodies().create().unwrap());
        std::mem::forget(first.bodies().create().unwrap());
        first.close().unwrap();
        drop(body);
        first.remove_unused_bodies().unwrap();
        let again = host(&storage);
        let [id] = again.bodies().list().unwrap()[..] else { panic!("one body is kept") };
        again.bodies().sweep_orphans(&[id]).unwrap();
        assert_eq!(again.bodies().list().unwrap(), [id]);
        assert!(!storage.list().unwrap().iter().any(|name| name.ends_with("draft")));
        again.bodies().sweep_orphans(&[]).unwrap();
        assert_eq!(again.bodies().list().unwrap(), []);
    }
}
