//! What a queue is: its rules and document, changed, removed, written and carried.

use std::sync::atomic::Ordering;

use trunkline_journal::Ticket;
use trunkline_types::sync::lock;
use trunkline_types::{Code, Error, QueueConfig, QueueId, Result};

use super::{Queue, Room};
use crate::image::StoredDefinition;
use crate::log::{Home, Log};
use crate::record::{Definition, Record};
use crate::registry::QueueName;

impl Queue {
    /// Replaces the queue's rules and document. The kind of a queue never changes.
    pub fn configure(&self, config: QueueConfig, document: &[u8]) -> Result<Option<Ticket>> {
        self.check_writable()?;
        if config.kind != self.kind() {
            return Err(Error::new(
                Code::InvalidAttributeValue,
                "Invalid value for the parameter FifoQueue. Reason: Modifying queue type is not \
                 supported.",
            ));
        }
        let now = self.core.now();
        let ticket = {
            let mut definition = lock(&self.definition);
            let mut changed = definition.clone();
            (changed.config, changed.document) = (config, document.to_vec());
            changed.modified = now;
            let mut log = self.core.log()?;
            changed.home = self.record_definition(&mut log, &changed, definition.home());
            if changed.config.dedup_scope != definition.config.dedup_scope {
                self.rules.keep_other_scope(now + self.core.limits.dedup_window);
            }
            *definition = changed;
            self.rules.set(&definition.config);
            log.ticket()
        };
        match &self.room {
            Room::Standard(room) => room.rules_changed(self),
            Room::Fifo(room) => room.rules_changed(self, now),
        }
        self.wake(usize::MAX);
        Ok(ticket)
    }

    /// Removes the queue and everything in it.
    pub fn remove(&self) -> Result<Option<Ticket>> {
        self.check_writable()?;
        let now = self.core.now();
        let ticket = {
            let definition = lock(&self.definition);
            let mut log = self.core.log()?;
            if self.removed.swap(true, Ordering::AcqRel) {
                return Ok(log.ticket());
            }
            log.note(&Record::Removed { queue: self.id, at: now });
            if let Some(home) = definition.home() {
                log.leave(home);
            }
            self.core.registry.remove(self, now);
            log.ticket()
        };
        match &self.room {
            Room::Standard(room) => room.empty(self)?,
            Room::Fifo(room) => room.empty(self)?,
        }
        self.waiters.wake_all();
        Ok(ticket)
    }

    /// Writes the definition again if its home is in `segment`.
    ///
    /// Lock order, as in `configure`: the definition, then the append lock.
    pub(crate) fn carry_definition(&self, segment: u32) -> Result<()> {
        let mut definition = lock(&self.definition);
        let old = definition.home().filter(|home| home.lsn.segment() == segment);
        if old.is_none() {
            return Ok(());
        }
        let mut log = self.core.log()?;
        if !self.is_removed() {
            definition.home = self.record_definition(&mut log, &definition.clone(), old);
        }
        Ok(())
    }

    /// Writes the definition for the first time.
    pub(crate) fn define(&self, log: &mut Log<'_>) {
        let mut definition = lock(&self.definition);
        definition.home = self.record_definition(log, &definition.clone(), None);
    }

    pub(crate) fn stored_definition(&self) -> StoredDefinition {
        lock(&self.definition).clone()
    }

    fn record_definition(
        &self,
        log: &mut Log<'_>,
        definition: &StoredDefinition,
        old: Option<Home>,
    ) -> Option<Home> {
        log.settle(&Record::Defined(definition.record(self.id, self.next_seq())), old)
    }
}

impl StoredDefinition {
    pub fn name(&self) -> QueueName {
        QueueName {
            account: self.account.clone(),
            region: self.region.clone(),
            name: self.name.clone(),
        }
    }

    pub fn home(&self) -> Option<Home> {
        self.home
    }

    pub fn record(&self, queue: QueueId, next_seq: u64) -> Definition<'_> {
        Definition {
            queue,
            account: &self.account,
            region: &self.region,
            name: &self.name,
            config: self.config.clone(),
            document: &self.document,
            created: self.created,
            modified: self.modified,
            next_seq,
        }
    }
}
