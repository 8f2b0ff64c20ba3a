//! Putting an event: it is completed and matched, its deliveries are planned, and the plan is
//! carried out.
//!
//! The plan follows rules that lead to other buses. An event does not change on its way through
//! buses, so one that comes back to a bus would go around for ever: it is refused as a whole,
//! before anything is delivered.

use std::borrow::Cow;
use std::sync::Arc;

use trunkline_host::{Accepted, HOPS_MAX, Routed, too_many_hops};
use trunkline_journal::Ticket;
use trunkline_types::sync::atomic::{AtomicU64, Ordering};
use trunkline_types::{Code, Error, Millis, ResourceId, Result};

use super::archive::Archive;
use super::delivery::EventTarget;
use super::event::{Completion, Envelope, Event};
use super::input::About;
use super::rules::{Rule, Target};
use super::{Bus, PUT};
use crate::attributes;

/// An event to be put.
#[derive(Debug, Clone, Copy)]
pub struct PutEvent<'a> {
    /// The event as JSON text, complete or not.
    pub text: &'a [u8],
    /// How many resources have handed it on before.
    pub hops: u32,
}

/// An event that was accepted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PutOutcome {
    /// The event's id.
    pub id: String,
    /// How many rules matched, those of other buses included.
    pub matched: u32,
    /// How many targets have accepted the event.
    pub delivered: u32,
    /// How many targets took nothing; their events are dead letters, or gone.
    pub failed: u32,
    /// To be waited for, if the engine has a journal.
    pub ticket: Option<Ticket>,
}

/// What is to be done for an event.
#[derive(Default)]
struct Plan {
    /// The rules that match, on every bus that the event comes to.
    rules: Vec<Arc<Rule>>,
    deliveries: Vec<Planned>,
    /// The archives that keep it.
    archives: Vec<Arc<Archive>>,
    /// The rules of the first bus that may match; `None` for all.
    only: Option<Vec<ResourceId>>,
    /// It comes from an archive.
    is_replayed: bool,
}

/// One delivery of the plan.
struct Planned {
    bus: Arc<Bus>,
    rule: Arc<Rule>,
    /// Which target of the rule.
    target: usize,
}

impl Planned {
    fn target(&self) -> &Target {
        &self.rule.targets[self.target]
    }
}

/// A delivery that a target did not take.
struct Refused<'a> {
    planned: &'a Planned,
    code: &'static str,
    why: String,
}

impl Bus {
    /// Puts an event. What rules and targets make of it is applied when this returns, and as
    /// durable as wanted once its ticket has been waited for.
    pub fn put(self: &Arc<Self>, event: PutEvent<'_>) -> Result<PutOutcome> {
        let call = self.host.admit(PUT, &self.name)?;
        self.check_writable()?;
        let now = call.now(&self.host);
        let completed = self.complete(event.text, now)?;
        self.put_completed(completed, event.hops, now, Plan::default())
    }

    /// Puts an event of an archive again, for some rules or all; no archive takes it.
    pub(super) fn put_replayed(
        self: &Arc<Self>,
        event: Event,
        only: Option<&[ResourceId]>,
        now: Millis,
    ) -> Result<PutOutcome> {
        let _admitted = self.host.admit_internal(PUT)?;
        self.check_present()?;
        let only = only.map(<[ResourceId]>::to_vec);
        self.put_completed(event, 0, now, Plan { only, is_replayed: true, ..Plan::default() })
    }

    /// Completes the envelope of an event.
    pub(super) fn complete(&self, text: &[u8], now: Millis) -> Result<Event> {
        Envelope::read(text)?.complete(Completion {
            bus: &self.name,
            id: self.next_event_id(),
            now,
            bytes_max: self.host.limits.message_bytes_max as usize,
        })
    }

    fn put_completed(
        self: &Arc<Self>,
        event: Event,
        hops: u32,
        now: Millis,
        mut plan: Plan,
    ) -> Result<PutOutcome> {
        self.plan(&event, hops, &mut Vec::new(), &mut plan)?;
        self.keep(&event, &plan.archives, now)?;
        count(&self.counters.events);
        if !plan.rules.is_empty() {
            count(&self.counters.matched);
            plan.rules.iter().for_each(|rule| count(&rule.counters.matched));
        }
        let deliveries = &plan.deliveries;
        let refused = self.carry_out(&event, deliveries, hops, now)?;
        for refused in &refused {
            refused.give_up(&event)?;
        }
        let (matched, failed) = (plan.rules.len() as u32, refused.len() as u32);
        let delivered = deliveries.len() as u32 - failed;
        let is_silent = deliveries.is_empty() && plan.archives.is_empty();
        let ticket = if is_silent { None } else { self.host.append()?.ticket() };
        Ok(PutOutcome { id: event.id, matched, delivered, failed, ticket })
    }

    /// An event from another resource.
    pub(super) fn accept_event(&self, routed: &Routed<'_>) -> Result<Accepted> {
        let bus = self.host.directory.get::<Bus>(self.id);
        let bus = bus.ok_or_else(|| super::no_such_bus(&self.name.name))?;
        let outcome = bus.put(PutEvent { text: routed.body, hops: routed.hops })?;
        let seq = self.counters.events.load(Ordering::Relaxed);
        Ok(Accepted { resource: self.id, seq, duplicate: false, ticket: outcome.ticket })
    }

    /// Adds the deliveries of this bus, and of the buses behind it. `path` has the buses that the
    /// event came through.
    fn plan(
        self: &Arc<Self>,
        event: &Event,
        hops: u32,
        path: &mut Vec<ResourceId>,
        plan: &mut Plan,
    ) -> Result<()> {
        if hops >= HOPS_MAX {
            return Err(too_many_hops());
        }
        if path.contains(&self.id) {
            return Err(self.comes_back());
        }
        path.push(self.id);
        if !plan.is_replayed {
            for archive in self.archives().iter() {
                if archive.takes(event)? {
                    plan.archives.push(archive.clone());
                }
            }
        }
        let mut rules = Vec::new();
        self.rules.matches(&event.text, &mut rules)?;
        if let (Some(only), 1) = (&plan.only, path.len()) {
            rules.retain(|rule| only.contains(&rule.id));
        }
        for rule in rules {
            for (index, target) in rule.targets.iter().enumerate() {
                let other = self.host.directory.get::<Bus>(target.definition.resource);
                match other {
                    Some(other) => other.plan(event, hops + 1, path, plan)?,
                    None => plan.deliveries.push(Planned {
                        bus: self.clone(),
                        rule: rule.clone(),
                        target: index,
                    }),
                }
            }
            plan.rules.push(rule);
        }
        path.pop();
        Ok(())
    }

    /// Keeps an event in archives, in one step.
    fn keep(&self, event: &Event, archives: &[Arc<Archive>], now: Millis) -> Result<()> {
        if archives.is_empty() {
            return Ok(());
        }
        {
            let mut log = self.host.append_at(now)?;
            archives.iter().try_for_each(|archive| archive.append(&mut log, event, now))?;
        }
        let logs = self.logs()?;
        archives.iter().for_each(|archive| logs.on_append(&archive.log));
        Ok(())
    }

    #[cold]
    fn comes_back(&self) -> Error {
        Error::new(
            Code::UnsupportedOperation,
            format!(
                "The event comes back to the event bus {}: its rules form a loop. Nothing was \
                 delivered. Remove one of the rules that lead back, or give it a pattern that does \
                 not match.",
                self.name.name
            ),
        )
    }

    /// Carries out a plan; returns the deliveries that were not taken.
    fn carry_out<'p>(
        &self,
        event: &Event,
        plan: &'p [Planned],
        hops: u32,
        now: Millis,
    ) -> Result<Vec<Refused<'p>>> {
        let delivery = self.delivery.get()?;
        let mut refused = Vec::new();
        let named: Vec<_> = plan.iter().map(names_of).collect::<Result<_>>()?;
        // Targets that get the same body get it in one step.
        let mut bodies: Vec<(Cow<'_, [u8]>, Vec<usize>)> = Vec::new();
        for (index, planned) in plan.iter().enumerate() {
            match planned.body(event, now) {
                Ok(body) => match bodies.iter_mut().find(|(other, _)| *other == body) {
                    Some((_, indexes)) => indexes.push(index),
                    None => bodies.push((body, vec![index])),
                },
                Err(error) => refused.push(Refused::new(planned, "INVALID_JSON", &error)),
            }
        }
        for (body, indexes) in &bodies {
            let target = |index: &usize| EventTarget {
                resource: plan[*index].target().definition.resource,
                group: plan[*index].target().definition.group.as_deref(),
                attributes: &named[*index],
            };
            let targets: Vec<_> = indexes.iter().map(target).collect();
            let results = delivery.deliver(body, hops, &targets)?;
            for (index, result) in indexes.iter().zip(results) {
                match result {
                    Ok(_) => count(&plan[*index].rule.counters.delivered),
                    Err(error) => {
                        refused.push(Refused::new(&plan[*index], code_of(&error), &error));
                    }
                }
            }
        }
        Ok(refused)
    }

    fn next_event_id(&self) -> String {
        /// Bits of the number within one opening of the engine.
        const BITS: u32 = 36;
        let number = self.counters.numbered.fetch_add(1, Ordering::Relaxed);
        let seq = u64::from(self.host.incarnation) << BITS | (number & ((1 << BITS) - 1));
        self.host.key.message_id(self.id, seq).to_string()
    }

    pub(super) fn rule_arn(&self, rule: &str) -> String {
        let name = &self.name;
        let bus = if name.name == "default" { String::new() } else { format!("{}/", name.name) };
        format!("arn:aws:events:{}:{}:rule/{bus}{rule}", name.region, name.account)
    }
}

impl Planned {
    /// What the target gets.
    fn body<'a>(&'a self, event: &'a Event, now: Millis) -> Result<Cow<'a, [u8]>> {
        let target = self.target();
        if target.definition.is_owned {
            // Rendered when it is attempted.
            return Ok(Cow::Borrowed(&event.text));
        }
        let rule_arn = self.bus.rule_arn(&self.rule.name);
        let about = About { rule_arn: &rule_arn, rule_name: &self.rule.name, ingested: now };
        target.transformer.fill(&event.text, about)
    }

    /// The attributes that tell where a dead letter comes from.
    fn names(&self) -> Result<Vec<u8>> {
        let arn = self.target().definition.arn.clone();
        let texts = [("RULE_ARN", self.bus.rule_arn(&self.rule.name)), ("TARGET_ARN", arn)];
        attributes::with_texts(&[], &texts)
    }
}

/// The attributes of a delivery that leaves the engine: its dead letter has them.
fn names_of(planned: &Planned) -> Result<Vec<u8>> {
    if planned.target().definition.is_owned { planned.names() } else { Ok(Vec::new()) }
}

impl<'p> Refused<'p> {
    fn new(planned: &'p Planned, code: &'static str, error: &Error) -> Self {
        Self { planned, code, why: error.message().to_owned() }
    }

    /// Gives the event to the dead-letter queue of the target, or counts it.
    fn give_up(&self, event: &Event) -> Result<()> {
        let planned = self.planned;
        let counters = &planned.rule.counters;
        let Some(queue) = planned.target().definition.dead_letter else {
            count(&counters.failed);
            return Ok(());
        };
        let error = [("ERROR_CODE", self.code.to_owned()), ("ERROR_MESSAGE", self.why.clone())];
        let block = attributes::with_texts(&planned.names()?, &error)?;
        let dead = Routed { body: &event.text, attributes: &block, ..Routed::default() };
        match planned.bus.host.deliver(queue, &dead) {
            Ok(_) => count(&counters.dead_lettered),
            Err(error) if is_of_target(&error) => count(&counters.failed),
            Err(error) => return Err(error),
        }
        Ok(())
    }
}

/// Whether an error is about one target, and not about the engine.
pub(crate) fn is_of_target(error: &Error) -> bool {
    matches!(
        error.code(),
        Code::QueueDoesNotExist
            | Code::ResourceNotFoundException
            | Code::InvalidParameterValue
            | Code::InvalidMessageContents
            | Code::MissingParameter
            | Code::UnsupportedOperation
            | Code::OverLimit
            | Code::InjectedFault
    )
}

/// EventBridge's name for what went wrong at a target.
fn code_of(error: &Error) -> &'static str {
    match error.code() {
        Code::QueueDoesNotExist | Code::ResourceNotFoundException => "NO_RESOURCE",
        Code::OverLimit => "THROTTLING",
        Code::InjectedFault => "INTERNAL_ERROR",
        _ => "INVALID_PARAMETER",
    }
}

fn count(counter: &AtomicU64) {
    counter.fetch_add(1, Ordering::Relaxed);
}
