//! The usual publish of an engine in memory: a body that every target gets as it is. Where it goes
//! is found once, by the router, and kept here until a subscription or a resource changes.

use std::any::Any;
use std::sync::Arc;

use trunkline_types::sync::atomic::Ordering;
use trunkline_types::sync::{Mutex, lock};
use trunkline_types::{MessageId, ResourceId, Result};

use super::Topic;
use super::message::{Notification, Publication};

/// What the router found of the targets of a topic; only it knows what that is.
type Found = Arc<dyn Any + Send + Sync>;

/// The changes of subscriptions and of resources that were seen.
type Versions = (u64, u64);

/// The targets of a topic, as they were found last.
#[derive(Default)]
pub(super) struct PlainRoutes(Mutex<Option<(Versions, Found)>>);

impl PlainRoutes {
    /// Lets go of the targets.
    pub fn forget(&self) {
        *lock(&self.0) = None;
    }
}

impl Topic {
    /// What `find` makes of the targets that get every message as it is, `None` if there are
    /// others. It is asked again after a change of subscriptions or resources.
    pub(crate) fn plain_routes<R: Send + Sync + 'static>(
        &self,
        find: impl FnOnce(Option<Vec<ResourceId>>) -> R,
    ) -> Option<Arc<R>> {
        // Read before what they stand for, so what was found may be newer and never older.
        let versions = (self.subscriptions.version(), self.host.directory.version());
        let mut kept = lock(&self.plain_routes.0);
        let found = match &*kept {
            Some((seen, found)) if *seen == versions => found.clone(),
            _ => {
                let is_fifo = self.config().is_fifo;
                let targets = if is_fifo { None } else { self.subscriptions.plain_targets() };
                let found: Found = Arc::new(find(targets));
                *kept = Some((versions, found.clone()));
                found
            }
        };
        found.downcast().ok()
    }

    /// Checks a message of a standard topic, and gives it an id.
    pub(crate) fn begin_plain(&self, message: &Notification<'_>) -> Result<MessageId> {
        self.check_present()?;
        self.check(message)?;
        Ok(self.next_message_id())
    }

    /// Counts a message that `delivered` of the `matched` targets took.
    pub(crate) fn end_plain(
        &self,
        message_id: MessageId,
        matched: usize,
        delivered: usize,
    ) -> Publication {
        let counters = &self.counters;
        counters.published.fetch_add(1, Ordering::Relaxed);
        counters.delivered.fetch_add(delivered as u64, Ordering::Relaxed);
        if delivered < matched {
            counters.failed.fetch_add((matched - delivered) as u64, Ordering::Relaxed);
        }
        let (seq, duplicate, ticket) = (None, false, None);
        Publication { message_id, seq, matched, delivered, duplicate, ticket }
    }
}
