//! Event buses and what they deliver to: queues, other buses, and destinations of the outbox.
//!
//! A target outside of the engine gets a destination of its own, which is made before the rule that
//! names it and removed behind it. A crash in between leaves a destination that no rule names; the
//! next opening removes it.

use std::sync::Arc;

use trunkline_delivery::RetryTable;
use trunkline_host::Renderer;
use trunkline_journal::Ticket;
use trunkline_types::{Code, Error, Millis, QueueKind, ResourceId, ResourceName, Result};

use super::deliveries::Deliveries;
use crate::bus::{
    Archive, BUS, Bus, Input, ReplayRequest, ReplayStatus, RuleStatus, TargetDefinition,
    no_such_bus,
};
use crate::engine::Engine;
use crate::outbox::{DestinationConfig, Transport};
use crate::queue::Queue;

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
    /// Its targets, five at most.
    pub targets: Vec<NewTarget>,
    /// What the surfaces keep with it.
    pub document: &'a [u8],
}

/// The names of destinations that belong to targets start with this.
const DESTINATION_PREFIX: &str = "rule-target/";
/// EventBridge's bounds of a retry policy.
const RETRIES_MAX: u32 = 185;
const AGE_MIN: Millis = 60_000;
const AGE_MAX: Millis = 86_400_000;
/// Attempts at once at one destination.
const CONCURRENCY: u32 = 8;

impl Engine {
    /// The event bus of this name, which is created if there is none; whether it was. It is applied
    /// when this returns, and durable with any later ticket.
    pub fn bus(&self, name: ResourceName, document: &[u8]) -> Result<(Arc<Bus>, bool)> {
        self.buses.get_or_create(name, document)
    }

    /// The event bus of this name.
    pub fn find_bus(&self, name: &ResourceName) -> Result<Option<Arc<Bus>>> {
        self.host().check_readable()?;
        Ok(self.host().directory.find(name))
    }

    /// The event bus of this id.
    pub fn bus_by_id(&self, id: ResourceId) -> Result<Arc<Bus>> {
        self.host().check_readable()?;
        self.host().directory.get(id).ok_or_else(|| no_such_bus(&id.0.to_string()))
    }

    /// The event buses of an account and region (`None`: of all) whose name starts with `prefix`,
    /// sorted.
    pub fn buses(
        &self,
        account: Option<&str>,
        region: Option<&str>,
        prefix: &str,
    ) -> Result<Vec<Arc<Bus>>> {
        self.host().check_readable()?;
        Ok(self.host().directory.list(BUS, account, region, prefix))
    }

    /// Creates a rule, or replaces the one of this name with everything it has.
    pub fn put_rule(&self, bus: &Arc<Bus>, rule: NewRule<'_>) -> Result<Option<Ticket>> {
        let old = bus.find_rule(rule.name)?.map(|old| old.targets).unwrap_or_default();
        rule.targets.iter().try_for_each(|target| self.check_target(bus, target))?;
        let mut made = Vec::new();
        let targets = self.make_targets(bus, &rule.targets, &old, &mut made);
        let put = targets.and_then(|targets| {
            let kept: Vec<_> = targets.iter().map(|target| target.resource).collect();
            let ticket =
                bus.put_rule(rule.name, rule.pattern, rule.is_enabled, targets, rule.document)?;
            Ok((ticket, kept))
        });
        match put {
            Ok((ticket, kept)) => {
                let unused = old.iter().filter(|target| !kept.contains(&target.resource));
                self.remove_owned(unused)?;
                Ok(ticket)
            }
            Err(error) => {
                // Nothing names them; if they cannot be removed now, the next opening does it.
                made.into_iter().for_each(|id| drop(self.remove_destination(id)));
                Err(error)
            }
        }
    }

    /// Removes a rule with what was made for its targets. A rule that is gone is a success.
    pub fn remove_rule(&self, bus: &Bus, name: &str) -> Result<Option<Ticket>> {
        let (targets, ticket) = bus.remove_rule(name)?;
        self.remove_owned(targets.iter())?;
        Ok(ticket)
    }

    /// Removes a bus with its rules and what was made for their targets.
    pub fn remove_bus(&self, bus: &Bus) -> Result<Option<Ticket>> {
        let (targets, ticket) = self.buses.remove(bus)?;
        self.remove_owned(targets.iter())?;
        Ok(ticket)
    }

    /// Removes an archive with its events and replays. One that is gone is a success.
    pub fn remove_archive(&self, bus: &Bus, name: &str) -> Result<Option<Ticket>> {
        self.buses.remove_archive(bus, name)
    }

    /// Starts to put events of an archive on its bus again.
    pub fn start_replay(
        &self,
        archive: &Archive,
        request: ReplayRequest,
    ) -> Result<(ReplayStatus, Option<Ticket>)> {
        self.host().check_writable()?;
        self.buses.replays().start(self.host(), archive, request)
    }

    /// Cancels a replay. One that has ended is left as it is.
    pub fn cancel_replay(&self, id: ResourceId) -> Result<Option<Ticket>> {
        self.host().check_writable()?;
        self.buses.replays().cancel(self.host(), id)
    }

    /// How a replay stands.
    pub fn replay(&self, id: ResourceId) -> Result<ReplayStatus> {
        self.host().check_readable()?;
        self.host().sweep_if_due(self.host().now());
        self.buses.replays().status(id)
    }

    /// The replays of an archive, newest first.
    pub fn replays(&self, archive: ResourceId) -> Result<Vec<ReplayStatus>> {
        self.host().check_readable()?;
        self.host().sweep_if_due(self.host().now());
        Ok(self.buses.replays().list(archive))
    }

    /// The rules of all buses that have a target at this resource.
    pub fn rules_of_target(&self, resource: ResourceId) -> Result<Vec<(Arc<Bus>, RuleStatus)>> {
        let mut found = Vec::new();
        for bus in self.buses(None, None, "")? {
            let leads = |rule: &RuleStatus| rule.targets.iter().any(|to| to.resource == resource);
            found.extend(bus.rules()?.into_iter().filter(leads).map(|rule| (bus.clone(), rule)));
        }
        Ok(found)
    }

    /// Gives the buses their router, goes on with replays, and removes destinations that no rule
    /// names.
    pub(crate) fn attach_buses(&self) -> Result<()> {
        self.buses.attach(Arc::new(Deliveries::new(self.host())));
        self.buses.replays().resume(self.host());
        let owned = self.buses.owned();
        for (name, id) in self.destinations()? {
            if name.starts_with(DESTINATION_PREFIX) && !owned.contains(&id) {
                self.remove_destination(id)?;
            }
        }
        Ok(())
    }

    fn remove_owned<'a>(&self, targets: impl Iterator<Item = &'a TargetDefinition>) -> Result<()> {
        for target in targets.filter(|target| target.is_owned) {
            match self.remove_destination(target.resource) {
                Err(error) if error.code() == Code::ResourceNotFoundException => {}
                other => drop(other?),
            }
        }
        Ok(())
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
                    let kept = old.filter(|old| self.is_like(old.resource, transport));
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
            });
        }
        Ok(definitions)
    }

    /// Whether a destination is of the same kind, so that what waits there may stay.
    fn is_like(&self, destination: ResourceId, transport: &Transport) -> bool {
        let config = self.outbox().config(destination);
        config.is_ok_and(|config| match (&config.transport, transport) {
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
    }
}

fn invalid(message: String) -> Error {
    Error::new(Code::InvalidParameterValue, message)
}

fn gone(what: String) -> Error {
    Error::new(Code::ResourceNotFoundException, format!("{what} does not exist."))
}
