//! Delivers the events of buses: to several queues in one step of the journal, to everything else
//! one by one.

use std::sync::{Arc, Weak};

use trunkline_host::{Accepted, Host, Payloads, Routed};
use trunkline_types::{Code, Error, Result};

use crate::bus::{EventDelivery, EventTarget, is_of_target};
use crate::queue::{Branch, Outgoing, Queue, Sent, SharedPayload, fan_out};

/// Delivers the events of buses.
pub(super) struct Deliveries(Weak<Host>);

impl Deliveries {
    pub fn new(host: &Arc<Host>) -> Self {
        Self(Arc::downgrade(host))
    }
}

impl EventDelivery for Deliveries {
    fn deliver(
        &self,
        body: &[u8],
        hops: u32,
        targets: &[EventTarget<'_>],
    ) -> Result<Vec<Result<Accepted>>> {
        let closed = || Error::new(Code::EngineClosed, "The engine is closed. Open a new one.");
        let host = self.0.upgrade().ok_or_else(closed)?;
        let queue = |target: &EventTarget<'_>| host.directory.get::<Queue>(target.resource);
        let queues: Vec<_> = targets.iter().map(queue).collect();
        // A message of its own costs less than a payload that one message refers to.
        let shares = |index: &usize| queues[*index].is_some() && targets[*index].is_plain();
        let shared: Vec<usize> = (0..targets.len()).filter(shares).collect();
        let shared = if shared.len() > 1 { shared } else { Vec::new() };
        let mut results: Vec<Option<Result<Accepted>>> = vec![None; targets.len()];
        fan_out_event(&host, body, targets, &queues, &shared, &mut results)?;
        for (target, result) in targets.iter().zip(&mut results) {
            if result.is_none() {
                let EventTarget { resource, group, attributes } = *target;
                let routed = Routed { body, attributes, group, hops, ..Routed::default() };
                *result = Some(host.deliver(resource, &routed));
            }
        }
        results.into_iter().map(of_target).collect()
    }
}

/// What became of one target, unless the error is the engine's.
fn of_target(result: Option<Result<Accepted>>) -> Result<Result<Accepted>> {
    match result {
        Some(Err(error)) if !is_of_target(&error) => Err(error),
        Some(result) => Ok(result),
        None => Err(Error::new(Code::InternalError, "A target was left out.")),
    }
}

/// Delivers one event to several queues in one step of the journal.
fn fan_out_event(
    host: &Arc<Host>,
    body: &[u8],
    targets: &[EventTarget<'_>],
    queues: &[Option<Arc<Queue>>],
    shared: &[usize],
    results: &mut [Option<Result<Accepted>>],
) -> Result<()> {
    let branch = |index: &usize| {
        let group = targets[*index].group;
        let message = Outgoing { body, group, ..Outgoing::default() };
        Some(Branch { queue: queues[*index].as_ref()?, message, renderer: None })
    };
    let branches: Vec<_> = shared.iter().filter_map(branch).collect();
    if branches.is_empty() {
        return Ok(());
    }
    let closed = || Error::new(Code::EngineClosed, "The engine is closed. Open a new one.");
    let payloads = host.component::<Payloads>().ok_or_else(closed)?;
    let content = SharedPayload { body, ..SharedPayload::default() };
    let mut each = |index: usize, sent: Result<Sent>| {
        let accepted = sent.map(|Sent { queue: resource, seq, duplicate, ticket }| Accepted {
            resource,
            seq,
            duplicate,
            ticket,
        });
        results[shared[index]] = Some(accepted);
    };
    fan_out(host, &payloads, &branches, &content, None, host.now(), &mut each).map(drop)
}
