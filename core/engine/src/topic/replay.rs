//! The replay of a subscription: what was asked for, and how far it has come. [`super::replaying`]
//! runs it.

use trunkline_host::Location;
use trunkline_types::{Millis, ResourceId};

use super::record::ReplayRecord;
use crate::archive::ReplayState;

/// The replay of a subscription as it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SubscriptionReplay {
    /// The time of the first messages.
    pub start: Millis,
    /// The time before which the last messages were published; `None` goes on with new ones.
    pub end: Option<Millis>,
    /// Where it stands.
    pub state: ReplayState,
    /// How many messages were delivered.
    pub replayed: u64,
    /// When it was started.
    pub started: Millis,
    /// When it ended.
    pub ended: Option<Millis>,
    /// Why it failed.
    pub failure: Option<String>,
}

/// A replay, and how far it has come in the archive.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Replay {
    pub status: SubscriptionReplay,
    /// Tells its messages from those of other replays, for FIFO queues that deduplicate.
    pub number: ResourceId,
    /// The sequence number of the next entry; 0 before the first step.
    pub next: u64,
    pub location: Option<Location>,
}

impl Replay {
    pub fn of(record: &ReplayRecord<'_>, location: Option<Location>) -> Self {
        let status = SubscriptionReplay {
            start: record.start,
            end: Some(record.end).filter(|end| *end > 0),
            state: ReplayState::of_number(record.state),
            replayed: record.replayed,
            started: record.started,
            ended: Some(record.ended).filter(|time| *time > 0),
            failure: Some(record.failure.to_owned()).filter(|why| !why.is_empty()),
        };
        Self { status, number: record.number, next: record.next, location }
    }

    pub fn record(&self, subscription: ResourceId, topic: ResourceId) -> ReplayRecord<'_> {
        let status = &self.status;
        ReplayRecord {
            subscription,
            topic,
            number: self.number,
            start: status.start,
            end: status.end.unwrap_or(0),
            state: status.state as u8,
            next: self.next,
            replayed: status.replayed,
            started: status.started,
            ended: status.ended.unwrap_or(0),
            failure: status.failure.as_deref().unwrap_or_default(),
        }
    }

    pub fn is_running(&self) -> bool {
        self.status.state == ReplayState::Running
    }

    /// Whether its subscription gets what is published: it has caught up, and has no end.
    pub fn is_live(&self) -> bool {
        !self.is_running() && self.status.end.is_none()
    }

    pub fn end(&mut self, state: ReplayState, now: Millis) {
        (self.status.state, self.status.ended) = (state, Some(now));
    }
}
