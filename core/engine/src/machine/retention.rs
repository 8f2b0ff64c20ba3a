//! When something happens to an execution by itself: its timers, and the end of its retention.

use std::sync::Arc;

use trunkline_host::Host;
use trunkline_types::sync::lock;
use trunkline_types::{Millis, Result};

use super::Machine;
use super::kept::{Execution, Kept};

/// As on AWS: 90 days after the end.
const KEPT: Millis = 90 * 86_400_000;

impl Kept {
    /// When something happens without a stimulus: the earliest timer, or the end of the retention.
    pub fn due(&self, host: &Host) -> Option<Millis> {
        let (row, lag) = (&self.row, self.lag(host));
        match row.stopped {
            Some(stopped) if !row.status.is_running() => {
                Some(host.came(stopped).saturating_add(KEPT))
            }
            _ => row.timers.iter().map(|timer| timer.due(lag)).min(),
        }
    }

    /// Whether it ended so long ago that it is kept no longer.
    pub fn is_expired(&self, host: &Host, now: Millis) -> bool {
        !self.row.status.is_running() && self.due(host).is_some_and(|due| due <= now)
    }

    /// How far the clock of this opening lags behind the one that set the timers.
    pub fn lag(&self, host: &Host) -> Millis {
        if self.is_restored { host.lag(self.row.stepped) } else { 0 }
    }
}

impl Machine {
    /// Forgets all executions that ended too long ago, and the histories that nothing shows.
    pub(super) fn forget_expired(&self, now: Millis) -> Result<()> {
        let host = self.host();
        let is_expired = |one: &Arc<Execution>| lock(&one.kept).is_expired(host, now);
        for execution in self.all().into_iter().filter(is_expired) {
            self.forget(&execution, |kept| kept.is_expired(host, now))?;
        }
        let starts = self.all();
        let started = |one: &Arc<Execution>| host.came(lock(&one.kept).row.started);
        let first = starts.iter().map(started).min().unwrap_or(now);
        let logs = self.logs()?;
        let log = logs.get_or_create(lock(&self.table).log);
        logs.expire(&log, first)?;
        Ok(())
    }
}
