//! EventBridge as the dispatcher sees it.

use trunkline_engine::{Engine, ResourceName};

use super::{access, errors, lines, put_events, target, target_access};
use crate::error::{Result, WireError};
use crate::message::Request;
use crate::model::Protocol;
use crate::service::{AdminWork, Call, Exposition, Family, Input, OperationId, Outcome, Service};
use crate::value::Value;

const OPERATIONS: [&str; 1] = ["PutEvents"];

/// The order in which EventBridge lists the values of enumerations, where its model has another.
const OVERLAY: &[u8] = include_bytes!("overlay.json");

/// The data plane of EventBridge.
pub struct Events;

impl Service for Events {
    fn name(&self) -> &'static str {
        "events"
    }

    fn operations(&self) -> &'static [&'static str] {
        &OPERATIONS
    }

    fn start(&self, call: &Call<'_>, operation: OperationId, input: &Input<'_>) -> Result<Outcome> {
        match OPERATIONS.get(operation) {
            Some(&"PutEvents") => put_events::start(call, input),
            _ => Err(put_events::unknown()),
        }
    }

    fn overlay(&self) -> Option<&'static [u8]> {
        Some(OVERLAY)
    }

    fn authorize(
        &self,
        call: &Call<'_>,
        operation: &str,
        input: &Value,
    ) -> Result<Option<ResourceName>> {
        let target = target::of(call.account, call.region, operation, input);
        if let (Some(access), Some(name)) = (call.access, &target) {
            access::check(access, call.engine, call.account, operation, name)?;
            if operation == "PutTargets" {
                target_access::check(access, call.engine, call.account, name, input)?;
            }
        }
        Ok(target)
    }

    fn word(&self, error: WireError, _protocol: Protocol) -> WireError {
        errors::word(error)
    }

    fn operator(&self, path: &str, request: &Request<'_>) -> Option<Result<AdminWork>> {
        lines::read(path, request)
    }

    fn show_metrics(&self, engine: &Engine, out: &mut Exposition) {
        let help = "Events that were put, and what became of them";
        let mut events = Family::counter("trunkline_bus_events", help);
        // A closed engine has no buses to show.
        for bus in engine.buses(None, None, "").unwrap_or_default() {
            let Ok(statistics) = bus.statistics() else { continue };
            let states = [
                ("put", statistics.events),
                ("matched", statistics.matched),
                ("delivered", statistics.delivered),
                ("dead_lettered", statistics.dead_lettered),
                ("failed", statistics.failed),
            ];
            events.states("bus", bus.name(), &states);
        }
        out.push(events);
    }
}
