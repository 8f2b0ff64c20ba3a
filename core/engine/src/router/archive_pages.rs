//! Archives and replays of an account and region by their names, a page at a time. Archives lie
//! with their buses, so the names of all are compared; nothing else is read of those that are not
//! shown.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use trunkline_types::{ResourceId, Result};

use crate::archive::ReplayState;
use crate::bus::{Archive, Bus, ReplayStatus};
use crate::engine::Engine;

/// Which names a page has, and how many.
#[derive(Debug, Clone, Copy)]
pub struct NamePage<'a> {
    /// Account and region.
    pub owner: (&'a str, &'a str),
    /// What the names start with.
    pub prefix: &'a str,
    /// Behind which name the page begins.
    pub after: Option<&'a str>,
    /// The most that it has.
    pub limit: usize,
}

/// A replay with its bus and its archive.
pub type ReplayOfBus = (Arc<Bus>, Arc<Archive>, ReplayStatus);

impl NamePage<'_> {
    fn has(&self, name: &str) -> bool {
        name.starts_with(self.prefix) && self.after.is_none_or(|after| name > after)
    }

    /// The first of `all` that the page has, in order.
    fn first<T>(&self, all: impl Iterator<Item = (String, ResourceId, T)>) -> Vec<T> {
        let mut found = BTreeMap::new();
        for (name, id, item) in all.filter(|(name, ..)| self.has(name)) {
            found.insert((name, id), item);
            if found.len() > self.limit {
                found.pop_last();
            }
        }
        found.into_values().collect()
    }
}

impl Engine {
    /// Archives of one bus or of all, with their buses.
    pub fn archive_page(
        &self,
        page: &NamePage<'_>,
        of: Option<ResourceId>,
    ) -> Result<Vec<(Arc<Bus>, Arc<Archive>)>> {
        let buses = self.buses(Some(page.owner.0), Some(page.owner.1), "")?;
        let buses = buses.iter().filter(|bus| of.is_none_or(|id| id == bus.id()));
        let archives = buses.flat_map(|bus| {
            let named = |archive: &Arc<Archive>| {
                let found = (bus.clone(), archive.clone());
                (archive.name().to_owned(), archive.id(), found)
            };
            let all = bus.archives();
            all.iter().filter(|one| page.has(one.name())).map(named).collect::<Vec<_>>()
        });
        Ok(page.first(archives))
    }

    /// The archive of this name, with its bus.
    pub fn find_archive(
        &self,
        owner: (&str, &str),
        name: &str,
    ) -> Result<Option<(Arc<Bus>, Arc<Archive>)>> {
        // Of the names that start with it, it is the first.
        let page = NamePage { owner, prefix: name, after: None, limit: 1 };
        let found = self.archive_page(&page, None)?.pop();
        Ok(found.filter(|(_, archive)| archive.name() == name))
    }

    /// Replays in one state or all, of one archive or all, each with its bus and its archive.
    pub fn replay_page(
        &self,
        page: &NamePage<'_>,
        state: Option<ReplayState>,
        of: Option<ResourceId>,
    ) -> Result<Vec<ReplayOfBus>> {
        self.host().check_readable()?;
        self.host().sweep_if_due(self.host().now());
        let mut archives = HashMap::new();
        for bus in self.buses(Some(page.owner.0), Some(page.owner.1), "")? {
            for archive in bus.archives().iter() {
                archives.insert(archive.id(), (bus.clone(), archive.clone()));
            }
        }
        let names = self.buses.replays().names(|status| {
            state.is_none_or(|state| state == status.state)
                && of.is_none_or(|id| id == status.archive)
                && archives.contains_key(&status.archive)
        });
        let ids = page.first(names.into_iter().map(|(name, id)| (name, id, id)));
        let found = ids.into_iter().filter_map(|id| {
            // One that was removed in the middle is left out.
            let status = self.buses.replays().status(id).ok()?;
            let (bus, archive) = archives.get(&status.archive)?.clone();
            Some((bus, archive, status))
        });
        Ok(found.collect())
    }
}
