//! What a topic asks of the router: to publish messages that other resources deliver to it, and to
//! deliver those of its archive again.

use std::sync::Arc;

use trunkline_host::{Also, Joined};
use trunkline_types::sync::{Mutex, lock};
use trunkline_types::{Millis, Result};

use super::Topic;
use super::archive::Archived;
use super::message::{Notification, Publication};
use super::table::Selected;

/// What is published for another resource.
#[derive(Clone, Copy)]
pub(crate) struct Delivered<'a> {
    pub message: Notification<'a>,
    /// What the sender appends in the step of the deliveries.
    pub also: Option<&'a dyn Also>,
    /// How many resources have handed the message on, this topic included.
    pub hops: u32,
}

/// A message of an archive for one subscription.
pub(crate) struct Replayed<'a> {
    pub archived: Archived<'a>,
    pub message: Notification<'a>,
    pub selected: Selected,
    /// What the step of its delivery notes of the replay.
    pub progress: &'a dyn Also,
    pub now: Millis,
}

/// What a topic asks of the router.
pub(crate) trait Publisher: Send + Sync {
    fn publish(&self, topic: &Topic, delivered: &Delivered<'_>) -> Result<Publication>;

    /// Takes part in the step of a sender, which these messages come from; `None` if something that
    /// gets one of them cannot.
    fn join<'a>(
        &self,
        topic: &'a Topic,
        messages: &[Notification<'a>],
        now: Millis,
    ) -> Option<Box<dyn Joined + 'a>>;

    /// Delivers a message of the archive to one subscription.
    fn replay(&self, topic: &Topic, replayed: &Replayed<'_>) -> Result<Publication>;
}

/// Where the topics of an engine find the router, once it is there.
#[derive(Default)]
pub(super) struct Slot(Mutex<Option<Arc<dyn Publisher>>>);

impl Slot {
    pub fn set(&self, publisher: Arc<dyn Publisher>) {
        *lock(&self.0) = Some(publisher);
    }

    pub fn get(&self) -> Option<Arc<dyn Publisher>> {
        lock(&self.0).clone()
    }
}
