//! The subscriptions of one topic: small entries, and the sets of filters that are matched as a
//! whole.
//!
//! Table and sets change under one lock, which a publish shares with others: while a filter changes
//! it sees the old filter or the new one, never both and never none.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::sync::PoisonError;

use trunkline_host::Location;
use trunkline_pattern::{
    Attribute as PatternAttribute, AttributeKind, Dialect, Event, Limits, Pattern, RuleSet, Scratch,
};
use trunkline_types::sync::atomic::{AtomicU64, Ordering};
use trunkline_types::sync::{Mutex, MutexGuard, RwLock, RwLockReadGuard, RwLockWriteGuard, lock};
use trunkline_types::{ResourceId, Result};

use super::archive::Archived;
use super::invalid;
use super::record::SubscriptionRecord;
use super::replay::Replay;
use super::structure::{Protocol, Structure};
use crate::attributes::{self, Attribute};

/// Most subscriptions that are looked at for those which do not get a message.
const LOOKED_AT_MAX: usize = 10_000;

/// The target of a subscription whose queue is not there yet.
pub(crate) const NO_TARGET: ResourceId = ResourceId(0);

/// One subscription.
#[derive(Debug, Clone)]
pub(super) struct Entry {
    pub target: ResourceId,
    pub dead_letter: Option<ResourceId>,
    pub is_owned: bool,
    pub is_raw: bool,
    /// Whether no message is for it yet.
    pub is_pending: bool,
    pub filters_body: bool,
    pub filter: Option<Box<str>>,
    pub endpoint: Box<str>,
    pub name: Option<Box<str>>,
    /// Where its record lies.
    pub location: Option<Location>,
}

/// A subscription with its id.
pub(super) type Numbered = (ResourceId, Entry);

/// The same with its filter, ready to be matched.
pub(super) type Compiled = (ResourceId, Entry, Option<Pattern>);

/// A subscription whose filter lets a message pass.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Selected {
    pub id: ResourceId,
    pub target: ResourceId,
    pub dead_letter: Option<ResourceId>,
    pub is_owned: bool,
    pub is_raw: bool,
}

/// The subscriptions of a topic.
#[derive(Default)]
pub(super) struct Subscriptions {
    entries: RwLock<Entries>,
    by_attributes: RuleSet,
    by_body: RuleSet,
    /// Held while subscriptions change; taken before the append lock.
    changing: Mutex<()>,
    /// Changes so far.
    version: AtomicU64,
}

#[derive(Default)]
pub(super) struct Entries {
    by_id: BTreeMap<ResourceId, Entry>,
    /// Those that get every message.
    unfiltered: BTreeSet<ResourceId>,
    /// One subscription a target, but for targets that were made for theirs.
    by_target: HashMap<ResourceId, ResourceId>,
    by_name: HashMap<Box<str>, ResourceId>,
    /// The replays, by subscription.
    replays: BTreeMap<ResourceId, Replay>,
}

impl Entries {
    /// Whether publishes deliver to a subscription.
    fn is_live(&self, id: ResourceId, entry: &Entry) -> bool {
        !entry.is_pending && self.replays.get(&id).is_none_or(Replay::is_live)
    }
}

impl Entry {
    pub fn of(record: &SubscriptionRecord<'_>, location: Option<Location>) -> Self {
        Self {
            target: record.target,
            dead_letter: record.dead_letter,
            is_owned: record.is_owned,
            is_raw: record.is_raw,
            is_pending: record.is_pending,
            filters_body: record.filters_body,
            filter: record.filter.map(Into::into),
            endpoint: record.endpoint.into(),
            name: record.name.map(Into::into),
            location,
        }
    }

    pub fn record(&self, id: ResourceId, topic: ResourceId) -> SubscriptionRecord<'_> {
        SubscriptionRecord {
            id,
            topic,
            target: self.target,
            is_owned: self.is_owned,
            is_raw: self.is_raw,
            is_pending: self.is_pending,
            dead_letter: self.dead_letter,
            filter: self.filter.as_deref(),
            filters_body: self.filters_body,
            endpoint: &self.endpoint,
            name: self.name.as_deref(),
        }
    }

    pub fn selected(&self, id: ResourceId) -> Selected {
        let Self { target, dead_letter, is_owned, is_raw, .. } = *self;
        Selected { id, target, dead_letter, is_owned, is_raw }
    }

    /// The compiled filter.
    pub fn pattern(&self) -> Result<Option<Pattern>> {
        let dialect =
            if self.filters_body { Dialect::FilterBody } else { Dialect::FilterAttributes };
        let compile = |text: &str| {
            Pattern::compile(text.as_bytes(), dialect, &Limits::default())
                .map_err(|problem| invalid(problem.to_string()))
        };
        self.filter.as_deref().map(compile).transpose()
    }
}

impl Subscriptions {
    /// Excludes other changes.
    pub fn change(&self) -> MutexGuard<'_, ()> {
        lock(&self.changing)
    }

    pub fn get(&self, id: ResourceId) -> Option<Entry> {
        self.read().by_id.get(&id).cloned()
    }

    /// The subscription of a target.
    pub fn of_target(&self, target: ResourceId) -> Option<ResourceId> {
        self.read().by_target.get(&target).copied()
    }

    /// The subscription of this name.
    pub fn named(&self, name: &str) -> Option<ResourceId> {
        self.read().by_name.get(name).copied()
    }

    /// The first subscription whose id is `wanted`.
    pub fn find(&self, wanted: impl Fn(ResourceId) -> bool) -> Option<ResourceId> {
        self.read().by_id.keys().copied().find(|id| wanted(*id))
    }

    /// Up to `limit` subscriptions behind the id `after`, in the order of their creation.
    pub fn page(&self, after: Option<ResourceId>, limit: usize) -> Vec<Numbered> {
        let from = ResourceId(after.map_or(0, |id| id.0.saturating_add(1)));
        let entries = self.read();
        entries.by_id.range(from..).take(limit).map(|(id, entry)| (*id, entry.clone())).collect()
    }

    pub fn len(&self) -> usize {
        self.read().by_id.len()
    }

    /// Adds subscriptions, or replaces those with their ids. `changing` is held.
    pub fn put(&self, subscriptions: Vec<Compiled>) {
        self.put_into(&mut self.write(), subscriptions);
    }

    fn put_into(&self, entries: &mut Entries, subscriptions: Vec<Compiled>) {
        let mut filters: [Vec<(u32, Pattern)>; 2] = Default::default();
        for (id, entry, pattern) in subscriptions {
            self.forget(entries, id);
            if !entry.is_owned && entry.target != NO_TARGET {
                entries.by_target.insert(entry.target, id);
            }
            if let Some(name) = &entry.name {
                entries.by_name.insert(name.clone(), id);
            }
            match pattern {
                _ if !entries.is_live(id, &entry) => {}
                Some(pattern) => filters[usize::from(entry.filters_body)].push((id.0, pattern)),
                None => _ = entries.unfiltered.insert(id),
            }
            entries.by_id.insert(id, entry);
        }
        for (set, filters) in [&self.by_attributes, &self.by_body].into_iter().zip(&filters) {
            if !filters.is_empty() {
                set.add_many(filters.iter().map(|(id, pattern)| (*id, pattern)));
            }
        }
    }

    fn forget(&self, entries: &mut Entries, id: ResourceId) -> Option<Entry> {
        let entry = entries.by_id.remove(&id)?;
        match &entry.filter {
            _ if !entries.is_live(id, &entry) => {}
            Some(_) if entry.filters_body => _ = self.by_body.remove(id.0),
            Some(_) => _ = self.by_attributes.remove(id.0),
            None => _ = entries.unfiltered.remove(&id),
        }
        if entries.by_target.get(&entry.target) == Some(&id) {
            entries.by_target.remove(&entry.target);
        }
        if let Some(name) = &entry.name {
            entries.by_name.remove(name);
        }
        Some(entry)
    }

    /// Notes where the record of a subscription lies now.
    pub fn relocated(&self, id: ResourceId, location: Option<Location>) {
        if let Some(entry) = self.write().by_id.get_mut(&id) {
            entry.location = location;
        }
    }

    /// Forgets a subscription with its replay.
    pub fn remove(&self, id: ResourceId) -> Option<(Entry, Option<Replay>)> {
        let mut entries = self.write();
        let entry = self.forget(&mut entries, id)?;
        Some((entry, entries.replays.remove(&id)))
    }

    /// The replay of a subscription.
    pub fn replay(&self, id: ResourceId) -> Option<Replay> {
        self.read().replays.get(&id).cloned()
    }

    /// The replays, by subscription.
    pub fn replays(&self) -> Vec<(ResourceId, Replay)> {
        self.read().replays.iter().map(|(id, replay)| (*id, replay.clone())).collect()
    }

    /// The replays that run.
    pub fn running_replays(&self) -> Vec<(ResourceId, Replay)> {
        let mut replays = self.replays();
        replays.retain(|(_, replay)| replay.is_running());
        replays
    }

    /// Gives a subscription another replay, or none; it is matched, or not, as that wants.
    /// `changing` is held.
    pub fn set_replay(&self, id: ResourceId, replay: Option<Replay>) -> Result<()> {
        let Some(entry) = self.get(id) else { return Ok(()) };
        let pattern = entry.pattern()?;
        let mut entries = self.write();
        self.forget(&mut entries, id);
        match replay {
            Some(replay) => _ = entries.replays.insert(id, replay),
            None => _ = entries.replays.remove(&id),
        }
        self.put_into(&mut entries, vec![(id, entry, pattern)]);
        Ok(())
    }

    /// Takes over a replay that was read, before its subscription.
    pub fn restore_replay(&self, id: ResourceId, replay: Replay) {
        self.write().replays.insert(id, replay);
    }

    /// Notes how far a replay has come.
    pub fn note_progress(&self, id: ResourceId, replay: &Replay) {
        if let Some(kept) = self.write().replays.get_mut(&id) {
            kept.clone_from(replay);
        }
    }

    /// Another number after each change.
    #[inline]
    pub fn version(&self) -> u64 {
        self.version.load(Ordering::Acquire)
    }

    /// The targets, in the order of their subscriptions, if every message goes to all of them and
    /// as it is: no filter looks at it, and no envelope is around it.
    pub fn plain_targets(&self) -> Option<Vec<ResourceId>> {
        let entries = self.read();
        let is_filtered = !self.by_attributes.is_empty() || !self.by_body.is_empty();
        let live = entries.unfiltered.iter().map(|id| entries.by_id.get(id));
        let plain = |entry: &Entry| entry.is_raw && !entry.is_owned && entry.target != NO_TARGET;
        let targets = live.map(|entry| entry.filter(|one| plain(one)).map(|one| one.target));
        if is_filtered { None } else { targets.collect() }
    }

    /// The subscriptions that get a message.
    pub fn select(&self, body: &[u8], block: &[u8]) -> Result<Vec<Selected>> {
        thread_local! {
            static BUFFERS: std::cell::Cell<(Scratch, Vec<u32>)> = std::cell::Cell::default();
        }
        let (mut scratch, mut found) = BUFFERS.take();
        found.clear();
        let entries = self.read();
        if !self.by_attributes.is_empty() {
            self.match_attributes(block, &mut scratch, &mut found)?;
        }
        if !self.by_body.is_empty() {
            // A body that is no JSON object passes no filter over bodies.
            let before = found.len();
            if self.by_body.matches(Event::new(body), &mut scratch, &mut found).is_err() {
                found.truncate(before);
            }
        }
        let mut selected = Vec::with_capacity(found.len() + entries.unfiltered.len());
        let ids = entries.unfiltered.iter().copied().chain(found.iter().copied().map(ResourceId));
        selected.extend(ids.filter_map(|id| Some(entries.by_id.get(&id)?.selected(id))));
        drop(entries);
        BUFFERS.set((scratch, found));
        Ok(selected)
    }

    /// Up to `max` subscriptions with a filter, in the order of their creation, that are not among
    /// the selected; and how many more there are.
    pub fn unmatched(&self, selected: &[Selected], max: usize) -> (Vec<Numbered>, usize) {
        let entries = self.read();
        let looked_at = LOOKED_AT_MAX.min(selected.len() + max);
        let ids: HashSet<_> = selected.iter().map(|one| one.id).collect();
        let others = entries.by_id.iter().take(looked_at);
        let others = others.filter(|(id, entry)| entry.filter.is_some() && !ids.contains(id));
        let found: Vec<_> = others.take(max).map(|(id, entry)| (*id, entry.clone())).collect();
        let more = entries.by_id.len().saturating_sub(selected.len() + found.len());
        (found, more)
    }

    fn match_attributes(
        &self,
        block: &[u8],
        scratch: &mut Scratch,
        found: &mut Vec<u32>,
    ) -> Result<()> {
        let decoded = attributes::decode(block)?;
        let given = given(&decoded)?;
        self.by_attributes
            .match_attributes(&given, scratch, found)
            .map_err(|problem| invalid(format!("The attributes are not valid: {problem}")))
    }

    fn read(&self) -> RwLockReadGuard<'_, Entries> {
        self.entries.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, Entries> {
        let entries = self.entries.write().unwrap_or_else(PoisonError::into_inner);
        // Before the change: who reads the new number waits for the lock, and so for the change.
        self.version.fetch_add(1, Ordering::AcqRel);
        entries
    }
}

/// The filter of one subscription, for messages of an archive.
pub(super) struct Filter {
    pattern: Option<Pattern>,
    is_of_bodies: bool,
}

impl Filter {
    pub fn of(entry: &Entry) -> Result<Self> {
        Ok(Self { pattern: entry.pattern()?, is_of_bodies: entry.filters_body })
    }

    /// Whether it lets a message pass, as [`Subscriptions::select`] does.
    pub fn matches(&self, message: &Archived<'_>) -> Result<bool> {
        let Some(pattern) = &self.pattern else { return Ok(true) };
        if !self.is_of_bodies {
            let decoded = attributes::decode(message.attributes)?;
            let matches = pattern.matches_attributes(&given(&decoded)?);
            return matches
                .map_err(|problem| invalid(format!("The attributes are not valid: {problem}")));
        }
        let structure =
            message.context.is_structured.then(|| Structure::read(message.body)).transpose()?;
        let text = match &structure {
            Some(structure) => structure.text(Protocol::Queue).as_bytes(),
            None => message.body,
        };
        Ok(pattern.matches(Event::new(text)).unwrap_or(false))
    }
}

/// The attributes that filters see.
pub(super) fn given<'a>(decoded: &'a [Attribute]) -> Result<Vec<PatternAttribute<'a>>> {
    let mut given = Vec::with_capacity(decoded.len());
    for attribute in decoded.iter().filter(|attribute| !attribute.system) {
        let kind = kind_of(&attribute.data_type);
        let value = match kind {
            AttributeKind::Binary => "",
            _ => std::str::from_utf8(&attribute.value).map_err(|_| {
                invalid(format!("The attribute {:?} is no UTF-8 text.", attribute.name))
            })?,
        };
        given.push(PatternAttribute { name: &attribute.name, kind, value });
    }
    Ok(given)
}

/// The type that filters compare: a suffix of the caller's own says nothing, but for an array.
fn kind_of(data_type: &str) -> AttributeKind {
    match data_type.split('.').next() {
        _ if data_type == "String.Array" => AttributeKind::StringArray,
        Some("Number") => AttributeKind::Number,
        Some("Binary") => AttributeKind::Binary,
        _ => AttributeKind::String,
    }
}
