//! Retention: old records are never read, and are removed now and then.

use trunkline_host::TimerKey;
use trunkline_journal::Ticket;
use trunkline_types::{Millis, Result};

use super::Stream;

/// Timer slot: records may be older than the retention.
pub(super) const SLOT_RETENTION: u32 = 0;

/// Old records are removed this often within one time of retention.
const SWEEPS: u64 = 24;

/// Old records are not removed more often than this.
const SWEEP_MIN: Millis = 1_000;

impl Stream {
    /// Asks for the next removal of old records.
    pub(super) fn arm_retention(&self, now: Millis) {
        if self.host.check_writable().is_err() {
            return;
        }
        let pause = (self.state().retention / SWEEPS).max(SWEEP_MIN);
        let key = TimerKey { owner: self.id, slot: SLOT_RETENTION };
        self.host.arm(key, now.saturating_add(pause));
    }

    /// Lets records go that arrived before `before`, whatever the retention: they are read no more,
    /// and whole files of them are removed. A time that lies behind changes nothing.
    pub fn trim(&self, before: Millis) -> Result<Option<Ticket>> {
        let ticket = self.change(|state, now| {
            state.floor = state.horizon(now).max(before.min(now));
        })?;
        let (logs, floor) = {
            let state = self.state();
            (state.logs.values().cloned().collect::<Vec<_>>(), state.floor)
        };
        for log in logs {
            self.logs.expire(&log, floor)?;
        }
        Ok(ticket)
    }

    /// Removes what is older than the retention: whole files of it, and shards that were closed
    /// before with everything in them.
    pub(super) fn expire(&self, now: Millis) -> Result<()> {
        if self.is_removed() {
            return Ok(());
        }
        self.arm_retention(now);
        let (logs, horizon) = {
            let state = self.state();
            (state.logs.values().cloned().collect::<Vec<_>>(), state.horizon(now))
        };
        for log in logs {
            self.logs.expire(&log, horizon)?;
        }
        self.expire_shards(now)
    }

    fn expire_shards(&self, now: Millis) -> Result<()> {
        let (expired, logs) = {
            let mut state = self.state_mut();
            let horizon = state.horizon(now);
            let is_old = |closed: Millis| self.host.came(closed) < horizon;
            if self.is_removed() || !state.shards.all().any(|one| one.closed.is_some_and(is_old)) {
                return Ok(());
            }
            let mut append = self.host.append_at(now)?;
            let expired = state.shards.expire(is_old);
            let logs: Vec<_> = expired.iter().filter_map(|id| state.logs.remove(id)).collect();
            self.leaving.begin(logs.iter().map(|log| log.id()));
            state.version += 1;
            self.define(&mut state, &mut append);
            (expired, logs)
        };
        for reader in self.all_readers() {
            reader.forget(&expired, &self.host)?;
        }
        // Readers go on with the children.
        self.waiters.wake_all();
        let logs: Vec<_> = logs.iter().map(|log| log.id()).collect();
        self.leaving.remove(&self.logs, &logs)
    }
}
