//! The data planes that are served, and calls to them.

use std::sync::Arc;
use std::time::Duration;

use trunkline_engine::Ticket;

use super::metrics::Counters;
use super::{Dispatched, Dispatcher, ResponseEncoder};
use crate::detect::ServiceInfo;
use crate::error::WireError;
use crate::service::{Call, Input, OperationId, Outcome, Output, Service};

/// One data plane.
pub(super) struct Plane {
    pub service: Arc<dyn Service>,
    pub info: ServiceInfo,
    pub counters: Counters,
}

impl Plane {
    /// The operation of this name, if the data plane has it.
    pub(super) fn operation(&self, name: &str) -> Option<OperationId> {
        self.service.operations().iter().position(|operation| *operation == name)
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

    /// Starts an operation of a data plane.
    pub(super) fn start_operation(
        &self,
        (plane, operation): (&Plane, OperationId),
        call: &Call<'_>,
        input: &Input<'_>,
        encoder: ResponseEncoder,
    ) -> Dispatched {
        plane.counters.count(operation);
        match plane.service.start(call, operation, input) {
            Ok(Outcome::Done(output)) => Dispatched::Done(encoder.encode(Ok(output))),
            Ok(Outcome::Settle(ticket, pause, output)) => {
                self.settle(ticket, pause, (output, encoder))
            }
            Ok(Outcome::Wait(wait)) => Dispatched::Wait(Box::new((wait, encoder))),
            Ok(Outcome::Stream(stream)) => Dispatched::Stream(Box::new((stream, encoder))),
            Ok(Outcome::Pause(pause)) => Dispatched::Pause(pause),
            Err(error) => Dispatched::Done(encoder.encode(Err(error))),
        }
    }

    fn settle(
        &self,
        ticket: Option<Ticket>,
        pause: Duration,
        (output, encoder): (Output, ResponseEncoder),
    ) -> Dispatched {
        if !pause.is_zero() {
            return Dispatched::Settle(ticket, pause, Box::new((output, encoder)));
        }
        // In memory, and for writes that are on their way out anyway, there is nothing to wait for.
        let settled = ticket.map_or(Ok(true), |t| self.engine.is_settled(t, self.durability));
        match settled {
            Ok(true) => Dispatched::Done(encoder.encode(Ok(output))),
            Ok(false) => Dispatched::Settle(ticket, Duration::ZERO, Box::new((output, encoder))),
            Err(error) => Dispatched::Done(encoder.encode(Err(WireError::from_engine(&error)))),
        }
    }
}
