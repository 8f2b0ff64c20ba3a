//! The counters of a data plane, an operation each.

use std::sync::Arc;

use crate::counters::OperationCounters;
use crate::service::{OperationId, Service};

/// The requests to one data plane, by operation.
pub(super) struct PlaneCounters(pub(super) Vec<Arc<OperationCounters>>);

impl PlaneCounters {
    pub(super) fn new(service: &dyn Service) -> Self {
        let counted =
            |operation: &&str| Arc::new(OperationCounters::new(service.name(), operation));
        Self(service.operations().iter().map(counted).collect())
    }

    pub(super) fn count(&self, operation: OperationId) -> &Arc<OperationCounters> {
        let counted = &self.0[operation];
        counted.begin();
        counted
    }
}
