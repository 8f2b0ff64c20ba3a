//! What is counted of one operation. The counters are relaxed: no two are read together.

use std::time::Duration;

use trunkline_types::sync::atomic::{AtomicU64, Ordering};

/// The upper bounds of the buckets in seconds: from an answer out of memory to a long poll.
const BOUNDS: [f64; 14] =
    [0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.1, 0.25, 1.0, 2.5, 10.0, 20.0];

/// The requests of one operation.
#[derive(Debug)]
pub struct OperationCounters {
    /// The name of the service.
    pub service: String,
    /// The name of the operation.
    pub operation: String,
    requests: AtomicU64,
    refused: AtomicU64,
    failed: AtomicU64,
    nanos: AtomicU64,
    durations: [AtomicU64; BOUNDS.len() + 1],
}

impl OperationCounters {
    pub(crate) fn new(service: &str, operation: &str) -> Self {
        Self {
            service: service.to_owned(),
            operation: operation.to_owned(),
            requests: AtomicU64::new(0),
            refused: AtomicU64::new(0),
            failed: AtomicU64::new(0),
            nanos: AtomicU64::new(0),
            durations: std::array::from_fn(|_| AtomicU64::new(0)),
        }
    }

    /// Counts a request that has begun.
    pub(crate) fn begin(&self) {
        self.requests.fetch_add(1, Ordering::Relaxed);
    }

    /// Counts the end of a request that came over a socket.
    pub fn end(&self, status: u16, took: Duration) {
        match status {
            500.. => self.failed.fetch_add(1, Ordering::Relaxed),
            400.. => self.refused.fetch_add(1, Ordering::Relaxed),
            _ => 0,
        };
        self.nanos.fetch_add(took.as_nanos() as u64, Ordering::Relaxed);
        let seconds = took.as_secs_f64();
        let bucket = BOUNDS.iter().position(|bound| seconds <= *bound).unwrap_or(BOUNDS.len());
        self.durations[bucket].fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn requests(&self) -> u64 {
        self.requests.load(Ordering::Relaxed)
    }

    /// Requests that ended in an error of the caller, and of the server.
    pub(crate) fn errors(&self) -> [(&'static str, u64); 2] {
        let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        [("client", read(&self.refused)), ("server", read(&self.failed))]
    }

    /// The sum of all durations in seconds, and how many lay in each bucket.
    pub(crate) fn durations(&self) -> (f64, Vec<(f64, u64)>) {
        let bounds = BOUNDS.iter().copied().chain([f64::INFINITY]);
        let counts = self.durations.iter().map(|count| count.load(Ordering::Relaxed));
        (self.nanos.load(Ordering::Relaxed) as f64 / 1e9, bounds.zip(counts).collect())
    }
}
