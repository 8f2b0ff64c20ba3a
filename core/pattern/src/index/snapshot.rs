//! The immutable index of a rule set. A writer makes the next version and copies only the pages
//! that it changes.
//!
//! ```text
//! event ── flattened along `paths` ──> leaves     (the scalars at paths that rules name)
//! leaf ── its lookups, hashed ──> `table`         (index key to entry)
//! entry ──> branch | posting                      (one branch, or several with this key)
//! posting ── value of another field ──> `table`   (a long posting is split by other fields)
//! branch ──> `store`: fields, tests, rules        (every candidate is evaluated in full)
//! ```

use std::sync::Arc;

use crate::cow::array::CowArray;
use crate::cow::branch_store::{BranchId, BranchStore};
use crate::cow::hash_table::CowHashTable;
use crate::index::index_keys::FieldHasher;
use crate::index::owners::{self, Owners, RuleId};
use crate::paths::lookup::LookupKind;
use crate::paths::{Field, Paths};

/// See the module.
#[derive(Clone, Debug)]
pub(crate) struct IndexSnapshot {
    pub(crate) paths: Paths,
    /// Index keys to entries.
    pub(crate) table: CowHashTable,
    pub(crate) postings: CowArray<Arc<Posting>, 32>,
    pub(crate) store: BranchStore,
    /// Rule ids to an entry: the branch of the rule, or a posting of its branches.
    pub(crate) rules: CowHashTable,
    /// Hashes of codes to branches: rules with equal patterns share their branches.
    pub(crate) codes: CowHashTable,
    /// Fields whose absence is looked up.
    pub(crate) absent: Arc<Vec<Field>>,
    /// The seed of the hashes. It is random, so that senders of events cannot construct collisions.
    pub(crate) seed: u64,
}

/// Several branches with one index key, several branches of one rule, or many rules of one branch.
#[derive(Clone, Debug, Default)]
pub(crate) struct Posting {
    pub(crate) members: CowArray<u32, 128>,
    /// Fields by whose values further branches are indexed, under keys of this posting.
    pub(crate) splits: Splits,
}

/// The number of fields that can split a posting.
pub(crate) const SPLITS_MAX: usize = 8;

/// The fields that split a posting. Stored inline: a query would wait for a pointer to be followed.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Splits {
    fields: [Field; SPLITS_MAX],
    /// The number of keys made from each field.
    keys: [u32; SPLITS_MAX],
    len: u8,
}

impl Splits {
    /// Counts `keys` more keys of a field.
    pub(crate) fn add(&mut self, field: Field, keys: u32) {
        let at = self.iter().position(|&other| other == field).unwrap_or_else(|| {
            self.len += 1;
            usize::from(self.len) - 1
        });
        self.fields[at] = field;
        self.keys[at] += keys;
    }

    /// Counts `keys` fewer keys of a field. Without keys it splits the posting no longer.
    pub(crate) fn remove(&mut self, field: Field, keys: u32) {
        let Some(at) = self.iter().position(|&other| other == field) else {
            return;
        };
        self.keys[at] -= keys;
        if self.keys[at] == 0 {
            self.len -= 1;
            let last = usize::from(self.len);
            self.fields[at] = self.fields[last];
            self.keys[at] = std::mem::take(&mut self.keys[last]);
        }
    }
}

impl std::ops::Deref for Splits {
    type Target = [Field];

    #[inline]
    fn deref(&self) -> &[Field] {
        &self.fields[..usize::from(self.len)]
    }
}

/// The value of an index key: a branch, or a posting.
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

    /// The encoded tests of a branch.
    #[inline]
    pub(crate) fn code(&self, branch: BranchId) -> &[u8] {
        owners::split(self.store.get(branch)).1
    }

    /// The rules that own a branch.
    pub(crate) fn owners(&self, branch: BranchId) -> impl Iterator<Item = RuleId> {
        let (owners, _) = owners::split(self.store.get(branch));
        let many = match owners {
            Owners::Few(_) => None,
            Owners::Posting(id) => Some(self.posting(id).members.iter().copied()),
        };
        owners.few().chain(many.into_iter().flatten())
    }

    /// All branches in use.
    pub(crate) fn branches(&self) -> impl Iterator<Item = BranchId> {
        self.store.ids().filter(|&branch| !self.store.get(branch).is_empty())
    }

    /// The key of a rule in `rules`: a bijective mix of its id.
    pub(crate) fn rule_key(rule: RuleId) -> u32 {
        let mut key = rule;
        key = (key ^ (key >> 16)).wrapping_mul(0x7feb_352d);
        key = (key ^ (key >> 15)).wrapping_mul(0x846c_a68b);
        key ^ (key >> 16)
    }

    /// The key of an exact value under a posting; `exact` is the key of the value by itself.
    #[inline]
    pub(crate) fn child_key(&self, posting: u32, exact: u32) -> u32 {
        self.hasher(posting).hash(LookupKind::Exists, 1).word(u64::from(exact)).key()
    }
}
