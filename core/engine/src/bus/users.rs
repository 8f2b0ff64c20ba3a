//! Which rules lead to a target: an index of the rules' names, so that a page of them is read and
//! not all rules.

use std::collections::BTreeSet;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::ops::Bound;

use trunkline_types::ResourceId;
use trunkline_types::sync::{Mutex, lock};

use super::target::TargetDefinition;

/// What a target leads to: a resource name as its surface wrote it, or a resource of the engine.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Used<'a> {
    /// The name that a surface gave the target.
    Arn(&'a str),
    /// The resource that gets the events.
    Resource(ResourceId),
}

impl Used<'_> {
    /// Whether a target leads there.
    pub(super) fn is_used_by(&self, target: &TargetDefinition) -> bool {
        match self {
            Self::Arn(arn) => target.arn == *arn,
            Self::Resource(id) => target.resource == *id,
        }
    }

    fn hash(&self) -> u64 {
        let mut hasher = DefaultHasher::new();
        Hash::hash(self, &mut hasher);
        hasher.finish()
    }
}

/// The names of the rules, by the hash of what their targets lead to.
#[derive(Default)]
pub(super) struct Users(Mutex<BTreeSet<(u64, String)>>);

impl Users {
    /// Adds a target of a rule.
    pub fn add(&self, rule: &str, target: &TargetDefinition) {
        let keys = keys(target).map(|key| (key, rule.to_owned()));
        lock(&self.0).extend(keys);
    }

    /// Removes a target of a rule.
    pub fn remove(&self, rule: &str, target: &TargetDefinition) {
        let mut users = lock(&self.0);
        for key in keys(target) {
            users.remove(&(key, rule.to_owned()));
        }
    }

    /// Up to `limit` names behind `after` that `uses` holds for: two targets may have one hash.
    pub fn names(
        &self,
        used: &Used<'_>,
        after: Option<&str>,
        limit: usize,
        uses: impl Fn(&str) -> bool,
    ) -> Vec<String> {
        let (key, mut found) = (used.hash(), Vec::new());
        let mut behind = after.unwrap_or_default().to_owned();
        while found.len() < limit {
            let first = Bound::Excluded((key, behind.clone()));
            let users = lock(&self.0);
            let of_key = users.range((first, Bound::Unbounded)).take_while(|(of, _)| *of == key);
            let names: Vec<String> =
                of_key.take(limit - found.len()).map(|(_, name)| name.clone()).collect();
            // Rules are looked up without this lock: a change takes theirs first.
            drop(users);
            let Some(last) = names.last() else { break };
            behind.clone_from(last);
            found.extend(names.into_iter().filter(|name| uses(name)));
        }
        found
    }
}

fn keys(target: &TargetDefinition) -> [u64; 2] {
    [Used::Arn(&target.arn).hash(), Used::Resource(target.resource).hash()]
}
