//! Events that the services of this engine emit: on AWS each goes to the default bus of the account
//! and region in which it happened.
//!
//! A caller of PutEvents cannot write one, because its source starts with `aws.`.

use std::sync::Arc;

use serde_json::value::RawValue;
use trunkline_types::{Millis, Result};

use super::event::{Envelope, invalid};
use super::plan::Plan;
use super::put::PutOutcome;
use super::{Bus, PUT};

/// The name of the bus to which services emit their events.
pub const DEFAULT_BUS: &str = "default";

/// What happened in a service.
#[derive(Debug, Clone, Copy)]
pub struct ServiceEvent<'a> {
    /// The account in which it happened.
    pub account: &'a str,
    /// The region in which it happened.
    pub region: &'a str,
    /// The service: `aws.s3`.
    pub source: &'a str,
    /// What happened: `Object Created`.
    pub detail_type: &'a str,
    /// The resource names that it is about.
    pub resources: &'a [&'a str],
    /// The JSON text of an object that says more.
    pub detail: &'a str,
}

impl ServiceEvent<'_> {
    /// The JSON text of the event, to be completed by its bus.
    fn text(&self) -> Result<Vec<u8>> {
        let detail: &RawValue = serde_json::from_str(self.detail).map_err(|problem| {
            invalid(format!("The detail of the service event is not valid JSON: {problem}."))
        })?;
        Envelope {
            version: None,
            id: None,
            detail_type: Some(self.detail_type.into()),
            source: Some(self.source.into()),
            account: Some(self.account.into()),
            time: None,
            region: Some(self.region.into()),
            replay_name: None,
            resources: Some(self.resources.iter().map(|name| (*name).into()).collect()),
            detail: Some(detail),
        }
        .write()
    }
}

impl Bus {
    /// Puts an event of a service. No fault is injected into it.
    pub(crate) fn put_service_event(
        self: &Arc<Self>,
        event: &ServiceEvent<'_>,
        now: Millis,
    ) -> Result<PutOutcome> {
        let _admitted = self.host.admit_internal(PUT)?;
        self.check_present()?;
        let completed = self.complete(&event.text()?, now)?;
        self.put_completed(completed, 0, now, Plan::default(), None)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_detail_that_is_no_json_is_refused_by_name() {
        let event = ServiceEvent {
            account: "111111111111",
            region: "us-east-1",
            source: "aws.s3",
            detail_type: "Object Created",
            resources: &["arn:aws:s3:::b"],
            detail: "{",
        };
        let refused = event.text().expect_err("it is no JSON");
        assert!(refused.message().contains("detail of the service event"), "{refused:?}");
    }
}
