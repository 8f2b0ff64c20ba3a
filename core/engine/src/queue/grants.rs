//! Which topics and rules may send to a queue: decided once by the policy in its document, and
//! decided again when the definition of the queue changes.

use std::collections::HashMap;

use trunkline_types::ResourceId;
use trunkline_types::sync::lock;

use super::Queue;

/// How many decisions a queue keeps. Those for sources that were removed go when it has more.
const GRANTS_MAX: usize = 1_024;

/// The decisions of the policy of one queue, by source.
pub(super) type Grants = HashMap<ResourceId, bool>;

/// What a policy says of a source.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Grant {
    /// Whether the source may send.
    pub is_allowed: bool,
    /// Whether the decision holds only now, because the policy looks at the time.
    pub is_for_now: bool,
}

impl Queue {
    /// Whether `source` may send here. `decide` is asked with the document of the queue.
    pub(crate) fn grants(&self, source: ResourceId, decide: impl FnOnce(&[u8]) -> Grant) -> bool {
        // Held while the document is read: a change that comes meanwhile forgets what is decided.
        let mut grants = lock(&self.grants);
        if let Some(is_allowed) = grants.get(&source) {
            return *is_allowed;
        }
        let Grant { is_allowed, is_for_now } = decide(&self.document());
        if !is_for_now {
            if grants.len() >= GRANTS_MAX {
                grants.clear();
            }
            grants.insert(source, is_allowed);
        }
        is_allowed
    }

    /// The definition has changed.
    pub(super) fn forget_grants(&self) {
        lock(&self.grants).clear();
    }
}
