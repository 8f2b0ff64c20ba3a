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
mod component;
mod envelope;
mod loader;
mod publish;
mod record;
mod structure;
mod table;
mod traced;
mod window;

use std::sync::Arc;

use trunkline_host::{Accepted, Append, ComponentKind, Host, Jobs, Location, Resource, Routed};
use trunkline_journal::Ticket;
use trunkline_types::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};
use trunkline_types::sync::{Mutex, lock};
use trunkline_types::{
    Code, Error, Limits, Millis, ResourceId, ResourceKind, ResourceName, Result,
};

use self::loader::TopicLoader;
use self::record::{Record, Subject, TopicRecord};
use self::table::{Entry, Subscriptions};
use self::window::Window;

pub(crate) use self::accept::{Delivered, Publisher};
pub(crate) use self::component::Topics;
pub(crate) use self::envelope::{renderer, unsubscribe_token};
pub(crate) use self::publish::Publishing;
pub use self::publish::{Notification, Publication};
pub(crate) use self::record::SubscriptionRecord;
pub use self::record::TopicConfig;
pub use self::structure::Protocol;
pub(crate) use self::table::{NO_TARGET, Selected};

/// The kind of topics, for the table of kinds.
pub static TOPICS: ComponentKind = ComponentKind {
    name: "topic",
    records: record::KINDS,
    operations: &[PUBLISH],
    loader: |limits: &Limits| Box::new(TopicLoader::new(limits)),
};

/// The kind in the names of topics.
pub const TOPIC: ResourceKind = ResourceKind("topic");

/// Publishing a message.
pub const PUBLISH: trunkline_host::Operation = trunkline_host::Operation::adds("publish");

/// Longest name of a topic: SNS's.
const NAME_MAX: usize = 256;

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
    counters: Counters,
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
            counters: Counters::default(),
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
        let Some(entry) = self.subscriptions.remove(id) else { return Ok((None, log.ticket())) };
        log.append(&Record::Gone(Subject::Subscription, id));
        entry.location.into_iter().for_each(|location| log.release(location));
        Ok((Some(SubscriptionStatus::of(id, &entry)), log.ticket()))
    }

    /// Removes the topic with its subscriptions; returns the resources that were made for them.
    pub(crate) fn remove(&self) -> Result<(Vec<ResourceId>, Option<Ticket>)> {
        self.check_writable()?;
        let _changing = self.subscriptions.change();
        let mut window = lock(&self.window);
        let mut definition = lock(&self.definition);
        let mut log = self.host.append()?;
        if self.removed.swap(true, Ordering::AcqRel) {
            return Ok((Vec::new(), log.ticket()));
        }
        // The end of the topic is the end of its subscriptions, in one record.
        log.append(&Record::Gone(Subject::Topic, self.id));
        let newest = std::mem::take(&mut *window).newest();
        definition.location.take().into_iter().chain(newest).for_each(|at| log.release(at));
        let mut owned = Vec::new();
        self.each_page(usize::MAX, &mut |page| {
            for (id, entry) in page {
                entry.location.into_iter().for_each(|location| log.release(location));
                owned.extend(entry.is_owned.then_some(entry.target));
                self.subscriptions.remove(*id);
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

    fn close(&self) {}
}

/// Checks the name of a new topic; its rules if it is given none.
fn check_name(name: &str, config: Option<TopicConfig>) -> Result<TopicConfig> {
    let stem = name.strip_suffix(".fifo");
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
    let plain = stem.unwrap_or(name);
    if plain.is_empty() || name.len() > NAME_MAX || !plain.bytes().all(is_plain) {
        return Err(invalid(format!(
            "The name {name:?} of a topic is not valid: 1 to {NAME_MAX} letters, digits, - and _, \
             and .fifo at the end of a FIFO topic."
        )));
    }
    let config =
        config.unwrap_or(TopicConfig { is_fifo: stem.is_some(), ..TopicConfig::default() });
    check_config(name, config)?;
    Ok(config)
}

fn check_config(name: &str, config: TopicConfig) -> Result<()> {
    if config.is_fifo != name.ends_with(".fifo") {
        return Err(invalid(format!(
            "The topic {name} is FIFO if its name ends in .fifo, and only then; that never changes."
        )));
    }
    if !config.is_fifo && (config.content_based_dedup || config.dedup_by_group) {
        return Err(invalid(format!(
            "The topic {name} is no FIFO topic, so it has no deduplication. Leave \
             content_based_dedup and dedup_scope out, or end its name in .fifo."
        )));
    }
    Ok(())
}

#[cold]
fn invalid(message: String) -> Error {
    Error::new(Code::InvalidParameterValue, message)
}

#[cold]
fn differs(topic: &Topic) -> Error {
    Error::new(
        Code::InvalidParameterValue,
        format!(
            "The topic {} already exists with different attributes. Leave them out, or change the \
             topic with configure().",
            topic.name.name
        ),
    )
}

#[cold]
pub(crate) fn no_such_topic(name: &str) -> Error {
    Error::new(Code::ResourceNotFoundException, format!("The topic {name} does not exist."))
}

#[cold]
fn no_such_subscription() -> Error {
    Error::new(Code::ResourceNotFoundException, "The subscription does not exist.")
}
