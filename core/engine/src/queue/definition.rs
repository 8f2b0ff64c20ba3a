//! What a queue is: its rules and document, changed, removed, written and relocated.

use trunkline_host::{Append, Location};
use trunkline_journal::Ticket;
use trunkline_types::sync::atomic::Ordering;
use trunkline_types::sync::lock;
use trunkline_types::{Code, Error, QueueConfig, ResourceId, ResourceName, Result};

use super::{Kind, QUEUE, Queue};
use crate::queue::component::name_of_target;
use crate::queue::operation::{CONFIGURE, REMOVE};
use crate::queue::record::{Definition, Record};
use crate::queue::replay::StoredDefinition;

impl Queue {
    /// Replaces the queue's rules and document. The kind of a queue never changes.
    pub fn configure(&self, config: QueueConfig, document: &[u8]) -> Result<Option<Ticket>> {
        let call = self.admit(CONFIGURE)?;
        self.check_present()?;
        if config.kind != self.kind() {
            return Err(Error::new(
                Code::InvalidAttributeValue,
                "Invalid value for the parameter FifoQueue. Reason: Modifying queue type is not \
                 supported.",
            ));
        }
        let now = call.now(&self.host);
        let ticket = {
            let mut definition = lock(&self.definition);
            let mut changed = definition.clone();
            (changed.config, changed.document) = (config, document.to_vec());
            changed.modified = now;
            let found = name_of_target(&self.host, &changed.config);
            let same = changed.config.dead_letter.map(|dead| dead.queue)
                == definition.config.dead_letter.map(|dead| dead.queue);
            // A target that is gone keeps its name, for the day it is made again.
            changed.dead_letter_name =
                found.or_else(|| changed.dead_letter_name.take().filter(|_| same));
            let mut log = self.host.append_at(now)?;
            changed.location = self.record_definition(&mut log, &changed, definition.location());
            if changed.config.dedup_scope != definition.config.dedup_scope {
                self.rules.keep_other_scope(now + self.host.limits.dedup_window);
            }
            *definition = changed;
            self.rules.set(&definition.config);
            log.ticket()
        };
        self.forget_grants();
        match &self.inner {
            Kind::Standard(standard) => standard.rules_changed(self),
            Kind::Fifo(fifo) => fifo.rules_changed(self, now),
        }
        self.wake(usize::MAX);
        Ok(ticket)
    }

    /// Removes the queue and everything in it.
    pub fn remove(&self) -> Result<Option<Ticket>> {
        let call = self.admit(REMOVE)?;
        self.check_present()?;
        let now = call.now(&self.host);
        let ticket = {
            let definition = lock(&self.definition);
            let mut log = self.host.append_at(now)?;
            if self.removed.swap(true, Ordering::AcqRel) {
                return Ok(log.ticket());
            }
            log.append(&Record::Removed { queue: self.id, at: now });
            if let Some(location) = definition.location() {
                log.release(location);
            }
            self.release_purge(&mut log);
            self.host.directory.remove(self, now);
            log.ticket()
        };
        match &self.inner {
            Kind::Standard(standard) => standard.empty(self)?,
            Kind::Fifo(fifo) => fifo.empty(self)?,
        }
        self.waiters.wake_all();
        Ok(ticket)
    }

    /// Writes the definition again if its location is in `segment`.
    ///
    /// Lock order, as in `configure`: the definition, then the append lock.
    pub(crate) fn relocate_definition(&self, segment: u32) -> Result<()> {
        let mut definition = lock(&self.definition);
        let old = definition.location().filter(|location| location.segment() == segment);
        if old.is_none() {
            return Ok(());
        }
        let mut log = self.host.append()?;
        if !self.is_removed() {
            definition.location = self.record_definition(&mut log, &definition.clone(), old);
        }
        Ok(())
    }

    /// Writes the definition for the first time.
    pub(crate) fn define(&self, log: &mut Append<'_>) {
        let mut definition = lock(&self.definition);
        definition.location = self.record_definition(log, &definition.clone(), None);
    }

    pub(crate) fn learn_dead_letter_name(&self) {
        let mut definition = lock(&self.definition);
        if definition.dead_letter_name.is_none() {
            definition.dead_letter_name = name_of_target(&self.host, &definition.config);
        }
    }

    /// The dead-letter queue of this queue. One that was removed and made again under its name is
    /// the target again.
    pub(crate) fn dead_letter_target(&self) -> Option<ResourceId> {
        let dead = self.rules.dead_letter()?;
        let directory = &self.host.directory;
        let target = Some(dead.queue).filter(|id| directory.contains(*id)).or_else(|| {
            let name = lock(&self.definition).dead_letter_name.clone()?;
            directory.id_of(&name)
        });
        target.filter(|target| *target != self.id)
    }

    pub(crate) fn stored_definition(&self) -> StoredDefinition {
        lock(&self.definition).clone()
    }

    fn record_definition(
        &self,
        log: &mut Append<'_>,
        definition: &StoredDefinition,
        old: Option<Location>,
    ) -> Option<Location> {
        log.append_live(&Record::Defined(definition.record(self.id, self.next_seq())), old)
    }
}

impl StoredDefinition {
    pub fn name(&self) -> ResourceName {
        ResourceName::new(QUEUE, &*self.account, &*self.region, &*self.name)
    }

    pub fn location(&self) -> Option<Location> {
        self.location
    }

    pub fn record(&self, queue: ResourceId, next_seq: u64) -> Definition<'_> {
        Definition {
            queue,
            account: &self.account,
            region: &self.region,
            name: &self.name,
            config: self.config.clone(),
            dead_letter_name: self
                .dead_letter_name
                .as_ref()
                .map(|name| [&*name.account, &*name.region, &*name.name]),
            document: &self.document,
            created: self.created,
            modified: self.modified,
            next_seq,
        }
    }
}
