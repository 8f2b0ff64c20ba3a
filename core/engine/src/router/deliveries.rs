//! Carries out what an event bus puts, in one step of the journal: messages for queues and for
//! destinations of the outbox, whose deliveries are messages too, records of streams and entries of
//! archives. So are the messages of a topic, if all that subscribes are standard queues; any other
//! topic takes an event in a step of its own, behind that one.

use std::collections::HashMap;
use std::sync::{Arc, Weak};

use trunkline_host::{Accepted, Also, Host, Routed};
use trunkline_types::{Code, Error, Result};

use super::authorization::{Authorization, DeliverySource};
use super::others::{self, Others};
use crate::bus::{Delivered, EventDelivery, EventStep, EventTarget, is_of_target};
use crate::queue::{
    Branch, FanOutStep, Kept, Outgoing, Queue, Sent, SharedPayload, check, fan_out,
};

/// Delivers the events of buses.
pub(super) struct Deliveries {
    host: Weak<Host>,
    authorization: Arc<Authorization>,
}

impl Deliveries {
    pub fn new(host: &Arc<Host>, authorization: &Arc<Authorization>) -> Self {
        Self { host: Arc::downgrade(host), authorization: authorization.clone() }
    }

    fn host(&self) -> Result<Arc<Host>> {
        self.host.upgrade().ok_or_else(closed)
    }
}

impl EventDelivery for Deliveries {
    fn check(&self, target: &EventTarget<'_>) -> Result<()> {
        let host = self.host()?;
        match host.directory.get::<Queue>(target.resource) {
            Some(queue) => check(&queue, &message_of(target)),
            None => others::check(&host, target.resource, &routed_of(target, 0)),
        }
    }

    fn permits(&self, target: &EventTarget<'_>) -> bool {
        if self.authorization.is_off() {
            return true;
        }
        let queue = self.host.upgrade().and_then(|host| host.directory.get(target.resource));
        // What is no queue has no policy that a rule would need.
        queue.is_none_or(|queue: Arc<Queue>| {
            self.authorization.permits(&queue, &DeliverySource::Rule(target.rule))
        })
    }

    fn deliver(&self, step: &EventStep<'_>) -> Result<Delivered> {
        let host = self.host()?;
        let mut queues = Vec::with_capacity(step.targets.len());
        let ids = step.targets.iter().map(|target| target.resource);
        host.directory.get_many::<Queue>(ids, |queue, _| queues.push(queue));
        let shared = shared_body(step.targets);
        let mut branches = Vec::with_capacity(step.targets.len());
        for (target, queue) in step.targets.iter().zip(&queues) {
            let Some(queue) = queue else { continue };
            let is_shared = target.is_plain() && shared.is_some_and(|body| is_same(body, target));
            let kept = if is_shared { Kept::Shared(None) } else { Kept::Own };
            branches.push(Branch { queue, message: message_of(target), kept });
        }
        let mut results: Vec<Option<Result<Accepted>>> = vec![None; step.targets.len()];
        let mut others = Others::default();
        for (place, (target, queue)) in step.targets.iter().zip(&queues).enumerate() {
            if queue.is_none() {
                others.add(&host, target.resource, place, routed_of(target, step.hops));
            }
        }
        let joined = others.join(step.now);
        let participants: Vec<&dyn Also> =
            joined.participants().chain(step.participants.iter().copied()).collect();
        let content = SharedPayload { body: shared.unwrap_or_default(), ..Default::default() };
        let now = step.now;
        let fan = FanOutStep { branches: &branches, content, participants: &participants, now };
        let (sent, mut ticket) = fan_out(&host, &fan)?;
        let mut sent = sent.into_iter();
        for (result, _) in results.iter_mut().zip(&queues).filter(|(_, queue)| queue.is_some()) {
            *result = sent.next().map(|sent| sent.map(accepted));
        }
        drop(participants);
        joined.settle(&host, ticket, &mut |place, result| results[place] = Some(result));
        let apart = results.iter().flatten().flatten().filter_map(|accepted| accepted.ticket).max();
        ticket = ticket.max(apart);
        let of_target = |result: Option<Result<Accepted>>| match result {
            Some(Err(error)) if !is_of_target(&error) => Err(error),
            // A resource that was removed since it was checked.
            None => Ok(Err(gone())),
            Some(result) => Ok(result),
        };
        Ok((results.into_iter().map(of_target).collect::<Result<_>>()?, ticket))
    }
}

/// The body that several targets get, and that is stored once for them. A message of its own costs
/// less than a payload that one message refers to.
fn shared_body<'a>(targets: &[EventTarget<'a>]) -> Option<&'a [u8]> {
    if targets.len() < 2 {
        return None;
    }
    let plain = || targets.iter().filter(|target| target.is_plain()).map(|target| target.body);
    let mut by_address: HashMap<(usize, usize), (usize, &[u8])> = HashMap::new();
    for body in plain() {
        let key = (body.as_ptr().addr(), body.len());
        by_address.entry(key).or_insert((0, body)).0 += 1;
    }
    let most = by_address.values().copied().max_by_key(|(count, _)| *count)?;
    if most.0 > 1 || by_address.len() < 2 {
        return (most.0 > 1).then_some(most.1);
    }
    let mut by_content: HashMap<&[u8], usize> = HashMap::new();
    plain().for_each(|body| *by_content.entry(body).or_default() += 1);
    let (body, count) = by_content.into_iter().max_by_key(|(_, count)| *count)?;
    (count > 1).then_some(body)
}

fn is_same(body: &[u8], target: &EventTarget<'_>) -> bool {
    std::ptr::eq(body, target.body) || body == target.body
}

fn message_of<'a>(target: &EventTarget<'a>) -> Outgoing<'a> {
    let EventTarget { group, body, attributes, .. } = *target;
    Outgoing { body, attributes, group, ..Outgoing::default() }
}

fn routed_of<'a>(target: &EventTarget<'a>, hops: u32) -> Routed<'a> {
    let EventTarget { group, body, attributes, .. } = *target;
    Routed { body, attributes, group, hops, ..Routed::default() }
}

fn accepted(sent: Sent) -> Accepted {
    let Sent { queue: resource, seq, duplicate, ticket } = sent;
    Accepted { resource, seq, duplicate, ticket }
}

#[cold]
fn gone() -> Error {
    Error::new(Code::ResourceNotFoundException, "The resource of the target was removed.")
}

#[cold]
fn closed() -> Error {
    Error::new(Code::EngineClosed, "The engine is closed. Open a new one.")
}
