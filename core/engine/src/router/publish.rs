//! Publishing: one step of the journal for all targets of a message, and dead letters of those that
//! refuse it.

use std::sync::Arc;

use trunkline_host::Payloads;
use trunkline_journal::Ticket;
use trunkline_types::{Code, Error, QueueKind, Result};

use crate::engine::Engine;
use crate::queue::{Branch, Outgoing, Queue, Sent, SharedPayload, fan_out};
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
