//! The writer of a rule set: adds and removes rules, and decides where each branch is indexed.
//!
//! A branch is indexed by one of its fields: the one whose keys the fewest events are expected to
//! look up. It is inserted under every key of the tests of that field.

use std::collections::HashMap;
use std::sync::Arc;

use crate::compile::encoding::{Fields, encode_branch};
use crate::compile::parser::Branch;
use crate::cow::branch_store::BranchId;
use crate::hash::Hash;
use crate::index::estimate::Estimates;
use crate::index::index_keys::IndexKey;
use crate::index::owners::{self, FEW, Owners, RuleId};
use crate::index::snapshot::{Entry, IndexSnapshot};
use crate::paths::Field;
use crate::paths::lookup::{Lookup, LookupKind};

/// The state of a writer: the next snapshot, and bookkeeping that readers do not need.
pub(crate) struct Writer {
    pub(crate) index: IndexSnapshot,
    pub(super) estimates: Estimates,
    /// The number of branches that name a field.
    field_uses: HashMap<Field, u32>,
    /// The number of branches that are indexed by a lookup of a field.
    lookups: HashMap<(Field, Lookup), u32>,
    free_branches: Vec<BranchId>,
    pub(super) free_postings: Vec<u32>,
    /// Branch ids that were ever used: the next new one.
    branches: BranchId,
}

impl Writer {
    pub(crate) fn new(seed: u64) -> Self {
        Self {
            index: IndexSnapshot::new(seed),
            estimates: Estimates::default(),
            field_uses: HashMap::new(),
            lookups: HashMap::new(),
            free_branches: Vec::new(),
            free_postings: Vec::new(),
            branches: 0,
        }
    }

    /// Adds a rule, or replaces the rule with this id.
    pub(crate) fn add(&mut self, rule: RuleId, branches: &[Branch]) {
        self.remove(rule);
        let mut own: Vec<BranchId> = Vec::with_capacity(1);
        for branch in branches {
            let (code, fields) = encode_branch(branch, &mut self.index.paths);
            let id = self.branch(&code, &fields);
            if !own.contains(&id) {
                self.add_owner(id, rule);
                own.push(id);
            }
        }
        let entry = match own.as_slice() {
            [one] => Entry::One(*one),
            many => Entry::Many(self.new_posting(many)),
        };
        self.index.rules.insert(IndexSnapshot::rule_key(rule), entry.value());
    }

    /// Removes a rule; returns whether it existed.
    pub(crate) fn remove(&mut self, rule: RuleId) -> bool {
        let Some(value) = self.index.rules.remove(IndexSnapshot::rule_key(rule)) else {
            return false;
        };
        match Entry::of(value) {
            Entry::One(branch) => self.remove_owner(branch, rule),
            Entry::Many(posting) => {
                let own: Vec<u32> = self.index.posting(posting).members.iter().copied().collect();
                own.into_iter().for_each(|branch| self.remove_owner(branch, rule));
                self.free_posting(posting);
            }
        }
        if self.index.rules.len() == 0 {
            // Return all memory, and forget estimates of rules that are gone.
            *self = Self::new(self.index.seed);
        }
        true
    }

    /// The branch with this code: the existing one, or a new one that no rule owns yet.
    fn branch(&mut self, code: &[u8], fields: &[Field]) -> BranchId {
        let key = self.code_key(code);
        if let Some(known) = self.index.codes.get(key)
            && self.index.code(known) == code
        {
            return known;
        }
        let id = self.free_branches.pop().unwrap_or(self.branches);
        self.branches = self.branches.max(id + 1);
        self.index.store.set(id, &owners::store_few(&[], code));
        // If two codes have the same key, rules share only the branch of the first.
        if self.index.codes.get(key).is_none() {
            self.index.codes.insert(key, id);
        }
        for &field in fields {
            *self.field_uses.entry(field).or_default() += 1;
        }
        self.index_branch(id, code);
        id
    }

    fn code_key(&self, code: &[u8]) -> u32 {
        Hash::seeded(self.index.seed, u32::MAX, 0).bytes(code)
    }

    fn add_owner(&mut self, branch: BranchId, rule: RuleId) {
        let (owners, _) = owners::split(self.index.store.get(branch));
        if let Owners::Posting(id) = owners {
            self.posting_mut(id).members.push(rule);
            return;
        }
        let rules: Vec<RuleId> = owners.few().chain([rule]).collect();
        self.set_owners(branch, &rules);
    }

    fn remove_owner(&mut self, branch: BranchId, rule: RuleId) {
        let (owners, _) = owners::split(self.index.store.get(branch));
        let mut rules: Vec<RuleId> = owners.few().filter(|&other| other != rule).collect();
        if let Owners::Posting(id) = owners {
            self.remove_member(id, rule);
            let members = &self.index.posting(id).members;
            // Not at once: the next rule would need a posting again.
            if members.len() > FEW / 2 {
                return;
            }
            rules = members.iter().copied().collect();
            self.free_posting(id);
        }
        if rules.is_empty() { self.drop_branch(branch) } else { self.set_owners(branch, &rules) }
    }

    /// Stores the owners of a branch that had few.
    fn set_owners(&mut self, branch: BranchId, rules: &[RuleId]) {
        let code = self.index.code(branch).to_vec();
        let stored = if rules.len() <= FEW {
            owners::store_few(rules, &code)
        } else {
            owners::store_posting(self.new_posting(rules), &code)
        };
        self.index.store.set(branch, &stored);
    }

    fn drop_branch(&mut self, branch: BranchId) {
        let code = self.index.code(branch).to_vec();
        self.unindex_branch(branch, &code);
        let key = self.code_key(&code);
        if self.index.codes.get(key) == Some(branch) {
            self.index.codes.remove(key);
        }
        for (field, _) in Fields(&code[1..]) {
            let count = self.field_uses.entry(field).or_default();
            *count -= 1;
            if *count == 0 {
                self.field_uses.remove(&field);
                self.index.paths.remove(field);
                self.estimates.remove(field);
            }
        }
        self.index.store.set(branch, &[]);
        self.free_branches.push(branch);
    }

    /// Indexes a branch by the field whose keys have the lowest cost.
    fn index_branch(&mut self, branch: BranchId, code: &[u8]) {
        let mut best: Option<(f64, Field, Vec<IndexKey>)> = None;
        for (field, tests) in Fields(&code[1..]) {
            let mut index_keys = Vec::new();
            let load = |index_key: &IndexKey| self.posting_len(index_key.key);
            self.index.hasher(field).of(tests, Some(&load), &mut index_keys);
            index_keys.iter().for_each(|index_key| self.estimates.record(field, index_key));
            let cost = self.estimates.cost(field, &index_keys);
            if best.as_ref().is_none_or(|(least, ..)| cost < *least) {
                best = Some((cost, field, index_keys));
            }
        }
        let Some((_, field, index_keys)) = best else {
            return;
        };
        for index_key in index_keys {
            self.insert_under_key(index_key.key, branch, &mut vec![field]);
            self.count_lookup(field, &index_key);
        }
    }

    /// The number of branches that are listed under a key.
    fn posting_len(&self, key: u32) -> usize {
        match self.index.entry(key) {
            None => 0,
            Some(Entry::One(_)) => 1,
            Some(Entry::Many(id)) => self.index.posting(id).members.len(),
        }
    }

    fn count_lookup(&mut self, field: Field, index_key: &IndexKey) {
        let count = self.lookups.entry((field, index_key.lookup)).or_default();
        *count += 1;
        if *count == 1 {
            if index_key.lookup.kind == LookupKind::Absent {
                Arc::make_mut(&mut self.index.absent).push(field);
            } else {
                self.index.paths.add_lookup(field, index_key.lookup);
            }
        }
        if index_key.lookup.kind == LookupKind::Ngram {
            self.index.paths.add_ngram(field, index_key.ngram);
        }
    }

    fn discount_lookup(&mut self, field: Field, lookup: Lookup) {
        let count = self.lookups.entry((field, lookup)).or_default();
        *count -= 1;
        if *count > 0 {
            return;
        }
        self.lookups.remove(&(field, lookup));
        if lookup.kind == LookupKind::Absent {
            Arc::make_mut(&mut self.index.absent).retain(|other| *other != field);
        } else {
            self.index.paths.remove_lookup(field, lookup);
        }
    }

    /// Removes a branch from the index. Which field it was indexed by is found by trying all.
    fn unindex_branch(&mut self, branch: BranchId, code: &[u8]) {
        for (field, tests) in Fields(&code[1..]) {
            let mut index_keys = Vec::new();
            self.index.hasher(field).of(tests, None, &mut index_keys);
            for index_key in index_keys {
                if self.remove_under_key(index_key.key, branch, code, &mut vec![field]) {
                    self.discount_lookup(field, index_key.lookup);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Dialect;
    use crate::limits::Limits;
    use crate::pattern::Pattern;

    fn pattern(text: &str) -> Pattern {
        Pattern::compile(text.as_bytes(), Dialect::EventPattern, &Limits::default()).expect(text)
    }

    /// A pattern with names that no other has, one of them nested.
    fn own_names(index: u32) -> Pattern {
        let name = format!("name-{index}");
        pattern(&format!(
            r#"{{"source":["app"],"{name}":[1],"detail":{{"{name}":{{"x":[{{"prefix":"a"}}]}}}}}}"#
        ))
    }

    #[test]
    fn removed_rules_leave_nothing_behind() {
        let mut writer = Writer::new(7);
        writer.add(0, pattern(r#"{"source":["app"],"detail":{"kept":[1]}}"#).branches());
        let live = writer.index.paths.live();
        for id in 1..3000 {
            writer.add(id, own_names(id).branches());
        }
        assert_eq!(writer.index.paths.live(), live + 2999 * 3);
        for id in 1..3000 {
            assert!(writer.remove(id));
        }
        assert_eq!(writer.index.paths.live(), live);
        assert_eq!(writer.estimates.fields(), live - 2, "the root and `detail` are no fields");
        assert_eq!((writer.field_uses.len(), writer.lookups.len()), (2, 1));
        assert_eq!((writer.index.table.len(), writer.index.codes.len()), (1, 1));
        let slots = writer.index.table.slots() + writer.index.codes.slots();
        assert!(slots <= 1024, "{slots} slots for two keys");
        // Their numbers are used again.
        let nodes = writer.index.paths.len();
        (1..3000).for_each(|id| writer.add(id, own_names(id + 9000).branches()));
        assert_eq!(writer.index.paths.len(), nodes);
    }

    #[test]
    fn a_posting_forgets_the_fields_that_split_it() {
        let mut writer = Writer::new(7);
        // Twenty generations of rules, each split by a field of its own.
        for generation in 0..20_u32 {
            for index in 0..20 {
                let text = format!(r#"{{"source":["app"],"field-{generation}":[{index}]}}"#);
                writer.add(generation * 20 + index, pattern(&text).branches());
            }
            if generation > 0 {
                let earlier = (generation - 1) * 20;
                (earlier..earlier + 20).for_each(|id| assert!(writer.remove(id)));
            }
        }
        let postings = (0..writer.index.postings.len()).map(|id| writer.index.posting(id as u32));
        let splits: usize = postings.map(|posting| posting.splits.len()).sum();
        assert!(splits <= 1, "{splits} fields split the postings of one generation");
    }

    #[test]
    fn rules_of_one_pattern_own_its_branch_however_many_they_are() {
        let mut writer = Writer::new(7);
        let shared = pattern(r#"{"source":["app"]}"#);
        let owners = |writer: &Writer| {
            let mut owners: Vec<RuleId> = writer.index.owners(0).collect();
            owners.sort_unstable();
            owners
        };
        let most = 3 * FEW as u32;
        for id in 0..most {
            writer.add(id, shared.branches());
            assert_eq!(owners(&writer), (0..=id).collect::<Vec<_>>());
        }
        assert_eq!(writer.index.postings.len(), 1, "only many owners need a posting");
        for id in 0..most - 1 {
            assert!(writer.remove(id));
            assert_eq!(owners(&writer), (id + 1..most).collect::<Vec<_>>());
        }
        assert_eq!(writer.free_postings, [0]);
        assert!(writer.remove(most - 1));
        assert_eq!(writer.branches, 0, "the last owner takes the branch along");
    }

    #[test]
    fn an_empty_set_is_as_new() {
        let mut writer = Writer::new(7);
        (0..100).for_each(|id| writer.add(id, own_names(id).branches()));
        (0..100).for_each(|id| assert!(writer.remove(id)));
        assert_eq!((writer.index.paths.len(), writer.branches), (1, 0));
        assert_eq!(writer.index.postings.len(), 0);
    }
}
