//! What topics ask of the router: it publishes the messages that other resources deliver to them.

use std::sync::{Arc, Weak};

use trunkline_host::{Joined, Via};
use trunkline_types::{Code, Error, Millis, Result};

use super::join::TopicInStep;
use crate::engine::Engine;
use crate::topic::{Delivered, Notification, PUBLISH, Publication, Publisher, Replayed, Topic};

/// Publishes what other resources deliver to topics.
pub(super) struct TopicPublisher(pub Weak<Engine>);

impl TopicPublisher {
    fn engine(&self) -> Result<Arc<Engine>> {
        let closed = || Error::new(Code::EngineClosed, "The engine is closed. Open it again.");
        self.0.upgrade().ok_or_else(closed)
    }
}

impl Publisher for TopicPublisher {
    fn publish(&self, topic: &Topic, delivered: &Delivered<'_>) -> Result<Publication> {
        let engine = self.engine()?;
        let now = engine.host().admit_internal(PUBLISH)?.now(engine.host());
        engine.publish_at(topic, delivered, now)
    }

    fn join<'a>(
        &self,
        topic: &'a Topic,
        messages: &[Notification<'a>],
        now: Millis,
    ) -> Option<Box<dyn Joined + 'a>> {
        let joined = TopicInStep::new(self.engine().ok()?, topic, messages, now)?;
        Some(Box::new(joined))
    }

    fn replay(&self, topic: &Topic, replayed: &Replayed<'_>) -> Result<Publication> {
        let engine = self.engine()?;
        let _via = Via::enter(topic.id(), topic.name())?;
        let delivered = Delivered { message: replayed.message, also: None, hops: 0 };
        engine.deliver_selected(topic.begin_replay(replayed), &delivered)
    }
}
