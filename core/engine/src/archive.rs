//! What archives of event buses and of FIFO topics share: entries of a retained log that expire,
//! and replays that read them in steps.

use std::sync::Arc;

use trunkline_host::{Host, Log, Logs, TimerKey};
use trunkline_types::{Code, Error, Millis, Result};

/// Entries of one step of a replay, so that verbs in between are not kept waiting.
const STEP: usize = 256;
/// How long a replay waits before it looks again whether a full disk has space.
pub(crate) const PAUSE_WHEN_FULL: Millis = 1_000;
/// Shortest time between two looks at what has expired.
const EXPIRY_MIN: Millis = 60_000;
/// Looks at what has expired while an entry is kept.
const LOOKS: Millis = 8;

/// Where a replay stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReplayState {
    /// It delivers entries.
    Running,
    /// Every entry was delivered.
    Completed,
    /// It was cancelled; what was delivered stays.
    Cancelled,
    /// It could not go on; the status says why.
    Failed,
}

impl ReplayState {
    /// The state of a number that a record holds.
    pub(crate) fn of_number(number: u8) -> Self {
        match number {
            0 => Self::Running,
            1 => Self::Completed,
            2 => Self::Cancelled,
            _ => Self::Failed,
        }
    }
}

/// How long the entries of a log are kept, and the timer of the next look at what has expired.
pub(crate) struct Expiry<'a> {
    pub host: &'a Arc<Host>,
    pub log: &'a Log,
    /// `None` keeps entries for ever.
    pub retention: Option<Millis>,
    pub timer: TimerKey,
}

impl Expiry<'_> {
    /// Removes what is older than the retention, and plans the next look.
    pub fn run(&self, now: Millis) -> Result<()> {
        let Some(retention) = self.retention else { return Ok(()) };
        self.plan(now);
        let Ok(logs) = logs(self.host) else { return Ok(()) };
        logs.expire(self.log, now.saturating_sub(retention)).map(drop)
    }

    /// Plans the next look.
    pub fn plan(&self, now: Millis) {
        if let Some(retention) = self.retention {
            self.host.arm(self.timer, now + (retention / LOOKS).max(EXPIRY_MIN));
        }
    }
}

/// The retained logs of an engine.
pub(crate) fn logs(host: &Host) -> Result<Arc<Logs>> {
    host.component().ok_or_else(|| {
        Error::new(Code::EngineClosed, "The engine is closed. Open a new one to use it.")
    })
}

/// What one step of a replay has found.
pub(crate) struct Found {
    /// The payloads of the entries, in order, with their sequence numbers.
    pub entries: Vec<(u64, Vec<u8>)>,
    /// The time of the last entry.
    pub last: Option<Millis>,
    /// The sequence number behind the last entry.
    pub next: u64,
    /// Whether no entry before the end follows.
    pub is_last: bool,
}

/// The next entries of a replay, from the sequence number `next` on; 0 looks for the first one that
/// is not before `start`. Entries from the time `end` on are left out. Those of a time after `now`
/// were written by a clock that was wrong: what follows them may be older.
pub(crate) fn find(
    log: &Log,
    next: u64,
    (start, end): (Millis, Millis),
    now: Millis,
) -> Result<Found> {
    let mut next = if next == 0 { log.find_time(start)? } else { next };
    let mut entries: Vec<(u64, Vec<u8>)> = Vec::new();
    let (mut is_full, mut last) = (false, None);
    log.read(next, &mut |entry| {
        if entry.time >= end {
            return entry.time > now;
        }
        is_full = entries.len() == STEP;
        if !is_full {
            entries.push((entry.sequence, entry.payload.to_vec()));
            next = entry.sequence + 1;
            last = Some(entry.time);
        }
        !is_full
    })?;
    Ok(Found { entries, last, next, is_last: !is_full })
}
