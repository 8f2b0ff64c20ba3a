//! What the records of buckets add up to.

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;

use trunkline_host::{Component, Host, Loader, Location, NamedBody, ResourceReport};
use trunkline_types::{Millis, ResourceId, ResourceName, Result};

use super::component::Buckets;
use super::config::BucketConfig;
use super::object::{Object, Piece};
use super::record::{BodyTable, Stored};
use super::{Bucket, State};

/// Collects buckets while a journal is replayed.
#[derive(Default)]
pub(super) struct BucketLoader {
    buckets: BTreeMap<ResourceId, Image>,
    bodies: BodyTable,
    last: u32,
}

struct Image {
    definition: Option<(ResourceName, Millis)>,
    state: State,
    /// The largest number that the records spoke of.
    largest: u64,
}

impl Default for Image {
    fn default() -> Self {
        let state = State::new(BucketConfig::default(), 0);
        Self { definition: None, state, largest: 0 }
    }
}

impl Image {
    fn apply(&mut self, at: Location, stored: Stored) {
        let number = match &stored {
            Stored::Version(_, object) => object.seq,
            Stored::VersionRemoved(_, seq) | Stored::UploadEnded(seq) => *seq,
            Stored::UploadBegun(upload) => upload.seq,
            _ => 0,
        };
        self.largest = self.largest.max(number);
        let state = &mut self.state;
        match stored {
            Stored::Defined(name, created, config) => {
                self.definition = Some((name, created));
                state.config = Arc::new(*config);
                state.defined_at = Some(at);
            }
            Stored::Version(key, object) => {
                state.index.add(&key, Arc::new(Object { at: Some(at), ..*object }));
            }
            Stored::VersionRemoved(key, seq) => {
                state.index.remove(&key, seq);
            }
            Stored::UploadBegun(mut upload) => {
                upload.at = Some(at);
                // A relocated copy comes behind the parts.
                if let Some(earlier) = state.uploads.remove(&upload.seq) {
                    upload.parts = earlier.parts;
                }
                state.uploads.insert(upload.seq, *upload);
            }
            Stored::Part(seq, number, mut part) => {
                part.at = Some(at);
                // A part may precede the relocated copy of its upload.
                let upload = state.uploads.entry(seq).or_insert_with(|| super::Upload {
                    seq,
                    key: String::new(),
                    begun: 0,
                    headers: Vec::new(),
                    tags: Vec::new(),
                    parts: BTreeMap::new(),
                    at: None,
                });
                upload.parts.insert(number, part);
            }
            Stored::UploadEnded(seq) => {
                state.uploads.remove(&seq);
            }
            Stored::Removed => {}
        }
    }

    /// Drops the uploads that are incomplete, and the parts whose bodies are not there: who
    /// completes the upload is told which part is missing. An object whose body is not there stays:
    /// reading it fails and names the file, until that is restored or the object is deleted.
    fn drop_incomplete(&mut self, present: &HashSet<u64>) {
        let is_whole =
            |pieces: &[Piece]| pieces.iter().all(|piece| present.contains(&piece.body.id()));
        for upload in self.state.uploads.values_mut() {
            upload.parts.retain(|_, part| is_whole(&part.pieces));
        }
        self.state.uploads.retain(|_, upload| upload.at.is_some());
    }

    /// The pieces of everything.
    fn pieces(&self) -> impl Iterator<Item = &Piece> {
        let objects = self.state.index.iter().flat_map(|(_, object)| &object.pieces);
        let parts = self.state.uploads.values().flat_map(|upload| upload.parts.values());
        objects.chain(parts.flat_map(|part| &part.pieces))
    }
}

impl Loader for BucketLoader {
    fn apply(&mut self, at: Location, record: &[u8]) -> Result<()> {
        let (id, stored) = Stored::decode(record, &mut self.bodies)?;
        self.last = self.last.max(id.0);
        if matches!(stored, Stored::Removed) {
            self.buckets.remove(&id);
        } else {
            self.buckets.entry(id).or_default().apply(at, stored);
        }
        Ok(())
    }

    fn last_id(&self) -> Option<ResourceId> {
        (self.last > 0).then_some(ResourceId(self.last))
    }

    fn report(&self, _: Millis) -> Vec<ResourceReport> {
        let report = |image: &Image| {
            let (name, _) = image.definition.clone()?;
            Some(ResourceReport { name, counters: image.state.counters() })
        };
        self.buckets.values().filter_map(report).collect()
    }

    fn bodies(&self) -> Vec<NamedBody> {
        let images = self.buckets.values().filter(|image| image.definition.is_some());
        let pieces = images.flat_map(Image::pieces);
        let named = |piece: &Piece| NamedBody {
            id: piece.body.id(),
            bytes: piece.offset + piece.len,
            checksum: piece.body.checksum(),
        };
        pieces.map(named).collect()
    }

    fn finish(mut self: Box<Self>, host: &Arc<Host>) -> Result<Arc<dyn Component>> {
        let now = host.now();
        // A record without a definition is of a bucket that was removed.
        self.buckets.retain(|_, image| image.definition.is_some());
        let bodies = host.bodies();
        let is_used = self.buckets.values().any(|image| image.pieces().next().is_some());
        let present: HashSet<u64> = match is_used {
            true => bodies.list()?.into_iter().collect(),
            false => HashSet::new(),
        };
        self.buckets.values_mut().for_each(|image| image.drop_incomplete(&present));
        let pieces = || self.buckets.values().flat_map(Image::pieces);
        pieces().for_each(|piece| piece.body.attach(bodies));
        if host.is_journaled() && host.check_writable().is_ok() {
            let mut used: Vec<u64> = pieces().map(|piece| piece.body.id()).collect();
            used.sort_unstable();
            bodies.sweep_orphans(&used)?;
        }
        for (id, image) in self.buckets {
            let Some((name, created)) = image.definition else { continue };
            let mut state = image.state;
            let fresh = State::new(BucketConfig::default(), host.incarnation).next;
            state.next = fresh.max(image.largest + 1);
            for location in state.locations() {
                host.live_bytes().add(location, now);
            }
            let bucket = Bucket::new(host.clone(), id, name, created, state);
            bucket.arm_lifecycle(now);
            host.directory.add(Arc::new(bucket));
        }
        Ok(Arc::new(Buckets::new(host.clone())))
    }
}
