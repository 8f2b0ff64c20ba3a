//! Makes the next version of the rules: adds and removes, and chooses where a branch is found.
//!
//! A branch is found through one of its fields: the one that fewest events are likely to ask for.
//! It stands under every key of that field's tests. Where many branches come to stand under one
//! key, they split by the exact values of their other fields, each under a key of that posting; so
//! rules that share a field's value cost no more than rules that do not.

use std::collections::HashMap;
use std::sync::Arc;

use crate::compile::encoding::encode_branch;
use crate::compile::encoding::{Fields, Tests, op};
use crate::compile::parser::Branch;
use crate::cow::branch_store::BranchId;
use crate::hash::Hash;
use crate::index::estimate::Estimates;
use crate::index::index_keys::IndexKey;
use crate::index::snapshot::RuleId;
use crate::index::snapshot::{Entry, IndexSnapshot, OWNER, Posting, SPLITS_MAX};
use crate::paths::Field;
use crate::paths::lookup::{Lookup, LookupKind};

/// Branches of a posting before they split.
const SPLIT_AT: usize = 6;

/// Alternatives of a test by which the branches of a posting split.
const ALTERNATIVES_MAX: usize = 4;

/// What a writer knows beside the rules themselves.
pub(crate) struct Writer {
    pub(crate) index: IndexSnapshot,
    estimates: Estimates,
    /// How many branches name a field, and how many stand under its keys of each kind.
    field_uses: HashMap<Field, u32>,
    lookups: HashMap<(Field, Lookup), u32>,
    free_branches: Vec<BranchId>,
    free_postings: Vec<u32>,
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

    /// Adds a rule; one of that number goes first.
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

    /// Removes a rule; says whether it was there.
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
        true
    }

    /// The branch of that code: one that is there, or a new one without rules.
    fn branch(&mut self, code: &[u8], fields: &[Field]) -> BranchId {
        let key = self.code_key(code);
        if let Some(known) = self.index.codes.get(key)
            && self.index.code(known) == code
        {
            return known;
        }
        let id = self.free_branches.pop().unwrap_or(self.branches);
        self.branches = self.branches.max(id + 1);
        let mut bytes = vec![0; OWNER];
        bytes[0] = NO_RULE;
        bytes.extend_from_slice(code);
        self.index.store.set(id, &bytes);
        // Of two codes with one key, the first is shared and the second is not.
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

    fn set_owner(&mut self, branch: BranchId, kind: u8, owner: u32) {
        let mut bytes = self.index.store.get(branch).to_vec();
        bytes[0] = kind;
        bytes[1..OWNER].copy_from_slice(&owner.to_le_bytes());
        self.index.store.set(branch, &bytes);
    }

    fn add_owner(&mut self, branch: BranchId, rule: RuleId) {
        let (_, owner) = self.index.owner(branch);
        match self.index.store.get(branch)[0] {
            NO_RULE => self.set_owner(branch, ONE_RULE, rule),
            ONE_RULE => {
                let posting = self.new_posting(&[owner, rule]);
                self.set_owner(branch, MANY_RULES, posting);
            }
            _ => {
                self.posting_mut(owner).members.push(rule);
            }
        }
    }

    fn remove_owner(&mut self, branch: BranchId, rule: RuleId) {
        let (is_many, owner) = self.index.owner(branch);
        if !is_many {
            return self.drop_branch(branch);
        }
        self.remove_member(owner, rule);
        let members = &self.index.posting(owner).members;
        if members.len() == 1 {
            let last = *members.get(0);
            self.free_posting(owner);
            self.set_owner(branch, ONE_RULE, last);
        }
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
                self.index.paths.unname(field);
            }
        }
        self.index.store.set(branch, &[]);
        self.free_branches.push(branch);
    }

    /// Puts a branch under the keys of its field that fewest events ask for.
    fn index_branch(&mut self, branch: BranchId, code: &[u8]) {
        let mut best: Option<(f64, Field, Vec<IndexKey>)> = None;
        for (field, tests) in Fields(&code[1..]) {
            let mut index_keys = Vec::new();
            let load = |index_key: &IndexKey| self.posting_len(index_key.key);
            self.index.hasher(field).of(tests, Some(&load), &mut index_keys);
            index_keys.iter().for_each(|index_key| self.estimates.note(field, index_key));
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

    /// How many branches stand under a key.
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

    /// Puts a branch under a key. `used` are the fields that led there.
    fn insert_under_key(&mut self, key: u32, branch: BranchId, used: &mut Vec<Field>) {
        match self.index.entry(key) {
            None => {
                self.index.table.insert(key, Entry::One(branch).value());
            }
            Some(Entry::One(other)) if other == branch => {}
            Some(Entry::One(other)) => {
                let posting = self.new_posting(&[other, branch]);
                self.index.table.insert(key, Entry::Many(posting).value());
            }
            Some(Entry::Many(posting)) => self.add_to_posting(posting, branch, used),
        }
    }

    fn add_to_posting(&mut self, id: u32, branch: BranchId, used: &mut Vec<Field>) {
        let posting = self.index.posting(id);
        if posting.members.len() + 1 < SPLIT_AT && posting.splits.is_empty() {
            self.posting_mut(id).members.push(branch);
            return;
        }
        if self.split(id, branch, used) {
            return;
        }
        self.posting_mut(id).members.push(branch);
        if self.index.posting(id).members.len() == SPLIT_AT {
            for other in self.index.posting(id).members.iter().copied().collect::<Vec<_>>() {
                self.move_into_split(id, other, used);
            }
        }
    }

    fn move_into_split(&mut self, id: u32, branch: BranchId, used: &mut Vec<Field>) {
        if self.split(id, branch, used) {
            self.remove_member(id, branch);
        }
    }

    fn remove_member(&mut self, posting: u32, member: u32) -> bool {
        let mut members = self.index.posting(posting).members.iter();
        let Some(at) = members.position(|&other| other == member) else {
            return false;
        };
        drop(members);
        self.posting_mut(posting).members.swap_remove(at);
        true
    }

    /// Puts a branch under a key of a posting, if another exact field of it can make one.
    fn split(&mut self, id: u32, branch: BranchId, used: &mut Vec<Field>) -> bool {
        let Some((field, keys)) = self.choose_split(id, branch, used) else {
            return false;
        };
        let posting = self.posting_mut(id);
        if !posting.splits.contains(&field) {
            posting.splits.push(field);
        }
        posting.split_entries += keys.len() as u32;
        used.push(field);
        for key in keys {
            self.insert_under_key(self.index.child_key(id, key), branch, used);
        }
        used.pop();
        true
    }

    /// The field that tells a branch from most others of a posting, and its keys.
    fn choose_split(&self, id: u32, branch: BranchId, used: &[Field]) -> Option<(Field, Vec<u32>)> {
        let splits = &self.index.posting(id).splits;
        let is_open = splits.len() < SPLITS_MAX;
        let code = self.index.code(branch);
        let usable = Fields(&code[1..]).filter(|(field, tests)| {
            !used.contains(field) && (is_open || splits.contains(field)) && is_exact(tests.clone())
        });
        let distinct = |field| {
            let kinds = [LookupKind::Text, LookupKind::Number, LookupKind::Literal];
            kinds.map(|kind| self.estimates.distinct(field, kind)).iter().sum::<f64>()
        };
        let (field, tests) =
            usable.max_by(|(a, _), (b, _)| distinct(*a).total_cmp(&distinct(*b)).then(b.cmp(a)))?;
        Some((field, self.exact_keys(field, tests)))
    }

    fn exact_keys(&self, field: Field, tests: Tests<'_>) -> Vec<u32> {
        let mut index_keys = Vec::new();
        self.index.hasher(field).of(tests, None, &mut index_keys);
        index_keys.iter().map(|index_key| index_key.key).collect()
    }

    /// Takes a branch from wherever it stands.
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

    fn remove_under_key(
        &mut self,
        key: u32,
        branch: BranchId,
        code: &[u8],
        used: &mut Vec<Field>,
    ) -> bool {
        let id = match self.index.entry(key) {
            Some(Entry::One(other)) if other == branch => {
                self.index.table.remove(key);
                return true;
            }
            Some(Entry::Many(id)) => id,
            _ => return false,
        };
        if !self.remove_from_posting(id, branch, code, used) {
            return false;
        }
        let posting = self.index.posting(id);
        if posting.split_entries == 0 {
            match posting.members.len() {
                0 => {
                    self.index.table.remove(key);
                    self.free_posting(id);
                }
                1 => {
                    let last = *posting.members.get(0);
                    self.index.table.insert(key, Entry::One(last).value());
                    self.free_posting(id);
                }
                _ => self.posting_mut(id).splits.clear(),
            }
        }
        true
    }

    fn remove_from_posting(
        &mut self,
        id: u32,
        branch: BranchId,
        code: &[u8],
        used: &mut Vec<Field>,
    ) -> bool {
        if self.remove_member(id, branch) {
            return true;
        }
        let mut gone = 0;
        // A copy, because what is split_entries changes while it is walked.
        let splits = self.index.posting(id).splits.to_vec();
        for field in splits {
            let own = Fields(&code[1..]).find(|(other, _)| *other == field);
            let Some((_, tests)) = own.filter(|(_, tests)| is_exact(tests.clone())) else {
                continue;
            };
            if used.contains(&field) {
                continue;
            }
            used.push(field);
            for key in self.exact_keys(field, tests) {
                let child = self.index.child_key(id, key);
                gone += u32::from(self.remove_under_key(child, branch, code, used));
            }
            used.pop();
        }
        if gone > 0 {
            self.posting_mut(id).split_entries -= gone;
        }
        gone > 0
    }

    fn posting_mut(&mut self, posting: u32) -> &mut Posting {
        Arc::make_mut(self.index.postings.get_mut(posting as usize))
    }

    fn new_posting(&mut self, members: &[u32]) -> u32 {
        let mut posting = Posting::default();
        for &member in members {
            posting.members.push(member);
        }
        match self.free_postings.pop() {
            Some(id) => {
                *self.index.postings.get_mut(id as usize) = Arc::new(posting);
                id
            }
            None => self.index.postings.push(Arc::new(posting)) as u32,
        }
    }

    fn free_posting(&mut self, posting: u32) {
        *self.index.postings.get_mut(posting as usize) = Arc::default();
        self.free_postings.push(posting);
    }
}

/// Whose a branch is, as the first of its bytes.
const ONE_RULE: u8 = 0;
const MANY_RULES: u8 = 1;
const NO_RULE: u8 = 2;

/// Whether all of a field's tests are values, and few.
fn is_exact(tests: Tests<'_>) -> bool {
    let exact = [op::TEXT, op::DOUBLE, op::DIGITS, op::TRUE, op::FALSE, op::NULL];
    let mut count = 0;
    tests.into_iter().all(|(operator, _)| {
        count += 1;
        count <= ALTERNATIVES_MAX && exact.contains(&operator)
    })
}
