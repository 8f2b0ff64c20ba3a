//! What a FIFO topic remembers: its last sequence number, and the deduplication ids of the last
//! minutes.

use std::collections::{HashMap, VecDeque};

use trunkline_host::Location;
use trunkline_types::{Millis, Seq};

use super::record::Published;

/// The deduplication window of a FIFO topic, and its place in the sequence.
#[derive(Default)]
pub(super) struct Window {
    /// The newest message, which is kept whatever its age.
    newest: Option<(Published, Option<Location>)>,
    by_key: HashMap<u128, Remembered>,
    /// Keys in the order of their times.
    in_order: VecDeque<(Millis, u128)>,
}

#[derive(Debug, Clone, Copy)]
struct Remembered {
    seq: Seq,
    at: Millis,
    location: Option<Location>,
}

impl Window {
    pub fn next_seq(&self) -> Seq {
        self.newest.map_or(1, |(newest, _)| newest.seq + 1)
    }

    /// The message that a key stands for, if it was published less than `window` ago.
    pub fn find(&self, key: u128, now: Millis, window: Millis) -> Option<Seq> {
        let found = self.by_key.get(&key)?;
        (found.at.min(now) + window > now).then_some(found.seq)
    }

    /// When the newest message was published.
    pub fn newest_at(&self) -> Option<Millis> {
        Some(self.newest?.0.at)
    }

    /// Where the newest message lies.
    pub fn newest(&self) -> Option<Location> {
        self.newest?.1
    }

    /// Notes a message. Replay may bring an older one again.
    pub fn note(&mut self, published: Published, location: Option<Location>, window: Millis) {
        let Published { seq, key, at, .. } = published;
        if self.newest.is_none_or(|(newest, _)| newest.seq <= seq) {
            self.newest = Some((published, location));
        }
        if self.by_key.get(&key).is_none_or(|known| known.seq <= seq) {
            self.by_key.insert(key, Remembered { seq, at, location });
            self.in_order.push_back((at, key));
        }
        while let Some((oldest, key)) = self.in_order.front().copied()
            && oldest + window < at
        {
            self.in_order.pop_front();
            if self.by_key.get(&key).is_some_and(|known| known.at == oldest) {
                self.by_key.remove(&key);
            }
        }
    }

    /// Bounds times that were written under a clock that was ahead: nothing was published later
    /// than `now`, so a deduplication id is remembered for no longer than its window.
    pub fn bound(&mut self, now: Millis) {
        let newest = self.newest.iter_mut().map(|(newest, _)| &mut newest.at);
        let known = self.by_key.values_mut().map(|known| &mut known.at);
        let in_order = self.in_order.iter_mut().map(|(at, _)| at);
        newest.chain(known).chain(in_order).for_each(|at| *at = now.min(*at));
    }

    /// The messages that still matter at `now`, oldest first.
    pub fn all(&self, now: Millis, window: Millis) -> Vec<(Published, Option<Location>)> {
        let Some((newest, at)) = self.newest else { return Vec::new() };
        let remembered = self.by_key.iter().filter(|(_, known)| known.seq != newest.seq);
        let recent = remembered.filter(|(_, known)| known.at.min(now) + window > now);
        let mut all: Vec<_> = recent
            .map(|(key, known)| {
                let Remembered { seq, at, location } = *known;
                (Published { topic: newest.topic, seq, key: *key, at }, location)
            })
            .collect();
        all.sort_unstable_by_key(|(published, _)| published.seq);
        all.push((newest, at));
        all
    }
}
