//! Putting an event: it is completed and matched, its deliveries are planned, and the plan is
//! carried out in one step of the journal, with those of the same request: what queues,
//! destinations, dead-letter queues and archives get of an event is there after a crash as a whole,
//! or not at all.
//!
//! Inputs are rendered here and not when a message is received: what a target gets is decided by
//! the rule as it is at the put, as on AWS, and a FIFO queue makes its deduplication id of it.
//! Destinations of the outbox render at each attempt, so that a mended input mends what waits.

use std::cell::Cell;
use std::sync::Arc;

use trunkline_host::{Accepted, Admitted, Also, Routed, Via};
use trunkline_journal::Ticket;
use trunkline_types::sync::atomic::Ordering;
use trunkline_types::{Millis, ResourceId, Result};

use super::delivery::EventStep;
use super::event::{Completion, Envelope, Event};
use super::fields::EventFields;
use super::letter::{Letter, PlannedEvent, write_letters};
use super::plan::Plan;
use super::rules::count;
use super::{Bus, PUT};
use crate::attributes;

/// An event to be put.
#[derive(Debug, Clone, Copy)]
pub struct PutEvent<'a> {
    /// The event as JSON text, complete or not.
    pub text: &'a [u8],
    /// How many resources have handed it on before.
    pub hops: u32,
    /// What traces it: queues get it as the system attribute `AWSTraceHeader`.
    pub trace_header: Option<&'a str>,
    /// What a resource that hands the event on appends in the same step.
    pub also: Option<&'a dyn Also>,
}

impl<'a> PutEvent<'a> {
    /// An event that comes from outside, and is not traced.
    pub fn new(text: &'a [u8]) -> Self {
        Self { text, hops: 0, trace_header: None, also: None }
    }
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

impl PlannedEvent {
    /// What became of it, once its plan was carried out.
    fn outcome(self, ticket: Option<Ticket>) -> PutOutcome {
        let Self { event, plan, delivered } = self;
        let (matched, all) = (plan.rules.len() as u32, plan.deliveries.len() as u32);
        let delivered = delivered.get();
        PutOutcome { id: event.id, matched, delivered, failed: all - delivered, ticket }
    }
}

impl Bus {
    /// Puts an event. What rules and targets make of it is applied when this returns, and as
    /// durable as wanted once its ticket has been waited for.
    pub fn put(self: &Arc<Self>, event: PutEvent<'_>) -> Result<PutOutcome> {
        self.put_admitted(&self.host.admit(PUT, &self.name)?, event)
    }

    /// Puts an event, as an admitted call.
    pub fn put_admitted(
        self: &Arc<Self>,
        call: &Admitted,
        event: PutEvent<'_>,
    ) -> Result<PutOutcome> {
        self.check_writable()?;
        let now = call.now(&self.host);
        let mut completed = self.complete(event.text, now)?;
        completed.trace_header = event.trace_header.map(str::to_owned);
        self.put_completed(completed, event.hops, now, Plan::default(), event.also)
    }

    /// Puts events of these fields in order, as an admitted call, each with what traces it: in one
    /// step of the journal, if no event goes to several targets, for which it is stored once. Each
    /// succeeds or fails for itself.
    pub fn put_fields_admitted(
        self: &Arc<Self>,
        call: &Admitted,
        events: &[(EventFields<'_>, Option<&str>)],
    ) -> Vec<Result<PutOutcome>> {
        if let Err(error) = self.check_writable() {
            return vec![Err(error); events.len()];
        }
        let now = call.now(&self.host);
        let complete = |(fields, trace_header): &(EventFields<'_>, Option<&str>)| {
            let mut event = fields.complete(self.completion(now))?;
            event.trace_header = trace_header.map(str::to_owned);
            Ok(event)
        };
        let completed = events.iter().map(complete);
        // The trace tells of what is delivered for the event at hand.
        if events.len() == 1 || self.host.trace.is_on() {
            let put = |event| self.put_completed(event, 0, now, Plan::default(), None);
            return completed.map(|event| event.and_then(put)).collect();
        }
        self.put_together(completed, now)
    }

    fn put_together(
        self: &Arc<Self>,
        events: impl Iterator<Item = Result<Event>>,
        now: Millis,
    ) -> Vec<Result<PutOutcome>> {
        let via = Via::enter(self.id, &self.name);
        let plan = |event: Result<Event>| {
            via.as_ref().map_err(Clone::clone)?;
            self.planned(event?, 0, Plan::default())
        };
        let (mut planned, mut refused) = (Vec::new(), Vec::new());
        for (place, one) in events.map(plan).enumerate() {
            match one {
                Ok(one) => planned.push(one),
                Err(error) => refused.push((place, error)),
            }
        }
        let is_one_step = planned.iter().all(|one| one.plan.deliveries.len() <= 1);
        let steps = if is_one_step { planned.len().max(1) } else { 1 };
        let mut settled = Vec::new();
        for step in planned.chunks(steps) {
            settled.push(self.carry_out(step, 0, now, None));
        }
        let ticket_of = |place: usize| settled[place / steps].clone();
        let mut results: Vec<_> = planned
            .into_iter()
            .enumerate()
            .map(|(place, one)| ticket_of(place).map(|ticket| one.outcome(ticket)))
            .collect();
        for (place, error) in refused {
            results.insert(place, Err(error));
        }
        results
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
        let plan = Plan { only, is_replayed: true, ..Plan::default() };
        self.put_completed(event, 0, now, plan, None)
    }

    /// Completes the envelope of an event.
    pub(super) fn complete(&self, text: &[u8], now: Millis) -> Result<Event> {
        Envelope::read(text)?.complete(self.completion(now))
    }

    fn completion(&self, now: Millis) -> Completion<'_> {
        Completion {
            bus: &self.name,
            id: self.next_event_id(),
            now,
            bytes_max: self.host.limits.message_bytes_max as usize,
        }
    }

    pub(super) fn put_completed(
        self: &Arc<Self>,
        event: Event,
        hops: u32,
        now: Millis,
        plan: Plan,
        also: Option<&dyn Also>,
    ) -> Result<PutOutcome> {
        let _via = Via::enter(self.id, &self.name)?;
        let _cause = self.trace_put(&event, plan.is_replayed);
        let made = [self.planned(event, hops, plan)?];
        let ticket = self.carry_out(&made, hops, now, also)?;
        let [made] = made;
        Ok(made.outcome(ticket))
    }

    fn planned(self: &Arc<Self>, event: Event, hops: u32, mut plan: Plan) -> Result<PlannedEvent> {
        self.plan(&event, hops, &mut Vec::new(), &mut plan)?;
        self.trace_kept(&event, &plan.archives);
        Ok(PlannedEvent { event, plan, delivered: Cell::default() })
    }

    /// Carries out the plans of events in one step of the journal, and behind it what follows from
    /// targets that refuse theirs only now.
    fn carry_out(
        &self,
        events: &[PlannedEvent],
        hops: u32,
        now: Millis,
        also: Option<&dyn Also>,
    ) -> Result<Option<Ticket>> {
        let (delivery, logs) = (self.delivery.get()?, self.logs()?);
        let (mut entries, mut letters, mut lost) = (Vec::new(), Vec::new(), Vec::new());
        for one in events {
            entries.extend(one.plan.archives.iter().map(|kept| kept.entry(&one.event, now)));
            write_letters(&*delivery, one, now, &mut letters, &mut lost)?;
        }
        let participants: Vec<&dyn Also> =
            entries.iter().map(|entry| entry as _).chain(also).collect();
        let (mut ticket, mut participants) = (None, &*participants);
        while !letters.is_empty() || !participants.is_empty() {
            let targets: Vec<_> = letters.iter().map(Letter::target).collect();
            let step = EventStep { targets: &targets, participants, hops, now };
            let (results, settled) = delivery.deliver(&step)?;
            ticket = ticket.max(settled);
            participants = &[];
            let mut late = Vec::new();
            for (letter, result) in letters.iter().zip(&results) {
                late.extend(letter.settle(&*delivery, result)?);
            }
            letters = late;
        }
        lost.iter().for_each(|planned| count(&planned.rule.counters.failed));
        for PlannedEvent { plan, .. } in events {
            plan.archives.iter().for_each(|archive| logs.on_append(&archive.log));
            count(&self.counters.events);
            if !plan.rules.is_empty() {
                count(&self.counters.matched);
                plan.rules.iter().for_each(|rule| count(&rule.counters.matched));
            }
        }
        Ok(ticket)
    }

    /// An event from another resource.
    pub(super) fn accept_event(&self, routed: &Routed<'_>) -> Result<Accepted> {
        let bus = self.host.directory.get::<Bus>(self.id);
        let bus = bus.ok_or_else(|| super::no_such_bus(&self.name.name))?;
        let trace_header = attributes::trace_header(routed.attributes)?;
        let outcome = bus.put(PutEvent {
            text: routed.body,
            hops: routed.hops,
            trace_header: trace_header.as_deref(),
            also: routed.also,
        })?;
        let seq = self.counters.events.load(Ordering::Relaxed);
        Ok(Accepted { resource: self.id, seq, duplicate: false, ticket: outcome.ticket })
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
