//! Makes the next version of the rules: adds and removes, and chooses where a branch is found.
//!
//! A branch is found through one of its fields: the one that fewest events are likely to ask for.
//! It stands under every key of that field's tests. Where many branches come to stand under one
//! key, they part by the exact values of their other fields, each under a key of that posting; so
//! rules that share a field's value cost no more than rules that do not.

use std::collections::HashMap;
use std::sync::Arc;

use crate::compile::encoding::{Fields, Tests, op};
use crate::cow::branch_store::BranchId;
use crate::hash::Hash;
use crate::index::estimate::Estimates;
use crate::index::index_keys::{Access, Kind, Probe};
use crate::index::snapshot::{Entry, OWNER, Posting, Rules, SPLITS_MAX};
use crate::paths::Field;
use crate::pattern::{Pattern, encode};
use crate::set::RuleId;

/// Branches of a posting before they part.
const PART_AT: usize = 6;

/// Alternatives of a test by which the branches of a posting part.
const ALTERNATIVES_MAX: usize = 4;

/// What a writer knows beside the rules themselves.
pub(crate) struct Writer {
    pub(crate) rules: Rules,
    estimates: Estimates,
    /// How many branches name a field, and how many stand under its keys of each kind.
    named: HashMap<Field, u32>,
    probes: HashMap<(Field, Probe), u32>,
    free_branches: Vec<BranchId>,
    free_postings: Vec<u32>,
    branches: BranchId,
}

impl Writer {
    pub(crate) fn new(seed: u64) -> Self {
        Self {
            rules: Rules::new(seed),
            estimates: Estimates::default(),
            named: HashMap::new(),
            probes: HashMap::new(),
            free_branches: Vec::new(),
            free_postings: Vec::new(),
            branches: 0,
        }
    }

    /// Adds a rule; one of that number goes first.
    pub(crate) fn add(&mut self, rule: RuleId, pattern: &Pattern) {
        self.remove(rule);
        let mut own: Vec<BranchId> = Vec::with_capacity(1);
        for branch in pattern.branches() {
            let (code, fields) = encode(branch, &mut self.rules.paths);
            let id = self.branch(&code, &fields);
            if !own.contains(&id) {
                self.join_owner(id, rule);
                own.push(id);
            }
        }
        let entry = match own.as_slice() {
            [one] => Entry::One(*one),
            many => Entry::Many(self.posting_of(many)),
        };
        self.rules.rules.insert(Rules::rule_key(rule), entry.value());
    }

    /// Removes a rule; says whether it was there.
    pub(crate) fn remove(&mut self, rule: RuleId) -> bool {
        let Some(value) = self.rules.rules.remove(Rules::rule_key(rule)) else {
            return false;
        };
        match Entry::of(value) {
            Entry::One(branch) => self.leave_owner(branch, rule),
            Entry::Many(posting) => {
                let own: Vec<u32> = self.rules.posting(posting).members.iter().copied().collect();
                own.into_iter().for_each(|branch| self.leave_owner(branch, rule));
                self.free(posting);
            }
        }
        true
    }

    /// The branch of that code: one that is there, or a new one without rules.
    fn branch(&mut self, code: &[u8], fields: &[Field]) -> BranchId {
        let key = self.code_key(code);
        if let Some(known) = self.rules.codes.get(key)
            && self.rules.code(known) == code
        {
            return known;
        }
        let id = self.free_branches.pop().unwrap_or(self.branches);
        self.branches = self.branches.max(id + 1);
        let mut bytes = vec![0; OWNER];
        bytes[0] = NOBODY;
        bytes.extend_from_slice(code);
        self.rules.store.set(id, &bytes);
        // Of two codes with one key, the first is shared and the second is not.
        if self.rules.codes.get(key).is_none() {
            self.rules.codes.insert(key, id);
        }
        for &field in fields {
            *self.named.entry(field).or_default() += 1;
        }
        self.place(id, code);
        id
    }

    fn code_key(&self, code: &[u8]) -> u32 {
        Hash::seeded(self.rules.seed, u32::MAX, 0).bytes(code)
    }

    fn set_owner(&mut self, branch: BranchId, kind: u8, owner: u32) {
        let mut bytes = self.rules.store.get(branch).to_vec();
        bytes[0] = kind;
        bytes[1..OWNER].copy_from_slice(&owner.to_le_bytes());
        self.rules.store.set(branch, &bytes);
    }

    fn join_owner(&mut self, branch: BranchId, rule: RuleId) {
        let (_, owner) = self.rules.owner(branch);
        match self.rules.store.get(branch)[0] {
            NOBODY => self.set_owner(branch, ONE_RULE, rule),
            ONE_RULE => {
                let posting = self.posting_of(&[owner, rule]);
                self.set_owner(branch, MANY_RULES, posting);
            }
            _ => {
                self.change(owner).members.push(rule);
            }
        }
    }

    fn leave_owner(&mut self, branch: BranchId, rule: RuleId) {
        let (is_many, owner) = self.rules.owner(branch);
        if !is_many {
            return self.drop_branch(branch);
        }
        self.leave_members(owner, rule);
        let members = &self.rules.posting(owner).members;
        if members.len() == 1 {
            let last = *members.get(0);
            self.free(owner);
            self.set_owner(branch, ONE_RULE, last);
        }
    }

    fn drop_branch(&mut self, branch: BranchId) {
        let code = self.rules.code(branch).to_vec();
        self.displace(branch, &code);
        let key = self.code_key(&code);
        if self.rules.codes.get(key) == Some(branch) {
            self.rules.codes.remove(key);
        }
        for (field, _) in Fields(&code[1..]) {
            let count = self.named.entry(field).or_default();
            *count -= 1;
            if *count == 0 {
                self.named.remove(&field);
                self.rules.paths.forget(field);
            }
        }
        self.rules.store.set(branch, &[]);
        self.free_branches.push(branch);
    }

    /// Puts a branch under the keys of its field that fewest events ask for.
    fn place(&mut self, branch: BranchId, code: &[u8]) {
        let mut best: Option<(f64, Field, Vec<Access>)> = None;
        for (field, tests) in Fields(&code[1..]) {
            let mut accesses = Vec::new();
            let load = |access: &Access| self.load(access.key);
            self.rules.keys(field).of(tests, Some(&load), &mut accesses);
            accesses.iter().for_each(|access| self.estimates.note(field, access));
            let cost = self.estimates.cost(field, &accesses);
            if best.as_ref().is_none_or(|(least, ..)| cost < *least) {
                best = Some((cost, field, accesses));
            }
        }
        let Some((_, field, accesses)) = best else {
            return;
        };
        for access in accesses {
            self.attach(access.key, branch, &mut vec![field]);
            self.count_probe(field, &access);
        }
    }

    /// How many branches stand under a key.
    fn load(&self, key: u32) -> usize {
        match self.rules.entry(key) {
            None => 0,
            Some(Entry::One(_)) => 1,
            Some(Entry::Many(id)) => self.rules.posting(id).members.len(),
        }
    }

    fn count_probe(&mut self, field: Field, access: &Access) {
        let count = self.probes.entry((field, access.probe)).or_default();
        *count += 1;
        if *count == 1 {
            if access.probe.kind == Kind::Absent {
                Arc::make_mut(&mut self.rules.absent).push(field);
            } else {
                self.rules.paths.add_probe(field, access.probe);
            }
        }
        if access.probe.kind == Kind::Gram {
            self.rules.paths.add_gram(field, access.gram);
        }
    }

    fn discount_probe(&mut self, field: Field, probe: Probe) {
        let count = self.probes.entry((field, probe)).or_default();
        *count -= 1;
        if *count > 0 {
            return;
        }
        self.probes.remove(&(field, probe));
        if probe.kind == Kind::Absent {
            Arc::make_mut(&mut self.rules.absent).retain(|other| *other != field);
        } else {
            self.rules.paths.remove_probe(field, probe);
        }
    }

    /// Puts a branch under a key. `used` are the fields that led there.
    fn attach(&mut self, key: u32, branch: BranchId, used: &mut Vec<Field>) {
        match self.rules.entry(key) {
            None => {
                self.rules.index.insert(key, Entry::One(branch).value());
            }
            Some(Entry::One(other)) if other == branch => {}
            Some(Entry::One(other)) => {
                let posting = self.posting_of(&[other, branch]);
                self.rules.index.insert(key, Entry::Many(posting).value());
            }
            Some(Entry::Many(posting)) => self.enter(posting, branch, used),
        }
    }

    fn enter(&mut self, id: u32, branch: BranchId, used: &mut Vec<Field>) {
        let posting = self.rules.posting(id);
        if posting.members.len() + 1 < PART_AT && posting.splits.is_empty() {
            self.change(id).members.push(branch);
            return;
        }
        if self.part(id, branch, used) {
            return;
        }
        self.change(id).members.push(branch);
        if self.rules.posting(id).members.len() == PART_AT {
            for other in self.rules.posting(id).members.iter().copied().collect::<Vec<_>>() {
                self.leave_to_part(id, other, used);
            }
        }
    }

    fn leave_to_part(&mut self, id: u32, branch: BranchId, used: &mut Vec<Field>) {
        if self.part(id, branch, used) {
            self.leave_members(id, branch);
        }
    }

    fn leave_members(&mut self, posting: u32, member: u32) -> bool {
        let mut members = self.rules.posting(posting).members.iter();
        let Some(at) = members.position(|&other| other == member) else {
            return false;
        };
        drop(members);
        self.change(posting).members.swap_remove(at);
        true
    }

    /// Puts a branch under a key of a posting, if another exact field of it can make one.
    fn part(&mut self, id: u32, branch: BranchId, used: &mut Vec<Field>) -> bool {
        let Some((field, keys)) = self.parting(id, branch, used) else {
            return false;
        };
        let posting = self.change(id);
        if !posting.splits.contains(&field) {
            posting.splits.push(field);
        }
        posting.below += keys.len() as u32;
        used.push(field);
        for key in keys {
            self.attach(self.rules.child_key(id, key), branch, used);
        }
        used.pop();
        true
    }

    /// The field that tells a branch from most others of a posting, and its keys.
    fn parting(&self, id: u32, branch: BranchId, used: &[Field]) -> Option<(Field, Vec<u32>)> {
        let splits = &self.rules.posting(id).splits;
        let is_open = splits.len() < SPLITS_MAX;
        let code = self.rules.code(branch);
        let usable = Fields(&code[1..]).filter(|(field, tests)| {
            !used.contains(field) && (is_open || splits.contains(field)) && is_exact(tests.clone())
        });
        let distinct = |field| {
            let kinds = [Kind::Text, Kind::Number, Kind::Word];
            kinds.map(|kind| self.estimates.distinct(field, kind)).iter().sum::<f64>()
        };
        let (field, tests) =
            usable.max_by(|(a, _), (b, _)| distinct(*a).total_cmp(&distinct(*b)).then(b.cmp(a)))?;
        Some((field, self.exact_keys(field, tests)))
    }

    fn exact_keys(&self, field: Field, tests: Tests<'_>) -> Vec<u32> {
        let mut accesses = Vec::new();
        self.rules.keys(field).of(tests, None, &mut accesses);
        accesses.iter().map(|access| access.key).collect()
    }

    /// Takes a branch from wherever it stands.
    fn displace(&mut self, branch: BranchId, code: &[u8]) {
        for (field, tests) in Fields(&code[1..]) {
            let mut accesses = Vec::new();
            self.rules.keys(field).of(tests, None, &mut accesses);
            for access in accesses {
                if self.detach(access.key, branch, code, &mut vec![field]) {
                    self.discount_probe(field, access.probe);
                }
            }
        }
    }

    fn detach(&mut self, key: u32, branch: BranchId, code: &[u8], used: &mut Vec<Field>) -> bool {
        let id = match self.rules.entry(key) {
            Some(Entry::One(other)) if other == branch => {
                self.rules.index.remove(key);
                return true;
            }
            Some(Entry::Many(id)) => id,
            _ => return false,
        };
        if !self.leave(id, branch, code, used) {
            return false;
        }
        let posting = self.rules.posting(id);
        if posting.below == 0 {
            match posting.members.len() {
                0 => {
                    self.rules.index.remove(key);
                    self.free(id);
                }
                1 => {
                    let last = *posting.members.get(0);
                    self.rules.index.insert(key, Entry::One(last).value());
                    self.free(id);
                }
                _ => self.change(id).splits.clear(),
            }
        }
        true
    }

    fn leave(&mut self, id: u32, branch: BranchId, code: &[u8], used: &mut Vec<Field>) -> bool {
        if self.leave_members(id, branch) {
            return true;
        }
        let mut gone = 0;
        // A copy, because what is below changes while it is walked.
        let splits = self.rules.posting(id).splits.to_vec();
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
                let child = self.rules.child_key(id, key);
                gone += u32::from(self.detach(child, branch, code, used));
            }
            used.pop();
        }
        if gone > 0 {
            self.change(id).below -= gone;
        }
        gone > 0
    }

    fn change(&mut self, posting: u32) -> &mut Posting {
        Arc::make_mut(self.rules.postings.get_mut(posting as usize))
    }

    fn posting_of(&mut self, members: &[u32]) -> u32 {
        let mut posting = Posting::default();
        for &member in members {
            posting.members.push(member);
        }
        match self.free_postings.pop() {
            Some(id) => {
                *self.rules.postings.get_mut(id as usize) = Arc::new(posting);
                id
            }
            None => self.rules.postings.push(Arc::new(posting)) as u32,
        }
    }

    fn free(&mut self, posting: u32) {
        *self.rules.postings.get_mut(posting as usize) = Arc::default();
        self.free_postings.push(posting);
    }
}

/// Whose a branch is, as the first of its bytes.
const ONE_RULE: u8 = 0;
const MANY_RULES: u8 = 1;
const NOBODY: u8 = 2;

/// Whether all of a field's tests are values, and few.
fn is_exact(tests: Tests<'_>) -> bool {
    let exact = [op::TEXT, op::DOUBLE, op::DIGITS, op::TRUE, op::FALSE, op::NULL];
    let mut count = 0;
    tests.into_iter().all(|(operator, _)| {
        count += 1;
        count <= ALTERNATIVES_MAX && exact.contains(&operator)
    })
}
