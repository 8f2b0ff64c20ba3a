//! Topics and what they deliver to: queues, and destinations of the outbox.
//!
//! A target outside of the engine gets a destination of its own, which is made before the
//! subscription that names it and removed behind it. A crash in between leaves a destination that
//! no subscription names; the next opening removes it.

use std::sync::Arc;

use trunkline_delivery::RetryTable;
use trunkline_journal::Ticket;
use trunkline_types::{Code, Error, QueueKind, ResourceId, ResourceName, Result};

use super::publisher::TopicPublisher;
use super::rules::TargetResource;
use crate::bus::BUS;
use crate::engine::Engine;
use crate::outbox::{DestinationConfig, HttpOptions, Transport};
use crate::queue::Queue;
use crate::signing::Signer;
use crate::stream::Stream;
use crate::topic::{
    NO_TARGET, Protocol, SubscriptionRecord, SubscriptionStatus, TOPIC, Topic, TopicConfig,
    no_such_topic, renderer, unsubscribe_token,
};

/// The names of destinations that belong to subscriptions start with this.
const DESTINATION_PREFIX: &str = "subscription/";
/// Attempts at once at one destination.
const CONCURRENCY: u32 = 8;
/// Longest name of a subscription, in bytes.
const NAME_MAX: usize = 256;

/// A subscription to be made, or what an old one is to be.
#[derive(Debug, Clone)]
pub struct NewSubscription<'a> {
    /// Where messages go.
    pub target: TargetResource,
    /// Whether messages come as they were published, without an envelope.
    pub is_raw: bool,
    /// Whether nothing is delivered until the subscription is configured again without this.
    pub is_pending: bool,
    /// The entry of structured messages that it gets.
    pub protocol: Protocol,
    /// The filter policy, as JSON; `None` for every message.
    pub filter: Option<&'a str>,
    /// Whether the filter is matched against the body instead of the attributes.
    pub filters_body: bool,
    /// The queue that takes messages which the target does not.
    pub dead_letter: Option<ResourceId>,
    /// When a failed delivery that leaves the engine is tried again; SNS's table if `None`.
    pub retry: Option<RetryTable>,
    /// How a surface names the target.
    pub endpoint: &'a str,
    /// A name of its own, unique in the topic: a program that runs twice finds its subscription
    /// again. It never changes.
    pub name: Option<&'a str>,
}

impl Engine {
    /// The topic of this name, which is created if there is none; whether it was. Rules that are
    /// given are compared with those of a topic that is there. It is applied when this returns, and
    /// durable with any later ticket.
    pub fn topic(
        &self,
        name: ResourceName,
        config: Option<TopicConfig>,
        document: &[u8],
    ) -> Result<(Arc<Topic>, bool)> {
        self.topics.get_or_create(name, config, document)
    }

    /// The topic of this name.
    pub fn find_topic(&self, name: &ResourceName) -> Result<Option<Arc<Topic>>> {
        self.host().check_readable()?;
        Ok(self.host().directory.find(name))
    }

    /// What an unsubscribe link has beside the ARN of its subscription: only messages tell it.
    pub fn unsubscribe_token(&self, subscription_arn: &str) -> String {
        unsubscribe_token(self.host().key, subscription_arn)
    }

    /// The topic of this id.
    pub fn topic_by_id(&self, id: ResourceId) -> Result<Arc<Topic>> {
        self.host().check_readable()?;
        self.host().directory.get(id).ok_or_else(|| no_such_topic(&id.0.to_string()))
    }

    /// The topics of an account and region (`None`: of all) whose name starts with `prefix`,
    /// sorted.
    pub fn topics(
        &self,
        account: Option<&str>,
        region: Option<&str>,
        prefix: &str,
    ) -> Result<Vec<Arc<Topic>>> {
        self.host().check_readable()?;
        Ok(self.host().directory.list(TOPIC, account, region, prefix))
    }

    /// Up to `limit` topics of an account and region, in order of their names: those that start
    /// with `prefix` and come behind `after`. No other topic is read.
    pub fn topic_page(
        &self,
        (account, region): (&str, &str),
        prefix: &str,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Vec<Arc<Topic>>> {
        self.host().check_readable()?;
        let below = ResourceName::new(TOPIC, account, region, prefix);
        Ok(self.host().directory.page(&below, after, limit, |_| true))
    }

    /// Removes a topic with its subscriptions and what was made for them. Its archive has to be
    /// switched off before.
    pub fn remove_topic(&self, topic: &Topic) -> Result<Option<Ticket>> {
        let (owned, ticket) = topic.remove_all(false)?;
        owned.into_iter().try_for_each(|id| self.remove_owned_destination(id))?;
        Ok(ticket)
    }

    /// Subscribes a target to a topic. A name or a queue that is subscribed already keeps its
    /// subscription, which has to be the same.
    pub fn subscribe(
        &self,
        topic: &Topic,
        new: &NewSubscription<'_>,
    ) -> Result<(ResourceId, Option<Ticket>)> {
        self.check_subscription(topic, new)?;
        if let Some(old) = find_subscription(topic, new)? {
            return match self.is_same(&old, new)? {
                true => Ok((old.id, self.host().append()?.ticket())),
                false => Err(invalid(
                    "Subscription already exists with different attributes. Change it with \
                     configure(), or give the new one another name."
                        .to_owned(),
                )),
            };
        }
        let id = self.host().next_id();
        let (target, is_owned) = match &new.target {
            TargetResource::Resource(target) => (*target, false),
            TargetResource::Outside(transport) => {
                let name = format!("{DESTINATION_PREFIX}{}", id.0);
                (self.create_destination(&name, &destination(id, transport, new))?, true)
            }
        };
        match topic.put_subscription(&stored(topic, id, target, is_owned, new)) {
            Ok(ticket) => Ok((id, ticket)),
            Err(error) => {
                if is_owned {
                    // If it cannot be removed now, the next opening does it.
                    drop(self.remove_owned_destination(target));
                }
                Err(error)
            }
        }
    }

    /// Whether a subscription is what a new one is to be. A retry table counts if it is given.
    fn is_same(&self, old: &SubscriptionStatus, new: &NewSubscription<'_>) -> Result<bool> {
        let is_target_same = match &new.target {
            TargetResource::Resource(target) => *target == old.target,
            TargetResource::Outside(transport) if old.is_outside => {
                let kept = self.outbox().config(old.target)?;
                kept.transport == *transport
                    && new.retry.as_ref().is_none_or(|retry| *retry == kept.retry)
            }
            TargetResource::Outside(_) => false,
        };
        Ok(is_target_same
            && (new.name.is_none() || new.name == old.name.as_deref())
            && old.is_raw == new.is_raw
            && old.is_pending == new.is_pending
            && old.filter.as_deref() == given_filter(new)
            && (old.filters_body == new.filters_body || old.filter.is_none())
            && old.dead_letter == new.dead_letter)
    }

    /// Gives a subscription another filter, envelope, dead-letter queue or retry table. Its target
    /// never changes.
    pub fn configure_subscription(
        &self,
        topic: &Topic,
        id: ResourceId,
        new: &NewSubscription<'_>,
    ) -> Result<Option<Ticket>> {
        let old = topic.subscription(id)?;
        let new = &NewSubscription { name: old.name.as_deref(), ..new.clone() };
        self.check_subscription(topic, new)?;
        let mut target = old.target;
        match &new.target {
            TargetResource::Resource(id) if *id == old.target => {}
            // A queue that came, or came again, after its subscription.
            TargetResource::Resource(id) if self.is_without_target(&old) => target = *id,
            TargetResource::Outside(transport) if old.is_outside => {
                let kept = self.outbox().config(old.target)?;
                let changed = DestinationConfig {
                    retry: new.retry.clone().unwrap_or(kept.retry),
                    ..destination(id, transport, new)
                };
                self.configure_destination(old.target, &changed)?;
            }
            _ => {
                return Err(invalid(
                    "The target of a subscription never changes. Remove it, and subscribe the \
                     other target."
                        .to_owned(),
                ));
            }
        }
        topic.put_subscription(&stored(topic, id, target, old.is_outside, new))
    }

    fn is_without_target(&self, old: &SubscriptionStatus) -> bool {
        !old.is_outside && !self.host().directory.contains(old.target)
    }

    /// Removes a subscription with what was made for it. One that is gone is a success.
    pub fn unsubscribe(&self, topic: &Topic, id: ResourceId) -> Result<Option<Ticket>> {
        let (removed, ticket) = topic.remove_subscription(id)?;
        if let Some(removed) = removed.filter(|removed| removed.is_outside) {
            self.remove_owned_destination(removed.target)?;
        }
        Ok(ticket)
    }

    /// Installs what signs notifications, unless there is one. It stays for the engine's life.
    pub fn install_signer(&self, signer: Arc<dyn Signer>) {
        self.topics.signing.install(signer);
    }

    /// What signs the notifications of this engine.
    pub fn signer(&self) -> Option<Arc<dyn Signer>> {
        self.topics.signing.signer()
    }

    /// Gives the topics their router, and removes destinations that no subscription names.
    pub(crate) fn attach_topics(self: &Arc<Self>) -> Result<()> {
        self.topics.attach(Arc::new(TopicPublisher(Arc::downgrade(self))));
        self.topics.resume_replays();
        let owned = self.topics.owned();
        for (name, id) in self.destinations()? {
            if name.starts_with(DESTINATION_PREFIX) && !owned.contains(&id) {
                self.remove_destination(id)?;
            }
        }
        Ok(())
    }

    fn remove_owned_destination(&self, id: ResourceId) -> Result<()> {
        match self.remove_destination(id) {
            Err(error) if error.code() == Code::ResourceNotFoundException => Ok(()),
            other => other.map(drop),
        }
    }

    /// Whether what is no queue can be subscribed.
    fn check_other(&self, id: ResourceId, is_fifo: bool) -> Result<()> {
        let directory = &self.host().directory;
        if directory.get::<Stream>(id).is_some() {
            return Ok(());
        }
        match directory.any(id).map(|resource| resource.name().kind) {
            Some(BUS) if !is_fifo => Ok(()),
            Some(BUS) => Err(invalid(
                "Only queues and streams can be subscribed to a FIFO topic: others keep no order."
                    .to_owned(),
            )),
            Some(kind) => Err(Error::new(
                Code::UnsupportedOperation,
                format!(
                    "A {kind} cannot be subscribed to a topic. Name a queue, a stream, an event \
                     bus, a function or a URL."
                ),
            )),
            None => Err(gone("The target of the subscription")),
        }
    }

    fn check_subscription(&self, topic: &Topic, new: &NewSubscription<'_>) -> Result<()> {
        if let Some(name) = new.name {
            check_name(name)?;
        }
        let is_fifo = topic.config().is_fifo;
        let queue = |id| self.host().directory.get::<Queue>(id);
        match &new.target {
            TargetResource::Resource(NO_TARGET) if new.is_pending => {}
            TargetResource::Resource(id) => match queue(*id) {
                Some(queue) if queue.kind() == QueueKind::Fifo && !is_fifo => {
                    return Err(invalid(
                        "A FIFO queue cannot be subscribed to a standard topic, which keeps no order. \
                         Name a standard queue, or make a FIFO topic."
                            .to_owned(),
                    ));
                }
                Some(_) => {}
                None => self.check_other(*id, is_fifo)?,
            },
            TargetResource::Outside(_) if is_fifo => {
                return Err(invalid(
                    "Only queues and streams can be subscribed to a FIFO topic: others keep no order."
                        .to_owned(),
                ));
            }
            TargetResource::Outside(_) => {}
        }
        let Some(dead) = new.dead_letter else { return Ok(()) };
        let dead = queue(dead).ok_or_else(|| gone("The dead-letter queue of the subscription"))?;
        let is_target_fifo = match &new.target {
            TargetResource::Resource(id) => {
                queue(*id).is_some_and(|queue| queue.kind() == QueueKind::Fifo)
            }
            TargetResource::Outside(_) => false,
        };
        match (dead.kind() == QueueKind::Fifo, is_target_fifo) {
            (false, true) => Err(invalid(
                "Invalid parameter: RedrivePolicy: must use a FIFO queue as DLQ for a FIFO \
                 Subscription to a FIFO Topic."
                    .to_owned(),
            )),
            (true, false) => Err(invalid(
                "The dead-letter queue of the subscription is a FIFO queue, and its target is not. \
                 Name a standard queue."
                    .to_owned(),
            )),
            _ => Ok(()),
        }
    }
}

fn stored<'a>(
    topic: &Topic,
    id: ResourceId,
    target: ResourceId,
    is_owned: bool,
    new: &NewSubscription<'a>,
) -> SubscriptionRecord<'a> {
    SubscriptionRecord {
        id,
        topic: topic.id(),
        target,
        is_owned,
        is_raw: new.is_raw,
        is_pending: new.is_pending,
        dead_letter: new.dead_letter,
        filter: given_filter(new),
        filters_body: new.filters_body,
        endpoint: new.endpoint,
        name: new.name,
    }
}

/// The filter, if there is one: an empty policy lets everything pass.
fn given_filter<'a>(new: &NewSubscription<'a>) -> Option<&'a str> {
    new.filter.filter(|filter| !matches!(filter.trim(), "" | "{}"))
}

/// The subscription that has the name of the new one, or else its target.
fn find_subscription(
    topic: &Topic,
    new: &NewSubscription<'_>,
) -> Result<Option<SubscriptionStatus>> {
    let named = new.name.map(|name| topic.subscription_named(name)).transpose()?.flatten();
    match new.target {
        TargetResource::Resource(target) if named.is_none() => topic.subscription_of(target),
        _ => Ok(named),
    }
}

fn check_name(name: &str) -> Result<()> {
    if name.is_empty() || name.len() > NAME_MAX || name.chars().any(char::is_control) {
        return Err(invalid(format!(
            "The name {name:?} of a subscription is not valid: 1 to {NAME_MAX} bytes, no control \
             characters."
        )));
    }
    Ok(())
}

fn destination(
    id: ResourceId,
    transport: &Transport,
    new: &NewSubscription<'_>,
) -> DestinationConfig {
    let otherwise = match transport {
        Transport::Http { .. } => RetryTable::sns_http(),
        Transport::Handler { .. } | Transport::Unavailable { .. } => RetryTable::sns_managed(),
    };
    DestinationConfig {
        transport: transport.clone(),
        retry: new.retry.clone().unwrap_or(otherwise),
        dead_letter: new.dead_letter,
        concurrency: CONCURRENCY,
        renderer: Some(renderer(id, new.is_raw, new.protocol)),
        http: HttpOptions::default(),
    }
}

fn invalid(message: String) -> Error {
    Error::new(Code::InvalidParameterValue, message)
}

fn gone(what: &str) -> Error {
    Error::new(Code::ResourceNotFoundException, format!("{what} does not exist."))
}
