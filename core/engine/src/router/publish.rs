//! Publishing: one step of the journal for all targets of a message, dead letters for those that
//! refuse it included.

use std::cell::OnceCell;
use std::sync::Arc;

use trunkline_host::{Admission, Admitted, Also, Held, Host, Via};
use trunkline_journal::Ticket;
use trunkline_types::{Code, Error, Millis, QueueKind, Result};

use super::apart::Told;
use super::authorization::DeliverySource;
use super::others::Others;
use crate::bus::is_of_target;
use crate::engine::Engine;
use crate::outbox::is_of_outbox;
use crate::queue::{
    Branch, FanOutStep, Kept, Outcome, Outgoing, Queue, SharedPayload, check, fan_out,
};
use crate::topic::{
    Delivered, Notification, PUBLISH, Protocol, Publication, Publishing, Selected, Topic,
};

impl Engine {
    /// Publishes a message to the subscriptions of a topic, in one step of the journal. It is
    /// applied when this returns, and as durable as wanted once its ticket has been waited for.
    pub fn publish(&self, topic: &Topic, message: &Notification<'_>) -> Result<Publication> {
        // Waits here, if at all: a FIFO topic is locked from then on.
        let call = self.host().admit(PUBLISH, topic.name())?;
        self.publish_admitted(topic, &call, message)
    }

    /// Admits a publish, or says what it has to wait for; `held` is what it has waited for.
    pub fn try_admit_publish(&self, topic: &Topic, held: Option<&Held>) -> Result<Admission> {
        match held {
            Some(held) => self.host().resume(held),
            None => self.host().try_admit(PUBLISH, topic.name()),
        }
    }

    /// Publishes a message as an admitted call.
    pub fn publish_admitted(
        &self,
        topic: &Topic,
        call: &Admitted,
        message: &Notification<'_>,
    ) -> Result<Publication> {
        let now = call.now(self.host());
        if let Some(publication) = self.publish_plain(topic, message, now)? {
            return Ok(publication);
        }
        let delivered = Delivered { message: *message, also: None, hops: 0 };
        self.publish_at(topic, &delivered, now)
    }

    /// Publishes a message of a caller or of another resource.
    pub(super) fn publish_at(
        &self,
        topic: &Topic,
        delivered: &Delivered<'_>,
        now: Millis,
    ) -> Result<Publication> {
        let _via = Via::enter(topic.id(), topic.name())?;
        let publishing = topic.begin_publish(delivered.message, now)?;
        if publishing.is_duplicate() {
            let ticket = self.host().append()?.ticket();
            return Ok(publishing.end(0, 0, 0, ticket));
        }
        self.deliver_selected(publishing, delivered)
    }

    /// Delivers a message to the subscriptions that were selected, in one step.
    pub(super) fn deliver_selected(
        &self,
        publishing: Publishing<'_>,
        delivered: &Delivered<'_>,
    ) -> Result<Publication> {
        let Delivered { message, also, hops } = delivered;
        let now = publishing.now;
        let _cause = self.host().trace.enter(publishing.subject());
        let context = OnceCell::new();
        let mut count = Count::default();
        let (routes, told) = self.plan(&publishing, message, &context, *hops, &mut count)?;
        let mut others = Others::default();
        for (place, one) in told.iter().enumerate() {
            let is_there = others.add(self.host(), one.selected.target, place, one.routed());
            count.failed += usize::from(!is_there);
        }
        let joined = others.join(now);
        let participants: Vec<&dyn Also> =
            joined.participants().chain(publishing.participants()).chain(*also).collect();
        let (results, ticket) =
            self.send_routes(&publishing, &routes, message, &context, &participants)?;
        drop(participants);
        joined.settle(self.host(), ticket, &mut |_, result| match result {
            Ok(accepted) => count.delivered(accepted.ticket),
            Err(_) => count.failed += 1,
        });
        for (route, sent) in routes.iter().zip(&results) {
            match (sent, route.is_dead_letter) {
                (Ok(_), false) => count.delivered(ticket),
                (Ok(_), true) => count.dead_lettered += 1,
                // Its queue was removed in the middle: as if it had been removed right afterwards,
                // with all that it holds.
                (Err(_), _) => count.failed += 1,
            }
        }
        let Count { delivered, dead_lettered, failed, ticket: apart } = count;
        Ok(publishing.end(delivered, dead_lettered, failed, ticket.max(apart)))
    }

    /// Where a message goes: to queues, and to others that take part in the step. Event buses have
    /// it when this returns.
    fn plan<'a>(
        &self,
        publishing: &Publishing<'_>,
        message: &Notification<'a>,
        context: &OnceCell<Vec<u8>>,
        hops: u32,
        count: &mut Count,
    ) -> Result<(Vec<Route>, Vec<Told<'a>>)> {
        let (mut routes, mut told) = (Vec::with_capacity(publishing.selected.len()), Vec::new());
        let (host, mut found) = (self.host(), Vec::with_capacity(publishing.selected.len()));
        let ids = publishing.selected.iter().map(|selected| selected.target);
        host.directory.get_many::<Queue>(ids, |queue, is_there| found.push((queue, is_there)));
        for (selected, (queue, is_there)) in publishing.selected.iter().zip(found) {
            if queue.is_none() && is_there {
                let context = context.get_or_init(|| publishing.context());
                let one = Told::new(host, publishing, selected, message, context, hops);
                match one.and_then(|one| Ok((one.deliver(host)?, one))) {
                    Ok((Some(accepted), _)) => count.delivered(accepted.ticket),
                    Ok((None, one)) => told.push(one),
                    Err(error) if !is_of_target(&error) => return Err(error),
                    Err(error) => {
                        publishing.trace_refused(selected, &error);
                        match self.route_to_target(publishing, selected, None, message) {
                            Some(route) => routes.push(route),
                            None => count.failed += 1,
                        }
                    }
                }
                continue;
            }
            match self.route_to_target(publishing, selected, queue, message) {
                Some(route) => routes.push(route),
                None => count.failed += 1,
            }
        }
        Ok((routes, told))
    }

    /// Where a selected message goes: to its target, or to its dead-letter queue if the target is
    /// gone or does not take this message.
    fn route_to_target(
        &self,
        publishing: &Publishing<'_>,
        selected: &Selected,
        queue: Option<Arc<Queue>>,
        message: &Notification<'_>,
    ) -> Option<Route> {
        let takes = |route: &Route| {
            let source = DeliverySource::Topic(publishing.topic());
            if !self.authorization.permits(&route.queue, &source) {
                publishing.trace_refused(selected, &forbidden());
                return false;
            }
            let checked = check(&route.queue, &branch(publishing, route, message, false).message);
            checked.inspect_err(|error| publishing.trace_refused(selected, error)).is_ok()
        };
        let route = |queue, is_dead_letter| Route { selected: *selected, queue, is_dead_letter };
        let dead_letter = || {
            let queue = self.host().directory.get::<Queue>(selected.dead_letter?)?;
            Some(route(queue, true)).filter(takes)
        };
        queue.map(|queue| route(queue, false)).filter(takes).or_else(dead_letter)
    }

    fn send_routes(
        &self,
        publishing: &Publishing<'_>,
        routes: &[Route],
        message: &Notification<'_>,
        context: &OnceCell<Vec<u8>>,
        participants: &[&dyn Also],
    ) -> Result<Outcome> {
        let branches = branches(self.host(), publishing, routes, message);
        let is_shared = branches.iter().any(|branch| branch.kept != Kept::Own);
        let context: &[u8] =
            if is_shared { context.get_or_init(|| publishing.context()) } else { &[] };
        let content = SharedPayload { body: message.body, attributes: message.attributes, context };
        let now = publishing.now;
        let step = FanOutStep { branches: &branches, content, participants, now };
        fan_out(self.host(), &step)
    }
}

/// What became of a message.
#[derive(Default)]
struct Count {
    delivered: usize,
    dead_lettered: usize,
    failed: usize,
    /// The newest ticket of a delivery.
    ticket: Option<Ticket>,
}

impl Count {
    fn delivered(&mut self, ticket: Option<Ticket>) {
        self.delivered += 1;
        self.ticket = self.ticket.max(ticket);
    }
}

/// Where a message goes for one subscription.
pub(super) struct Route {
    pub selected: Selected,
    pub queue: Arc<Queue>,
    pub is_dead_letter: bool,
}

#[cold]
fn forbidden() -> Error {
    Error::new(
        Code::UnsupportedOperation,
        "The policy of the queue does not allow the topic to send to it.",
    )
}

/// Longest body, with its attributes, that every queue of an engine in memory gets a copy of.
const COPIED_BYTES_MAX: usize = 128;

/// What the queues of all routes get.
pub(super) fn branches<'a>(
    host: &Host,
    publishing: &'a Publishing<'_>,
    routes: &'a [Route],
    message: &Notification<'a>,
) -> Vec<Branch<'a>> {
    // A copy of its own costs less than a payload that one message refers to, and in memory less
    // than a reference to it if it is short.
    let is_short =
        !host.is_journaled() && message.body.len() + message.attributes.len() <= COPIED_BYTES_MAX;
    let is_copied = is_short || routes.len() == 1;
    routes.iter().map(|route| branch(publishing, route, message, is_copied)).collect()
}

/// What the queue of a route gets.
pub(super) fn branch<'a>(
    publishing: &'a Publishing<'_>,
    route: &'a Route,
    message: &Notification<'a>,
    is_copied: bool,
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
    let is_rendered = (!is_raw || message.is_structured) && !is_destination;
    // A destination that the subscription does not own is that of a function.
    let protocol = match is_of_outbox(route.queue.name()) {
        true => Protocol::Lambda,
        false => Protocol::Queue,
    };
    let renderer = is_rendered.then(|| publishing.renderer(id, is_raw, protocol));
    // Targets of a topic are delayed as their queue says.
    let message = Outgoing { body, attributes, group, dedup_id, delay: None };
    let kept = match renderer {
        None if is_copied && !is_destination => Kept::Own,
        renderer => Kept::Shared(renderer),
    };
    Branch { queue: &route.queue, message, kept }
}
