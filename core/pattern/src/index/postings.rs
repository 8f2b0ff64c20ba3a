//! Postings: several branches under one index key. A long posting is split by another field.
//!
//! When a posting reaches `SPLIT_AT` branches, each of them moves under a key made from the posting
//! and the exact value of another field of the branch. A query then does one more lookup instead of
//! evaluating every branch, so rules that share the value of a field stay cheap.

use std::sync::Arc;

use crate::compile::encoding::{Fields, Tests, op};
use crate::cow::branch_store::BranchId;
use crate::index::snapshot::{Entry, Posting, SPLITS_MAX};
use crate::index::writer::Writer;
use crate::paths::Field;
use crate::paths::lookup::LookupKind;

/// The number of branches at which a posting is split.
const SPLIT_AT: usize = 6;

/// A field splits a posting only if its tests have at most this many values.
const ALTERNATIVES_MAX: usize = 4;

impl Writer {
    /// Inserts a branch under a key. `used` are the fields whose values led to the key.
    pub(super) fn insert_under_key(&mut self, key: u32, branch: BranchId, used: &mut Vec<Field>) {
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

    pub(super) fn remove_member(&mut self, posting: u32, member: u32) -> bool {
        let mut members = self.index.posting(posting).members.iter();
        let Some(at) = members.position(|&other| other == member) else {
            return false;
        };
        drop(members);
        self.posting_mut(posting).members.swap_remove(at);
        true
    }

    /// Inserts a branch under keys of a posting made from another field, if it has an exact one.
    fn split(&mut self, id: u32, branch: BranchId, used: &mut Vec<Field>) -> bool {
        let Some((field, keys)) = self.choose_split(id, branch, used) else {
            return false;
        };
        self.posting_mut(id).splits.add(field, keys.len() as u32);
        used.push(field);
        for key in keys {
            self.insert_under_key(self.index.child_key(id, key), branch, used);
        }
        used.pop();
        true
    }

    /// The field that distinguishes a branch best from others of a posting, and its keys.
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

    pub(super) fn remove_under_key(
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
        if posting.splits.is_empty() {
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
                _ => {}
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
        let mut is_removed = false;
        // A copy, because the loop changes the splits.
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
            let mut count = 0;
            for key in self.exact_keys(field, tests) {
                let child = self.index.child_key(id, key);
                count += u32::from(self.remove_under_key(child, branch, code, used));
            }
            used.pop();
            if count > 0 {
                self.posting_mut(id).splits.remove(field, count);
                is_removed = true;
            }
        }
        is_removed
    }

    pub(super) fn posting_mut(&mut self, posting: u32) -> &mut Posting {
        Arc::make_mut(self.index.postings.get_mut(posting as usize))
    }

    pub(super) fn new_posting(&mut self, members: &[u32]) -> u32 {
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

    pub(super) fn free_posting(&mut self, posting: u32) {
        *self.index.postings.get_mut(posting as usize) = Arc::default();
        self.free_postings.push(posting);
    }
}

/// Whether the tests of a field are all exact values, and few.
fn is_exact(tests: Tests<'_>) -> bool {
    let exact = [op::TEXT, op::DOUBLE, op::DIGITS, op::TRUE, op::FALSE, op::NULL];
    let mut count = 0;
    tests.into_iter().all(|(operator, _)| {
        count += 1;
        count <= ALTERNATIVES_MAX && exact.contains(&operator)
    })
}
