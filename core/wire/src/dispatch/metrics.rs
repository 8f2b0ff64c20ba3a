//! The counters of the dispatcher, and everything that `/metrics` shows.

use std::collections::BTreeMap;
use std::sync::Arc;

use trunkline_engine::Engine;
use trunkline_types::sync::atomic::{AtomicU64, Ordering};
use trunkline_types::sync::{Mutex, lock};

use super::plane::Plane;
use crate::counters::OperationCounters;
use crate::service::{Exposition, Family, Labels};

/// What was counted since the start.
#[derive(Debug, Default)]
pub struct Metrics {
    /// Operations of control planes, by service and operation.
    control: Mutex<BTreeMap<(String, String), Arc<OperationCounters>>>,
    /// Connections that are open.
    pub connections: AtomicU64,
    /// Long polls that wait.
    pub polls: AtomicU64,
    /// Requests to APIs that were served without the control plane.
    pub(super) direct_api_requests: AtomicU64,
    /// Requests for a service that is not served.
    pub(super) unserved: AtomicU64,
}

impl Metrics {
    pub(super) fn count_control(&self, service: &str, operation: &str) -> Arc<OperationCounters> {
        let key = (service.to_owned(), operation.to_owned());
        let new = || Arc::new(OperationCounters::new(service, operation));
        let counted = lock(&self.control).entry(key).or_insert_with(new).clone();
        counted.begin();
        counted
    }

    /// Everything in the text form that Prometheus reads; so many resources of a kind have series
    /// of their own.
    pub(super) fn render(&self, engine: &Engine, planes: &[Plane], resources_max: usize) -> String {
        let mut out = Exposition::new(resources_max);
        let control: Vec<Arc<OperationCounters>> = lock(&self.control).values().cloned().collect();
        let data = planes.iter().flat_map(|plane| plane.counters.0.iter().cloned());
        let mut operations: Vec<Arc<OperationCounters>> = data.chain(control).collect();
        operations.retain(|counted| counted.requests() > 0);
        requests(&operations, &mut out);
        let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        let mut single = |mut family: Family, value: u64| {
            family.count(Vec::new(), value);
            out.push(family);
        };
        single(
            Family::counter("trunkline_unserved_requests", "Requests for services not served"),
            read(&self.unserved),
        );
        let help = "Requests to APIs that were served without Python";
        single(
            Family::counter("trunkline_direct_api_requests", help),
            read(&self.direct_api_requests),
        );
        single(
            Family::gauge("trunkline_connections", "Connections that are open"),
            read(&self.connections),
        );
        single(Family::gauge("trunkline_long_polls", "Receives that wait"), read(&self.polls));
        journal(engine, &mut out);
        for plane in planes {
            plane.service.show_metrics(engine, &mut out);
        }
        machines(engine, &mut out);
        out.text()
    }
}

fn requests(operations: &[Arc<OperationCounters>], out: &mut Exposition) {
    let mut requests = Family::counter("trunkline_requests", "Requests that have begun");
    let help = "Requests over HTTP that ended in an error, of the client (4xx) or the server (5xx)";
    let mut errors = Family::counter("trunkline_request_errors", help);
    let help = "How long requests over HTTP took; long polls count in full";
    let mut seconds = Family::histogram("trunkline_request_duration_seconds", help);
    for counted in operations {
        requests.count(labels(counted), counted.requests());
        for (side, count) in counted.errors() {
            let mut labels = labels(counted);
            labels.push(("side", side.to_owned()));
            errors.count(labels, count);
        }
        let (sum, buckets) = counted.durations();
        seconds.distribution(labels(counted), sum, buckets);
    }
    [requests, errors, seconds].into_iter().for_each(|family| out.push(family));
}

fn labels(counted: &OperationCounters) -> Labels {
    vec![("service", counted.service.clone()), ("operation", counted.operation.clone())]
}

fn journal(engine: &Engine, out: &mut Exposition) {
    let Some(journal) = engine.host().journal_statistics() else { return };
    let figures = [
        (Family::gauge("trunkline_journal_segments", "Segments of the journal"), journal.segments),
        (Family::gauge("trunkline_journal_bytes", "Bytes in use in the segments"), journal.bytes),
        (
            Family::counter("trunkline_journal_appended_bytes", "Bytes that were appended"),
            journal.appended_bytes,
        ),
        (
            Family::gauge("trunkline_journal_unwritten_bytes", "Appended bytes not yet written"),
            journal.unwritten_bytes,
        ),
        (
            Family::counter("trunkline_journal_syncs", "Times that the journal was synced"),
            journal.syncs,
        ),
        (
            Family::gauge("trunkline_journal_replay_bytes", "Bytes that an opening would replay"),
            journal.replay_bytes,
        ),
        (
            Family::gauge("trunkline_journal_checkpoint_bytes", "Length of the newest checkpoint"),
            journal.checkpoint_bytes,
        ),
    ];
    for (mut family, value) in figures {
        family.count(Vec::new(), value);
        out.push(family);
    }
}

// Machines have no data plane here: their operations are of the control plane.
fn machines(engine: &Engine, out: &mut Exposition) {
    let help = "Executions that the engine remembers, by status";
    let mut executions = Family::gauge("trunkline_machine_executions", help);
    for machine in engine.machines().list(None, None, "") {
        let Ok(found) = machine.executions(None, None, usize::MAX) else { continue };
        let mut counts = BTreeMap::new();
        for execution in &found {
            *counts.entry(execution.status.as_str()).or_insert(0) += 1;
        }
        let states: Vec<(&str, u64)> = counts.into_iter().collect();
        executions.states("machine", machine.name(), &states);
    }
    out.push(executions);
}
