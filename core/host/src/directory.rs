//! Which resources there are, by id and by name.

use std::any::Any;
use std::collections::{BTreeMap, HashMap};
use std::hash::{BuildHasherDefault, Hasher};
use std::ops::Bound;
use std::sync::{Arc, PoisonError};

use trunkline_types::sync::atomic::{AtomicU64, Ordering};
use trunkline_types::sync::{RwLock, RwLockReadGuard, RwLockWriteGuard};
use trunkline_types::{Millis, ResourceId, ResourceKind, ResourceName};

use crate::resource::Resource;

/// The resources of one host, of every kind.
#[derive(Default)]
pub struct Directory {
    tables: RwLock<Tables>,
    /// Changes so far.
    version: AtomicU64,
}

#[derive(Default)]
struct Tables {
    by_id: HashMap<ResourceId, Arc<dyn Resource>, BuildHasherDefault<IdHasher>>,
    by_name: BTreeMap<ResourceName, ResourceId>,
    /// Names that were removed, and when. Only the newest removal of a name; see `REMOVED_MAX`.
    removed: HashMap<ResourceName, Millis>,
}

/// Spreads ids, which the engine itself gives out in order: a caller cannot choose some that
/// collide.
#[derive(Default)]
struct IdHasher(u64);

impl Hasher for IdHasher {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        bytes.iter().for_each(|byte| self.write_u32(u32::from(*byte)));
    }

    #[inline]
    fn write_u32(&mut self, number: u32) {
        // The golden ratio: neighbours fall far apart, in the upper bits and in the lower ones.
        self.0 = (self.0 ^ u64::from(number)).wrapping_mul(0x9E37_79B9_7F4A_7C15).rotate_left(26);
    }
}

/// Names whose removal is remembered at most; the oldest are forgotten first.
const REMOVED_MAX: usize = 10_000;

impl Directory {
    /// The resource of this id, of whatever kind.
    pub fn any(&self, id: ResourceId) -> Option<Arc<dyn Resource>> {
        self.read().by_id.get(&id).cloned()
    }

    /// Whether a resource has this id.
    pub fn contains(&self, id: ResourceId) -> bool {
        self.read().by_id.contains_key(&id)
    }

    /// Another number after each change: what was looked up at an earlier one may be wrong. Read it
    /// before the look-ups.
    #[inline]
    pub fn version(&self) -> u64 {
        self.version.load(Ordering::Acquire)
    }

    /// The resource of this id, if it is an `R`.
    pub fn get<R: Resource>(&self, id: ResourceId) -> Option<Arc<R>> {
        self.any(id).and_then(cast)
    }

    /// Tells `each`, for every one of these ids in order, the resource if it is an `R`; and whether
    /// there is any resource. Nothing else may be asked of the directory meanwhile.
    pub fn get_many<R: Resource>(
        &self,
        ids: impl Iterator<Item = ResourceId>,
        mut each: impl FnMut(Option<Arc<R>>, bool),
    ) {
        let tables = self.read();
        for id in ids {
            let found = tables.by_id.get(&id);
            each(found.cloned().and_then(cast), found.is_some());
        }
    }

    /// The resource of this name, if it is an `R`.
    pub fn find<R: Resource>(&self, name: &ResourceName) -> Option<Arc<R>> {
        let tables = self.read();
        tables.by_name.get(name).and_then(|id| tables.by_id.get(id)).cloned().and_then(cast)
    }

    /// The id of this name.
    pub fn id_of(&self, name: &ResourceName) -> Option<ResourceId> {
        self.read().by_name.get(name).copied()
    }

    /// Adds a resource. Who creates one holds a lock of its kind, so that a name is given once.
    pub fn add(&self, resource: Arc<dyn Resource>) {
        let mut tables = self.write();
        tables.removed.remove(resource.name());
        tables.by_name.insert(resource.name().clone(), resource.id());
        tables.by_id.insert(resource.id(), resource);
    }

    /// Forgets a resource that was removed `at` that time.
    pub fn remove(&self, resource: &dyn Resource, at: Millis) {
        let mut tables = self.write();
        tables.by_id.remove(&resource.id());
        tables.by_name.remove(resource.name());
        if tables.removed.len() >= REMOVED_MAX {
            let oldest = tables.removed.iter().min_by_key(|(_, at)| **at);
            if let Some(name) = oldest.map(|(name, _)| name.clone()) {
                tables.removed.remove(&name);
            }
        }
        tables.removed.insert(resource.name().clone(), at);
    }

    /// When a resource of this name was last removed, if none has the name now.
    pub fn removed_at(&self, name: &ResourceName) -> Option<Millis> {
        self.read().removed.get(name).copied()
    }

    /// The resources of a kind whose name starts with `prefix`, in an account and region (`None`:
    /// in all), in order of their names.
    pub fn list<R: Resource>(
        &self,
        kind: ResourceKind,
        account: Option<&str>,
        region: Option<&str>,
        prefix: &str,
    ) -> Vec<Arc<R>> {
        self.window((kind, account, region), prefix, None, usize::MAX, |_| true).0
    }

    /// Up to `limit` resources in order of their names: those of the kind, account and region of
    /// `below` whose name starts with its name, comes behind `after`, and passes `keep`. Only the
    /// names that `keep` is asked about are read.
    pub fn page<R: Resource>(
        &self,
        below: &ResourceName,
        after: Option<&str>,
        limit: usize,
        mut keep: impl FnMut(&ResourceName) -> bool,
    ) -> Vec<Arc<R>> {
        let tables = self.read();
        let first = match after {
            Some(after) if *after >= *below.name => {
                Bound::Excluded(ResourceName { name: after.to_owned(), ..below.clone() })
            }
            _ => Bound::Included(below.clone()),
        };
        let is_below = |name: &ResourceName| {
            (name.kind, &name.account, &name.region) == (below.kind, &below.account, &below.region)
                && name.name.starts_with(&below.name)
        };
        let names = tables.by_name.range((first, Bound::Unbounded));
        let found = names
            .take_while(|(name, _)| is_below(name))
            .filter(|(name, _)| keep(name))
            .filter_map(|(_, id)| tables.by_id.get(id).cloned().and_then(cast));
        found.take(limit).collect()
    }

    /// Up to `limit` resources of a kind in order of their full names, in an account and region
    /// (`None`: in all): those whose name starts with `prefix`, comes behind `after`, and passes
    /// `keep`. And how many there are with those before and behind.
    pub fn window<R: Resource>(
        &self,
        (kind, account, region): (ResourceKind, Option<&str>, Option<&str>),
        prefix: &str,
        after: Option<&ResourceName>,
        limit: usize,
        keep: impl Fn(&ResourceName) -> bool,
    ) -> (Vec<Arc<R>>, usize) {
        let tables = self.read();
        let first = ResourceName::new(kind, account.unwrap_or_default(), "", "");
        let is_of_account = |name: &ResourceName| {
            name.kind == kind && account.is_none_or(|account| name.account == account)
        };
        let (mut found, mut total) = (Vec::new(), 0);
        // Names are in order of kind and account: other accounts are not walked.
        for (name, id) in tables.by_name.range(first..).take_while(|(name, _)| is_of_account(name))
        {
            let is_wanted = region.is_none_or(|region| name.region == region)
                && name.name.starts_with(prefix)
                && keep(name);
            if !is_wanted {
                continue;
            }
            total += 1;
            if found.len() < limit && after.is_none_or(|after| name > after) {
                found.extend(tables.by_id.get(id).cloned().and_then(cast));
            }
        }
        (found, total)
    }

    /// Every `R`, in order of its id: what is done to all is done in one order each time.
    pub fn all<R: Resource>(&self) -> Vec<Arc<R>> {
        let everything: Vec<_> = self.read().by_id.values().cloned().collect();
        let mut resources: Vec<Arc<R>> = everything.into_iter().filter_map(cast).collect();
        resources.sort_unstable_by_key(|resource| resource.id());
        resources
    }

    /// Forgets everything: breaks the circle between the host and its resources.
    pub(crate) fn clear(&self) -> Vec<Arc<dyn Resource>> {
        std::mem::take(&mut *self.write()).by_id.into_values().collect()
    }

    fn read(&self) -> RwLockReadGuard<'_, Tables> {
        self.tables.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, Tables> {
        let tables = self.tables.write().unwrap_or_else(PoisonError::into_inner);
        // Before the change: who reads the new number waits for the lock, and so for the change.
        self.version.fetch_add(1, Ordering::AcqRel);
        tables
    }
}

fn cast<R: Resource>(resource: Arc<dyn Resource>) -> Option<Arc<R>> {
    let any: Arc<dyn Any + Send + Sync> = resource;
    any.downcast().ok()
}

#[cfg(all(test, not(loom)))]
mod tests {
    use trunkline_types::Result;

    use super::*;
    use crate::Jobs;

    const THING: ResourceKind = ResourceKind("thing");

    struct Thing(ResourceId, ResourceName);

    impl Resource for Thing {
        fn id(&self) -> ResourceId {
            self.0
        }

        fn name(&self) -> &ResourceName {
            &self.1
        }

        fn fire(&self, _: u32, _: Millis, _: &Jobs<'_>) -> Option<Millis> {
            None
        }

        fn run(&self, _: u64, _: Millis) -> Result<()> {
            Ok(())
        }

        fn close(&self) {}
    }

    /// Things `a`, `b0000` to `b0999` and `c` in two regions of each of two accounts.
    fn directory() -> Directory {
        let directory = Directory::default();
        let middle = (0..1_000).map(|number| format!("b{number:04}"));
        let names: Vec<_> = ["a".to_owned(), "c".to_owned()].into_iter().chain(middle).collect();
        let mut next = 0;
        for (account, region) in [("1", "x"), ("1", "y"), ("2", "x"), ("2", "y")] {
            for name in &names {
                next += 1;
                let name = ResourceName::new(THING, account, region, name);
                directory.add(Arc::new(Thing(ResourceId(next), name)));
            }
        }
        directory
    }

    fn page(prefix: &str, after: Option<&str>, limit: usize) -> (Vec<String>, usize) {
        let (mut read, below) = (0, ResourceName::new(THING, "1", "y", prefix));
        let things = directory().page::<Thing>(&below, after, limit, |name| {
            assert_eq!((&*name.account, &*name.region), ("1", "y"));
            read += 1;
            true
        });
        (things.iter().map(|thing| thing.1.name.clone()).collect(), read)
    }

    #[test]
    fn a_page_is_in_order_and_ends_with_its_prefix_and_region() {
        assert_eq!(page("", None, 2).0, ["a", "b0000"]);
        assert_eq!(page("b", Some("b0997"), 9).0, ["b0998", "b0999"]);
        assert_eq!(page("", Some("b0999"), 9).0, ["c"]);
        assert_eq!(page("b", Some("a"), 1).0, ["b0000"], "behind a name before all of the prefix");
        assert!(page("b", Some("c"), 1).0.is_empty());
        assert!(page("x", None, 1).0.is_empty());
    }

    #[test]
    fn a_window_goes_through_accounts_and_regions_and_counts_all() {
        let directory = directory();
        let window = |owner: (Option<&str>, Option<&str>), prefix: &str, after, limit| {
            let below = (THING, owner.0, owner.1);
            let keep = |name: &ResourceName| name.name != "b0003";
            let (things, total) = directory.window::<Thing>(below, prefix, after, limit, keep);
            let full = |thing: &Arc<Thing>| {
                format!("{}/{}/{}", thing.1.account, thing.1.region, thing.1.name)
            };
            (things.iter().map(full).collect::<Vec<_>>(), total)
        };
        let first = vec!["1/x/b0000".to_owned(), "1/x/b0001".to_owned(), "1/x/b0002".to_owned()];
        assert_eq!(window((None, None), "b000", None, 3), (first, 36));
        let after = ResourceName::new(THING, "1", "x", "b0999");
        let next = vec!["1/x/c".to_owned(), "1/y/a".to_owned()];
        assert_eq!(window((None, None), "", Some(&after), 2), (next, 4 * 1_001));
        let last = vec!["2/y/c".to_owned()];
        assert_eq!(window((Some("2"), Some("y")), "c", Some(&after), 9), (last, 1));
        assert_eq!(window((Some("2"), Some("z")), "", None, 9), (vec![], 0));
    }

    #[test]
    fn a_page_reads_no_more_names_than_it_shows() {
        for after in [None, Some("b0500"), Some("b0994")] {
            let (names, read) = page("b", after, 5);
            assert_eq!((names.len(), read), (5, 5));
        }
    }
}
