//! How long executions are kept that have ended.

use std::sync::Arc;

use trunkline_types::sync::lock;
use trunkline_types::{Millis, Result};

use super::Machine;
use super::execution::Row;
use super::kept::Execution;

/// As on AWS: 90 days after the end.
const KEPT: Millis = 90 * 86_400_000;

impl Row {
    /// When something happens without a stimulus: the earliest timer, or the end of the retention.
    pub fn due(&self) -> Option<Millis> {
        match self.stopped {
            Some(stopped) if !self.status.is_running() => Some(stopped.saturating_add(KEPT)),
            _ => self.timers.iter().map(|(_, at)| *at).min(),
        }
    }

    /// Whether it ended so long ago that it is kept no longer.
    pub fn is_expired(&self, now: Millis) -> bool {
        !self.status.is_running() && self.due().is_some_and(|due| due <= now)
    }
}

impl Machine {
    /// Forgets all executions that ended too long ago, and the histories that nothing shows.
    pub(super) fn forget_expired(&self, now: Millis) -> Result<()> {
        let is_expired = |one: &Arc<Execution>| lock(&one.kept).row.is_expired(now);
        for execution in self.all().into_iter().filter(is_expired) {
            self.forget(&execution, |row| row.is_expired(now))?;
        }
        let starts = self.all();
        let first = starts.iter().map(|one| lock(&one.kept).row.started).min().unwrap_or(now);
        let logs = self.logs()?;
        let log = logs.get_or_create(lock(&self.table).log);
        logs.expire(&log, first)?;
        Ok(())
    }
}
