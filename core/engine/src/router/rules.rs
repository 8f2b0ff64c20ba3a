//! Rules and their targets, as the surfaces put them.
//!
//! A target outside of the engine gets a destination of its own, which is made before the rule that
//! names it and removed behind it. A crash in between leaves a destination that no rule names; the
//! next opening removes it.

use std::sync::Arc;

use trunkline_delivery::RetryTable;
use trunkline_host::Renderer;
use trunkline_journal::Ticket;
use trunkline_types::{Code, Error, Millis, QueueKind, ResourceId, Result};

use super::events::DESTINATION_PREFIX;
use crate::bus::{Bus, Input, RuleStatus, TargetDefinition, check_target_ids};
use crate::engine::Engine;
use crate::outbox::{DestinationConfig, HttpOptions, Transport};
use crate::queue::Queue;
use crate::stream::Stream;
use crate::topic::Topic;

/// Where a rule delivers to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TargetResource {
    /// A queue or an event bus of this engine.
    Resource(ResourceId),
    /// A destination outside of the engine, made for this target.
    Outside(Transport),
}

/// A target to be given to a rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewTarget {
    /// Its id, unique in the rule.
    pub id: String,
    /// Where the events go.
    pub resource: TargetResource,
    /// How a surface names the target, for those who read its dead letters.
    pub arn: Option<String>,
    /// What it gets of an event.
    pub input: Input,
    /// The standard queue that takes events which the target does not.
    pub dead_letter: Option<ResourceId>,
    /// How often a delivery that leaves the engine is tried again: at most 185.
    pub retries_max: u32,
    /// How old such a delivery may be when it is tried again: 1 minute to 24 hours.
    pub age_max: Millis,
    /// The group, for a FIFO queue.
    pub group: Option<String>,
    /// The path of an event's partition key, for a stream; the event's id by default.
    pub key_path: Option<String>,
    /// What its requests are made of beside the transport, if it is called over HTTP.
    pub http: HttpOptions,
    /// What the surfaces keep with it.
    pub document: Vec<u8>,
}

impl NewTarget {
    /// A target that gets whole events, with EventBridge's retry policy.
    pub fn new(id: impl Into<String>, resource: TargetResource) -> Self {
        Self {
            id: id.into(),
            resource,
            arn: None,
            input: Input::Event,
            dead_letter: None,
            retries_max: RETRIES_MAX,
            age_max: AGE_MAX,
            group: None,
            key_path: None,
            http: HttpOptions::default(),
            document: Vec::new(),
        }
    }
}

/// A rule to be put.
#[derive(Debug, Clone)]
pub struct NewRule<'a> {
    /// Its name, unique in its bus.
    pub name: &'a str,
    /// Its pattern, as JSON.
    pub pattern: &'a str,
    /// Whether it is matched.
    pub is_enabled: bool,
    /// Its targets, five at most; `None` for those that the rule of this name has.
    pub targets: Option<Vec<NewTarget>>,
    /// What the surfaces keep with it.
    pub document: &'a [u8],
}

/// A rule without its targets.
struct Definition<'a> {
    name: &'a str,
    pattern: &'a str,
    is_enabled: bool,
    document: &'a [u8],
}

impl<'a> Definition<'a> {
    fn of(rule: &'a RuleStatus) -> Self {
        Self {
            name: &rule.name,
            pattern: &rule.pattern,
            is_enabled: rule.is_enabled,
            document: &rule.document,
        }
    }
}

/// The partition key of an event, unless its target says otherwise: EventBridge's.
const EVENT_ID: &str = "$.id";
/// EventBridge's bounds of a retry policy.
const RETRIES_MAX: u32 = 185;
const AGE_MIN: Millis = 60_000;
const AGE_MAX: Millis = 86_400_000;
/// Attempts at once at one destination.
const CONCURRENCY: u32 = 8;

impl Engine {
    /// Creates a rule, or replaces the one of this name.
    pub fn put_rule(&self, bus: &Arc<Bus>, rule: NewRule<'_>) -> Result<Option<Ticket>> {
        let _change = bus.begin_change();
        let old = bus.find_rule(rule.name)?.map(|old| old.targets).unwrap_or_default();
        let keeps_old = rule.targets.is_none();
        let targets = rule.targets.unwrap_or_default();
        let definition = Definition {
            name: rule.name,
            pattern: rule.pattern,
            is_enabled: rule.is_enabled,
            document: rule.document,
        };
        self.write_rule(bus, definition, &old, &|_| keeps_old, &targets)
    }

    /// Adds targets to a rule. One whose id the rule has already takes the place of the old one;
    /// the others stay. All of them are put, or none.
    pub fn put_targets(
        &self,
        bus: &Arc<Bus>,
        rule: &str,
        targets: &[NewTarget],
    ) -> Result<Option<Ticket>> {
        let _change = bus.begin_change();
        let old = bus.rule(rule)?;
        self.write_rule(bus, Definition::of(&old), &old.targets, &|_| true, targets)
    }

    /// Removes the targets of these ids from a rule, with what was made for them. An id that the
    /// rule does not have is a success.
    pub fn remove_targets(
        &self,
        bus: &Arc<Bus>,
        rule: &str,
        ids: &[&str],
    ) -> Result<Option<Ticket>> {
        let _change = bus.begin_change();
        let old = bus.rule(rule)?;
        let stays = |target: &TargetDefinition| !ids.contains(&target.id.as_str());
        self.write_rule(bus, Definition::of(&old), &old.targets, &stays, &[])
    }

    /// Removes a rule with what was made for its targets. A rule that is gone is a success.
    pub fn remove_rule(&self, bus: &Bus, name: &str) -> Result<Option<Ticket>> {
        let _change = bus.begin_change();
        let (targets, ticket) = bus.remove_rule(name)?;
        self.remove_owned(targets.iter())?;
        Ok(ticket)
    }

    /// Writes a rule that has those of its old targets that stay, and the new ones: in the place of
    /// an old one of the same id, or behind them.
    fn write_rule(
        &self,
        bus: &Arc<Bus>,
        rule: Definition<'_>,
        old: &[TargetDefinition],
        stays: &dyn Fn(&TargetDefinition) -> bool,
        new: &[NewTarget],
    ) -> Result<Option<Ticket>> {
        let ids: Vec<&str> = new.iter().map(|target| target.id.as_str()).collect();
        check_target_ids(&ids)?;
        new.iter().try_for_each(|target| self.check_target(bus, target))?;
        let mut made = Vec::new();
        let put = self.make_targets(bus, new, old, &mut made).and_then(|new| {
            let mut targets: Vec<_> = old.iter().filter(|old| stays(old)).cloned().collect();
            for target in new {
                match targets.iter_mut().find(|other| other.id == target.id) {
                    Some(place) => *place = target,
                    None => targets.push(target),
                }
            }
            let used: Vec<_> = targets.iter().map(|target| target.resource).collect();
            let Definition { name, pattern, is_enabled, document } = rule;
            let ticket = bus.put_rule(name, pattern, is_enabled, targets, document)?;
            Ok((ticket, used))
        });
        match put {
            Ok((ticket, used)) => {
                self.remove_owned(old.iter().filter(|old| !used.contains(&old.resource)))?;
                Ok(ticket)
            }
            Err(error) => {
                // Nothing names them; if they cannot be removed now, the next opening does it.
                made.into_iter().for_each(|id| drop(self.remove_destination(id)));
                Err(error)
            }
        }
    }

    fn check_target(&self, bus: &Bus, target: &NewTarget) -> Result<()> {
        let id = &target.id;
        if target.retries_max > RETRIES_MAX {
            return Err(invalid(format!(
                "Target {id} is to be tried again {} times; at most {RETRIES_MAX}.",
                target.retries_max
            )));
        }
        if !(AGE_MIN..=AGE_MAX).contains(&target.age_max) {
            return Err(invalid(format!(
                "The largest age of events for target {id} is {} seconds; between {} and {}.",
                target.age_max / 1_000,
                AGE_MIN / 1_000,
                AGE_MAX / 1_000
            )));
        }
        if let Some(dead) = target.dead_letter {
            match self.host().directory.get::<Queue>(dead) {
                Some(queue) if queue.kind() == QueueKind::Standard => {}
                Some(_) => {
                    return Err(invalid(format!(
                        "The dead-letter queue of target {id} is a FIFO queue. Name a standard \
                         queue."
                    )));
                }
                None => return Err(gone(format!("The dead-letter queue of target {id}"))),
            }
        }
        if target.key_path.is_some() && self.key_path(target).is_none() {
            return Err(invalid(format!(
                "Target {id} is no stream, so it takes no partition_key_path. Leave it out."
            )));
        }
        match &target.resource {
            TargetResource::Outside(_) => Ok(()),
            TargetResource::Resource(resource) => self.check_resource(bus, target, *resource),
        }
    }

    fn check_resource(&self, bus: &Bus, target: &NewTarget, resource: ResourceId) -> Result<()> {
        let id = &target.id;
        if resource == bus.id() {
            return Err(invalid(format!(
                "Target {id} is the event bus of its own rule: each event would come back for ever."
            )));
        }
        if let Some(queue) = self.host().directory.get::<Queue>(resource) {
            let config = queue.config();
            let is_fifo = config.kind == QueueKind::Fifo;
            if is_fifo && (target.group.is_none() || !config.content_based_dedup) {
                return Err(invalid(format!(
                    "Target {id} is a FIFO queue: it needs a group, and a queue with content-based \
                     deduplication."
                )));
            }
            return Ok(());
        }
        if self.host().directory.get::<Stream>(resource).is_some() {
            return match &target.group {
                Some(_) => Err(invalid(format!(
                    "Target {id} is a stream, which takes no group. Give it a partition_key_path."
                ))),
                None => Ok(()),
            };
        }
        if let Some(topic) = self.host().directory.get::<Topic>(resource) {
            let config = topic.config();
            if config.is_fifo && (target.group.is_none() || !config.content_based_dedup) {
                return Err(invalid(format!(
                    "Target {id} is a FIFO topic: it needs a group, and a topic with content-based \
                     deduplication."
                )));
            }
            return Ok(());
        }
        if self.host().directory.get::<Bus>(resource).is_some() && target.input != Input::Event {
            return Err(invalid(format!(
                "Target {id} is an event bus, which takes whole events. Give it no input."
            )));
        }
        if self.host().directory.contains(resource) {
            return Ok(());
        }
        Err(gone(format!("The resource of target {id}")))
    }

    /// Makes what the targets of a rule need. An old target of the same id keeps its destination
    /// with what waits there.
    fn make_targets(
        &self,
        bus: &Bus,
        targets: &[NewTarget],
        old: &[TargetDefinition],
        made: &mut Vec<ResourceId>,
    ) -> Result<Vec<TargetDefinition>> {
        let mut definitions = Vec::new();
        for target in targets {
            let old = old.iter().find(|old| old.is_owned && old.id == target.id);
            let number = old.map_or_else(|| self.host().next_id(), |old| old.number);
            let (resource, is_owned, name) = match &target.resource {
                TargetResource::Resource(id) => (*id, false, self.name_of(*id)),
                TargetResource::Outside(transport) => {
                    let config = destination(bus, number, transport.clone(), target);
                    let kept = old.filter(|old| self.is_like(old, target, transport));
                    let id = match kept {
                        Some(old) => {
                            self.configure_destination(old.resource, &config)?;
                            old.resource
                        }
                        None => {
                            let unique = self.host().next_id().0;
                            let name = format!("{DESTINATION_PREFIX}{unique}");
                            let id = self.create_destination(&name, &config)?;
                            made.push(id);
                            id
                        }
                    };
                    (id, true, name_of(transport))
                }
            };
            definitions.push(TargetDefinition {
                id: target.id.clone(),
                number,
                resource,
                is_owned,
                arn: target.arn.clone().unwrap_or(name),
                input: target.input.clone(),
                dead_letter: target.dead_letter,
                retries_max: target.retries_max,
                age_max: target.age_max,
                group: target.group.clone(),
                key_path: self.key_path(target),
                document: target.document.clone(),
            });
        }
        Ok(definitions)
    }

    /// Where a stream finds the partition key of an event; `None` for what is no stream.
    fn key_path(&self, target: &NewTarget) -> Option<String> {
        let TargetResource::Resource(id) = target.resource else { return None };
        self.host().directory.get::<Stream>(id)?;
        Some(target.key_path.clone().unwrap_or_else(|| EVENT_ID.to_owned()))
    }

    /// Whether a destination is of the same kind, so that what waits there may stay.
    fn is_like(&self, old: &TargetDefinition, new: &NewTarget, transport: &Transport) -> bool {
        let is_same = new.arn.as_ref() == Some(&old.arn);
        let config = self.outbox().config(old.resource);
        config.is_ok_and(|config| match (&config.transport, transport) {
            // What a surface knows by one name stays itself, wherever it is called from now on.
            (
                Transport::Http { .. } | Transport::Unavailable { .. },
                Transport::Http { .. } | Transport::Unavailable { .. },
            ) if is_same => true,
            (Transport::Http { url: old, .. }, Transport::Http { url: new, .. }) => old == new,
            (Transport::Handler { .. }, Transport::Handler { .. }) => true,
            _ => false,
        })
    }

    /// How a resource is named if its surface gives it no other name.
    fn name_of(&self, id: ResourceId) -> String {
        let resource = self.host().directory.any(id);
        resource.map_or_else(String::new, |resource| resource.name().to_string())
    }
}

fn name_of(transport: &Transport) -> String {
    match transport {
        Transport::Http { url, .. } => url.clone(),
        Transport::Handler { .. } => "handler".to_owned(),
        Transport::Unavailable { .. } => "unavailable".to_owned(),
    }
}

fn destination(
    bus: &Bus,
    number: ResourceId,
    transport: Transport,
    target: &NewTarget,
) -> DestinationConfig {
    let is_rendered = target.input != Input::Event;
    let renderer = Renderer { resource: bus.id(), variant: u64::from(number.0) };
    DestinationConfig {
        transport,
        retry: RetryTable::event_bridge()
            .with_retries_max(target.retries_max)
            .with_age_max(Some(target.age_max)),
        dead_letter: target.dead_letter,
        concurrency: CONCURRENCY,
        renderer: is_rendered.then_some(renderer),
        http: target.http.clone(),
    }
}

fn invalid(message: String) -> Error {
    Error::new(Code::InvalidParameterValue, message)
}

fn gone(what: String) -> Error {
    Error::new(Code::ResourceNotFoundException, format!("{what} does not exist."))
}
