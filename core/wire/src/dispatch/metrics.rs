//! Counters for `/metrics`. They are relaxed: no two of them are read together.

use std::fmt::Write as _;
use std::sync::Arc;

use trunkline_engine::Engine;
use trunkline_types::sync::atomic::{AtomicU64, Ordering};

use crate::service::{OperationId, Service};

/// What was counted since the start.
#[derive(Debug, Default)]
pub struct Metrics {
    control: AtomicU64,
    /// Connections that are open.
    pub connections: AtomicU64,
    /// Long polls that wait.
    pub polls: AtomicU64,
}

/// The requests to one data plane, by operation.
pub(super) struct Counters(Vec<AtomicU64>);

impl Counters {
    pub(super) fn new(service: &dyn Service) -> Self {
        Self(service.operations().iter().map(|_| AtomicU64::new(0)).collect())
    }

    pub(super) fn count(&self, operation: OperationId) {
        self.0[operation].fetch_add(1, Ordering::Relaxed);
    }
}

impl Metrics {
    pub(super) fn count_control(&self) {
        self.control.fetch_add(1, Ordering::Relaxed);
    }

    /// Everything in the text form that Prometheus reads.
    pub(super) fn render<'a>(
        &self,
        engine: &Engine,
        planes: impl Iterator<Item = (&'a Arc<dyn Service>, &'a Counters)> + Clone,
    ) -> String {
        let mut out = String::new();
        // Writing to a string cannot fail.
        let _ = self.write(engine, planes, &mut out);
        out
    }

    fn write<'a>(
        &self,
        engine: &Engine,
        planes: impl Iterator<Item = (&'a Arc<dyn Service>, &'a Counters)> + Clone,
        out: &mut String,
    ) -> std::fmt::Result {
        writeln!(out, "# TYPE trunkline_requests_total counter")?;
        for (service, counters) in planes.clone() {
            for (name, count) in service.operations().iter().zip(&counters.0) {
                let (service, count) = (service.name(), count.load(Ordering::Relaxed));
                writeln!(
                    out,
                    "trunkline_requests_total{{service=\"{service}\",operation=\"{name}\"}} {count}"
                )?;
            }
        }
        let gauge = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        let control = gauge(&self.control);
        writeln!(out, "trunkline_requests_total{{plane=\"control\"}} {control}")?;
        writeln!(out, "# TYPE trunkline_connections gauge")?;
        writeln!(out, "trunkline_connections {}", gauge(&self.connections))?;
        writeln!(out, "# TYPE trunkline_long_polls gauge")?;
        writeln!(out, "trunkline_long_polls {}", gauge(&self.polls))?;
        for (service, _) in planes {
            service.write_metrics(engine, out)?;
        }
        Ok(())
    }
}
