//! The engine: the host, and what its kinds of resources offer to an embedder.

use std::any::Any;
use std::path::Path;
use std::sync::Arc;

use trunkline_host::{ComponentKind, Documents, Faults, Host, OpenOptions, Routed, Trace};
use trunkline_journal::{Signal, Ticket};
use trunkline_types::{
    Clock, Code, Durability, Error, IdKey, Limits, Millis, QueueConfig, ResourceId, ResourceName,
    Result,
};

use crate::bucket::Buckets;
use crate::bus::Buses;
use crate::components::KINDS;
use crate::extensions::Extensions;
use crate::machine::Machines;
use crate::outbox::{Outbox, is_of_outbox};
use crate::queue::{QUEUE, Queue, Queues, RedriveStatus, check_limits};
use crate::router::{Authorization, Authorizer, DeliverySource};
use crate::schedule::Schedules;
use crate::stream::{STREAM, Stream, StreamConfig, Streams};
use crate::topic::{Topic, Topics};
use crate::workflow::Domains;

/// An open engine. Dropping it closes it.
pub struct Engine {
    host: Arc<Host>,
    queues: Arc<Queues>,
    documents: Arc<Documents>,
    streams: Arc<Streams>,
    pub(crate) buses: Arc<Buses>,
    pub(crate) topics: Arc<Topics>,
    pub(crate) outbox: Outbox,
    pub(crate) schedules: Arc<Schedules>,
    pub(crate) machines: Arc<Machines>,
    domains: Arc<Domains>,
    pub(crate) buckets: Arc<Buckets>,
    pub(crate) authorization: Arc<Authorization>,
    extensions: Extensions,
}

impl Engine {
    /// Opens an engine: replays its journal, or starts empty in memory.
    pub fn open(options: OpenOptions) -> Result<Arc<Engine>> {
        Self::open_with(options, &[])
    }

    /// Opens an engine that has other kinds of resources beside its own. They are reached through
    /// [`Engine::host`].
    pub fn open_with(options: OpenOptions, more: &[&'static ComponentKind]) -> Result<Arc<Engine>> {
        check_limits(&options.limits)?;
        let kinds: Vec<_> = KINDS.iter().chain(more).copied().collect();
        let engine = Self::of(Host::open(options, &kinds)?)?;
        // A copy in memory only gathers deliveries: its original sends them.
        if engine.host.check_writable().is_ok() {
            engine.outbox.start();
            engine.schedules.start();
            engine.machines.start();
            engine.domains.start();
        }
        Ok(engine)
    }

    fn of(host: Arc<Host>) -> Result<Arc<Engine>> {
        let absent = || Error::new(Code::InternalError, "A kind is absent from the table.");
        let queues = host.component().ok_or_else(absent)?;
        let documents = host.component().ok_or_else(absent)?;
        let streams = host.component().ok_or_else(absent)?;
        let buses = host.component().ok_or_else(absent)?;
        let topics = host.component().ok_or_else(absent)?;
        let outbox = host.component::<Outbox>().ok_or_else(absent)?;
        let schedules = host.component().ok_or_else(absent)?;
        let machines = host.component().ok_or_else(absent)?;
        let domains = host.component().ok_or_else(absent)?;
        let buckets = host.component().ok_or_else(absent)?;
        let outbox = (*outbox).clone();
        let authorization = Arc::default();
        let engine = Arc::new(Engine {
            host,
            queues,
            documents,
            buses,
            topics,
            streams,
            outbox,
            schedules,
            machines,
            domains,
            buckets,
            authorization,
            extensions: Extensions::default(),
        });
        engine.attach_destinations()?;
        engine.attach_buses()?;
        engine.attach_topics()?;
        engine.attach_machines();
        Ok(engine)
    }

    /// The domains of workflows of this engine.
    pub fn domains(&self) -> &Arc<Domains> {
        &self.domains
    }

    /// What the resources of this engine share.
    pub fn host(&self) -> &Arc<Host> {
        &self.host
    }

    /// The value of this type that a layer above keeps with the engine, made when it is first asked
    /// for. Nothing of it is durable.
    pub fn extension<T: Any + Default + Send + Sync>(&self) -> Arc<T> {
        self.extensions.get()
    }

    /// Writes out everything, gives up the folder, and refuses every later verb. Once is enough;
    /// more do no harm.
    pub fn close(&self) -> Result<()> {
        self.outbox.end_leases();
        self.host.close()
    }

    /// The engine's time.
    pub fn clock(&self) -> &Arc<Clock> {
        &self.host.clock
    }

    /// Lets topics and rules send only to queues whose policy allows it, until the engine is
    /// closed. `authorizer` reads the policies.
    pub fn enforce_policies(&self, authorizer: Arc<dyn Authorizer>) {
        self.authorization.enforce(authorizer);
    }

    /// Whether the policies of queues are asked before topics and rules send to them.
    pub fn is_authorized(&self) -> bool {
        !self.authorization.is_off()
    }

    /// Whether `topic` may send to `queue`, by the policy of the queue where policies are asked.
    pub fn permits(&self, queue: &Queue, topic: &Topic) -> bool {
        self.authorization.permits(queue, &DeliverySource::Topic(topic))
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

    /// What happened to messages, events and records.
    pub fn trace(&self) -> &Trace {
        &self.host.trace
    }

    /// Fails if the engine is closed, or belongs to the process that forked this one.
    pub fn check_open(&self) -> Result<()> {
        self.host.check_readable()
    }

    /// Creates a queue. The definition is applied when this returns; [`Engine::flush`] or the wait
    /// for any later ticket makes it durable.
    pub fn create_queue(
        &self,
        name: ResourceName,
        config: QueueConfig,
        document: &[u8],
    ) -> Result<Arc<Queue>> {
        self.queues.create(name, config, document)
    }

    /// The queue of this name.
    pub fn find_queue(&self, name: &ResourceName) -> Result<Option<Arc<Queue>>> {
        self.host.check_readable()?;
        Ok(self.host.directory.find(name))
    }

    /// The queue of this id.
    pub fn queue_by_id(&self, id: ResourceId) -> Option<Arc<Queue>> {
        self.host.directory.get(id)
    }

    /// The queues of an account and region (`None`: of all) whose name starts with `prefix`,
    /// sorted. Those of services are left out, unless it is their region that is given.
    pub fn queues(
        &self,
        account: Option<&str>,
        region: Option<&str>,
        prefix: &str,
    ) -> Result<Vec<Arc<Queue>>> {
        self.host.check_readable()?;
        let mut queues = self.host.directory.list::<Queue>(QUEUE, account, region, prefix);
        queues.retain(|queue| !is_of_outbox(queue.name()) && queue.name().is_listed(region));
        Ok(queues)
    }

    /// Up to `limit` queues of an account and region, in order of their names: those that start
    /// with `prefix` and come behind `after`. No other queue is read.
    pub fn queue_page(
        &self,
        (account, region): (&str, &str),
        prefix: &str,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Vec<Arc<Queue>>> {
        self.host.check_readable()?;
        let below = ResourceName::new(QUEUE, account, region, prefix);
        Ok(self.host.directory.page(&below, after, limit, |name| !is_of_outbox(name)))
    }

    /// Creates a stream. The definition is applied when this returns; [`Engine::flush`] or the wait
    /// for any later ticket makes it durable.
    pub fn create_stream(
        &self,
        name: ResourceName,
        config: &StreamConfig,
        document: &[u8],
    ) -> Result<Arc<Stream>> {
        self.streams.create(name, config, document)
    }

    /// The stream of this name.
    pub fn find_stream(&self, name: &ResourceName) -> Result<Option<Arc<Stream>>> {
        self.host.check_readable()?;
        Ok(self.host.directory.find(name))
    }

    /// The stream of this id.
    pub fn stream_of_id(&self, id: ResourceId) -> Result<Option<Arc<Stream>>> {
        self.host.check_readable()?;
        Ok(self.host.directory.get(id))
    }

    /// The streams of an account and region (`None`: of all) whose name starts with `prefix`,
    /// sorted. Those of services are left out, unless it is their region that is given.
    pub fn streams(
        &self,
        account: Option<&str>,
        region: Option<&str>,
        prefix: &str,
    ) -> Result<Vec<Arc<Stream>>> {
        self.host.check_readable()?;
        let mut streams = self.host.directory.list::<Stream>(STREAM, account, region, prefix);
        streams.retain(|stream| stream.name().is_listed(region));
        Ok(streams)
    }

    /// When a resource of this name was last removed, if none has the name now.
    pub fn removed_at(&self, name: &ResourceName) -> Option<Millis> {
        self.host.directory.removed_at(name)
    }

    /// Stores a document of a control plane under `key`, or removes it.
    pub fn put_document(&self, key: &str, value: Option<&[u8]>) -> Result<Option<Ticket>> {
        self.documents.put(key, value)
    }

    /// Delivers a message to a resource, and stores a document in the step in which the resource
    /// takes it: a crash leaves both or neither.
    pub fn deliver_with_document(
        &self,
        target: ResourceId,
        routed: &Routed<'_>,
        key: &str,
        value: &[u8],
    ) -> Result<Option<Ticket>> {
        self.documents.deliver(target, routed, key, value)
    }

    /// The document under `key`.
    pub fn document(&self, key: &str) -> Option<Vec<u8>> {
        self.documents.get(key)
    }

    /// The document under `key` without a copy. Two calls give the same allocation until the
    /// document is stored again or removed, so that a reader sees cheaply whether it changed.
    pub fn shared_document(&self, key: &str) -> Option<Arc<[u8]>> {
        self.documents.shared(key)
    }

    /// The documents whose key starts with `prefix`, in order of their keys.
    pub fn documents(&self, prefix: &str) -> Vec<(String, Vec<u8>)> {
        self.documents.list(prefix)
    }

    /// Up to `limit` documents whose key starts with `prefix` and lies behind `after`, in order of
    /// their keys. The last key of a page is where the next one goes on.
    pub fn document_page(
        &self,
        prefix: &str,
        after: Option<&str>,
        limit: usize,
    ) -> Vec<(String, Vec<u8>)> {
        self.documents.page(prefix, after, limit)
    }

    /// Removes every resource and every document.
    pub fn reset(&self) -> Result<()> {
        self.host.reset()
    }

    /// Blocks until everything up to `ticket` is as durable as `level` says.
    pub fn wait(&self, ticket: Ticket, level: Durability) -> Result<()> {
        self.host.wait(ticket, level)
    }

    /// Brings everything to the engine's own level: for verbs that hand out no ticket.
    pub fn acknowledge(&self) -> Result<()> {
        self.host.acknowledge()
    }

    /// Schedules a flush to `level` within a few milliseconds, for writes that no caller awaits.
    pub fn flush_in_background(&self, level: Durability) -> Result<()> {
        self.host.flush_in_background(level)
    }

    /// Whether everything up to `ticket` is as durable as `level` says.
    pub fn is_settled(&self, ticket: Ticket, level: Durability) -> Result<bool> {
        self.host.is_settled(ticket, level)
    }

    /// Calls `signal` once when everything up to `ticket` is as durable as `level` says, or when it
    /// is known that it will not be; [`Engine::is_settled`] tells which.
    pub fn notify_when(
        &self,
        ticket: Ticket,
        level: Durability,
        signal: Arc<dyn Signal>,
    ) -> Result<()> {
        self.host.notify_when(ticket, level, signal)
    }

    /// Starts to make everything up to `ticket` as durable as `level` says, without waiting for it.
    pub fn begin_commit(&self, ticket: Ticket, level: Durability) -> Result<()> {
        self.host.begin_commit(ticket, level)
    }

    /// Blocks until everything so far is on disk, if the engine has a journal.
    pub fn flush(&self) -> Result<()> {
        self.host.flush()
    }

    /// Fails when no more writes are accepted, and says why: it was closed, or a write failed.
    pub fn check_healthy(&self) -> Result<()> {
        self.host.check_healthy()
    }

    /// Fails while disk space cannot be given back in the background, and says why: a record that
    /// is still needed may be damaged. The journal then grows, which nothing else would tell.
    pub fn check_space(&self) -> Result<()> {
        self.host.check_space()
    }

    /// Moves a virtual clock forward and runs everything that falls due on the way, in order.
    /// Returns when no job waits.
    pub fn advance(&self, by: Millis) -> Result<()> {
        self.host.check_readable()?;
        advance(&self.host.clock, &[self], by)
    }

    /// Gives disk space back now, as far as it is worth it, instead of in the background.
    pub fn compact(&self) -> Result<()> {
        self.host.compact()
    }

    /// Relocates what lives in the oldest segment of the journal and reclaims it, worth it or not.
    /// [`Engine::compact`] is what an embedder wants; this is for tests.
    #[doc(hidden)]
    pub fn compact_oldest(&self) -> Result<()> {
        self.host.compact_oldest()
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
        self.queues.redrives.start(source, destination, rate)
    }

    /// Cancels a redrive task; how many messages it has moved.
    pub fn cancel_redrive(&self, task: u32) -> Result<(u64, Option<Ticket>)> {
        self.host.check_writable()?;
        self.queues.redrives.cancel(task)
    }

    /// The redrive tasks of a queue, or all, newest first.
    pub fn redrives(&self, source: Option<ResourceId>) -> Vec<RedriveStatus> {
        self.host.sweep_if_due(self.host.now());
        self.queues.redrives.list(source)
    }

    /// A copy in a new folder, while the engine runs. With a journal it shows one moment. Of an
    /// engine in memory it is made message by message: each is whole, but verbs that run meanwhile
    /// may be in it or not, whatever their order.
    pub fn snapshot(&self, path: &Path) -> Result<()> {
        self.host.snapshot(path)
    }

    /// A copy in memory, on its own clock, of one moment as far as [`Engine::snapshot`] is.
    pub fn fork(&self, clock: Arc<Clock>) -> Result<Arc<Engine>> {
        Self::of(self.host.fork(clock)?)
    }
}

impl Drop for Engine {
    fn drop(&mut self) {
        // A failure is reported to the callers that wait for a ticket; a drop has no caller.
        let _ = self.close();
    }
}

/// Moves one virtual clock that several engines share, and runs what falls due in all of them in
/// order of time.
pub fn advance(clock: &Clock, engines: &[&Engine], by: Millis) -> Result<()> {
    let hosts: Vec<&Arc<Host>> = engines.iter().map(|engine| &engine.host).collect();
    trunkline_host::advance(clock, &hosts, by)
}
