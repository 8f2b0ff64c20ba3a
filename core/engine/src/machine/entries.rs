//! Which entries of the log hold the events of an execution: found once, by following its entries
//! back, and kept until the engine is closed.

use trunkline_host::Log;
use trunkline_types::Result;

use super::history;

/// The entries that hold the events of an execution, in order.
#[derive(Debug, Default)]
pub(super) struct Entries(Vec<Entry>);

#[derive(Debug, Clone, Copy)]
pub(super) struct Entry {
    /// The number of its first event.
    pub first: u64,
    /// One more than its number in the log.
    pub at: u64,
}

impl Entries {
    /// Takes in the entries behind those that are known. The execution has `events` events, the
    /// last of them in the entry `newest`.
    pub fn extend(&mut self, log: &Log, number: u32, newest: u64, events: u64) -> Result<()> {
        let known = self.0.last().map_or(0, |entry| entry.at);
        let (mut next, mut last, mut found) = (newest, events, Vec::new());
        while next > known {
            let Some((before, texts)) = history::entry(log, number, next)? else { break };
            last = last.saturating_sub(texts.len() as u64);
            found.push(Entry { first: last + 1, at: next });
            next = before;
        }
        self.0.extend(found.into_iter().rev());
        Ok(())
    }

    /// The entries with the events from `first` on, up to `most` of them.
    pub fn with(&self, first: u64, most: u64) -> Vec<Entry> {
        let from = self.0.partition_point(|entry| entry.first <= first).saturating_sub(1);
        let end = first.saturating_add(most);
        self.0[from.min(self.0.len())..].iter().take_while(|one| one.first < end).copied().collect()
    }
}
