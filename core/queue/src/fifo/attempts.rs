//! Receive attempts: what a receive with an attempt id delivered, so that it can be repeated.
//!
//! Not journalled: after a restart a repeated receive is a new one. Bounded in number as well as in
//! time, because an attempt is worth something only while its messages are in flight.

use std::collections::{HashMap, VecDeque};

use trunkline_types::{Millis, Seq};

/// What one receive delivered.
#[derive(Debug)]
pub(super) struct Attempt {
    pub at: Millis,
    pub messages: Box<[Attempted]>,
}

#[derive(Debug, Clone, Copy)]
pub(super) struct Attempted {
    pub slot: u32,
    pub seq: Seq,
    pub delivery: u32,
}

#[derive(Debug, Default)]
pub(super) struct Attempts {
    // Each with the number it was made under, which tells it from later ones of the same id.
    by_id: HashMap<Box<str>, (u64, Attempt)>,
    order: VecDeque<(u64, Millis, Box<str>)>,
    made: u64,
}

impl Attempts {
    /// The attempt of this id, if it was made within `window` before `now`.
    pub fn find(&self, id: &str, now: Millis, window: Millis) -> Option<&Attempt> {
        let (_, attempt) = self.by_id.get(id)?;
        (now < attempt.at.saturating_add(window)).then_some(attempt)
    }

    /// Remembers an attempt, and forgets the oldest when there are more than `limit`.
    pub fn remember(&mut self, id: &str, attempt: Attempt, limit: usize) {
        self.made += 1;
        self.order.push_back((self.made, attempt.at, id.into()));
        self.by_id.insert(id.into(), (self.made, attempt));
        while self.order.len() > limit {
            self.drop_oldest();
        }
    }

    /// Forgets what is out of the window.
    pub fn drop_old(&mut self, now: Millis, window: Millis) {
        while self.order.front().is_some_and(|(_, at, _)| now >= at.saturating_add(window)) {
            self.drop_oldest();
        }
    }

    pub fn oldest_at(&self) -> Option<Millis> {
        self.order.front().map(|(_, at, _)| *at)
    }

    pub fn len(&self) -> usize {
        self.order.len()
    }

    fn drop_oldest(&mut self) {
        let Some((made, _, id)) = self.order.pop_front() else { return };
        // A later attempt of the same id has an entry of its own further back.
        if self.by_id.get(&id).is_some_and(|(number, _)| *number == made) {
            self.by_id.remove(&id);
        }
    }
}
