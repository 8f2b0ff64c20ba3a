//! Publishing several messages at once.

use std::sync::Arc;

use trunkline_host::Admitted;
use trunkline_types::Result;

use super::join::TopicInStep;
use crate::engine::Engine;
use crate::topic::{Notification, Publication, Topic};

impl Engine {
    /// Publishes messages in order, as an admitted call: in one step of the journal, if all that
    /// gets them is standard queues. Each succeeds or fails for itself.
    pub fn publish_batch_admitted(
        self: &Arc<Self>,
        topic: &Topic,
        call: &Admitted,
        messages: &[Notification<'_>],
    ) -> Vec<Result<Publication>> {
        let now = call.now(self.host());
        let mut others = messages.iter();
        let mut published = Vec::with_capacity(messages.len());
        let plain =
            messages.first().and_then(|first| self.publish_plain(topic, first, now).transpose());
        if let Some(first) = plain {
            published.push(first);
            others.next();
        } else if !topic.config().is_fifo
            // Each message of a FIFO topic locks the topic, and sees the number of the one before.
            && let Some(step) = TopicInStep::new(self.clone(), topic, messages, now)
            && let Some(published) = step.publish()
        {
            return published;
        }
        published.extend(others.map(|message| self.publish_admitted(topic, call, message)));
        published
    }
}
