//! Buckets as a kind of resource: how they are created, relocated, copied and removed.

use std::collections::HashMap;
use std::sync::Arc;

use trunkline_host::{CheckpointSink, Component, Encode, Host, Location, ResourceReport};
use trunkline_journal::Ticket;
use trunkline_types::sync::atomic::{AtomicBool, Ordering};
use trunkline_types::sync::{Mutex, lock};
use trunkline_types::{Millis, ResourceId, ResourceName, Result};

use super::config::{BucketConfig, check_name};
use super::object::Object;
use super::record::Record;
use super::{BUCKET, Bucket, State, errors};

/// Keys that a checkpoint, a copy or a relocation takes in one step.
const STEP_KEYS: usize = 64;

/// All buckets of an engine.
pub(crate) struct Buckets {
    host: Arc<Host>,
    /// Names of buckets are given once, whatever account and region asks. Held while a bucket is
    /// created.
    by_name: Mutex<HashMap<String, ResourceName>>,
}

impl Buckets {
    pub(super) fn new(host: Arc<Host>) -> Self {
        let all: Vec<Arc<Bucket>> = host.directory.all();
        let names = all.iter().map(|bucket| (bucket.name.name.clone(), bucket.name.clone()));
        let by_name = Mutex::new(names.collect());
        Self { host, by_name }
    }

    /// Creates a bucket. It is applied when this returns, and durable with the ticket.
    pub fn create(
        &self,
        name: ResourceName,
        config: BucketConfig,
    ) -> Result<(Arc<Bucket>, Option<Ticket>)> {
        let host = &self.host;
        host.check_writable()?;
        host.refuse_if_full()?;
        check_name(&name)?;
        let mut by_name = lock(&self.by_name);
        let taken = by_name.get(&name.name).and_then(|full| host.directory.id_of(full));
        if taken.is_some() {
            return Err(errors::bucket_exists(&name.name));
        }
        let now = host.now();
        let state = State::new(config, host.incarnation);
        let bucket = Arc::new(Bucket::new(host.clone(), host.next_id(), name.clone(), now, state));
        let ticket = {
            let mut log = host.append_at(now)?;
            bucket.define(&mut log, &mut bucket.state());
            host.directory.add(bucket.clone());
            log.ticket()
        };
        by_name.insert(name.name.clone(), name);
        drop(by_name);
        bucket.arm_lifecycle(now);
        Ok((bucket, ticket))
    }

    /// The bucket of this name, in whatever account and region.
    pub fn find(&self, name: &str) -> Option<Arc<Bucket>> {
        let full = lock(&self.by_name).get(name).cloned()?;
        self.host.directory.find(&full)
    }

    /// The buckets of an account whose name starts with `prefix`, by name.
    pub fn list(&self, account: Option<&str>, prefix: &str) -> Vec<Arc<Bucket>> {
        self.host.directory.list(BUCKET, account, None, prefix)
    }

    fn all(&self) -> Vec<Arc<Bucket>> {
        self.host.directory.all()
    }
}

impl Bucket {
    pub(super) fn new(
        host: Arc<Host>,
        id: ResourceId,
        name: ResourceName,
        created: Millis,
        state: State,
    ) -> Self {
        Self {
            host,
            id,
            name,
            created,
            changing: Mutex::new(()),
            state: Mutex::new(state),
            removed: AtomicBool::new(false),
        }
    }

    /// Removes the bucket and everything in it.
    pub(super) fn remove_with_content(&self) -> Result<Option<Ticket>> {
        let now = self.host.now();
        let (content, ticket) = {
            let mut log = self.host.append_at(now)?;
            let mut state = self.state();
            if self.removed.swap(true, Ordering::AcqRel) {
                return Ok(log.ticket());
            }
            log.append(&Record::Removed { id: self.id });
            for at in state.locations() {
                log.release(at);
            }
            let content = (std::mem::take(&mut state.index), std::mem::take(&mut state.uploads));
            self.host.directory.remove(self, now);
            (content, log.ticket())
        };
        self.host.watch_unused_bodies();
        drop(content);
        self.host.remove_unused_bodies()?;
        Ok(ticket)
    }

    /// Appends again what lies in `segment`.
    fn relocate(&self, segment: u32) -> Result<()> {
        let lies = |at: Option<Location>| at.is_some_and(|at| at.segment() == segment);
        if lies(self.state().defined_at) {
            let mut log = self.host.append()?;
            let mut state = self.state();
            if lies(state.defined_at) {
                self.define(&mut log, &mut state);
            }
        }
        let mut after = None;
        loop {
            let keys = self.state().index.keys_after(after.as_deref(), STEP_KEYS);
            let Some((last, _)) = keys.last() else { break };
            after = Some(last.clone());
            for (key, versions) in keys {
                for version in versions.iter().filter(|version| lies(version.at)) {
                    self.relocate_version(&key, version)?;
                }
            }
        }
        let uploads: Vec<u64> = self.state().uploads.keys().copied().collect();
        uploads.into_iter().try_for_each(|seq| self.relocate_upload(seq, segment))
    }

    fn relocate_version(&self, key: &str, version: &Arc<Object>) -> Result<()> {
        let mut log = self.host.append()?;
        let mut state = self.state();
        let versions = state.index.versions(key);
        // It may have been removed or relocated meanwhile.
        let is_there = |now: &&Arc<Object>| now.seq == version.seq && now.at == version.at;
        let Some(object) = versions.iter().find(is_there).cloned() else { return Ok(()) };
        let at = log.append_live(&Record::Version { id: self.id, key, object: &object }, object.at);
        let replaced = state.index.add(key, Arc::new(Object { at, ..(*object).clone() }));
        drop((state, log));
        drop(replaced);
        Ok(())
    }

    fn relocate_upload(&self, seq: u64, segment: u32) -> Result<()> {
        let lies = |at: Option<Location>| at.is_some_and(|at| at.segment() == segment);
        let mut log = self.host.append()?;
        let mut state = self.state();
        let Some(upload) = state.uploads.get_mut(&seq) else { return Ok(()) };
        if lies(upload.at) {
            let record = Record::UploadBegun { id: self.id, upload };
            upload.at = log.append_live(&record, upload.at);
        }
        for (number, part) in upload.parts.iter_mut().filter(|(_, part)| lies(part.at)) {
            let record = Record::Part { id: self.id, upload: seq, number: *number, part };
            part.at = log.append_live(&record, part.at);
        }
        Ok(())
    }

    /// Hands every record that makes the bucket to `each`, in steps.
    fn records(
        &self,
        each: &mut dyn FnMut(Option<Location>, &Record<'_>) -> Result<()>,
    ) -> Result<()> {
        let id = self.id;
        let (config, defined_at) = {
            let state = self.state();
            (state.config.clone(), state.defined_at)
        };
        let (name, created) = (&self.name, self.created);
        each(defined_at, &Record::Defined { id, name, created, config: &config })?;
        let mut after = None;
        loop {
            let keys = self.state().index.keys_after(after.as_deref(), STEP_KEYS);
            let Some((last, _)) = keys.last() else { break };
            after = Some(last.clone());
            for (key, versions) in &keys {
                for object in versions {
                    each(object.at, &Record::Version { id, key, object })?;
                }
            }
        }
        let uploads: Vec<_> = self.state().uploads.values().cloned().collect();
        for upload in &uploads {
            each(upload.at, &Record::UploadBegun { id, upload })?;
            for (number, part) in &upload.parts {
                let record = Record::Part { id, upload: upload.seq, number: *number, part };
                each(part.at, &record)?;
            }
        }
        Ok(())
    }
}

impl State {
    /// Where everything lies.
    pub(super) fn locations(&self) -> Vec<Location> {
        let versions = self.index.iter().filter_map(|(_, object)| object.at);
        let uploads = self.uploads.values().flat_map(|upload| {
            upload.parts.values().map(|part| part.at).chain([upload.at]).flatten()
        });
        versions.chain(uploads).chain(self.defined_at).collect()
    }

    /// The counters of a report.
    pub(super) fn counters(&self) -> Vec<(&'static str, u64)> {
        vec![
            ("objects", self.index.objects),
            ("bytes", self.index.bytes),
            ("uploads", self.uploads.len() as u64),
        ]
    }
}

impl Component for Buckets {
    fn relocate(&self, segment: u32) -> Result<()> {
        self.all().iter().try_for_each(|bucket| bucket.relocate(segment))
    }

    fn export(&self, sink: &mut dyn FnMut(&[u8]) -> Result<()>) -> Result<()> {
        let mut bytes = Vec::new();
        for bucket in self.all() {
            bucket.records(&mut |_, record| {
                bytes.clear();
                record.encode(&mut bytes);
                sink(&bytes)
            })?;
        }
        Ok(())
    }

    fn checkpoint(&self, sink: &mut CheckpointSink<'_>) -> Result<bool> {
        for bucket in self.all() {
            bucket.records(&mut |at, record| match at {
                Some(at) => sink.record(at, record),
                None => Ok(()),
            })?;
        }
        Ok(true)
    }

    fn report(&self, _: Millis) -> Vec<ResourceReport> {
        let report = |bucket: &Arc<Bucket>| ResourceReport {
            name: bucket.name.clone(),
            counters: bucket.state().counters(),
        };
        self.all().iter().map(report).collect()
    }

    fn reset(&self) -> Result<()> {
        self.all().iter().try_for_each(|bucket| bucket.remove_with_content().map(drop))
    }
}
