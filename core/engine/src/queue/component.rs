//! Queues as a kind of resource: how they are loaded, relocated, copied and removed as a whole.

use std::sync::Arc;

use trunkline_host::{
    Accepted, CheckpointSink, Component, ComponentKind, Documents, Encode, Host, Jobs, Loader,
    Location, Payloads, Resource, ResourceReport, Routed,
};
use trunkline_types::sync::atomic::Ordering;
use trunkline_types::sync::{Mutex, lock};
use trunkline_types::{
    Code, Error, Limits, Millis, QueueConfig, QueueKind, ResourceId, ResourceName, Result,
};

use crate::queue::envelope::SHARED;
use crate::queue::fifo::FifoQueue;
use crate::queue::purge::Purge;
use crate::queue::record::{KINDS, Record};
use crate::queue::redrive::Redrives;
use crate::queue::replay::{QueueImage, QueueLoader, StoredDefinition};
use crate::queue::shared::Restoring;
use crate::queue::standard::StandardQueue;
use crate::queue::{Kind, Queue, operation};

/// The kind of queues, for the table of kinds.
pub static QUEUES: ComponentKind = ComponentKind {
    name: "queue",
    records: KINDS,
    operations: &[operation::SEND, operation::RECEIVE, operation::DELETE, operation::EXTEND],
    loader: |_: &Limits| Box::<QueueLoader>::default(),
};

/// Limits may be raised, but not beyond what a record of the journal can hold.
pub(crate) fn check_limits(limits: &Limits) -> Result<()> {
    const MESSAGE_BYTES_MAX: u32 = 512 << 20;
    if limits.message_bytes_max > MESSAGE_BYTES_MAX {
        return Err(Error::new(
            Code::InvalidParameterValue,
            format!(
                "limits.message_bytes_max is {}; {MESSAGE_BYTES_MAX} bytes is the most. Keep \
                 larger bodies elsewhere and send where they are.",
                limits.message_bytes_max
            ),
        ));
    }
    Ok(())
}

/// All queues of an engine.
pub(crate) struct Queues {
    host: Arc<Host>,
    /// Held while a queue is created, so that a name is given once.
    creating: Mutex<()>,
    pub redrives: Redrives,
}

impl Queues {
    /// Creates a queue. Its definition is applied when this returns, and durable with any later
    /// ticket.
    pub fn create(
        &self,
        name: ResourceName,
        config: QueueConfig,
        document: &[u8],
    ) -> Result<Arc<Queue>> {
        let host = &self.host;
        let call = host.admit(operation::CREATE, &name)?;
        // Creation is rare, and must not race with itself for a name.
        let _creating = lock(&self.creating);
        if host.directory.id_of(&name).is_some() {
            return Err(Error::new(
                Code::QueueNameExists,
                format!("A queue already exists with the name {}.", name.name),
            ));
        }
        let now = call.now(host);
        let definition = StoredDefinition {
            account: name.account,
            region: name.region,
            name: name.name,
            dead_letter_name: name_of_target(host, &config),
            config,
            document: document.to_vec(),
            created: now,
            modified: now,
            location: None,
        };
        let kind = kind(host, &definition.config, 1);
        let queue =
            Arc::new(Queue::new(host.clone(), host.next_id(), definition, Purge::default(), kind));
        // In one step: a checkpoint behind the record finds the queue in the directory.
        let mut log = host.append_at(now)?;
        queue.define(&mut log);
        host.directory.add(queue.clone());
        drop(log);
        Ok(queue)
    }

    fn all(&self) -> Vec<Arc<Queue>> {
        self.host.directory.all()
    }
}

/// The name of the dead-letter queue of a queue with these rules, if there is such a queue.
pub(crate) fn name_of_target(host: &Host, config: &QueueConfig) -> Option<ResourceName> {
    let target = host.directory.any(config.dead_letter?.queue)?;
    Some(target.name().clone())
}

fn kind(host: &Host, config: &QueueConfig, next_seq: u64) -> Kind {
    match config.kind {
        QueueKind::Standard => Kind::Standard(StandardQueue::new(next_seq)),
        QueueKind::Fifo => Kind::Fifo(FifoQueue::new(host, config, next_seq)),
    }
}

impl Loader for QueueLoader {
    fn apply(&mut self, at: Location, record: &[u8]) -> Result<()> {
        self.add(at, record)
    }

    fn join(&mut self, earlier: &[Box<dyn Loader>]) {
        self.drop_uncommitted(earlier);
    }

    fn restore(&mut self, section: &[u8]) -> Result<()> {
        self.add_block(section)
    }

    fn last_id(&self) -> Option<ResourceId> {
        self.last_id()
    }

    fn report(&self, now: Millis) -> Vec<ResourceReport> {
        let there = self.queues.values().filter(|image| image.removed_at.is_none());
        there.filter_map(|image| image.report(now)).collect()
    }

    fn finish(self: Box<Self>, host: &Arc<Host>) -> Result<Arc<dyn Component>> {
        let documents = host.component::<Documents>().ok_or_else(|| {
            Error::new(Code::InternalError, "Queues keep their redrive tasks in documents.")
        })?;
        let payloads = host.component::<Payloads>().ok_or_else(|| {
            Error::new(Code::InternalError, "Messages of queues may share their payload.")
        })?;
        payloads.never_again(self.last_payload);
        for (id, definition, image) in self.existing() {
            restore(host, &payloads, id, definition, image);
        }
        // Definitions of earlier versions name the dead-letter queue by its id alone.
        host.directory.all::<Queue>().iter().for_each(|queue| queue.learn_dead_letter_name());
        let redrives = Redrives::resume(host, documents, QUEUES.owner());
        Ok(Arc::new(Queues { host: host.clone(), creating: Mutex::new(()), redrives }))
    }
}

fn restore(
    host: &Arc<Host>,
    payloads: &Payloads,
    id: ResourceId,
    definition: StoredDefinition,
    mut image: QueueImage,
) {
    let now = host.now();
    definition.location.into_iter().for_each(|location| host.live_bytes().add(location, now));
    let (purged, retention) = (image.purged.opened(now), definition.config.retention);
    purged.location.into_iter().for_each(|location| host.live_bytes().add(location, now));
    let named = std::mem::take(&mut image.shared);
    let mut kind = kind(host, &definition.config, image.next_seq.max(1));
    let (mut image, mut shared) = (Some(image), Vec::new());
    if let Kind::Standard(standard) = &mut kind
        && let Some(image) = image.take()
    {
        shared = standard.restore(host, id, retention, image);
    }
    let queue = Arc::new(Queue::new(host.clone(), id, definition, purged, kind));
    let restoring = Restoring { references: &queue.references, payloads, named };
    shared.into_iter().for_each(|seq| restoring.message(seq, SHARED));
    if let (Kind::Fifo(fifo), Some(image)) = (queue.inner(), image) {
        fifo.restore(&queue, image, &restoring);
    }
    host.directory.add(queue);
}

impl Component for Queues {
    fn needs(&self, newest: Millis, now: Millis) -> bool {
        // The ids of a FIFO queue's dedup window are not counted as live.
        newest + self.host.limits.dedup_window >= now
            && self.all().iter().any(|queue| queue.kind() == QueueKind::Fifo)
    }

    fn relocate(&self, segment: u32) -> Result<()> {
        for queue in self.all() {
            queue.relocate_definition(segment)?;
            queue.relocate_purge(segment)?;
            match queue.inner() {
                Kind::Standard(standard) => standard.relocate(&queue, segment)?,
                Kind::Fifo(fifo) => fifo.relocate(&queue, segment)?,
            }
        }
        Ok(())
    }

    fn export(&self, sink: &mut dyn FnMut(&[u8]) -> Result<()>) -> Result<()> {
        let mut each = |record: &Record<'_>| {
            let mut bytes = Vec::new();
            record.encode(&mut bytes);
            sink(&bytes)
        };
        for queue in self.all() {
            let definition = queue.stored_definition();
            each(&Record::Defined(definition.record(queue.id(), queue.next_seq())))?;
            match queue.inner() {
                Kind::Standard(standard) => standard.export(&queue, &mut each)?,
                Kind::Fifo(fifo) => fifo.export(&queue, &mut each)?,
            }
        }
        Ok(())
    }

    fn checkpoint(&self, sink: &mut CheckpointSink<'_>) -> Result<bool> {
        self.all().iter().try_for_each(|queue| queue.checkpoint(sink))?;
        Ok(true)
    }

    fn report(&self, _: Millis) -> Vec<ResourceReport> {
        let report = |queue: &Arc<Queue>| {
            let statistics = queue.statistics().ok()?;
            let counters = vec![
                ("fifo", u64::from(queue.kind() == QueueKind::Fifo)),
                ("messages", statistics.visible + statistics.in_flight + statistics.delayed),
                ("in_flight", statistics.in_flight),
                ("delayed", statistics.delayed),
                ("oldest_sent", statistics.oldest_sent.unwrap_or(0)),
            ];
            Some(ResourceReport { name: queue.name().clone(), counters })
        };
        self.all().iter().filter_map(report).collect()
    }

    fn reset(&self) -> Result<()> {
        self.redrives.reset()?;
        self.all().iter().try_for_each(|queue| queue.remove().map(drop))
    }

    fn fire(&self, slot: u32, _: Millis, jobs: &Jobs<'_>) -> Option<Millis> {
        jobs.push(u64::from(slot));
        None
    }

    fn run(&self, task: u64, now: Millis) -> Result<()> {
        self.redrives.run(task as u32, now);
        Ok(())
    }
}

impl Resource for Queue {
    fn id(&self) -> ResourceId {
        self.id
    }

    fn name(&self) -> &ResourceName {
        self.name()
    }

    fn fire(&self, slot: u32, now: Millis, jobs: &Jobs<'_>) -> Option<Millis> {
        self.fire_slot(slot, now, jobs)
    }

    fn run(&self, _: u64, _: Millis) -> Result<()> {
        self.is_looking.store(false, Ordering::Release);
        self.give_up_exhausted()
    }

    fn accept(&self, message: &Routed<'_>) -> Result<Accepted> {
        self.take_over(message)
    }

    fn close(&self) {
        self.waiters.wake_all();
    }
}
