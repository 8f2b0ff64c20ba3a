//! The data planes that are served, and calls to them.

use std::sync::Arc;

use super::plane_counters::PlaneCounters;
use super::{Dispatched, Dispatcher, ResponseEncoder};
use crate::detect::ServiceInfo;
use crate::message::Request;
use crate::service::{Call, Finished, Input, OperationId, Outcome, Service};

/// One data plane.
pub(super) struct Plane {
    pub service: Arc<dyn Service>,
    pub info: ServiceInfo,
    pub counters: PlaneCounters,
}

impl Plane {
    /// The operation of this name, if the data plane has it.
    pub(super) fn operation(&self, name: &str) -> Option<OperationId> {
        self.service.operations().iter().position(|operation| *operation == name)
    }

    /// Counts a request to an operation, and notes that it is one.
    pub(super) fn count(&self, operation: OperationId, request: &Request<'_>) {
        let counted = self.counters.count(operation);
        if let Some(seen) = request.seen {
            // One that was held up starts again, as the same operation.
            let _again = seen.set(counted.clone());
        }
    }
}

impl Dispatcher {
    /// The data plane of the service `name`.
    pub(super) fn plane(&self, name: &str) -> Option<&Plane> {
        self.planes.iter().find(|plane| plane.service.name() == name)
    }

    /// The data plane and the operation that an `X-Amz-Target` names.
    pub(super) fn targeted(&self, target: &str) -> Option<(&Plane, OperationId)> {
        let (prefix, name) = target.rsplit_once('.')?;
        let is_meant = |plane: &&Plane| plane.info.target_prefix.as_deref() == Some(prefix);
        let plane = self.planes.iter().find(is_meant)?;
        Some((plane, plane.operation(name)?))
    }

    /// Starts an operation of a data plane. `None`: it declines, and the control plane carries the
    /// operation out.
    pub(super) fn start_operation(
        &self,
        (plane, operation): (&Plane, OperationId),
        call: &Call<'_>,
        input: &Input<'_>,
        encoder: ResponseEncoder,
    ) -> Option<Dispatched> {
        let outcome = plane.service.start(call, operation, input);
        if matches!(outcome, Ok(Outcome::Declined)) {
            return None;
        }
        plane.count(operation, call.request);
        Some(match outcome {
            Ok(Outcome::Declined) => return None,
            Ok(Outcome::Done(Finished { output, settling: None })) => {
                Dispatched::Done(encoder.encode(Ok(output)))
            }
            Ok(Outcome::Done(Finished { output, settling: Some(settling) })) => {
                Dispatched::Settle(settling, Box::new((output, encoder)))
            }
            Ok(Outcome::Wait(wait)) => Dispatched::Wait(Box::new((wait, encoder))),
            Ok(Outcome::Stream(stream)) => Dispatched::Stream(Box::new((stream, encoder))),
            Ok(Outcome::Held(held)) => Dispatched::Held(held),
            Err(error) => Dispatched::Done(encoder.encode(Err(error))),
        })
    }
}
