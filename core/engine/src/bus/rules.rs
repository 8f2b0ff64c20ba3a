//! The rules of one bus: their definitions, and the set that is matched as a whole.
//!
//! A match takes the immutable set and then looks the matching rules up. A rule is in the table
//! before it is in the set, and leaves the set before the table. An event that is matched while the
//! pattern of a rule changes sees the old pattern or the new one, never both and never none; from
//! then on it sees the new targets.

use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap, HashSet};
use std::ops::Bound;
use std::sync::{Arc, PoisonError};

use trunkline_host::Location;
use trunkline_pattern::{Dialect, Event as PatternEvent, Explanation, Limits, Pattern};
use trunkline_pattern::{RuleSet, Scratch};
use trunkline_types::sync::atomic::{AtomicU64, Ordering};
use trunkline_types::sync::{Mutex, RwLock, lock};
use trunkline_types::{ResourceId, Result};

use super::event::{Event, invalid};
use super::input::Transformer;
use super::record::RuleRecord;
use super::target::TargetDefinition;
use super::users::{Used, Users};
use crate::json_path::Path;

/// Most rules that are looked at for those which do not match.
const LOOKED_AT_MAX: usize = 10_000;

/// A rule, as matches find it. It never changes: another one takes its place.
pub(super) struct Rule {
    pub id: ResourceId,
    pub bus: ResourceId,
    pub name: String,
    pub pattern: Pattern,
    pub is_enabled: bool,
    pub targets: Vec<Target>,
    pub document: Vec<u8>,
    pub counters: Arc<RuleCounters>,
    /// Where its record lies.
    pub location: Mutex<Option<Location>>,
}

/// A target with its input made ready.
pub(super) struct Target {
    pub definition: TargetDefinition,
    pub transformer: Transformer,
    /// Where the group is taken from in an event; `None` for the group of the definition.
    pub key: Option<Path>,
}

/// What became of the events of a rule since the engine was opened.
#[derive(Default)]
pub(super) struct RuleCounters {
    /// Events that matched.
    pub matched: AtomicU64,
    /// Deliveries that targets accepted.
    pub delivered: AtomicU64,
    /// Deliveries that a target did not take, and that went to a dead-letter queue.
    pub dead_lettered: AtomicU64,
    /// Deliveries that a target did not take, and that nothing else took.
    pub failed: AtomicU64,
}

/// Counts one more.
pub(super) fn count(counter: &AtomicU64) {
    counter.fetch_add(1, Ordering::Relaxed);
}

/// A rule, for people and for the surfaces.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RuleStatus {
    /// Its id in the engine.
    pub id: ResourceId,
    /// Its name, unique in its bus.
    pub name: String,
    /// Its pattern, as it was given.
    pub pattern: String,
    /// Whether it is matched.
    pub is_enabled: bool,
    /// Its targets, in the order in which they were given.
    pub targets: Vec<TargetDefinition>,
    /// What the surfaces keep with it.
    pub document: Vec<u8>,
    /// Events that matched since the engine was opened.
    pub matched: u64,
    /// Deliveries that targets accepted.
    pub delivered: u64,
    /// Deliveries that went to a dead-letter queue.
    pub dead_lettered: u64,
    /// Deliveries that nothing took.
    pub failed: u64,
}

impl Rule {
    /// Makes a rule ready; its texts are checked.
    pub fn new(
        record: &RuleRecord<'_>,
        pattern: Pattern,
        counters: Arc<RuleCounters>,
    ) -> Result<Self> {
        let ready = |definition: &TargetDefinition| {
            let transformer = Transformer::new(&definition.input, &definition.id)?;
            let parse = |path: &String| Path::parse(path, "partition_key_path");
            let key = definition.key_path.as_ref().map(parse).transpose()?;
            Ok(Target { definition: definition.clone(), transformer, key })
        };
        Ok(Self {
            id: record.id,
            bus: record.bus,
            name: record.name.to_owned(),
            pattern,
            is_enabled: record.is_enabled,
            targets: record.targets.iter().map(ready).collect::<Result<_>>()?,
            document: record.document.to_vec(),
            counters,
            location: Mutex::new(None),
        })
    }

    pub fn record(&self) -> RuleRecord<'_> {
        RuleRecord {
            id: self.id,
            bus: self.bus,
            name: &self.name,
            pattern: self.pattern.text(),
            is_enabled: self.is_enabled,
            targets: self.targets.iter().map(|target| target.definition.clone()).collect(),
            document: &self.document,
        }
    }

    pub fn status(&self) -> RuleStatus {
        let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        RuleStatus {
            id: self.id,
            name: self.name.clone(),
            pattern: self.pattern.text().to_owned(),
            is_enabled: self.is_enabled,
            targets: self.record().targets,
            document: self.document.clone(),
            matched: read(&self.counters.matched),
            delivered: read(&self.counters.delivered),
            dead_lettered: read(&self.counters.dead_lettered),
            failed: read(&self.counters.failed),
        }
    }

    /// Why the event matches the rule or does not.
    pub fn explain(&self, event: &[u8]) -> Result<Explanation> {
        let explained = self.pattern.explain(PatternEvent::new(event));
        explained.map_err(|problem| invalid(format!("The event is not valid: {problem}")))
    }
}

impl Target {
    /// The group of an event, for a target that keeps order by group.
    pub(super) fn group_of<'a>(&'a self, event: &'a Event) -> Result<Option<Cow<'a, str>>> {
        let Some(path) = &self.key else {
            return Ok(self.definition.group.as_deref().map(Cow::Borrowed));
        };
        let value = path.find(&event.text);
        let key = value.and_then(|value| match value.as_bytes().first() {
            Some(b'"') => serde_json::from_str(value).ok().map(Cow::Owned),
            Some(b'{' | b'[' | b'n') | None => None,
            Some(_) => Some(Cow::Borrowed(value)),
        });
        key.map(Some).ok_or_else(|| {
            let path = self.definition.key_path.as_deref().unwrap_or_default();
            invalid(format!(
                "The partition key of target {}: the event has no text or number at {path}.",
                self.definition.id
            ))
        })
    }
}

/// The compiled form of a pattern's text.
pub(super) fn compile(pattern: &str) -> Result<Pattern> {
    Pattern::compile(pattern.as_bytes(), Dialect::EventPattern, &Limits::default())
        .map_err(|problem| invalid(problem.to_string()))
}

/// The rules of one bus.
#[derive(Default)]
pub(super) struct RuleTable {
    set: RuleSet,
    by_id: RwLock<HashMap<ResourceId, Arc<Rule>>>,
    /// The targets whose input is rendered when they are delivered.
    by_target: RwLock<HashMap<ResourceId, ResourceId>>,
    /// Held while rules change; taken before the append lock.
    names: Mutex<BTreeMap<String, ResourceId>>,
    users: Users,
}

/// The right to change the rules of a bus.
pub(super) type Names<'a> = trunkline_types::sync::MutexGuard<'a, BTreeMap<String, ResourceId>>;

impl RuleTable {
    /// Excludes other changes.
    pub fn change(&self) -> Names<'_> {
        lock(&self.names)
    }

    pub fn get(&self, id: ResourceId) -> Option<Arc<Rule>> {
        self.by_id.read().unwrap_or_else(PoisonError::into_inner).get(&id).cloned()
    }

    pub fn find(&self, name: &str) -> Option<Arc<Rule>> {
        let id = lock(&self.names).get(name).copied()?;
        self.get(id)
    }

    /// The rule and the target of this number.
    pub fn of_target(&self, number: ResourceId) -> Option<Arc<Rule>> {
        let by_target = self.by_target.read().unwrap_or_else(PoisonError::into_inner);
        let rule = by_target.get(&number).copied();
        drop(by_target);
        self.get(rule?)
    }

    /// All rules, in order of their names.
    pub fn all(&self) -> Vec<Arc<Rule>> {
        let ids: Vec<ResourceId> = lock(&self.names).values().copied().collect();
        ids.into_iter().filter_map(|id| self.get(id)).collect()
    }

    /// Up to `limit` rules whose name starts with `prefix` and comes behind `after`, in order.
    pub fn page(&self, prefix: &str, after: Option<&str>, limit: usize) -> Vec<Arc<Rule>> {
        let names = lock(&self.names);
        let first = match after {
            Some(after) if after >= prefix => Bound::Excluded(after),
            _ => Bound::Included(prefix),
        };
        let below = names.range::<str, _>((first, Bound::Unbounded));
        let below = below.take_while(|(name, _)| name.starts_with(prefix));
        let ids: Vec<ResourceId> = below.take(limit).map(|(_, id)| *id).collect();
        drop(names);
        ids.into_iter().filter_map(|id| self.get(id)).collect()
    }

    /// Up to `limit` names of rules with a target that `used` names, behind `after`, in order.
    pub fn names_of(&self, used: &Used<'_>, after: Option<&str>, limit: usize) -> Vec<String> {
        let leads =
            |rule: Arc<Rule>| rule.targets.iter().any(|target| used.is_used_by(&target.definition));
        let uses = |name: &str| self.find(name).is_some_and(leads);
        self.users.names(used, after, limit, uses)
    }

    /// Up to `max` rules, in order of their names, that are not among those that match; and how
    /// many more there are.
    pub fn unmatched(&self, matched: &[Arc<Rule>], max: usize) -> (Vec<Arc<Rule>>, usize) {
        let names = lock(&self.names);
        // There may be a million rules.
        let look_at = LOOKED_AT_MAX.min(matched.len() + max);
        let ids: HashSet<_> = matched.iter().map(|rule| rule.id).collect();
        let ids: Vec<ResourceId> = names
            .values()
            .take(look_at)
            .filter(|id| !ids.contains(id))
            .take(max)
            .copied()
            .collect();
        let more = names.len().saturating_sub(matched.len() + ids.len());
        drop(names);
        (ids.into_iter().filter_map(|id| self.get(id)).collect(), more)
    }

    pub fn len(&self) -> usize {
        lock(&self.names).len()
    }

    /// Adds rules, or replaces those with their ids. Matches see all of them at once.
    pub fn put(&self, names: &mut Names<'_>, rules: Vec<Arc<Rule>>) {
        for rule in &rules {
            let targets = rule.targets.iter();
            targets.for_each(|target| self.users.add(&rule.name, &target.definition));
            names.insert(rule.name.clone(), rule.id);
            let mut by_target = self.by_target.write().unwrap_or_else(PoisonError::into_inner);
            for target in rule.targets.iter().filter(|target| target.definition.is_owned) {
                by_target.insert(target.definition.number, rule.id);
            }
        }
        {
            let mut by_id = self.by_id.write().unwrap_or_else(PoisonError::into_inner);
            by_id.extend(rules.iter().map(|rule| (rule.id, rule.clone())));
        }
        rules.iter().filter(|rule| !rule.is_enabled).for_each(|rule| {
            self.set.remove(rule.id.0);
        });
        let enabled = rules.iter().filter(|rule| rule.is_enabled);
        self.set.add_many(enabled.map(|rule| (rule.id.0, &rule.pattern)));
    }

    /// Forgets a rule.
    pub fn remove(&self, names: &mut Names<'_>, rule: &Rule) {
        self.set.remove(rule.id.0);
        names.remove(&rule.name);
        self.by_id.write().unwrap_or_else(PoisonError::into_inner).remove(&rule.id);
        self.forget_targets(rule);
    }

    /// Forgets the targets of a rule that is replaced.
    pub fn forget_targets(&self, rule: &Rule) {
        let targets = rule.targets.iter();
        targets.for_each(|target| self.users.remove(&rule.name, &target.definition));
        let mut by_target = self.by_target.write().unwrap_or_else(PoisonError::into_inner);
        for target in &rule.targets {
            by_target.remove(&target.definition.number);
        }
    }

    /// The rules that match an event, in order of their ids.
    pub fn matches(&self, event: &[u8], into: &mut Vec<Arc<Rule>>) -> Result<()> {
        thread_local! {
            static BUFFERS: std::cell::Cell<(Scratch, Vec<u32>)> = std::cell::Cell::default();
        }
        let (mut scratch, mut found) = BUFFERS.take();
        found.clear();
        // The envelope was written by this engine: valid JSON, apart from a detail that was read.
        let matched = self.set.matches(PatternEvent::trusted(event), &mut scratch, &mut found);
        if !found.is_empty() {
            let by_id = self.by_id.read().unwrap_or_else(PoisonError::into_inner);
            into.extend(found.iter().filter_map(|id| by_id.get(&ResourceId(*id)).cloned()));
        }
        BUFFERS.set((scratch, found));
        matched.map_err(|problem| invalid(format!("The event is not valid: {problem}")))
    }
}
