//! The engine: opens a folder or memory, names queues, keeps documents, waits for the disk.

use std::path::Path;
use std::sync::Arc;
use trunkline_types::sync::atomic::Ordering;

use trunkline_journal::{Journal, Signal, Ticket};
use trunkline_types::sync::lock;
use trunkline_types::{
    Clock, Code, Durability, Error, IdKey, Limits, Millis, QueueConfig, QueueKind, ResourceId,
    Result,
};

use crate::faults::Faults;
use crate::fifo::FifoQueue;
use crate::host::Host;
use crate::image::{StoredDefinition, StoredDocument};
use crate::options::OpenOptions;
use crate::queue::{Kind, Queue};
use crate::record::Record;
use crate::redrive::RedriveStatus;
use crate::registry::QueueName;
use crate::standard::StandardQueue;

/// An open engine. Dropping it closes it.
pub struct Engine {
    pub(crate) host: Arc<Host>,
}

impl Engine {
    /// Opens an engine: replays its journal, or starts empty in memory.
    pub fn open(options: OpenOptions) -> Result<Arc<Engine>> {
        crate::open::open(options).map(|host| Arc::new(Engine { host }))
    }

    /// Writes out everything, lets go of the folder, and refuses every later verb. Once is enough;
    /// more do no harm.
    pub fn close(&self) -> Result<()> {
        let host = &self.host;
        // A forked child shares the parent's folder: it must not write or unlock anything.
        if host.is_forked() || !host.gate.close() {
            return Ok(());
        }
        host.let_go();
        match &host.journal {
            Some(journal) => journal.close(),
            None => Ok(()),
        }
    }

    /// The engine's time.
    pub fn clock(&self) -> &Arc<Clock> {
        &self.host.clock
    }

    /// The table of bounds.
    pub fn limits(&self) -> &Limits {
        &self.host.limits
    }

    /// The key behind message ids and receipts.
    pub fn key(&self) -> IdKey {
        self.host.key
    }

    /// What "acknowledged" means here unless a call says less.
    pub fn durability(&self) -> Durability {
        self.host.durability
    }

    /// The faults to be injected.
    pub fn faults(&self) -> &Faults {
        &self.host.faults
    }

    /// Fails if the engine is closed, or belongs to the process that forked this one.
    pub fn check_open(&self) -> Result<()> {
        self.host.check_readable()
    }

    /// Creates a queue. The definition is applied when this returns; [`Engine::flush`] or the wait
    /// for any later ticket makes it durable.
    pub fn create_queue(
        &self,
        name: QueueName,
        config: QueueConfig,
        document: &[u8],
    ) -> Result<Arc<Queue>> {
        let host = &self.host;
        host.check_writable()?;
        // Creation is rare, and must not race with itself for a name.
        let _creating = lock(&host.creating);
        if host.registry.find(&name).is_some() {
            return Err(Error::new(
                Code::QueueNameExists,
                format!("A queue already exists with the name {}.", name.name),
            ));
        }
        let now = host.now();
        let id = ResourceId(host.next_queue.fetch_add(1, Ordering::Relaxed));
        let room = match config.kind {
            QueueKind::Standard => Kind::Standard(StandardQueue::new(1)),
            QueueKind::Fifo => Kind::Fifo(FifoQueue::new(host, &config, 1)),
        };
        let definition = StoredDefinition {
            account: name.account,
            region: name.region,
            name: name.name,
            config,
            document: document.to_vec(),
            created: now,
            modified: now,
            location: None,
        };
        let queue = Arc::new(Queue::new(host.clone(), id, definition, None, room));
        queue.define(&mut host.append()?);
        host.registry.add(queue.clone());
        Ok(queue)
    }

    /// The queue of this name.
    pub fn find_queue(&self, name: &QueueName) -> Result<Option<Arc<Queue>>> {
        self.host.check_readable()?;
        Ok(self.host.registry.find(name))
    }

    /// The queue of this id.
    pub fn queue_by_id(&self, id: ResourceId) -> Option<Arc<Queue>> {
        self.host.registry.get(id)
    }

    /// The queues of an account and region (`None`: of all) whose name starts with `prefix`,
    /// sorted.
    pub fn queues(
        &self,
        account: Option<&str>,
        region: Option<&str>,
        prefix: &str,
    ) -> Result<Vec<Arc<Queue>>> {
        self.host.check_readable()?;
        Ok(self.host.registry.list(account, region, prefix))
    }

    /// When a queue of this name was last removed, if no queue has the name now.
    pub fn removed_at(&self, name: &QueueName) -> Option<Millis> {
        self.host.registry.removed_at(name)
    }

    /// Stores a document of a control plane under `key`, or removes it.
    pub fn put_document(&self, key: &str, value: Option<&[u8]>) -> Result<Option<Ticket>> {
        self.host.check_writable()?;
        let mut documents = lock(&self.host.documents);
        let mut log = self.host.append()?;
        let old = documents.get(key).and_then(|document| document.location);
        match value {
            Some(value) => {
                let location = log.append_live(&Record::Document { key, value: Some(value) }, old);
                documents
                    .insert(key.to_owned(), StoredDocument { value: value.to_vec(), location });
            }
            None => {
                if documents.remove(key).is_some() {
                    log.append(&Record::Document { key, value: None });
                    old.into_iter().for_each(|location| log.release(location));
                }
            }
        }
        Ok(log.ticket())
    }

    /// The document under `key`.
    pub fn document(&self, key: &str) -> Option<Vec<u8>> {
        lock(&self.host.documents).get(key).map(|document| document.value.clone())
    }

    /// The documents whose key starts with `prefix`, in order of their keys.
    pub fn documents(&self, prefix: &str) -> Vec<(String, Vec<u8>)> {
        let documents = lock(&self.host.documents);
        let from = documents.range(prefix.to_owned()..);
        from.take_while(|(key, _)| key.starts_with(prefix))
            .map(|(key, document)| (key.clone(), document.value.clone()))
            .collect()
    }

    /// Blocks until everything up to `ticket` is as durable as `level` says.
    pub fn wait(&self, ticket: Ticket, level: Durability) -> Result<()> {
        match &self.host.journal {
            Some(_) if level == Durability::Memory => self.host.flush_in_background(Durability::Os),
            Some(journal) => journal.commit(ticket, level),
            None => Ok(()),
        }
    }

    /// Whether a send would start at once. Otherwise it first waits, as `wait_for_capacity` does,
    /// until enough of what was sent before is written.
    #[inline]
    pub fn has_capacity(&self) -> bool {
        self.host.journal.as_ref().is_none_or(Journal::has_capacity)
    }

    /// Waits until a send would start at once; fails with `StorageFull` on a full disk.
    pub fn wait_for_capacity(&self) -> Result<()> {
        self.host.check_writable()?;
        self.host.wait_for_capacity()
    }

    /// What has to be written before a send would start, if it is too much that is unwritten.
    pub fn unwritten(&self) -> Option<Ticket> {
        let journal = self.host.journal.as_ref().filter(|journal| journal.over_write_limit())?;
        Some(journal.appended())
    }

    /// Brings everything to the engine's own level: for verbs that hand out no ticket.
    pub fn acknowledge(&self) -> Result<()> {
        match self.host.durability {
            Durability::Memory => self.host.flush_in_background(Durability::Os),
            Durability::Os | Durability::Disk => self.flush(),
        }
    }

    /// Has everything brought to `level` within a few milliseconds, without anybody waiting for it.
    pub fn flush_in_background(&self, level: Durability) -> Result<()> {
        self.host.flush_in_background(level)
    }

    /// Whether everything up to `ticket` is as durable as `level` says.
    pub fn is_settled(&self, ticket: Ticket, level: Durability) -> Result<bool> {
        match &self.host.journal {
            Some(journal) => journal.is_settled(ticket, level),
            None => Ok(true),
        }
    }

    /// Calls `signal` once when everything up to `ticket` is as durable as `level` says, or when it
    /// is known that it will not be; [`Engine::is_settled`] tells which.
    pub fn notify_when(
        &self,
        ticket: Ticket,
        level: Durability,
        signal: Arc<dyn Signal>,
    ) -> Result<()> {
        match &self.host.journal {
            Some(journal) => journal.notify_when(ticket, level, signal),
            None => {
                signal.signal();
                Ok(())
            }
        }
    }

    /// Blocks until everything so far is on disk, if the engine has a journal.
    pub fn flush(&self) -> Result<()> {
        self.host.check_readable()?;
        match &self.host.journal {
            Some(journal) => journal.flush(),
            None => Ok(()),
        }
    }

    /// Fails while disk space cannot be given back in the background, and says why: a record that
    /// is still needed may be damaged. The journal then grows, which nothing else would tell.
    pub fn check_space(&self) -> Result<()> {
        self.host.check_readable()?;
        self.host.compactor.check()
    }

    /// Redrives a virtual clock forward and runs everything that falls due on the way, in order.
    pub fn advance(&self, by: Millis) -> Result<()> {
        self.host.check_readable()?;
        advance(&self.host.clock, &[self], by)
    }

    /// Gives disk space back now, as far as it is worth it, instead of in the background.
    pub fn compact(&self) -> Result<()> {
        self.host.check_writable()?;
        crate::compaction::compact(&self.host)
    }

    /// Carries what lives in the oldest segment of the journal to its tail and lets the segment go,
    /// worth it or not. [`Engine::clean`] is what an embedder wants; this is for those who test it.
    #[doc(hidden)]
    pub fn compact_oldest(&self) -> Result<()> {
        self.host.check_writable()?;
        match &self.host.journal {
            Some(journal) => crate::compaction::compact_oldest(&self.host, journal),
            None => Ok(()),
        }
    }

    /// Starts moving the messages of `source` to `destination`, or each to the queue it came from,
    /// at most `rate` a second. Returns the task's number, and the ticket that stands for it.
    pub fn start_redrive(
        &self,
        source: ResourceId,
        destination: Option<ResourceId>,
        rate: Option<u32>,
    ) -> Result<(u32, Option<Ticket>)> {
        self.host.check_writable()?;
        self.host.redrives.start(&self.host, source, destination, rate)
    }

    /// Cancels a move task; how many messages it has moved.
    pub fn cancel_redrive(&self, task: u32) -> Result<(u64, Option<Ticket>)> {
        self.host.check_writable()?;
        self.host.redrives.cancel(&self.host, task)
    }

    /// The move tasks of a queue, or all, newest first.
    pub fn redrives(&self, source: Option<ResourceId>) -> Vec<RedriveStatus> {
        self.host.sweep_if_due(self.host.now());
        self.host.redrives.list(source)
    }

    /// A copy in a new folder, while the engine runs. With a journal it shows one moment. Of an
    /// engine in memory it is made message by message: each is whole, but verbs that run meanwhile
    /// may be in it or not, whatever their order.
    pub fn snapshot(&self, path: &Path) -> Result<()> {
        crate::snapshot::to_folder(&self.host, path)
    }

    /// A copy in memory, on its own clock, of one moment as far as [`Engine::snapshot`] is.
    pub fn fork(&self, clock: Arc<Clock>) -> Result<Arc<Engine>> {
        crate::snapshot::to_memory(&self.host, clock).map(|host| Arc::new(Engine { host }))
    }
}

impl Drop for Engine {
    fn drop(&mut self) {
        // A failure was or will be reported to whoever waits for a ticket; here nobody listens.
        let _ = self.close();
    }
}

/// Redrives one virtual clock that several engines share, and runs what falls due in all of them in
/// order of time.
pub fn advance(clock: &Clock, engines: &[&Engine], by: Millis) -> Result<()> {
    if !clock.is_virtual() {
        return Err(Error::new(
            Code::UnsupportedOperation,
            "The engine follows the system's clock, which cannot be advanced. Open it with a \
             virtual clock.",
        ));
    }
    let target = clock.now().saturating_add(by);
    let next_due = |engine: &&Engine| engine.host.timers.next_due();
    while let Some(due) = engines.iter().filter_map(next_due).min().filter(|due| *due <= target) {
        clock.set(due);
        engines.iter().for_each(|engine| engine.host.sweep_all(clock.now()));
    }
    clock.set(target);
    Ok(())
}
