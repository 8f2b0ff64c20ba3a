//! The engine: opens a folder or memory, names queues, keeps documents, waits for the disk.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use trunkline_journal::{Journal, Signal, Ticket};
use trunkline_types::sync::lock;
use trunkline_types::{
    Clock, Code, Durability, Error, IdKey, Limits, Millis, QueueConfig, QueueId, QueueKind, Result,
};

use crate::core::Core;
use crate::faults::Faults;
use crate::fifo::FifoRoom;
use crate::image::{StoredDefinition, StoredDocument};
use crate::moves::MoveStatus;
use crate::options::OpenOptions;
use crate::queue::{Queue, Room};
use crate::record::Record;
use crate::registry::QueueName;
use crate::standard::StandardRoom;

/// An open engine. Dropping it closes it.
pub struct Engine {
    pub(crate) core: Arc<Core>,
}

impl Engine {
    /// Opens an engine: replays its journal, or starts empty in memory.
    pub fn open(options: OpenOptions) -> Result<Arc<Engine>> {
        crate::recovery::open(options).map(|core| Arc::new(Engine { core }))
    }

    /// Writes out everything, lets go of the folder, and refuses every later verb. Once is enough;
    /// more do no harm.
    pub fn close(&self) -> Result<()> {
        let core = &self.core;
        // A forked child shares the parent's folder: it must not write or unlock anything.
        if core.is_forked() || !core.gate.close() {
            return Ok(());
        }
        core.let_go();
        match &core.journal {
            Some(journal) => journal.close(),
            None => Ok(()),
        }
    }

    /// The engine's time.
    pub fn clock(&self) -> &Arc<Clock> {
        &self.core.clock
    }

    /// The table of bounds.
    pub fn limits(&self) -> &Limits {
        &self.core.limits
    }

    /// The key behind message ids and receipts.
    pub fn key(&self) -> IdKey {
        self.core.key
    }

    /// What "acknowledged" means here unless a call says less.
    pub fn durability(&self) -> Durability {
        self.core.durability
    }

    /// The faults to be injected.
    pub fn faults(&self) -> &Faults {
        &self.core.faults
    }

    /// Fails if the engine is closed, or belongs to the process that forked this one.
    pub fn check_open(&self) -> Result<()> {
        self.core.check_readable()
    }

    /// Creates a queue. The definition is applied when this returns; [`Engine::flush`] or the wait
    /// for any later ticket makes it durable.
    pub fn create_queue(
        &self,
        name: QueueName,
        config: QueueConfig,
        document: &[u8],
    ) -> Result<Arc<Queue>> {
        let core = &self.core;
        core.check_writable()?;
        // Creation is rare, and must not race with itself for a name.
        let _creating = lock(&core.creating);
        if core.registry.find(&name).is_some() {
            return Err(Error::new(
                Code::QueueNameExists,
                format!("A queue already exists with the name {}.", name.name),
            ));
        }
        let now = core.now();
        let id = QueueId(core.next_queue.fetch_add(1, Ordering::Relaxed));
        let room = match config.kind {
            QueueKind::Standard => Room::Standard(StandardRoom::new(1)),
            QueueKind::Fifo => Room::Fifo(FifoRoom::new(core, &config, 1)),
        };
        let definition = StoredDefinition {
            account: name.account,
            region: name.region,
            name: name.name,
            config,
            document: document.to_vec(),
            created: now,
            modified: now,
            home: None,
        };
        let queue = Arc::new(Queue::new(core.clone(), id, definition, None, room));
        queue.define(&mut core.log()?);
        core.registry.add(queue.clone());
        Ok(queue)
    }

    /// The queue of this name.
    pub fn find_queue(&self, name: &QueueName) -> Result<Option<Arc<Queue>>> {
        self.core.check_readable()?;
        Ok(self.core.registry.find(name))
    }

    /// The queue of this id.
    pub fn queue_by_id(&self, id: QueueId) -> Option<Arc<Queue>> {
        self.core.registry.get(id)
    }

    /// The queues of an account and region (`None`: of all) whose name starts with `prefix`,
    /// sorted.
    pub fn queues(
        &self,
        account: Option<&str>,
        region: Option<&str>,
        prefix: &str,
    ) -> Result<Vec<Arc<Queue>>> {
        self.core.check_readable()?;
        Ok(self.core.registry.list(account, region, prefix))
    }

    /// When a queue of this name was last removed, if no queue has the name now.
    pub fn removed_at(&self, name: &QueueName) -> Option<Millis> {
        self.core.registry.removed_at(name)
    }

    /// Stores a document of a control plane under `key`, or removes it.
    pub fn put_document(&self, key: &str, value: Option<&[u8]>) -> Result<Option<Ticket>> {
        self.core.check_writable()?;
        let mut documents = lock(&self.core.documents);
        let mut log = self.core.log()?;
        let old = documents.get(key).and_then(|document| document.home);
        match value {
            Some(value) => {
                let home = log.settle(&Record::Document { key, value: Some(value) }, old);
                documents.insert(key.to_owned(), StoredDocument { value: value.to_vec(), home });
            }
            None => {
                if documents.remove(key).is_some() {
                    log.note(&Record::Document { key, value: None });
                    old.into_iter().for_each(|home| log.leave(home));
                }
            }
        }
        Ok(log.ticket())
    }

    /// The document under `key`.
    pub fn document(&self, key: &str) -> Option<Vec<u8>> {
        lock(&self.core.documents).get(key).map(|document| document.value.clone())
    }

    /// The documents whose key starts with `prefix`, in order of their keys.
    pub fn documents(&self, prefix: &str) -> Vec<(String, Vec<u8>)> {
        let documents = lock(&self.core.documents);
        let from = documents.range(prefix.to_owned()..);
        from.take_while(|(key, _)| key.starts_with(prefix))
            .map(|(key, document)| (key.clone(), document.value.clone()))
            .collect()
    }

    /// Blocks until everything up to `ticket` is as durable as `level` says.
    pub fn wait(&self, ticket: Ticket, level: Durability) -> Result<()> {
        match &self.core.journal {
            Some(_) if level == Durability::Memory => self.core.settle_lazily(Durability::Os),
            Some(journal) => journal.commit(ticket, level),
            None => Ok(()),
        }
    }

    /// Whether a send would start at once. Otherwise it first waits, as `wait_for_room` does, until
    /// enough of what was sent before is written.
    #[inline]
    pub fn has_room(&self) -> bool {
        self.core.journal.as_ref().is_none_or(Journal::has_capacity)
    }

    /// Waits until a send would start at once; fails with `StorageFull` on a full disk.
    pub fn wait_for_room(&self) -> Result<()> {
        self.core.check_writable()?;
        self.core.wait_for_room()
    }

    /// What has to be written before a send would start, if it is too much that is unwritten.
    pub fn unwritten(&self) -> Option<Ticket> {
        let journal = self.core.journal.as_ref().filter(|journal| journal.over_write_limit())?;
        Some(journal.appended())
    }

    /// Brings everything to the engine's own level: for verbs that hand out no ticket.
    pub fn acknowledge(&self) -> Result<()> {
        match self.core.durability {
            Durability::Memory => self.core.settle_lazily(Durability::Os),
            Durability::Os | Durability::Disk => self.flush(),
        }
    }

    /// Has everything brought to `level` within a few milliseconds, without anybody waiting for it.
    pub fn settle_lazily(&self, level: Durability) -> Result<()> {
        self.core.settle_lazily(level)
    }

    /// Whether everything up to `ticket` is as durable as `level` says.
    pub fn is_settled(&self, ticket: Ticket, level: Durability) -> Result<bool> {
        match &self.core.journal {
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
        match &self.core.journal {
            Some(journal) => journal.notify_when(ticket, level, signal),
            None => {
                signal.signal();
                Ok(())
            }
        }
    }

    /// Blocks until everything so far is on disk, if the engine has a journal.
    pub fn flush(&self) -> Result<()> {
        self.core.check_readable()?;
        match &self.core.journal {
            Some(journal) => journal.flush(),
            None => Ok(()),
        }
    }

    /// Fails while disk space cannot be given back in the background, and says why: a record that
    /// is still needed may be damaged. The journal then grows, which nothing else would tell.
    pub fn check_space(&self) -> Result<()> {
        self.core.check_readable()?;
        self.core.cleaner.check()
    }

    /// Moves a virtual clock forward and runs everything that falls due on the way, in order.
    pub fn advance(&self, by: Millis) -> Result<()> {
        self.core.check_readable()?;
        advance(&self.core.clock, &[self], by)
    }

    /// Gives disk space back now, as far as it is worth it, instead of in the background.
    pub fn clean(&self) -> Result<()> {
        self.core.check_writable()?;
        crate::clean::clean(&self.core)
    }

    /// Carries what lives in the oldest segment of the journal to its tail and lets the segment go,
    /// worth it or not. [`Engine::clean`] is what an embedder wants; this is for those who test it.
    #[doc(hidden)]
    pub fn clean_oldest(&self) -> Result<()> {
        self.core.check_writable()?;
        match &self.core.journal {
            Some(journal) => crate::clean::clean_oldest(&self.core, journal),
            None => Ok(()),
        }
    }

    /// Starts moving the messages of `source` to `destination`, or each to the queue it came from,
    /// at most `rate` a second. Returns the task's number, and the ticket that stands for it.
    pub fn start_move(
        &self,
        source: QueueId,
        destination: Option<QueueId>,
        rate: Option<u32>,
    ) -> Result<(u32, Option<Ticket>)> {
        self.core.check_writable()?;
        self.core.moves.start(&self.core, source, destination, rate)
    }

    /// Cancels a move task; how many messages it has moved.
    pub fn cancel_move(&self, task: u32) -> Result<(u64, Option<Ticket>)> {
        self.core.check_writable()?;
        self.core.moves.cancel(&self.core, task)
    }

    /// The move tasks of a queue, or all, newest first.
    pub fn moves(&self, source: Option<QueueId>) -> Vec<MoveStatus> {
        self.core.sweep_if_due(self.core.now());
        self.core.moves.list(source)
    }

    /// A copy in a new folder, while the engine runs. With a journal it shows one moment. Of an
    /// engine in memory it is made message by message: each is whole, but verbs that run meanwhile
    /// may be in it or not, whatever their order.
    pub fn snapshot(&self, path: &Path) -> Result<()> {
        crate::snapshot::to_folder(&self.core, path)
    }

    /// A copy in memory, on its own clock, of one moment as far as [`Engine::snapshot`] is.
    pub fn fork(&self, clock: Arc<Clock>) -> Result<Arc<Engine>> {
        crate::snapshot::to_memory(&self.core, clock).map(|core| Arc::new(Engine { core }))
    }
}

impl Drop for Engine {
    fn drop(&mut self) {
        // A failure was or will be reported to whoever waits for a ticket; here nobody listens.
        let _ = self.close();
    }
}

/// Moves one virtual clock that several engines share, and runs what falls due in all of them in
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
    let next_due = |engine: &&Engine| engine.core.timers.next_due();
    while let Some(due) = engines.iter().filter_map(next_due).min().filter(|due| *due <= target) {
        clock.set(due);
        engines.iter().for_each(|engine| engine.core.sweep_all(clock.now()));
    }
    clock.set(target);
    Ok(())
}
