//! The usual publish in memory: which queues get a body as it is, found once and kept.

use std::sync::Arc;

use trunkline_types::{Millis, ResourceId, Result};

use crate::engine::Engine;
use crate::outbox::is_of_outbox;
use crate::queue::{Queue, send_plain, take_plain};
use crate::topic::{Notification, Publication, Topic};

/// The queues of a topic whose messages all of them get as they are; `None` if others get some.
struct Routes(Option<Vec<Arc<Queue>>>);

impl Engine {
    /// Publishes a body that all queues get as it is. `None`: it takes more than that, and nothing
    /// was done.
    pub(super) fn publish_plain(
        &self,
        topic: &Topic,
        message: &Notification<'_>,
        now: Millis,
    ) -> Result<Option<Publication>> {
        let host = self.host();
        let is_plain = message.attributes.is_empty()
            && message.group.is_none()
            && message.dedup_id.is_none()
            && !message.is_structured
            && !message.is_withheld
            && self.authorization.is_off();
        if !is_plain || host.is_journaled() || host.trace.is_on() {
            return Ok(None);
        }
        let routes = topic.plain_routes(|targets| Routes(self.queues_of(targets)));
        let Some(queues) = routes.as_ref().and_then(|routes| routes.0.as_deref()) else {
            return Ok(None);
        };
        if !take_plain(queues, message.body) {
            return Ok(None);
        }
        let message_id = topic.begin_plain(message)?;
        let delivered = send_plain(queues, message.body, now);
        Ok(Some(topic.end_plain(message_id, queues.len(), delivered)))
    }

    /// The queues of these ids, if all are queues that no destination of the outbox owns.
    fn queues_of(&self, targets: Option<Vec<ResourceId>>) -> Option<Vec<Arc<Queue>>> {
        let targets = targets?;
        let mut queues = Vec::with_capacity(targets.len());
        self.host().directory.get_many::<Queue>(targets.into_iter(), |queue, _| {
            queues.push(queue.filter(|queue| !is_of_outbox(queue.name())));
        });
        queues.into_iter().collect()
    }
}
