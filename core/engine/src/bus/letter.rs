//! The messages that a put sends: what the targets of its plan get, and dead letters for those that
//! refuse it.

use std::borrow::Cow;
use std::cell::Cell;

use trunkline_host::Accepted;
use trunkline_types::{Code, Error, Millis, ResourceId, Result};

use super::delivery::{EventDelivery, EventTarget, RuleSource};
use super::event::Event;
use super::input::About;
use super::plan::{Plan, Planned};
use super::rules::count;
use crate::attributes;

/// An event, and what is to be done for it.
pub(super) struct PlannedEvent {
    pub event: Event,
    pub plan: Plan,
    /// How many targets have accepted it.
    pub delivered: Cell<u32>,
}

/// A message for one resource.
pub(super) struct Letter<'p> {
    of: &'p PlannedEvent,
    planned: &'p Planned,
    resource: ResourceId,
    group: Option<Cow<'p, str>>,
    body: Cow<'p, [u8]>,
    attributes: Vec<u8>,
    is_dead: bool,
}

type Made<T> = std::result::Result<T, (&'static str, Error)>;

/// Adds the messages of a plan. A delivery that its target refuses, or whose input cannot be made,
/// is a dead letter; without a queue for it the delivery is among the `lost`.
pub(super) fn write_letters<'p>(
    delivery: &dyn EventDelivery,
    of: &'p PlannedEvent,
    now: Millis,
    letters: &mut Vec<Letter<'p>>,
    lost: &mut Vec<&'p Planned>,
) -> Result<()> {
    letters.reserve(of.plan.deliveries.len());
    for planned in &of.plan.deliveries {
        let refused = match Letter::new(planned, of, now) {
            Ok(letter) if !delivery.permits(&letter.target()) => ("NO_PERMISSIONS", forbidden()),
            Ok(letter) => match delivery.check(&letter.target()) {
                Ok(()) => {
                    letters.push(letter);
                    continue;
                }
                Err(error) if is_of_target(&error) => (code_of(&error), error),
                Err(error) => return Err(error),
            },
            Err(refused) => refused,
        };
        match Letter::dead(delivery, planned, of, refused.0, &refused.1)? {
            Some(letter) => letters.push(letter),
            None => lost.push(planned),
        }
    }
    Ok(())
}

impl<'p> Letter<'p> {
    /// What the target gets, or EventBridge's code for why nothing can be made for it.
    fn new(planned: &'p Planned, of: &'p PlannedEvent, now: Millis) -> Made<Self> {
        let event = &of.event;
        let definition = &planned.target().definition;
        let coded = |code| move |error| (code, error);
        let group = planned.target().group_of(event).map_err(coded("INVALID_PARAMETER"))?;
        let body = planned.body(event, now).map_err(coded("INVALID_JSON"))?;
        // A destination of the outbox names the target in its dead letters.
        let names = match definition.is_owned {
            true => planned.names().map_err(coded("INVALID_PARAMETER"))?,
            false => Vec::new(),
        };
        let attributes = traced(names, event).map_err(coded("INVALID_PARAMETER"))?;
        let resource = definition.resource;
        Ok(Self { of, planned, resource, group, body, attributes, is_dead: false })
    }

    /// The event for the dead-letter queue of a target that refused it; `None` if there is none
    /// that takes it.
    fn dead(
        delivery: &dyn EventDelivery,
        planned: &'p Planned,
        of: &'p PlannedEvent,
        code: &str,
        why: &Error,
    ) -> Result<Option<Self>> {
        let event = &of.event;
        if planned.bus.host.trace.is_on() {
            planned.bus.trace_refused(event, planned, why.message());
        }
        let Some(resource) = planned.target().definition.dead_letter else { return Ok(None) };
        let error = [("ERROR_CODE", code.to_owned()), ("ERROR_MESSAGE", why.message().to_owned())];
        let attributes = traced(attributes::with_texts(&planned.names()?, &error)?, event)?;
        let body = Cow::Borrowed(&*event.text);
        let letter = Self { of, planned, resource, group: None, body, attributes, is_dead: true };
        if !delivery.permits(&letter.target()) {
            return Ok(None);
        }
        match delivery.check(&letter.target()) {
            Ok(()) => Ok(Some(letter)),
            Err(error) if is_of_target(&error) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// What the router is told of it.
    pub fn target(&self) -> EventTarget<'_> {
        let Self { planned, resource, group, body, attributes, .. } = self;
        let Planned { bus, rule, .. } = planned;
        let rule = RuleSource { bus, id: rule.id, name: &rule.name };
        EventTarget { rule, resource: *resource, group: group.as_deref(), body, attributes }
    }

    /// Counts what became of it. A target that has refused its event only now, because it was
    /// removed in the middle or is no queue, gets a dead letter, to be sent in a step of its own.
    pub fn settle(
        &self,
        delivery: &dyn EventDelivery,
        result: &Result<Accepted>,
    ) -> Result<Option<Letter<'p>>> {
        let counters = &self.planned.rule.counters;
        match result {
            Ok(_) if self.is_dead => count(&counters.dead_lettered),
            Ok(_) => {
                count(&counters.delivered);
                self.of.delivered.update(|delivered| delivered + 1);
            }
            Err(error) if !self.is_dead => {
                let late = Self::dead(delivery, self.planned, self.of, code_of(error), error)?;
                if late.is_none() {
                    count(&counters.failed);
                }
                return Ok(late);
            }
            Err(_) => count(&counters.failed),
        }
        Ok(None)
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
        if target.transformer.is_whole_event() {
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

#[cold]
fn forbidden() -> Error {
    Error::new(
        Code::UnsupportedOperation,
        "The policy of the target does not allow the rule to send to it.",
    )
}

/// The attributes of a message, with what traces its event.
fn traced(block: Vec<u8>, event: &Event) -> Result<Vec<u8>> {
    match &event.trace_header {
        Some(trace_header) => attributes::with_trace_header(&block, trace_header),
        None => Ok(block),
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
