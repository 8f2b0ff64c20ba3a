//! Many rules. First cut: one after the other.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use arc_swap::ArcSwap;

use crate::error::InvalidEvent;
use crate::event::{Attribute, Event};
use crate::found::Scratch;
use crate::pattern::Pattern;

/// What a rule is known by. The caller maps its names to numbers.
pub type RuleId = u32;

/// Rules that are matched together.
#[derive(Default)]
pub struct RuleSet {
    current: ArcSwap<BTreeMap<RuleId, Pattern>>,
    writer: Mutex<()>,
}

/// The rules of a set as they were at one moment.
#[derive(Clone)]
pub struct RuleSnapshot {
    rules: Arc<BTreeMap<RuleId, Pattern>>,
}

impl RuleSet {
    /// No rules.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a rule; one that has this number is replaced.
    pub fn add(&self, rule: RuleId, pattern: &Pattern) {
        self.add_many([(rule, pattern)]);
    }

    /// Adds rules, all of them at once for readers.
    pub fn add_many<'p>(&self, rules: impl IntoIterator<Item = (RuleId, &'p Pattern)>) {
        let _guard = self.writer.lock().unwrap_or_else(PoisonError::into_inner);
        let mut next = BTreeMap::clone(&self.current.load());
        next.extend(rules.into_iter().map(|(rule, pattern)| (rule, pattern.clone())));
        self.current.store(Arc::new(next));
    }

    /// Removes a rule; says whether it was there.
    pub fn remove(&self, rule: RuleId) -> bool {
        let _guard = self.writer.lock().unwrap_or_else(PoisonError::into_inner);
        let mut next = BTreeMap::clone(&self.current.load());
        let removed = next.remove(&rule).is_some();
        self.current.store(Arc::new(next));
        removed
    }

    /// How many rules there are.
    pub fn len(&self) -> usize {
        self.current.load().len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The rules as they are now; later changes do not show.
    pub fn snapshot(&self) -> RuleSnapshot {
        RuleSnapshot { rules: self.current.load_full() }
    }

    /// Appends the rules that match, sorted, each once.
    pub fn matches(
        &self,
        event: Event<'_>,
        scratch: &mut Scratch,
        out: &mut Vec<RuleId>,
    ) -> Result<(), InvalidEvent> {
        self.snapshot().matches(event, scratch, out)
    }

    /// Appends the rules that match the attributes of a message.
    pub fn match_attributes(
        &self,
        attributes: &[Attribute<'_>],
        scratch: &mut Scratch,
        out: &mut Vec<RuleId>,
    ) -> Result<(), InvalidEvent> {
        self.snapshot().match_attributes(attributes, scratch, out)
    }
}

impl RuleSnapshot {
    /// Appends the rules that match, sorted, each once.
    pub fn matches(
        &self,
        event: Event<'_>,
        scratch: &mut Scratch,
        out: &mut Vec<RuleId>,
    ) -> Result<(), InvalidEvent> {
        for (rule, pattern) in self.rules.iter() {
            if pattern.matches_with(event, scratch)? {
                out.push(*rule);
            }
        }
        Ok(())
    }

    /// Appends the rules that match the attributes of a message.
    pub fn match_attributes(
        &self,
        attributes: &[Attribute<'_>],
        _scratch: &mut Scratch,
        out: &mut Vec<RuleId>,
    ) -> Result<(), InvalidEvent> {
        for (rule, pattern) in self.rules.iter() {
            if pattern.matches_attributes(attributes)? {
                out.push(*rule);
            }
        }
        Ok(())
    }

    /// How many rules there are.
    pub fn len(&self) -> usize {
        self.rules.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.rules.is_empty()
    }
}
