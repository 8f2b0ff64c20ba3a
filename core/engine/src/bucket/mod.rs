//! Buckets: objects with keys, their versions, and uploads in parts, with the semantics of Amazon
//! S3.
//!
//! The index of a bucket is kept in memory and in the journal; the contents of objects are bodies
//! ([`trunkline_host::Bodies`]), files beside the journal. A copy of an object shares its body.
//!
//! Lock order: `changing`, then the locks of a notification's target, then the append lock, then
//! `state`. `changing` is held from the check of a condition to the record that rests on it.

mod component;
mod config;
mod content;
mod delete;
mod errors;
mod index;
mod lifecycle;
mod multipart;
mod notify;
mod object;
mod put;
mod record;
mod replay;
mod upload;

use std::collections::BTreeMap;
use std::sync::Arc;

use trunkline_host::{
    Append, ComponentKind, Host, Jobs, Location, Operation, Resource, first_number,
};
use trunkline_journal::Ticket;
use trunkline_types::sync::atomic::{AtomicBool, Ordering};
use trunkline_types::sync::{Mutex, MutexGuard, lock};
use trunkline_types::{Limits, Millis, ResourceId, ResourceKind, ResourceName, Result};

pub(crate) use component::Buckets;
pub use config::{BucketConfig, ExpiryRule, KEY_BYTES_MAX, Notification, Versioning};
pub use content::ContentWriter;
pub use delete::Deleted;
pub use errors::{NO_SUCH_VERSION, TOO_SMALL};
pub use index::{Entry, ListRequest, Page, VersionEntry};
pub use multipart::{CompletedPart, UploadPage};
pub use object::{Attributes, Content, Object, ObjectReader, Pairs, Piece, VersionRef};
pub use put::{Cause, Condition, PutOutcome};
pub use upload::{PART_BYTES_MIN, PART_NUMBER_MAX, Part, Upload};

use self::index::Index;
use self::record::{DEFINED, REMOVED, Record};
use self::replay::BucketLoader;

/// The kind in the names of buckets.
pub const BUCKET: ResourceKind = ResourceKind("bucket");

/// The kind of buckets, for the table of kinds.
pub static BUCKETS: ComponentKind = ComponentKind {
    name: "bucket",
    records: &[DEFINED..=REMOVED],
    operations: &[operation::PUT, operation::GET, operation::DELETE, operation::LIST],
    loader: |_: &Limits| Box::<BucketLoader>::default(),
};

/// The full name of who is told of changes; `None` for kinds that are never told.
pub(super) fn target_name(
    kind: &str,
    account: &str,
    region: &str,
    name: &str,
) -> Option<ResourceName> {
    let kinds = [crate::queue::QUEUE, crate::topic::TOPIC, crate::bus::BUS];
    let kind = kinds.into_iter().find(|own| own.0 == kind)?;
    Some(ResourceName::new(kind, account, region, name))
}

/// The operations of a bucket that a fault rule may name.
pub mod operation {
    use super::Operation;

    /// Putting, copying and completing an object, and a part of one.
    pub const PUT: Operation = Operation::adds("put_object");
    /// Reading an object or what is known of it.
    pub const GET: Operation = Operation::reads("get_object");
    /// Deleting an object.
    pub const DELETE: Operation = Operation::writes("delete_object");
    /// Listing objects.
    pub const LIST: Operation = Operation::reads("list_objects");

    /// The operation of this name.
    pub fn named(name: &str) -> Option<Operation> {
        [PUT, GET, DELETE, LIST].into_iter().find(|operation| operation.name == name)
    }
}

/// A bucket of an engine.
pub struct Bucket {
    host: Arc<Host>,
    id: ResourceId,
    name: ResourceName,
    created: Millis,
    changing: Mutex<()>,
    state: Mutex<State>,
    removed: AtomicBool,
}

pub(super) struct State {
    config: Arc<BucketConfig>,
    index: Index,
    uploads: BTreeMap<u64, Upload>,
    /// The number of the next version or upload.
    next: u64,
    defined_at: Option<Location>,
}

/// How a bucket stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BucketStatistics {
    /// Versions of objects.
    pub objects: u64,
    /// Bytes of their content; what copies share counts for each.
    pub bytes: u64,
    /// Uploads in parts that are not complete.
    pub uploads: u64,
}

impl Bucket {
    /// Its id in this engine.
    pub fn id(&self) -> ResourceId {
        self.id
    }

    /// Account, region and name.
    pub fn name(&self) -> &ResourceName {
        &self.name
    }

    /// When it was created.
    pub fn created(&self) -> Millis {
        self.created
    }

    /// The host of its engine.
    pub fn host(&self) -> &Arc<Host> {
        &self.host
    }

    /// What is set for it.
    pub fn config(&self) -> Arc<BucketConfig> {
        self.state().config.clone()
    }

    /// How it stands.
    pub fn statistics(&self) -> BucketStatistics {
        let state = self.state();
        BucketStatistics {
            objects: state.index.objects,
            bytes: state.index.bytes,
            uploads: state.uploads.len() as u64,
        }
    }

    /// Changes what is set for it.
    pub fn configure(&self, change: impl FnOnce(&mut BucketConfig)) -> Result<Option<Ticket>> {
        self.check_writable()?;
        self.host.refuse_if_full()?;
        let _changing = lock(&self.changing);
        let now = self.host.now();
        let mut log = self.host.append_at(now)?;
        let mut state = self.state();
        let mut config = (*state.config).clone();
        change(&mut config);
        state.config = Arc::new(config);
        self.define(&mut log, &mut state);
        let ticket = log.ticket();
        drop((state, log));
        self.arm_lifecycle(now);
        Ok(ticket)
    }

    /// The newest version of a key, or the one that is named. A delete marker is no object, unless
    /// it is named.
    pub fn head(&self, key: &str, version: Option<&VersionRef>) -> Result<Arc<Object>> {
        self.check_readable()?;
        let state = self.state();
        match version {
            None => {
                let newest = state.index.newest(key).filter(|newest| !newest.is_delete_marker);
                newest.cloned().ok_or_else(|| errors::no_such_key(key))
            }
            Some(version) => {
                self.version_of(&state, key, version).ok_or_else(|| errors::no_such_version(key))
            }
        }
    }

    /// The newest version of a key, delete markers included.
    pub fn newest(&self, key: &str) -> Result<Option<Arc<Object>>> {
        self.check_readable()?;
        Ok(self.state().index.newest(key).cloned())
    }

    /// A page of its objects.
    pub fn list(&self, request: &ListRequest<'_>) -> Result<Page> {
        let _call = self.host.admit(operation::LIST, &self.name)?;
        self.check_readable()?;
        Ok(self.state().index.list(request))
    }

    /// A page of all versions, and whether there is more. With `below`, a version of the key
    /// `request.after`, that key's older versions come first: all that are left, if the version is
    /// gone, as it is when a caller deletes what each page shows.
    pub fn list_versions(
        &self,
        request: &ListRequest<'_>,
        below: Option<&VersionRef>,
    ) -> Result<(Vec<VersionEntry>, bool)> {
        let _call = self.host.admit(operation::LIST, &self.name)?;
        self.check_readable()?;
        let state = self.state();
        let below = match (request.after, below) {
            (Some(key), Some(below)) => {
                Some(self.version_of(&state, key, below).map_or(u64::MAX, |version| version.seq))
            }
            _ => None,
        };
        Ok(state.index.list_versions(request, below))
    }

    /// The id of a version, which is not a number: AWS's are opaque.
    pub fn version_id(&self, object: &Object) -> String {
        if object.is_null { "null".to_owned() } else { self.opaque_id(object.seq) }
    }

    /// The opaque id of what has this number here.
    pub(super) fn opaque_id(&self, number: u64) -> String {
        use std::fmt::Write;
        let mut text = String::with_capacity(32);
        for byte in self.host.key.id_of(self.id, number) {
            // Writing to a string cannot fail.
            let _ = write!(text, "{byte:02x}");
        }
        text
    }

    fn version_of(&self, state: &State, key: &str, version: &VersionRef) -> Option<Arc<Object>> {
        let mut versions = state.index.versions(key).iter();
        let is_meant = |object: &&Arc<Object>| match version {
            VersionRef::Null => object.is_null,
            VersionRef::Id(id) => !object.is_null && self.opaque_id(object.seq) == *id,
        };
        versions.find(is_meant).cloned()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        lock(&self.state)
    }

    /// Appends the definition.
    fn define(&self, log: &mut Append<'_>, state: &mut State) {
        let config = state.config.clone();
        let record = Record::Defined {
            id: self.id,
            name: &self.name,
            created: self.created,
            config: &config,
        };
        state.defined_at = log.append_live(&record, state.defined_at);
    }

    fn check_readable(&self) -> Result<()> {
        self.host.check_readable()?;
        self.check_present()
    }

    fn check_writable(&self) -> Result<()> {
        self.host.check_writable()?;
        self.check_present()
    }

    fn check_present(&self) -> Result<()> {
        if self.removed.load(Ordering::Acquire) {
            return Err(errors::no_such_bucket(&self.name.name));
        }
        Ok(())
    }
}

impl State {
    fn new(config: BucketConfig, incarnation: u32) -> Self {
        Self {
            config: Arc::new(config),
            index: Index::default(),
            uploads: BTreeMap::new(),
            next: first_number(incarnation),
            defined_at: None,
        }
    }

    fn next_number(&mut self) -> u64 {
        let number = self.next;
        self.next += 1;
        number
    }
}

impl std::fmt::Debug for Bucket {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Bucket").field("name", &self.name.name).finish_non_exhaustive()
    }
}

impl Resource for Bucket {
    fn id(&self) -> ResourceId {
        self.id
    }

    fn name(&self) -> &ResourceName {
        &self.name
    }

    fn fire(&self, _: u32, _: Millis, jobs: &Jobs<'_>) -> Option<Millis> {
        // Of a folder that is only looked at, nothing expires.
        if self.host.check_writable().is_ok() {
            jobs.push(0);
        }
        None
    }

    fn run(&self, _: u64, now: Millis) -> Result<()> {
        self.expire(now)
    }

    fn close(&self) {}
}
