//! Documents: named values of the control planes, kept in order of their keys.
//!
//! Lock order: the documents, then, with a message, the locks of its target, then the append lock.
//! None is held for more than some documents.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::fmt;
use std::ops::Bound;
use std::sync::Arc;

use trunkline_journal::Ticket;
use trunkline_types::sync::{Mutex, MutexGuard, lock};
use trunkline_types::{Limits, Millis, ResourceId, ResourceKind, ResourceName, Result};

use crate::append::Append;
use crate::checkpoint::CheckpointSink;
use crate::codec::{Encode, Put, Take, damaged};
use crate::host::{Component, ComponentKind, Host, Loader};
use crate::location::Location;
use crate::resource::ResourceReport;
use crate::routing::{Also, Routed};

/// The kind of documents, for the table of kinds.
pub static DOCUMENTS: ComponentKind = ComponentKind {
    name: "document",
    records: &[DOCUMENT..=DOCUMENT],
    operations: &[],
    loader: |_: &Limits| Box::<DocumentLoader>::default(),
};

/// The kind under which [`crate::inspect()`] shows documents.
pub const DOCUMENT_KIND: ResourceKind = ResourceKind("document");

const DOCUMENT: u8 = 10;

/// Documents that one step of relocation writes, or one step of a copy reads.
const STEP: usize = 64;

/// A document; `None` when it was removed.
struct DocumentRecord<'a> {
    key: &'a str,
    value: Option<&'a [u8]>,
}

impl Encode for DocumentRecord<'_> {
    fn encode(&self, out: &mut Vec<u8>) {
        out.put_u8(DOCUMENT);
        out.put_bytes(self.key.as_bytes());
        out.put_u8(u8::from(self.value.is_some()));
        out.extend_from_slice(self.value.unwrap_or_default());
    }
}

struct StoredDocument {
    value: Arc<[u8]>,
    location: Option<Location>,
}

#[derive(Default)]
struct DocumentLoader {
    documents: BTreeMap<String, StoredDocument>,
}

impl Loader for DocumentLoader {
    fn apply(&mut self, at: Location, record: &[u8]) -> Result<()> {
        let mut take = Take(record);
        if take.u8()? != DOCUMENT {
            return Err(damaged("a kind this version does not know"));
        }
        let key = take.text()?;
        if take.u8()? == 0 {
            self.documents.remove(key);
        } else {
            let document = StoredDocument { value: take.rest().into(), location: Some(at) };
            self.documents.insert(key.to_owned(), document);
        }
        Ok(())
    }

    fn report(&self, _: Millis) -> Vec<ResourceReport> {
        self.documents.iter().map(|(key, document)| report(key, document)).collect()
    }

    fn finish(self: Box<Self>, host: &Arc<Host>) -> Result<Arc<dyn Component>> {
        let now = host.now();
        let mut live_bytes = host.live_bytes();
        for location in self.documents.values().filter_map(|document| document.location) {
            live_bytes.add(location, now);
        }
        drop(live_bytes);
        Ok(Arc::new(Documents { host: host.clone(), documents: Mutex::new(self.documents) }))
    }
}

/// The documents of one host.
pub struct Documents {
    host: Arc<Host>,
    documents: Mutex<BTreeMap<String, StoredDocument>>,
}

impl Documents {
    /// Stores a document under `key`, or removes it.
    pub fn put(&self, key: &str, value: Option<&[u8]>) -> Result<Option<Ticket>> {
        self.host.check_writable()?;
        if value.is_some() {
            self.host.refuse_if_full()?;
        }
        let mut documents = lock(&self.documents);
        let mut log = self.host.append()?;
        match value {
            Some(value) => store(&mut documents, &mut log, key, value),
            None => remove(&mut documents, &mut log, key),
        }
        Ok(log.ticket())
    }

    /// Delivers a message, and stores a document in the step in which the target takes it: a crash
    /// leaves both or neither. The caller holds no lock of a resource.
    pub fn deliver(
        &self,
        target: ResourceId,
        routed: &Routed<'_>,
        key: &str,
        value: &[u8],
    ) -> Result<Option<Ticket>> {
        self.host.check_writable()?;
        self.host.refuse_if_full()?;
        let documents = RefCell::new(lock(&self.documents));
        let note = Note { key, value, documents, is_stored: Cell::new(false) };
        let accepted = self.host.deliver(target, &Routed { also: Some(&note), ..*routed })?;
        if note.is_stored.get() {
            return Ok(accepted.ticket);
        }
        // The message was there before: the target has appended nothing.
        let mut log = self.host.append()?;
        note.append(&mut log);
        Ok(log.ticket())
    }

    /// The document under `key`.
    pub fn get(&self, key: &str) -> Option<Vec<u8>> {
        lock(&self.documents).get(key).map(|document| document.value.to_vec())
    }

    /// The document under `key` without a copy. Two calls give the same allocation until the
    /// document is stored again or removed.
    pub fn shared(&self, key: &str) -> Option<Arc<[u8]>> {
        lock(&self.documents).get(key).map(|document| document.value.clone())
    }

    /// The documents whose key starts with `prefix`, in order of their keys.
    pub fn list(&self, prefix: &str) -> Vec<(String, Vec<u8>)> {
        self.page(prefix, None, usize::MAX)
    }

    /// Up to `limit` documents whose key starts with `prefix` and lies behind `after`, in order of
    /// their keys. The last key of a page is where the next one goes on.
    pub fn page(&self, prefix: &str, after: Option<&str>, limit: usize) -> Vec<(String, Vec<u8>)> {
        let documents = lock(&self.documents);
        let from = match after {
            Some(after) if after >= prefix => Bound::Excluded(after),
            _ => Bound::Included(prefix),
        };
        documents
            .range::<str, _>((from, Bound::Unbounded))
            .take_while(|(key, _)| key.starts_with(prefix))
            .take(limit)
            .map(|(key, document)| (key.clone(), document.value.to_vec()))
            .collect()
    }

    /// The keys behind `after`, at most `STEP`, that satisfy `wanted`; and where to go on.
    fn keys(
        &self,
        after: Option<&str>,
        wanted: impl Fn(&StoredDocument) -> bool,
    ) -> (Vec<String>, Option<String>) {
        let documents = lock(&self.documents);
        let from = after.map_or(Bound::Unbounded, Bound::Excluded);
        let mut keys = Vec::new();
        for (key, document) in documents.range::<str, _>((from, Bound::Unbounded)) {
            if wanted(document) {
                keys.push(key.clone());
            }
            if keys.len() == STEP {
                let last = keys.last().cloned();
                return (keys, last);
            }
        }
        (keys, None)
    }
}

/// A document that is stored with a message.
struct Note<'a> {
    key: &'a str,
    value: &'a [u8],
    documents: RefCell<MutexGuard<'a, BTreeMap<String, StoredDocument>>>,
    is_stored: Cell<bool>,
}

impl fmt::Debug for Note<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Note").field("key", &self.key).finish_non_exhaustive()
    }
}

impl Also for Note<'_> {
    fn bytes(&self) -> usize {
        let mut record = Vec::new();
        DocumentRecord { key: self.key, value: Some(self.value) }.encode(&mut record);
        record.len()
    }

    fn append(&self, log: &mut Append<'_>) {
        self.is_stored.set(true);
        store(&mut self.documents.borrow_mut(), log, self.key, self.value);
    }
}

fn store(
    documents: &mut BTreeMap<String, StoredDocument>,
    log: &mut Append<'_>,
    key: &str,
    value: &[u8],
) {
    let old = documents.get(key).and_then(|document| document.location);
    let record = DocumentRecord { key, value: Some(value) };
    let location = log.append_live(&record, old);
    documents.insert(key.to_owned(), StoredDocument { value: value.into(), location });
}

fn remove(documents: &mut BTreeMap<String, StoredDocument>, log: &mut Append<'_>, key: &str) {
    if let Some(document) = documents.remove(key) {
        log.append(&DocumentRecord { key, value: None });
        document.location.into_iter().for_each(|location| log.release(location));
    }
}

fn report(key: &str, document: &StoredDocument) -> ResourceReport {
    let name = ResourceName::new(DOCUMENT_KIND, "", "", key);
    ResourceReport { name, counters: vec![("bytes", document.value.len() as u64)] }
}

impl Component for Documents {
    fn relocate(&self, segment: u32) -> Result<()> {
        let there = |document: &StoredDocument| {
            document.location.is_some_and(|location| location.segment() == segment)
        };
        let mut after: Option<String> = None;
        loop {
            let (keys, next) = self.keys(after.as_deref(), there);
            let mut documents = lock(&self.documents);
            let mut log = self.host.append()?;
            for key in &keys {
                // It may have been changed or removed since its key was read.
                let Some(document) = documents.get_mut(key).filter(|document| there(document))
                else {
                    continue;
                };
                let record = DocumentRecord { key, value: Some(&document.value) };
                document.location = log.append_live(&record, document.location);
            }
            drop((log, documents));
            after = next;
            if after.is_none() {
                return Ok(());
            }
        }
    }

    fn export(&self, sink: &mut dyn FnMut(&[u8]) -> Result<()>) -> Result<()> {
        let mut after: Option<String> = None;
        loop {
            let (keys, next) = self.keys(after.as_deref(), |_| true);
            for key in &keys {
                let Some(value) = self.get(key) else { continue };
                let mut record = Vec::new();
                DocumentRecord { key, value: Some(&value) }.encode(&mut record);
                sink(&record)?;
            }
            after = next;
            if after.is_none() {
                return Ok(());
            }
        }
    }

    fn checkpoint(&self, sink: &mut CheckpointSink<'_>) -> Result<bool> {
        let mut after: Option<String> = None;
        loop {
            let (keys, next) = self.keys(after.as_deref(), |_| true);
            for key in &keys {
                let stored = {
                    let documents = lock(&self.documents);
                    documents.get(key).map(|stored| (stored.value.clone(), stored.location))
                };
                let Some((value, Some(location))) = stored else { continue };
                sink.record(location, &DocumentRecord { key, value: Some(&value) })?;
            }
            after = next;
            if after.is_none() {
                return Ok(true);
            }
        }
    }

    fn report(&self, _: Millis) -> Vec<ResourceReport> {
        lock(&self.documents).iter().map(|(key, document)| report(key, document)).collect()
    }

    fn reset(&self) -> Result<()> {
        let mut documents = lock(&self.documents);
        let mut log = self.host.append()?;
        let keys: Vec<String> = documents.keys().cloned().collect();
        keys.iter().for_each(|key| remove(&mut documents, &mut log, key));
        Ok(())
    }
}
