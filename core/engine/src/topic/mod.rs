//! Topics: what is published once goes to every subscription whose filter lets it pass.
//!
//! A publish selects the subscriptions by matching the message against all filters at once, and
//! hands the content to all targets in one step of the journal. Subscriptions that leave the engine
//! have a destination of the outbox. What differs from one receiver to the next, the envelope, is
//! rendered when the message is received.
//!
//! A FIFO topic numbers what it publishes and remembers deduplication ids. Its window is locked
//! before the mutexes of its queues, so they get its messages in its order.

mod accept;
mod archive;
mod check;
mod component;
mod envelope;
mod loader;
mod message;
mod plain;
mod publish;
mod record;
mod replay;
mod replaying;
mod structure;
mod table;
mod traced;
mod window;

use std::collections::BTreeSet;
use std::sync::Arc;

use trunkline_host::{
    Accepted, Append, ComponentKind, Host, Jobs, Joined, Location, Resource, Routed,
};
use trunkline_journal::Ticket;
use trunkline_types::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};
use trunkline_types::sync::{Mutex, lock};
use trunkline_types::{Limits, MessageId, Millis, ResourceId, ResourceKind, ResourceName, Result};

use self::archive::Archive;
use self::check::{check_config, check_name, differs, invalid, no_such_subscription};
use self::loader::TopicLoader;
use self::plain::PlainRoutes;
use self::record::{Record, Subject, TopicRecord};
use self::replay::Replay;
use self::table::{Entry, Subscriptions};
use self::window::Window;

pub(crate) use self::accept::{Delivered, Publisher, Replayed};
pub use self::archive::ArchiveStatus;
pub(crate) use self::check::no_such_topic;
pub(crate) use self::component::Topics;
pub(crate) use self::envelope::{renderer, unsubscribe_token};
pub use self::message::{Notification, Publication};
pub(crate) use self::publish::Publishing;
pub(crate) use self::record::SubscriptionRecord;
pub use self::record::TopicConfig;
pub use self::replay::SubscriptionReplay;
pub use self::structure::Protocol;
pub(crate) use self::table::{NO_TARGET, Selected};

/// The kind of topics, for the table of kinds.
pub static TOPICS: ComponentKind = ComponentKind {
    name: "topic",
    records: &[record::KINDS],
    operations: &[PUBLISH],
    loader: |limits: &Limits| Box::new(TopicLoader::new(limits)),
};

/// The kind in the names of topics.
pub const TOPIC: ResourceKind = ResourceKind("topic");

/// Publishing a message.
pub const PUBLISH: trunkline_host::Operation = trunkline_host::Operation::adds("publish");

/// The name of a topic for embedders, who see no account and no region.
pub fn topic_name(name: impl Into<String>) -> ResourceName {
    ResourceName::local(TOPIC, name)
}

/// A topic of an engine. Cheap to share; every method may be called from any thread.
pub struct Topic {
    host: Arc<Host>,
    id: ResourceId,
    name: ResourceName,
    created: Millis,
    definition: Mutex<Definition>,
    subscriptions: Subscriptions,
    window: Mutex<Window>,
    archive: Mutex<Option<Archive>>,
    /// Replays that have delivered all that there is, and wait for their end.
    waiting: Mutex<BTreeSet<ResourceId>>,
    counters: Counters,
    plain_routes: PlainRoutes,
    /// Messages of a standard topic that got their id since the engine was opened.
    numbered: AtomicU32,
    removed: AtomicBool,
}

/// What may change of a topic, and where its record lies.
struct Definition {
    config: TopicConfig,
    document: Vec<u8>,
    location: Option<Location>,
}

#[derive(Default)]
struct Counters {
    published: AtomicU64,
    delivered: AtomicU64,
    dead_lettered: AtomicU64,
    failed: AtomicU64,
}

/// How a topic stands. Counted since the engine was opened, but for the subscriptions.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct TopicStatistics {
    /// Subscriptions there are.
    pub subscriptions: u64,
    /// Messages that were published; duplicates are not counted.
    pub published: u64,
    /// Deliveries that targets accepted.
    pub delivered: u64,
    /// Deliveries that went to a dead-letter queue.
    pub dead_lettered: u64,
    /// Deliveries that nothing took.
    pub failed: u64,
}

/// A subscription, for people and for the surfaces.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SubscriptionStatus {
    /// Its id in the engine.
    pub id: ResourceId,
    /// The resource that gets the messages: a queue, or a destination of the outbox.
    pub target: ResourceId,
    /// Whether the target leaves the engine.
    pub is_outside: bool,
    /// Whether messages come as they were published, without an envelope.
    pub is_raw: bool,
    /// Whether nothing is delivered yet: its owner has not confirmed it, or its queue is not there.
    pub is_pending: bool,
    /// The filter, as it was given.
    pub filter: Option<String>,
    /// Whether the filter is matched against the body instead of the attributes.
    pub filters_body: bool,
    /// The queue that takes messages which the target does not.
    pub dead_letter: Option<ResourceId>,
    /// How the target is named outside of the engine.
    pub endpoint: String,
    /// Its own name, unique in the topic.
    pub name: Option<String>,
}

impl SubscriptionStatus {
    fn of(id: ResourceId, entry: &Entry) -> Self {
        Self {
            id,
            target: entry.target,
            is_outside: entry.is_owned,
            is_raw: entry.is_raw,
            is_pending: entry.is_pending,
            filter: entry.filter.as_deref().map(str::to_owned),
            filters_body: entry.filters_body,
            dead_letter: entry.dead_letter,
            endpoint: entry.endpoint.to_string(),
            name: entry.name.as_deref().map(str::to_owned),
        }
    }
}

impl Topic {
    fn new(
        host: Arc<Host>,
        id: ResourceId,
        name: ResourceName,
        config: TopicConfig,
        created: Millis,
        document: Vec<u8>,
        location: Option<Location>,
    ) -> Self {
        Self {
            host,
            id,
            name,
            created,
            definition: Mutex::new(Definition { config, document, location }),
            subscriptions: Subscriptions::default(),
            window: Mutex::default(),
            archive: Mutex::default(),
            waiting: Mutex::default(),
            counters: Counters::default(),
            plain_routes: PlainRoutes::default(),
            numbered: AtomicU32::new(0),
            removed: AtomicBool::new(false),
        }
    }

    /// The topic's id in this engine.
    pub fn id(&self) -> ResourceId {
        self.id
    }

    /// Account, region and name.
    pub fn name(&self) -> &ResourceName {
        &self.name
    }

    /// When the topic was created.
    pub fn created(&self) -> Millis {
        self.created
    }

    /// The topic's rules.
    pub fn config(&self) -> TopicConfig {
        lock(&self.definition).config
    }

    /// What the surfaces keep with the topic.
    pub fn document(&self) -> Vec<u8> {
        lock(&self.definition).document.clone()
    }

    /// The topic's ARN.
    pub fn arn(&self) -> String {
        envelope::topic_arn(&self.name.region, &self.name.account, &self.name.name)
    }

    /// The ARN of one of its subscriptions.
    pub fn subscription_arn(&self, id: ResourceId) -> String {
        format!("{}:{}", self.arn(), envelope::subscription_uuid(self.host.key, id))
    }

    /// How the topic stands.
    pub fn statistics(&self) -> Result<TopicStatistics> {
        self.check_readable()?;
        let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        Ok(TopicStatistics {
            subscriptions: self.subscriptions.len() as u64,
            published: read(&self.counters.published),
            delivered: read(&self.counters.delivered),
            dead_lettered: read(&self.counters.dead_lettered),
            failed: read(&self.counters.failed),
        })
    }

    /// Up to `limit` subscriptions behind the id `after`, in the order of their creation.
    pub fn subscriptions(
        &self,
        after: Option<ResourceId>,
        limit: usize,
    ) -> Result<Vec<SubscriptionStatus>> {
        self.check_readable()?;
        let page = self.subscriptions.page(after, limit);
        Ok(page.iter().map(|(id, entry)| SubscriptionStatus::of(*id, entry)).collect())
    }

    /// The subscription of this id.
    pub fn subscription(&self, id: ResourceId) -> Result<SubscriptionStatus> {
        self.check_readable()?;
        let entry = self.subscriptions.get(id).ok_or_else(no_such_subscription)?;
        Ok(SubscriptionStatus::of(id, &entry))
    }

    /// The subscription of a queue.
    pub fn subscription_of(&self, target: ResourceId) -> Result<Option<SubscriptionStatus>> {
        self.check_readable()?;
        let id = self.subscriptions.of_target(target);
        id.map(|id| self.subscription(id)).transpose()
    }

    /// The subscription of this name.
    pub fn subscription_named(&self, name: &str) -> Result<Option<SubscriptionStatus>> {
        self.check_readable()?;
        self.subscriptions.named(name).map(|id| self.subscription(id)).transpose()
    }

    /// The subscription of this ARN. The ids of all are hashed: no subscription keeps its ARN.
    pub fn subscription_with_arn(&self, arn: &str) -> Result<Option<ResourceId>> {
        self.check_readable()?;
        let digits = arn.rsplit(':').next().unwrap_or_default().replace('-', "");
        let Ok(uuid) = u128::from_str_radix(&digits, 16) else { return Ok(None) };
        let (uuid, key) = (MessageId(uuid.to_be_bytes()), self.host.key);
        let found = self.subscriptions.find(|id| envelope::subscription_uuid(key, id) == uuid);
        Ok(found.filter(|id| self.subscription_arn(*id) == arn))
    }

    /// Changes the topic's rules and document. Whether it is FIFO never changes.
    pub fn configure(&self, config: TopicConfig, document: &[u8]) -> Result<Option<Ticket>> {
        self.check_writable()?;
        self.host.refuse_if_full()?;
        let _unchanged = self.subscriptions.change();
        let mut definition = lock(&self.definition);
        check_config(&self.name.name, config)?;
        let mut log = self.host.append()?;
        self.check_present()?;
        (definition.config, definition.document) = (config, document.to_vec());
        definition.location = log.append_live(&self.record(&definition), definition.location);
        Ok(log.ticket())
    }

    /// Adds a subscription, or replaces the one of this id with everything it has.
    pub(crate) fn put_subscription(
        &self,
        record: &SubscriptionRecord<'_>,
    ) -> Result<Option<Ticket>> {
        self.check_writable()?;
        self.host.refuse_if_full()?;
        let mut entry = Entry::of(record, None);
        let pattern = entry.pattern()?;
        let _changing = self.subscriptions.change();
        let named = record.name.and_then(|name| self.subscriptions.named(name));
        if named.is_some_and(|other| other != record.id) {
            return Err(invalid("Another subscription of the topic has this name.".to_owned()));
        }
        let old = self.subscriptions.get(record.id).and_then(|old| old.location);
        let mut log = self.host.append()?;
        // A topic that is being removed says so under the same lock.
        self.check_present()?;
        entry.location = log.append_live(&Record::Subscription(record.clone()), old);
        let ticket = log.ticket();
        drop(log);
        self.subscriptions.put(vec![(record.id, entry, pattern)]);
        self.wake_replay(record.id);
        Ok(ticket)
    }

    /// Removes a subscription; returns its status. One that is gone is a success.
    pub(crate) fn remove_subscription(
        &self,
        id: ResourceId,
    ) -> Result<(Option<SubscriptionStatus>, Option<Ticket>)> {
        self.check_writable()?;
        let _changing = self.subscriptions.change();
        let mut log = self.host.append()?;
        let Some((entry, replay)) = self.subscriptions.remove(id) else {
            return Ok((None, log.ticket()));
        };
        log.append(&Record::Gone(Subject::Subscription, id));
        self.release(id, &entry, replay.as_ref(), &mut log);
        Ok((Some(SubscriptionStatus::of(id, &entry)), log.ticket()))
    }

    /// Gives back the space of a subscription that is gone, with its replay.
    fn release(&self, id: ResourceId, entry: &Entry, replay: Option<&Replay>, log: &mut Append) {
        let places = entry.location.into_iter().chain(replay.and_then(|replay| replay.location));
        places.for_each(|location| log.release(location));
        replay.into_iter().for_each(|replay| self.end_running(id, replay));
    }

    /// Removes the topic with its subscriptions; returns the resources that were made for them. One
    /// that has an archive is refused, unless everything goes with it.
    pub(crate) fn remove_all(
        &self,
        with_archive: bool,
    ) -> Result<(Vec<ResourceId>, Option<Ticket>)> {
        self.check_writable()?;
        let _changing = self.subscriptions.change();
        let mut window = lock(&self.window);
        if !with_archive {
            self.check_unarchived()?;
        }
        let archive = lock(&self.archive).take().and_then(|archive| archive.location);
        let mut definition = lock(&self.definition);
        let mut log = self.host.append()?;
        if self.removed.swap(true, Ordering::AcqRel) {
            return Ok((Vec::new(), log.ticket()));
        }
        // The end of the topic is the end of its subscriptions, in one record.
        log.append(&Record::Gone(Subject::Topic, self.id));
        let newest = std::mem::take(&mut *window).newest();
        let places = definition.location.take().into_iter().chain(newest).chain(archive);
        places.for_each(|at| log.release(at));
        let mut owned = Vec::new();
        self.each_page(usize::MAX, &mut |page| {
            for (id, entry) in page {
                let replay = self.subscriptions.remove(*id).and_then(|(_, replay)| replay);
                self.release(*id, entry, replay.as_ref(), &mut log);
                owned.extend(entry.is_owned.then_some(entry.target));
            }
        });
        self.host.directory.remove(self, self.host.now());
        Ok((owned, log.ticket()))
    }

    fn define(&self, log: &mut Append<'_>) {
        let mut definition = lock(&self.definition);
        definition.location = log.append_live(&self.record(&definition), None);
    }

    fn record<'a>(&'a self, definition: &'a Definition) -> Record<'a> {
        Record::Topic(TopicRecord {
            id: self.id,
            account: &self.name.account,
            region: &self.name.region,
            name: &self.name.name,
            config: definition.config,
            created: self.created,
            document: &definition.document,
        })
    }

    fn check_readable(&self) -> Result<()> {
        self.host.check_readable()?;
        self.check_present()
    }

    fn check_writable(&self) -> Result<()> {
        self.host.check_writable()?;
        self.check_present()
    }

    fn check_present(&self) -> Result<()> {
        if self.removed.load(Ordering::Acquire) {
            return Err(no_such_topic(&self.name.name));
        }
        Ok(())
    }
}

impl Resource for Topic {
    fn id(&self) -> ResourceId {
        self.id
    }

    fn name(&self) -> &ResourceName {
        &self.name
    }

    fn fire(&self, _: u32, _: Millis, _: &Jobs<'_>) -> Option<Millis> {
        None
    }

    fn accept(&self, routed: &Routed<'_>) -> Result<Accepted> {
        self.accept_message(routed)
    }

    fn join<'a>(&'a self, routed: &[Routed<'a>], now: Millis) -> Option<Box<dyn Joined + 'a>> {
        self.join_step(routed, now)
    }

    fn close(&self) {
        self.plain_routes.forget();
    }
}
