//! The rules of a set at one moment, ready to be asked. Nothing in here changes while it is read; a
//! writer makes the next version of the pages that it touches.
//!
//! ```text
//! event ── walk along `paths` ──> leaves        (the scalars at paths that rules name)
//! leaf ── its lookups, hashed ──> `index`        (what could ask for this value?)
//! entry ──> branch | posting                    (one branch, or many under one key)
//! posting ── another field's value ──> `index`  (many branches part by their other fields)
//! branch ──> `store`: fields, tests, rules      (looked at once more: does all of it hold?)
//! ```

use std::sync::Arc;

use crate::cow::array::CowArray;
use crate::cow::branch_store::{BranchId, BranchStore};
use crate::cow::hash_table::CowHashTable;
use crate::index::index_keys::FieldHasher;
use crate::paths::lookup::LookupKind;
use crate::paths::{Field, Paths};

/// The id of a rule. The caller maps its names to numbers.
pub type RuleId = u32;

/// See the module.
#[derive(Clone, Debug)]
pub(crate) struct IndexSnapshot {
    pub(crate) paths: Paths,
    /// FieldHasher to entries.
    pub(crate) table: CowHashTable,
    pub(crate) postings: CowArray<Arc<Posting>, 32>,
    pub(crate) store: BranchStore,
    /// IndexSnapshot to their branches: an entry each.
    pub(crate) rules: CowHashTable,
    /// Codes to branches, so that rules with one pattern share it.
    pub(crate) codes: CowHashTable,
    /// Fields whose absence is a key.
    pub(crate) absent: Arc<Vec<Field>>,
    /// Of the hashes: strangers choose values, and must not choose collisions.
    pub(crate) seed: u64,
}

/// Several branches under one key, or several rules of one branch.
#[derive(Clone, Debug, Default)]
pub(crate) struct Posting {
    pub(crate) members: CowArray<u32, 128>,
    /// Fields by whose values more branches are found: keys of this posting.
    pub(crate) splits: Splits,
    /// How many times branches stand under such keys.
    pub(crate) split_entries: u32,
}

/// Fields of a posting at most.
pub(crate) const SPLITS_MAX: usize = 8;

/// The fields of a posting, beside it: following a pointer is what a query waits for.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Splits {
    fields: [Field; SPLITS_MAX],
    len: u8,
}

impl Splits {
    pub(crate) fn push(&mut self, field: Field) {
        self.fields[usize::from(self.len)] = field;
        self.len += 1;
    }

    pub(crate) fn clear(&mut self) {
        self.len = 0;
    }
}

impl std::ops::Deref for Splits {
    type Target = [Field];

    #[inline]
    fn deref(&self) -> &[Field] {
        &self.fields[..usize::from(self.len)]
    }
}

/// What an index entry leads to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Entry {
    One(u32),
    Many(u32),
}

const MANY: u32 = 1 << 31;

impl Entry {
    #[inline]
    pub(crate) fn of(value: u32) -> Self {
        if value & MANY == 0 { Entry::One(value) } else { Entry::Many(value & !MANY) }
    }

    pub(crate) fn value(self) -> u32 {
        match self {
            Entry::One(one) => one,
            Entry::Many(many) => many | MANY,
        }
    }
}

/// Bytes before the code of a branch: whose it is.
pub(crate) const OWNER: usize = 5;

impl IndexSnapshot {
    pub(crate) fn new(seed: u64) -> Self {
        Self {
            paths: Paths::default(),
            table: CowHashTable::default(),
            postings: CowArray::default(),
            store: BranchStore::default(),
            rules: CowHashTable::default(),
            codes: CowHashTable::default(),
            absent: Arc::default(),
            seed,
        }
    }

    #[inline]
    pub(crate) fn hasher(&self, field: Field) -> FieldHasher {
        FieldHasher { seed: self.seed, field }
    }

    #[inline]
    pub(crate) fn posting(&self, id: u32) -> &Posting {
        self.postings.get(id as usize)
    }

    #[inline]
    pub(crate) fn entry(&self, key: u32) -> Option<Entry> {
        self.table.get(key).map(Entry::of)
    }

    /// The code of a branch.
    #[inline]
    pub(crate) fn code(&self, branch: BranchId) -> &[u8] {
        &self.store.get(branch)[OWNER..]
    }

    /// The rules of a branch: one, or a posting of them.
    #[inline]
    pub(crate) fn owner(&self, branch: BranchId) -> (bool, u32) {
        let bytes = self.store.get(branch);
        let mut raw = [0; 4];
        raw.copy_from_slice(&bytes[1..OWNER]);
        (bytes[0] != 0, u32::from_le_bytes(raw))
    }

    /// The rules of a branch.
    pub(crate) fn owners(&self, branch: BranchId) -> impl Iterator<Item = RuleId> {
        let (is_many, owner) = self.owner(branch);
        let many = is_many.then(|| self.posting(owner).members.iter().copied());
        (!is_many).then_some(owner).into_iter().chain(many.into_iter().flatten())
    }

    /// Every branch that is in use.
    pub(crate) fn branches(&self) -> impl Iterator<Item = BranchId> {
        self.store.ids().filter(|&branch| !self.store.get(branch).is_empty())
    }

    /// The key of a rule in `rules`: no two rules have the same.
    pub(crate) fn rule_key(rule: RuleId) -> u32 {
        let mut key = rule;
        key = (key ^ (key >> 16)).wrapping_mul(0x7feb_352d);
        key = (key ^ (key >> 15)).wrapping_mul(0x846c_a68b);
        key ^ (key >> 16)
    }

    /// The key under a posting of what a field is exactly: `exact` is that value's own key.
    #[inline]
    pub(crate) fn child_key(&self, posting: u32, exact: u32) -> u32 {
        self.hasher(posting).hash(LookupKind::Exists, 1).word(u64::from(exact)).key()
    }
}
