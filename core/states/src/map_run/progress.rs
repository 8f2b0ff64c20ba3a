//! How the items of a map run end, and when the run itself ends.

/// How many items a map run has, by how they stand.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ItemCounts {
    /// Read, and not started.
    pub pending: u64,
    /// In child executions that run.
    pub running: u64,
    /// In child executions that ended well.
    pub succeeded: u64,
    /// In child executions that failed.
    pub failed: u64,
    /// In child executions that timed out.
    pub timed_out: u64,
    /// In child executions that were stopped.
    pub aborted: u64,
}

impl ItemCounts {
    /// All items so far.
    pub fn total(&self) -> u64 {
        self.pending + self.running + self.succeeded + self.failed + self.timed_out + self.aborted
    }
}

/// How a child execution ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ended {
    /// It ended well.
    Succeeded,
    /// It failed.
    Failed,
    /// It timed out.
    TimedOut,
    /// It was stopped.
    Aborted,
}

/// The progress of a map run. `UpdateMapRun` may change its limits while it runs.
#[derive(Clone, Debug, PartialEq)]
pub struct MapRunProgress {
    /// Child executions at a time; 0 is without a bound.
    pub max_concurrency: u64,
    /// Failed items that do not fail the run.
    pub tolerated_failure_count: u64,
    /// Failed items that do not fail the run, in percent of all.
    pub tolerated_failure_percentage: f64,
    counts: ItemCounts,
    children: u64,
    all_read: bool,
}

impl MapRunProgress {
    /// The error of a run of which too many items failed.
    pub const ERROR: &str = "States.ExceedToleratedFailureThreshold";
    /// Its cause.
    pub const CAUSE: &str = "The specified tolerated failure threshold was exceeded";

    /// The progress of a run that has read nothing yet.
    pub fn new(max_concurrency: u64, count: u64, percentage: f64) -> MapRunProgress {
        MapRunProgress {
            max_concurrency,
            tolerated_failure_count: count,
            tolerated_failure_percentage: percentage,
            counts: ItemCounts::default(),
            children: 0,
            all_read: false,
        }
    }

    /// The items so far.
    pub fn counts(&self) -> &ItemCounts {
        &self.counts
    }

    /// Items were read.
    pub fn read(&mut self, items: u64) {
        self.counts.pending += items;
    }

    /// No more items will be read.
    pub fn all_read(&mut self) {
        self.all_read = true;
    }

    /// Whether another child execution may start.
    pub fn may_start(&self) -> bool {
        self.counts.pending > 0
            && (self.max_concurrency == 0 || self.children < self.max_concurrency)
            && !self.has_failed()
    }

    /// A child execution with so many items started.
    pub fn started(&mut self, items: u64) {
        self.counts.pending = self.counts.pending.saturating_sub(items);
        self.counts.running += items;
        self.children += 1;
    }

    /// A child execution with so many items ended.
    pub fn ended(&mut self, items: u64, how: Ended) {
        self.counts.running = self.counts.running.saturating_sub(items);
        self.children = self.children.saturating_sub(1);
        match how {
            Ended::Succeeded => self.counts.succeeded += items,
            Ended::Failed => self.counts.failed += items,
            Ended::TimedOut => self.counts.timed_out += items,
            Ended::Aborted => self.counts.aborted += items,
        }
    }

    /// Whether more items failed than are tolerated. A percentage is one of all items, so it is
    /// known when all are read; a bound of 0 beside the other bound is none.
    pub fn has_failed(&self) -> bool {
        let failed = self.counts.failed + self.counts.timed_out + self.counts.aborted;
        let (count, percentage) = (self.tolerated_failure_count, self.tolerated_failure_percentage);
        if failed == 0 {
            return false;
        }
        if count == 0 && percentage <= 0.0 {
            return true;
        }
        let part = failed as f64 * 100.0 / self.counts.total() as f64;
        (count > 0 && failed > count) || (percentage > 0.0 && self.all_read && part > percentage)
    }

    /// Whether nothing is left to do.
    pub fn is_done(&self) -> bool {
        self.all_read && self.counts.pending == 0 && self.counts.running == 0
    }
}
