//! A rule set: concurrent lock-free readers, one writer at a time.

use std::collections::hash_map::RandomState;
use std::hash::BuildHasher;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use arc_swap::ArcSwap;

use crate::error::InvalidEvent;
use crate::event::array_match::FlattenedEvent;
use crate::event::attributes::{Attribute, flatten_attributes};
use crate::event::flatten::flatten;
use crate::event::input::Event;
use crate::index::owners::RuleId;
use crate::index::query::query;
use crate::index::snapshot::IndexSnapshot;
use crate::index::writer::Writer;
use crate::pattern::Pattern;
use crate::scratch::Scratch;

/// A set of rules that are matched together. The cost of a match depends on the fields that the
/// rules name, and little on the number of rules.
///
/// Readers take no lock: they use the current snapshot. Writers exclude each other, prepare the
/// next snapshot and publish it with one atomic store.
///
/// ```
/// use trunkline_pattern::{Dialect, Event, Limits, Pattern, RuleSet, Scratch};
/// let pattern = |text: &str| {
///     Pattern::compile(text.as_bytes(), Dialect::EventPattern, &Limits::default())
/// };
/// let rules = RuleSet::new();
/// rules.add(1, &pattern(r#"{"a":["x"]}"#)?);
/// rules.add(2, &pattern(r#"{"a":[{"anything-but":"x"}]}"#)?);
/// let mut matched = Vec::new();
/// rules.matches(Event::new(br#"{"a":"y"}"#), &mut Scratch::default(), &mut matched)?;
/// assert_eq!(matched, [2]);
/// assert!(rules.remove(2) && !rules.remove(2));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct RuleSet {
    current: ArcSwap<IndexSnapshot>,
    writer: Mutex<Writer>,
}

/// An immutable snapshot of a rule set.
#[derive(Clone)]
pub struct RuleSnapshot {
    rules: Arc<IndexSnapshot>,
}

impl Default for RuleSet {
    fn default() -> Self {
        Self::new()
    }
}

impl RuleSet {
    /// Creates an empty set.
    pub fn new() -> Self {
        let writer = Writer::new(RandomState::new().hash_one(0_u64));
        Self { current: ArcSwap::from_pointee(writer.index.clone()), writer: Mutex::new(writer) }
    }

    /// Adds a rule, or replaces the rule with this id.
    pub fn add(&self, rule: RuleId, pattern: &Pattern) {
        self.add_many([(rule, pattern)]);
    }

    /// Adds rules; readers see all of them at once.
    pub fn add_many<'p>(&self, rules: impl IntoIterator<Item = (RuleId, &'p Pattern)>) {
        let mut writer = self.write();
        rules.into_iter().for_each(|(rule, pattern)| writer.add(rule, pattern.branches()));
        self.publish(&writer);
    }

    /// Removes a rule; returns whether it existed.
    pub fn remove(&self, rule: RuleId) -> bool {
        let mut writer = self.write();
        let was_there = writer.remove(rule);
        self.publish(&writer);
        was_there
    }

    fn write(&self) -> MutexGuard<'_, Writer> {
        // A writer that panicked has published nothing. The worst it leaves is an incomplete rule.
        self.writer.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn publish(&self, writer: &Writer) {
        self.current.store(Arc::new(writer.index.clone()));
    }

    /// The number of rules.
    pub fn len(&self) -> usize {
        self.current.load().rules.len()
    }

    /// Whether the set is empty.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The current snapshot. Later changes do not affect it.
    pub fn snapshot(&self) -> RuleSnapshot {
        RuleSnapshot { rules: self.current.load_full() }
    }

    /// Appends the ids of the rules that match the event, sorted, without duplicates.
    pub fn matches(
        &self,
        event: Event<'_>,
        scratch: &mut Scratch,
        out: &mut Vec<RuleId>,
    ) -> Result<(), InvalidEvent> {
        matches(&self.current.load(), event, scratch, out)
    }

    /// Appends the ids of the rules that match the attributes of a message.
    pub fn match_attributes(
        &self,
        attributes: &[Attribute<'_>],
        scratch: &mut Scratch,
        out: &mut Vec<RuleId>,
    ) -> Result<(), InvalidEvent> {
        match_attributes(&self.current.load(), attributes, scratch, out)
    }
}

impl RuleSnapshot {
    /// Appends the ids of the rules that match the event, sorted, without duplicates.
    pub fn matches(
        &self,
        event: Event<'_>,
        scratch: &mut Scratch,
        out: &mut Vec<RuleId>,
    ) -> Result<(), InvalidEvent> {
        matches(&self.rules, event, scratch, out)
    }

    /// Appends the ids of the rules that match the attributes of a message.
    pub fn match_attributes(
        &self,
        attributes: &[Attribute<'_>],
        scratch: &mut Scratch,
        out: &mut Vec<RuleId>,
    ) -> Result<(), InvalidEvent> {
        match_attributes(&self.rules, attributes, scratch, out)
    }

    pub(crate) fn rules(&self) -> &IndexSnapshot {
        &self.rules
    }

    /// The number of rules.
    pub fn len(&self) -> usize {
        self.rules.rules.len()
    }

    /// Whether the snapshot is empty.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

fn matches(
    rules: &IndexSnapshot,
    event: Event<'_>,
    scratch: &mut Scratch,
    out: &mut Vec<RuleId>,
) -> Result<(), InvalidEvent> {
    flatten(&event, &rules.paths, rules, &mut scratch.fields)?;
    run(rules, event.text, scratch, out)
}

fn match_attributes(
    rules: &IndexSnapshot,
    attributes: &[Attribute<'_>],
    scratch: &mut Scratch,
    out: &mut Vec<RuleId>,
) -> Result<(), InvalidEvent> {
    flatten_attributes(attributes, &rules.paths, &mut scratch.fields)?;
    run(rules, b"", scratch, out)
}

fn run(
    rules: &IndexSnapshot,
    text: &[u8],
    scratch: &mut Scratch,
    out: &mut Vec<RuleId>,
) -> Result<(), InvalidEvent> {
    let flattened = FlattenedEvent { paths: &rules.paths, fields: &scratch.fields, text };
    query(rules, flattened, &mut scratch.marks, &mut scratch.query, out)
}
