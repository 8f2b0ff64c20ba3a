//! Pages of histories: events by their numbers.

use std::sync::Arc;

use trunkline_host::Log;
use trunkline_types::Result;
use trunkline_types::sync::lock;

use super::Machine;
use super::entries::Entry;
use super::history;
use super::kept::Execution;

impl Machine {
    /// The events of an execution from the number `first` on, in order: up to `most` JSON texts.
    pub fn history_page(&self, name: &str, first: u64, most: usize) -> Result<Vec<String>> {
        let execution = self.find(name)?;
        let log = self.logs()?.get_or_create(lock(&self.table).log);
        let mut found = Vec::new();
        for entry in self.entries(&execution, &log, first, most as u64)? {
            let Some((_, texts)) = history::entry(&log, execution.number, entry.at)? else { break };
            let skipped = first.saturating_sub(entry.first) as usize;
            found.extend(texts.into_iter().skip(skipped));
        }
        found.truncate(most);
        Ok(found)
    }

    fn entries(
        &self,
        execution: &Arc<Execution>,
        log: &Log,
        first: u64,
        most: u64,
    ) -> Result<Vec<Entry>> {
        let mut kept = lock(&execution.kept);
        let (newest, events) = (kept.row.newest, kept.row.events);
        kept.entries.extend(log, execution.number, newest, events)?;
        Ok(kept.entries.with(first, most))
    }
}
