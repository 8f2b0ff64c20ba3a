//! Publishing: one step of the journal for all targets of a message, dead letters for those that
//! refuse it included.

use std::sync::Arc;

use trunkline_host::{Also, Payloads};
use trunkline_types::{Code, Error, QueueKind, Result};

use crate::engine::Engine;
use crate::queue::{
    Branch, FanOutStep, Kept, Outcome, Outgoing, Queue, SharedPayload, check, fan_out,
};
use crate::topic::{Notification, PUBLISH, Publication, Publishing, Selected, Topic, renderer};

impl Engine {
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
        let (mut routes, mut failed) = (Vec::with_capacity(publishing.selected.len()), 0);
        for selected in &publishing.selected {
            match self.route_to_target(&publishing, selected, message) {
                Some(route) => routes.push(route),
                None => failed += 1,
            }
        }
        let (results, ticket) =
            self.send_routes(&publishing, &routes, message, content, publishing.also())?;
        let (mut delivered, mut dead_lettered) = (0, 0);
        for (route, sent) in routes.iter().zip(&results) {
            match (sent, route.is_dead_letter) {
                (Ok(_), false) => delivered += 1,
                (Ok(_), true) => dead_lettered += 1,
                // Its queue was removed in the middle: as if it had been removed right afterwards,
                // with all that it holds.
                (Err(_), _) => failed += 1,
            }
        }
        Ok(publishing.end(delivered, dead_lettered, failed, ticket))
    }

    /// Where a selected message goes: to its target, or to its dead-letter queue if the target is
    /// gone or does not take this message.
    fn route_to_target(
        &self,
        publishing: &Publishing<'_>,
        selected: &Selected,
        message: &Notification<'_>,
    ) -> Option<Route> {
        let takes = |route: &Route| {
            check(&route.queue, &branch(publishing, route, message, false).message).is_ok()
        };
        let route = |is_dead_letter| self.route(selected, is_dead_letter).filter(takes);
        route(false).or_else(|| route(true))
    }

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
        content: SharedPayload<'_>,
        also: Option<&dyn Also>,
    ) -> Result<Outcome> {
        let closed = || Error::new(Code::EngineClosed, "The engine is closed. Open it again.");
        let payloads = self.host().component::<Payloads>().ok_or_else(closed)?;
        // A message of its own costs less than a payload that one message refers to.
        let is_alone = routes.len() == 1;
        let branch = |route| branch(publishing, route, message, is_alone);
        let branches: Vec<Branch<'_>> = routes.iter().map(branch).collect();
        let participants = also.as_slice();
        let now = publishing.now;
        let step = FanOutStep { branches: &branches, content, participants, now };
        fan_out(self.host(), &payloads, &step)
    }
}

/// Where a message goes for one subscription.
struct Route {
    selected: Selected,
    queue: Arc<Queue>,
    is_dead_letter: bool,
}

/// What the queue of a route gets.
fn branch<'a>(
    publishing: &'a Publishing<'_>,
    route: &'a Route,
    message: &Notification<'a>,
    is_alone: bool,
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
    let kept = match renderer {
        None if is_alone && !is_destination => Kept::Own,
        renderer => Kept::Shared(renderer),
    };
    Branch { queue: &route.queue, message, kept }
}
