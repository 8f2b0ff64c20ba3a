//! The keys of a bucket in order, each with its versions, and the pages of their lists.

use std::borrow::Borrow;
use std::collections::BTreeMap;
use std::ops::Bound;
use std::sync::Arc;

use super::object::Object;

/// A key. It is ordered and looked up by its bytes, as S3 orders keys.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Key(Box<str>);

impl Borrow<[u8]> for Key {
    fn borrow(&self) -> &[u8] {
        self.0.as_bytes()
    }
}

impl Key {
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl From<&str> for Key {
    fn from(key: &str) -> Self {
        Self(key.into())
    }
}

/// All versions of all keys.
#[derive(Debug, Default)]
pub(super) struct Index {
    keys: BTreeMap<Key, Vec<Arc<Object>>>,
    /// Versions that are no delete markers.
    pub objects: u64,
    /// Bytes of their content; what copies share counts for each.
    pub bytes: u64,
}

/// What a page of a list shows.
#[derive(Debug, Clone, Copy, Default)]
pub struct ListRequest<'a> {
    /// Keys start with it.
    pub prefix: &'a str,
    /// Keys that are alike up to this text behind the prefix are shown as one entry.
    pub delimiter: Option<&'a str>,
    /// Entries come behind this key, or behind everything that starts with this common prefix.
    pub after: Option<&'a str>,
    /// Most entries.
    pub limit: usize,
}

/// An entry of a list.
#[derive(Debug, Clone)]
pub enum Entry {
    /// A key and its newest version.
    Object(String, Arc<Object>),
    /// What several keys start with, the delimiter included.
    Prefix(String),
}

/// A page of a list.
#[derive(Debug, Clone, Default)]
pub struct Page {
    /// The entries, in order.
    pub entries: Vec<Entry>,
    /// Where the next page goes on, if there is more.
    pub next: Option<String>,
}

/// An entry of a list of versions.
#[derive(Debug, Clone)]
pub enum VersionEntry {
    /// A key, a version, and whether it is the newest of the key.
    Version(String, Arc<Object>, bool),
    /// What several keys start with, the delimiter included.
    Prefix(String),
}

impl Index {
    /// Adds a version, in its place by number. A null version replaces the one that was there.
    pub fn add(&mut self, key: &str, object: Arc<Object>) -> Vec<Arc<Object>> {
        let mut replaced = Vec::new();
        self.count(&object, true);
        match self.keys.get_mut(key.as_bytes()) {
            None => {
                self.keys.insert(Key::from(key), vec![object]);
            }
            Some(versions) => {
                versions.retain(|old| {
                    let goes = old.seq == object.seq || (object.is_null && old.is_null);
                    if goes {
                        replaced.push(old.clone());
                    }
                    !goes
                });
                let place = versions.partition_point(|old| old.seq < object.seq);
                versions.insert(place, object);
            }
        }
        replaced.iter().for_each(|old| self.count(old, false));
        replaced
    }

    /// Removes a version.
    pub fn remove(&mut self, key: &str, seq: u64) -> Option<Arc<Object>> {
        let versions = self.keys.get_mut(key.as_bytes())?;
        let place = versions.iter().position(|version| version.seq == seq)?;
        let removed = versions.remove(place);
        if versions.is_empty() {
            self.keys.remove(key.as_bytes());
        }
        self.count(&removed, false);
        Some(removed)
    }

    /// The versions of a key, the oldest first.
    pub fn versions(&self, key: &str) -> &[Arc<Object>] {
        self.keys.get(key.as_bytes()).map_or(&[], Vec::as_slice)
    }

    /// The newest version of a key, which may be a delete marker.
    pub fn newest(&self, key: &str) -> Option<&Arc<Object>> {
        self.versions(key).last()
    }

    pub fn is_empty(&self) -> bool {
        self.keys.is_empty()
    }

    /// All versions of all keys.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Arc<Object>)> {
        self.keys
            .iter()
            .flat_map(|(key, versions)| versions.iter().map(move |version| (key.as_str(), version)))
    }

    /// Up to `count` keys behind `after`, each with its versions, for work in steps.
    pub fn keys_after(&self, after: Option<&str>, count: usize) -> Vec<(String, Vec<Arc<Object>>)> {
        let from = after.map_or(Bound::Unbounded, |key| Bound::Excluded(key.as_bytes()));
        let found = self.keys.range::<[u8], _>((from, Bound::Unbounded)).take(count);
        found.map(|(key, versions)| (key.as_str().to_owned(), versions.clone())).collect()
    }

    fn count(&mut self, object: &Object, is_added: bool) {
        if object.is_delete_marker {
            return;
        }
        if is_added {
            self.objects += 1;
            self.bytes += object.size;
        } else {
            self.objects -= 1;
            self.bytes -= object.size;
        }
    }

    /// A page of the keys that are not deleted.
    pub fn list(&self, request: &ListRequest<'_>) -> Page {
        let mut page = Page::default();
        let mut last = None;
        self.walk(request, false, |found| {
            let entry = match found {
                Found::Prefix(prefix) => Entry::Prefix(prefix.to_owned()),
                Found::Key(key, versions) => match versions.last() {
                    Some(newest) if !newest.is_delete_marker => {
                        Entry::Object(key.to_owned(), newest.clone())
                    }
                    _ => return true,
                },
            };
            if page.entries.len() == request.limit {
                page.next.clone_from(&last);
                return false;
            }
            last = Some(match &entry {
                Entry::Object(text, _) | Entry::Prefix(text) => text.clone(),
            });
            page.entries.push(entry);
            true
        });
        page
    }

    /// A page of all versions: keys in order, the newest version first. With `below`, the versions
    /// of the key `request.after` that are older than this number come first.
    pub fn list_versions(
        &self,
        request: &ListRequest<'_>,
        below: Option<u64>,
    ) -> (Vec<VersionEntry>, bool) {
        let mut entries = Vec::new();
        let mut is_cut = false;
        let mut push = |entry: VersionEntry| {
            is_cut = entries.len() == request.limit;
            if !is_cut {
                entries.push(entry);
            }
            !is_cut
        };
        let mut goes_on = true;
        if let (Some(key), Some(below)) = (request.after, below) {
            let versions = self.versions(key);
            let newest = versions.last().map_or(0, |newest| newest.seq);
            let older = versions.iter().rev().filter(|version| version.seq < below);
            for version in older {
                let is_newest = version.seq == newest;
                goes_on = goes_on
                    && push(VersionEntry::Version(key.to_owned(), version.clone(), is_newest));
            }
        }
        if goes_on {
            self.walk(request, true, |found| match found {
                Found::Prefix(prefix) => push(VersionEntry::Prefix(prefix.to_owned())),
                Found::Key(key, versions) => {
                    let mut is_newest = true;
                    versions.iter().rev().all(|version| {
                        let newest = std::mem::take(&mut is_newest);
                        push(VersionEntry::Version(key.to_owned(), version.clone(), newest))
                    })
                }
            });
        }
        (entries, is_cut)
    }

    /// Calls `each` with keys and common prefixes until it returns false. A common prefix is shown
    /// if one of its keys is shown; keys that are deleted are shown in lists of versions alone.
    fn walk(
        &self,
        request: &ListRequest<'_>,
        shows_deleted: bool,
        mut each: impl FnMut(Found<'_>) -> bool,
    ) {
        let ListRequest { prefix, delimiter, after, .. } = *request;
        let mut from = Bound::Included(prefix.as_bytes().to_vec());
        if let Some(after) = after.filter(|after| after.as_bytes() >= prefix.as_bytes()) {
            from = match delimiter.filter(|delimiter| is_group(after, prefix, delimiter)) {
                Some(_) => behind(after),
                None => Bound::Excluded(after.as_bytes().to_vec()),
            };
        }
        loop {
            let bounds = (as_slice(&from), Bound::Unbounded);
            let mut keys = self.keys.range::<[u8], _>(bounds);
            let group = loop {
                let Some((key, versions)) = keys.next() else { return };
                let key = key.as_str();
                let Some(rest) = key.strip_prefix(prefix) else { return };
                let cut = delimiter.and_then(|text| Some(rest.find(text)? + text.len()));
                let is_there = versions.last().is_some_and(|newest| !newest.is_delete_marker);
                match cut {
                    Some(cut) if shows_deleted || is_there => break &key[..prefix.len() + cut],
                    Some(_) => {}
                    None if !each(Found::Key(key, versions)) => return,
                    None => {}
                }
            };
            if !each(Found::Prefix(group)) {
                return;
            }
            // What is alike is skipped, not read.
            from = behind(group);
        }
    }
}

enum Found<'a> {
    Key(&'a str, &'a [Arc<Object>]),
    Prefix(&'a str),
}

/// Whether `text` is a common prefix that a list with these shows.
fn is_group(text: &str, prefix: &str, delimiter: &str) -> bool {
    let rest = text.strip_prefix(prefix).unwrap_or("");
    rest.find(delimiter).is_some_and(|at| at + delimiter.len() == rest.len())
}

/// Behind all keys that start with `group`.
fn behind(group: &str) -> Bound<Vec<u8>> {
    let mut end = group.as_bytes().to_vec();
    // UTF-8 has no byte above 0xf4, so the last byte can always be increased.
    if let Some(last) = end.last_mut() {
        *last += 1;
    }
    Bound::Included(end)
}

fn as_slice(bound: &Bound<Vec<u8>>) -> Bound<&[u8]> {
    match bound {
        Bound::Included(bytes) => Bound::Included(bytes),
        Bound::Excluded(bytes) => Bound::Excluded(bytes),
        Bound::Unbounded => Bound::Unbounded,
    }
}
