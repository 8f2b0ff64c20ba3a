//! A topic that takes part in the step of a sender, such as an event bus: what its subscribers get
//! is there after a crash with what the sender's other targets get, or not at all. A batch of
//! messages that is published is such a step, too.
//!
//! Subscribers that are standard queues, or destinations of the outbox, and take the message are
//! appended under the sender's append lock. A FIFO queue has a mutex that comes before that lock,
//! in the order of ids among those of the sender; and what is no queue takes part for itself. If a
//! message goes to one of these, or is to become a dead letter, the topic publishes it behind the
//! step ([`trunkline_host::Resource::accept`]).

use std::cell::RefCell;
use std::fmt;
use std::sync::Arc;

use trunkline_host::{Accepted, Also, Append, Joined, Via};
use trunkline_journal::Ticket;
use trunkline_types::{Millis, QueueKind, Result};

use super::authorization::DeliverySource;
use super::publish::{Route, branch, branches};
use crate::engine::Engine;
use crate::queue::{
    Appended, Branch, FanOutStep, Kept, Queue, SharedPayload, append_fan_out, check,
};
use crate::topic::{Notification, Publication, Publishing, Topic};

/// The publishes of a topic in the step of a sender.
pub(super) struct TopicInStep<'a> {
    engine: Arc<Engine>,
    topic: &'a Topic,
    publishes: Vec<Publish<'a>>,
    now: Millis,
    appended: RefCell<Vec<Result<Appended>>>,
}

/// One message, and where it goes.
struct Publish<'a> {
    publishing: Publishing<'a>,
    message: Notification<'a>,
    routes: Vec<Route>,
    context: Vec<u8>,
}

impl<'a> TopicInStep<'a> {
    /// `None` if a message goes to something that cannot take part.
    pub fn new(
        engine: Arc<Engine>,
        topic: &'a Topic,
        messages: &[Notification<'a>],
        now: Millis,
    ) -> Option<Self> {
        let mut publishes = Vec::with_capacity(messages.len());
        for message in messages {
            // What is refused is refused again, with its error, behind the step.
            let publishing = topic.prepare_publish(*message, now).ok()?;
            let routes = routes(&engine, &publishing, message)?;
            let context = publishing.context();
            publishes.push(Publish { publishing, message: *message, routes, context });
        }
        // Each message comes to the topic once.
        for _ in &publishes {
            Via::enter(topic.id(), topic.name()).ok()?;
        }
        publishes.iter().for_each(|publish| publish.publishing.trace());
        Some(Self { engine, topic, publishes, now, appended: RefCell::default() })
    }

    /// Shows the step of one message to `see`.
    fn with_step<T>(&self, publish: &Publish<'_>, see: impl FnOnce(&FanOutStep<'_>) -> T) -> T {
        let Publish { publishing, message, routes, context } = publish;
        let branches: Vec<Branch<'_>> = branches(self.engine.host(), publishing, routes, message);
        let is_shared = branches.iter().any(|branch| branch.kept != Kept::Own);
        let context: &[u8] = if is_shared { context } else { &[] };
        let content = SharedPayload { body: message.body, attributes: message.attributes, context };
        see(&FanOutStep { branches: &branches, content, participants: &[], now: self.now })
    }

    /// Publishes the messages in a step of their own. `None`, and nothing was done, if they are too
    /// large together for one.
    pub fn publish(self) -> Option<Vec<Result<Publication>>> {
        let ticket = match self.engine.host().append_at(self.now) {
            Err(error) => return Some(vec![Err(error); self.publishes.len()]),
            Ok(mut log) => {
                if log.is_on() && !log.reserve(self.records(), self.bytes()) {
                    return None;
                }
                self.append(&mut log);
                log.ticket()
            }
        };
        Some(self.end(ticket))
    }

    /// With every lock of the step released: wakes who waits, and says what became of each message.
    fn end(self, ticket: Option<Ticket>) -> Vec<Result<Publication>> {
        let mut settled = Vec::with_capacity(self.publishes.len());
        for (publish, appended) in self.publishes.iter().zip(self.appended.take()) {
            let settle = |step: &FanOutStep<'_>| Ok(appended?.settle(step.branches, ticket));
            settled.push(self.with_step(publish, settle));
        }
        let end = |(publish, results): (Publish<'_>, Result<Vec<Result<_>>>)| {
            let delivered = results?.iter().filter(|sent| sent.is_ok()).count();
            // The queue of any other was removed in the middle: as if it had been removed right
            // afterwards, with all that it holds.
            let failed = publish.routes.len() - delivered;
            Ok(publish.publishing.end(delivered, 0, failed, ticket))
        };
        self.publishes.into_iter().zip(settled).map(end).collect()
    }

    fn extents(&self) -> impl Iterator<Item = (usize, usize)> {
        self.publishes.iter().map(|publish| self.with_step(publish, |step| step.extent()))
    }
}

/// The queues that get a message, if they are all that gets it and each takes it.
fn routes(
    engine: &Engine,
    publishing: &Publishing<'_>,
    message: &Notification<'_>,
) -> Option<Vec<Route>> {
    let source = DeliverySource::Topic(publishing.topic());
    let mut found = Vec::with_capacity(publishing.selected.len());
    let ids = publishing.selected.iter().map(|selected| selected.target);
    engine.host().directory.get_many::<Queue>(ids, |queue, _| found.push(queue));
    let route = |(selected, queue): (_, Option<Arc<Queue>>)| {
        let route = Route { selected, queue: queue?, is_dead_letter: false };
        let takes = route.queue.kind() == QueueKind::Standard
            && engine.authorization.permits(&route.queue, &source)
            && check(&route.queue, &branch(publishing, &route, message, false).message).is_ok();
        takes.then_some(route)
    };
    publishing.selected.iter().copied().zip(found).map(route).collect()
}

impl fmt::Debug for TopicInStep<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} messages of the topic {}", self.publishes.len(), self.topic.name().name)
    }
}

impl Also for TopicInStep<'_> {
    fn bytes(&self) -> usize {
        self.extents().map(|(_, bytes)| bytes).sum()
    }

    fn records(&self) -> usize {
        self.extents().map(|(records, _)| records).sum()
    }

    fn append(&self, log: &mut Append<'_>) {
        let host = self.engine.host();
        let append = |publish: &Publish<'_>| {
            let _cause = host.trace.enter(publish.publishing.subject());
            self.with_step(publish, |step| append_fan_out(host, step, log))
        };
        let appended = self.publishes.iter().map(append).collect();
        self.appended.replace(appended);
    }
}

impl Joined for TopicInStep<'_> {
    fn settle(self: Box<Self>, ticket: Option<Ticket>) -> Vec<Result<Accepted>> {
        let resource = self.topic.id();
        let accepted = |_| Accepted { resource, seq: 0, duplicate: false, ticket };
        self.end(ticket).into_iter().map(|published| published.map(accepted)).collect()
    }
}
