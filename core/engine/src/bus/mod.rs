//! Event buses: rules find the events that concern them, and each match is delivered to the rule's
//! targets.
//!
//! A put completes the event, matches it against all rules of the bus at once, plans a delivery for
//! each target (through other buses, too) and then carries the plan out. A target that takes
//! nothing fails for itself: its event goes to the dead-letter queue of the target, or is counted.
//!
//! Deliveries that leave the engine go to a destination of the outbox that belongs to the target.
//! It keeps the event as it was put; the input of the target is rendered when it is attempted.

mod archive;
mod change;
mod component;
mod delivery;
mod event;
mod fields;
mod input;
mod letter;
mod loader;
mod plan;
mod put;
mod record;
mod replay;
mod rules;
mod service_event;
mod target;
mod traced;
mod users;

use std::borrow::Cow;
use std::sync::Arc;

use trunkline_host::{
    Accepted, ComponentKind, Content, Host, Jobs, Location, Rendered, Resource, Routed,
};
use trunkline_journal::Ticket;
use trunkline_types::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use trunkline_types::sync::{Mutex, lock};
use trunkline_types::{
    Code, Error, Limits, Millis, ResourceId, ResourceKind, ResourceName, Result,
};

use self::event::invalid;
use self::input::About;
use self::loader::BusLoader;
use self::record::{BusRecord, Record, Subject};
use self::rules::{Rule, RuleTable};

pub use self::archive::Archive;
pub(crate) use self::change::check_target_ids;
pub(crate) use self::component::Buses;
pub use self::delivery::RuleSource;
pub(crate) use self::delivery::{Delivered, EventDelivery, EventStep, EventTarget};
pub use self::fields::EventFields;
pub use self::input::Input;
pub(crate) use self::letter::is_of_target;
pub use self::put::{PutEvent, PutOutcome};
pub use self::replay::{ReplayRequest, ReplayStatus};
pub use self::rules::RuleStatus;
pub use self::service_event::{DEFAULT_BUS, ServiceEvent};
pub use self::target::TargetDefinition;
pub use self::users::Used;

/// The kind of event buses, for the table of kinds.
pub static BUSES: ComponentKind = ComponentKind {
    name: "bus",
    records: &[record::KINDS],
    operations: &[PUT],
    loader: |_: &Limits| Box::<BusLoader>::default(),
};

/// The kind in the names of buses.
pub const BUS: ResourceKind = ResourceKind("bus");

/// Putting an event.
pub const PUT: trunkline_host::Operation = trunkline_host::Operation::adds("put_event");

/// Longest name of a bus, and of a rule or a target: EventBridge's.
const BUS_NAME_MAX: usize = 256;
const RULE_NAME_MAX: usize = 64;
/// Most targets of one rule: EventBridge's.
const TARGETS_MAX: usize = 5;

/// The name of a bus for embedders, who see no account and no region.
pub fn bus_name(name: impl Into<String>) -> ResourceName {
    ResourceName::local(BUS, name)
}

/// An event bus of an engine. Cheap to share; every method may be called from any thread.
pub struct Bus {
    host: Arc<Host>,
    id: ResourceId,
    name: ResourceName,
    created: Millis,
    definition: Mutex<Stored>,
    rules: RuleTable,
    /// Held by a change of rules from the reading of the old to the writing of the new.
    changes: Mutex<()>,
    /// Replaced as a whole; its lock is taken before the append lock.
    archives: Mutex<Arc<Vec<Arc<Archive>>>>,
    delivery: Arc<delivery::Slot>,
    counters: Counters,
    removed: AtomicBool,
}

/// What may change of a bus, and where its record lies.
#[derive(Default)]
struct Stored {
    document: Vec<u8>,
    location: Option<Location>,
}

#[derive(Default)]
struct Counters {
    events: AtomicU64,
    matched: AtomicU64,
    /// Events that got their id from this bus.
    numbered: AtomicU64,
}

/// How a bus stands. Counted since the engine was opened.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct BusStatistics {
    /// Rules there are.
    pub rules: u64,
    /// Events that were put.
    pub events: u64,
    /// Events that at least one rule matched.
    pub matched: u64,
    /// Deliveries that targets accepted.
    pub delivered: u64,
    /// Deliveries that went to a dead-letter queue.
    pub dead_lettered: u64,
    /// Deliveries that nothing took.
    pub failed: u64,
}

impl Bus {
    fn new(
        host: Arc<Host>,
        delivery: Arc<delivery::Slot>,
        record: &BusRecord<'_>,
        location: Option<Location>,
    ) -> Self {
        let BusRecord { id, account, region, name, created, document } = *record;
        Self {
            host,
            id,
            name: ResourceName::new(BUS, account, region, name),
            created,
            definition: Mutex::new(Stored { document: document.to_vec(), location }),
            rules: RuleTable::default(),
            changes: Mutex::new(()),
            archives: Mutex::default(),
            delivery,
            counters: Counters::default(),
            removed: AtomicBool::new(false),
        }
    }

    /// The bus's id in this engine.
    pub fn id(&self) -> ResourceId {
        self.id
    }

    /// Account, region and name.
    pub fn name(&self) -> &ResourceName {
        &self.name
    }

    /// When the bus was created.
    pub fn created(&self) -> Millis {
        self.created
    }

    /// What the surfaces keep with the bus.
    pub fn document(&self) -> Vec<u8> {
        lock(&self.definition).document.clone()
    }

    /// How the bus stands.
    pub fn statistics(&self) -> Result<BusStatistics> {
        self.check_readable()?;
        let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        let mut statistics = BusStatistics {
            events: read(&self.counters.events),
            matched: read(&self.counters.matched),
            ..BusStatistics::default()
        };
        for rule in self.rules.all() {
            statistics.rules += 1;
            statistics.delivered += read(&rule.counters.delivered);
            statistics.dead_lettered += read(&rule.counters.dead_lettered);
            statistics.failed += read(&rule.counters.failed);
        }
        Ok(statistics)
    }

    /// The rules, in order of their names.
    pub fn rules(&self) -> Result<Vec<RuleStatus>> {
        self.check_readable()?;
        Ok(self.rules.all().iter().map(|rule| rule.status()).collect())
    }

    /// Up to `limit` rules whose name starts with `prefix` and comes behind `after`, in order.
    pub fn rule_page(
        &self,
        prefix: &str,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Vec<RuleStatus>> {
        self.check_readable()?;
        let page = self.rules.page(prefix, after, limit);
        Ok(page.iter().map(|rule| rule.status()).collect())
    }

    /// Up to `limit` names of rules with a target that `used` names, behind `after`, in order.
    pub fn rule_names_of(
        &self,
        used: Used<'_>,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Vec<String>> {
        self.check_readable()?;
        Ok(self.rules.names_of(&used, after, limit))
    }

    /// The rule of this name.
    pub fn rule(&self, name: &str) -> Result<RuleStatus> {
        self.find_rule(name)?.ok_or_else(|| self.no_such_rule(name))
    }

    /// The rule of this name, if there is one.
    pub fn find_rule(&self, name: &str) -> Result<Option<RuleStatus>> {
        self.check_readable()?;
        Ok(self.rules.find(name).map(|rule| rule.status()))
    }

    /// Removes the bus with its rules and archives; returns the targets of the rules.
    fn remove(&self) -> Result<(Vec<TargetDefinition>, Option<Ticket>)> {
        self.check_writable()?;
        let mut names = self.rules.change();
        let archives = std::mem::take(&mut *lock(&self.archives));
        let logs = self.logs()?;
        archives.iter().try_for_each(|archive| logs.remove(archive.log.id()))?;
        let mut definition = lock(&self.definition);
        let mut log = self.host.append()?;
        if self.removed.swap(true, Ordering::AcqRel) {
            return Ok((Vec::new(), log.ticket()));
        }
        let rules: Vec<_> = names.values().filter_map(|id| self.rules.get(*id)).collect();
        // The end of the bus is the end of its rules, in one record.
        log.append(&Record::Gone(Subject::Bus, self.id));
        definition.location.take().into_iter().for_each(|location| log.release(location));
        for archive in archives.iter() {
            lock(&archive.location).take().into_iter().for_each(|at| log.release(at));
        }
        for rule in &rules {
            lock(&rule.location).take().into_iter().for_each(|location| log.release(location));
            self.rules.remove(&mut names, rule);
        }
        self.host.directory.remove(self, self.host.now());
        Ok((rules.iter().flat_map(|rule| rule.record().targets).collect(), log.ticket()))
    }

    /// Why each rule matches an event, or the first field that does not. The event is completed as
    /// a put would.
    pub fn explain(&self, event: &[u8]) -> Result<Vec<(RuleStatus, RuleExplanation)>> {
        self.check_readable()?;
        let event = self.complete(event, self.host.now())?;
        let explain = |rule: Arc<Rule>| {
            let explanation = rule.explain(&event.text)?;
            Ok((rule.status(), explanation))
        };
        self.rules.all().into_iter().map(explain).collect()
    }

    fn check_readable(&self) -> Result<()> {
        self.host.check_readable()?;
        self.check_present()
    }

    fn check_writable(&self) -> Result<()> {
        self.host.check_writable()?;
        self.check_present()
    }

    fn check_present(&self) -> Result<()> {
        if self.removed.load(Ordering::Acquire) {
            return Err(no_such_bus(&self.name.name));
        }
        Ok(())
    }

    #[cold]
    fn no_such_rule(&self, name: &str) -> Error {
        let text = format!("Rule {name} does not exist on EventBus {}.", self.name.name);
        Error::new(Code::ResourceNotFoundException, text)
    }
}

pub use trunkline_pattern::Explanation as RuleExplanation;

#[cold]
pub(crate) fn no_such_bus(name: &str) -> Error {
    Error::new(Code::ResourceNotFoundException, format!("Event bus {name} does not exist."))
}

/// Checks the name of a bus. Those for the events of partners have slashes, as on AWS.
fn check_bus_name(name: &str) -> Result<()> {
    let plain = match name.strip_prefix("aws.partner/") {
        Some(parts) => Cow::Owned(parts.replace('/', "-")),
        None => Cow::Borrowed(name),
    };
    check_name("event bus", &plain, BUS_NAME_MAX).map_err(|_| {
        invalid(format!(
            "The name {name:?} of an event bus is not valid: 1 to {BUS_NAME_MAX} letters, digits, \
             -, . and _."
        ))
    })
}

/// Checks the name of a rule, an archive, a replay or a target.
fn check_name(what: &str, name: &str, max: usize) -> Result<()> {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_');
    if name.is_empty() || name.len() > max || !name.bytes().all(is_plain) {
        return Err(invalid(format!(
            "The name {name:?} of a {what} is not valid: 1 to {max} letters, digits, -, . and _."
        )));
    }
    Ok(())
}

impl Resource for Bus {
    fn id(&self) -> ResourceId {
        self.id
    }

    fn name(&self) -> &ResourceName {
        &self.name
    }

    fn fire(&self, _: u32, _: Millis, _: &Jobs<'_>) -> Option<Millis> {
        None
    }

    fn accept(&self, routed: &Routed<'_>) -> Result<Accepted> {
        if routed.moved.is_some() {
            return Err(Error::new(
                Code::UnsupportedOperation,
                format!("Messages cannot be moved to the event bus {}.", self.name.name),
            ));
        }
        self.accept_event(routed)
    }

    fn render(&self, variant: u64, content: &Content<'_>) -> Result<Rendered> {
        let number = ResourceId(u32::try_from(variant).unwrap_or(u32::MAX));
        let rule = self.rules.of_target(number);
        let target = rule.as_ref().and_then(|rule| {
            let is_it = |target: &&rules::Target| target.definition.number == number;
            Some((rule, rule.targets.iter().find(is_it)?))
        });
        let (rule, target) = target.ok_or_else(|| {
            Error::new(Code::ResourceNotFoundException, "The target was removed from its rule.")
        })?;
        let rule_arn = self.rule_arn(&rule.name);
        let about =
            About { rule_arn: &rule_arn, rule_name: &rule.name, ingested: content.accepted };
        let body = target.transformer.fill(content.body, about)?.into_owned();
        Ok(Rendered { body, ..Rendered::default() })
    }

    fn close(&self) {}
}
