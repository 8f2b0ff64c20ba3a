//! Topics and what they deliver to: queues, and destinations of the outbox.
//!
//! A target outside of the engine gets a destination of its own, which is made before the
//! subscription that names it and removed behind it. A crash in between leaves a destination that
//! no subscription names; the next opening removes it.

use std::sync::Arc;

use trunkline_delivery::RetryTable;
use trunkline_host::Payloads;
use trunkline_journal::Ticket;
use trunkline_types::{Code, Error, QueueKind, ResourceId, ResourceName, Result};

use super::events::TargetResource;
use crate::engine::Engine;
use crate::outbox::{DestinationConfig, Transport};
use crate::queue::{Branch, Outgoing, Queue, Sent, SharedPayload, fan_out};
use crate::topic::{
    Notification, PUBLISH, Publication, Publishing, Selected, SubscriptionRecord, TOPIC, Topic,
    TopicConfig, no_such_topic, renderer,
};

/// The names of destinations that belong to subscriptions start with this.
const DESTINATION_PREFIX: &str = "subscription/";
/// Attempts at once at one destination.
const CONCURRENCY: u32 = 8;

/// A subscription to be made, or what an old one is to be.
#[derive(Debug, Clone)]
pub struct NewSubscription<'a> {
    /// Where messages go.
    pub target: TargetResource,
    /// Whether messages come as they were published, without an envelope.
    pub is_raw: bool,
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

    /// Removes a topic with its subscriptions and what was made for them.
    pub fn remove_topic(&self, topic: &Topic) -> Result<Option<Ticket>> {
        let (owned, ticket) = topic.remove()?;
        owned.into_iter().try_for_each(|id| self.remove_owned_destination(id))?;
        Ok(ticket)
    }

    /// Subscribes a target to a topic. A queue that is subscribed already keeps its subscription,
    /// which has to be the same.
    pub fn subscribe(
        &self,
        topic: &Topic,
        new: &NewSubscription<'_>,
    ) -> Result<(ResourceId, Option<Ticket>)> {
        self.check_subscription(topic, new)?;
        if let TargetResource::Resource(target) = new.target
            && let Some(old) = topic.subscription_of(target)?
        {
            let is_same = old.is_raw == new.is_raw
                && old.filter.as_deref() == new.filter
                && (old.filters_body == new.filters_body || new.filter.is_none())
                && old.dead_letter == new.dead_letter;
            return match is_same {
                true => Ok((old.id, self.host().append()?.ticket())),
                false => Err(invalid(
                    "Subscription already exists with different attributes. Change it with \
                     configure()."
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

    /// Gives a subscription another filter, envelope, dead-letter queue or retry table. Its target
    /// never changes.
    pub fn configure_subscription(
        &self,
        topic: &Topic,
        id: ResourceId,
        new: &NewSubscription<'_>,
    ) -> Result<Option<Ticket>> {
        let old = topic.subscription(id)?;
        self.check_subscription(topic, new)?;
        match &new.target {
            TargetResource::Resource(target) if *target == old.target => {}
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
        topic.put_subscription(&stored(topic, id, old.target, old.is_outside, new))
    }

    /// Removes a subscription with what was made for it. One that is gone is a success.
    pub fn unsubscribe(&self, topic: &Topic, id: ResourceId) -> Result<Option<Ticket>> {
        let (removed, ticket) = topic.remove_subscription(id)?;
        if let Some(removed) = removed.filter(|removed| removed.is_outside) {
            self.remove_owned_destination(removed.target)?;
        }
        Ok(ticket)
    }

    /// Publishes a message to the subscriptions of a topic, in one step of the journal. It is
    /// applied when this returns, and as durable as wanted once its ticket has been waited for.
    pub fn publish(&self, topic: &Topic, message: &Notification<'_>) -> Result<Publication> {
        // Waits here, if at all: a FIFO topic is locked from the next line on.
        let now = self.host().admit(PUBLISH, topic.name())?.now(self.host());
        let publishing = topic.begin_publish(*message, now)?;
        if publishing.is_duplicate() {
            let ticket = self.host().append()?.ticket();
            return Ok(publishing.end(0, 0, 0, ticket));
        }
        let context = publishing.context();
        let content =
            SharedPayload { body: message.body, attributes: message.attributes, context: &context };
        let (mut routes, mut lost) = (Vec::with_capacity(publishing.selected.len()), 0);
        for selected in &publishing.selected {
            match self.route(selected, false).or_else(|| self.route(selected, true)) {
                Some(route) => routes.push(route),
                None => lost += 1,
            }
        }
        let (results, ticket) =
            self.send_routes(&publishing, &routes, message, &content, publishing.also())?;
        let mut outcome = Outcome { failed: lost, ..Outcome::default() };
        let mut again = Vec::new();
        for (route, is_sent) in routes.iter().zip(&results) {
            match (is_sent, route.is_dead_letter) {
                (true, false) => outcome.delivered += 1,
                (true, true) => outcome.dead_lettered += 1,
                (false, false) => again.extend(self.route(&route.selected, true)),
                (false, true) => {}
            }
            outcome.failed += usize::from(!is_sent);
        }
        if !again.is_empty() {
            // A target that refused this one message, because it is too large for it.
            let (results, _) = self.send_routes(&publishing, &again, message, &content, None)?;
            let taken = results.iter().filter(|is_sent| **is_sent).count();
            (outcome.dead_lettered, outcome.failed) =
                (outcome.dead_lettered + taken, outcome.failed - taken);
        }
        let Outcome { delivered, dead_lettered, failed } = outcome;
        Ok(publishing.end(delivered, dead_lettered, failed, ticket))
    }

    /// Where a selected message goes: to its target, or to its dead-letter queue.
    fn route(&self, selected: &Selected, is_dead_letter: bool) -> Option<Route> {
        let id = if is_dead_letter { selected.dead_letter? } else { selected.target };
        let queue = self.host().directory.get::<Queue>(id)?;
        Some(Route { selected: *selected, queue, is_dead_letter })
    }

    fn send_routes(
        &self,
        publishing: &Publishing<'_>,
        routes: &[Route],
        message: &Notification<'_>,
        content: &SharedPayload<'_>,
        also: Option<&dyn trunkline_host::Also>,
    ) -> Result<(Vec<bool>, Option<Ticket>)> {
        let closed = || Error::new(Code::EngineClosed, "The engine is closed. Open it again.");
        let payloads = self.host().component::<Payloads>().ok_or_else(closed)?;
        let branch = |route| branch(publishing, route, message);
        let branches: Vec<Branch<'_>> = routes.iter().map(branch).collect();
        let mut results = vec![false; routes.len()];
        let mut each = |index: usize, sent: Result<Sent>| results[index] = sent.is_ok();
        let ticket =
            fan_out(self.host(), &payloads, &branches, content, also, publishing.now, &mut each)?;
        for (route, _) in routes.iter().zip(&results).filter(|(_, is_sent)| **is_sent) {
            if route.selected.is_owned && !route.is_dead_letter {
                route.queue.tell_listener();
            }
        }
        Ok((results, ticket))
    }

    /// Removes destinations that no subscription names.
    pub(crate) fn attach_topics(&self) -> Result<()> {
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

    fn check_subscription(&self, topic: &Topic, new: &NewSubscription<'_>) -> Result<()> {
        let is_fifo = topic.config().is_fifo;
        let queue = |id| self.host().directory.get::<Queue>(id);
        match &new.target {
            TargetResource::Resource(id) => match queue(*id) {
                Some(queue) if queue.kind() == QueueKind::Fifo && !is_fifo => {
                    return Err(invalid(
                        "A FIFO queue cannot be subscribed to a standard topic, which keeps no order. \
                         Name a standard queue, or make a FIFO topic."
                            .to_owned(),
                    ));
                }
                Some(_) => {}
                None if self.host().directory.contains(*id) => {
                    return Err(Error::new(
                        Code::UnsupportedOperation,
                        "The target of a subscription is a queue, a URL or a handler; other \
                         resources cannot be subscribed yet.",
                    ));
                }
                None => return Err(gone("The queue of the subscription")),
            },
            TargetResource::Outside(_) if is_fifo => {
                return Err(invalid(
                    "Only queues can be subscribed to a FIFO topic: others keep no order."
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

/// Where a message goes for one subscription.
struct Route {
    selected: Selected,
    queue: Arc<Queue>,
    is_dead_letter: bool,
}

#[derive(Default)]
struct Outcome {
    delivered: usize,
    dead_lettered: usize,
    failed: usize,
}

/// What the queue of a route gets.
fn branch<'a>(
    publishing: &'a Publishing<'_>,
    route: &'a Route,
    message: &Notification<'a>,
) -> Branch<'a> {
    let Selected { id, is_owned, is_raw, .. } = route.selected;
    let is_destination = is_owned && !route.is_dead_letter;
    let is_fifo = route.queue.kind() == QueueKind::Fifo;
    // A group of a FIFO topic says nothing to a standard queue; that of a standard topic is the
    // tenant there.
    let group = message.group.filter(|_| is_fifo || !publishing.is_fifo() && !is_destination);
    let dedup_id = publishing.dedup_id().filter(|_| is_fifo);
    let Notification { body, attributes, .. } = *message;
    // A destination has its own renderer, which knows header lines.
    let renderer = (!is_raw && !is_destination).then(|| renderer(id, false));
    // Targets of a topic are delayed as their queue says.
    let message = Outgoing { body, attributes, group, dedup_id, delay: None };
    Branch { queue: &route.queue, message, renderer }
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
        dead_letter: new.dead_letter,
        // An empty policy lets everything pass.
        filter: new.filter.filter(|filter| !matches!(filter.trim(), "" | "{}")),
        filters_body: new.filters_body,
        endpoint: new.endpoint,
    }
}

fn destination(
    id: ResourceId,
    transport: &Transport,
    new: &NewSubscription<'_>,
) -> DestinationConfig {
    let otherwise = match transport {
        Transport::Http { .. } => RetryTable::sns_http(),
        Transport::Handler { .. } => RetryTable::sns_managed(),
    };
    DestinationConfig {
        transport: transport.clone(),
        retry: new.retry.clone().unwrap_or(otherwise),
        dead_letter: new.dead_letter,
        concurrency: CONCURRENCY,
        renderer: Some(renderer(id, new.is_raw)),
    }
}

fn invalid(message: String) -> Error {
    Error::new(Code::InvalidParameterValue, message)
}

fn gone(what: &str) -> Error {
    Error::new(Code::ResourceNotFoundException, format!("{what} does not exist."))
}
