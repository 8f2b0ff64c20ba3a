//! Putting objects: the content is written, then one record makes it an object.

use std::cell::RefCell;
use std::sync::Arc;

use trunkline_host::{Admitted, Also, Append, Encode};
use trunkline_journal::Ticket;
use trunkline_types::sync::lock;
use trunkline_types::{Millis, Result};

use super::config::{Versioning, check_key};
use super::content::ContentWriter;
use super::object::{Attributes, Content, Object};
use super::operation::PUT;
use super::record::Record;
use super::{Bucket, State, errors};

/// What has to be so, for a change to be made.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Condition {
    /// Anything.
    #[default]
    None,
    /// The key has no object.
    Absent,
    /// The newest version has this entity tag, which is without quotes.
    Matches(String),
}

/// Who made a change, and by what: for the events that tell of it.
#[derive(Debug, Clone, Copy, Default)]
pub struct Cause<'a> {
    /// The event, such as `ObjectCreated:Put`.
    pub event: &'a str,
    /// Who asked for it.
    pub principal: &'a str,
    /// From which address.
    pub source_ip: &'a str,
    /// The id of the request.
    pub request_id: &'a str,
}

/// What a put came to.
#[derive(Debug)]
pub struct PutOutcome {
    /// The object.
    pub object: Arc<Object>,
    /// To be waited for, if there is a journal.
    pub ticket: Option<Ticket>,
}

impl Condition {
    /// Fails unless what is there now meets the condition.
    pub(super) fn check(&self, key: &str, newest: Option<&Arc<Object>>) -> Result<()> {
        let present = newest.filter(|newest| !newest.is_delete_marker);
        match (self, present) {
            (Self::None, _) | (Self::Absent, None) => Ok(()),
            (Self::Matches(_), None) => Err(errors::no_such_key(key)),
            (Self::Matches(etag), Some(present)) if present.etag == *etag || etag == "*" => Ok(()),
            _ => Err(errors::precondition_failed(key)),
        }
    }
}

impl Bucket {
    /// Begins to write content for an object or a part of one.
    pub fn writer(&self) -> Result<ContentWriter> {
        self.check_writable()?;
        self.host.refuse_if_full()?;
        Ok(ContentWriter::new(&self.host))
    }

    /// Puts an object. It is there when this returns, and durable with the ticket.
    pub fn put(
        &self,
        key: &str,
        content: Content,
        attributes: Attributes,
        condition: &Condition,
        cause: &Cause<'_>,
    ) -> Result<PutOutcome> {
        let admitted = self.host.admit(PUT, &self.name)?;
        self.put_admitted(&admitted, key, content, attributes, condition, cause)
    }

    /// [`Bucket::put`] by a call that was admitted.
    pub fn put_admitted(
        &self,
        call: &Admitted,
        key: &str,
        content: Content,
        attributes: Attributes,
        condition: &Condition,
        cause: &Cause<'_>,
    ) -> Result<PutOutcome> {
        debug_assert!(call.is_for(PUT));
        check_key(key)?;
        let now = call.now(&self.host);
        let _changing = lock(&self.changing);
        self.check_writable()?;
        condition.check(key, self.state().index.newest(key))?;
        let object = self.new_object(content, attributes, now);
        let ticket = self.commit(key, Change::Put(object.clone(), None), now, cause)?;
        drop(_changing);
        self.host.remove_unused_bodies()?;
        self.host.sweep_if_due(now);
        Ok(PutOutcome { object, ticket })
    }

    /// The version that a put makes now.
    pub(super) fn new_object(
        &self,
        content: Content,
        attributes: Attributes,
        now: Millis,
    ) -> Arc<Object> {
        let mut state = self.state();
        Arc::new(Object {
            seq: state.next_number(),
            is_null: state.config.versioning != Versioning::Enabled,
            is_delete_marker: false,
            modified: now,
            size: content.size,
            etag: content.etag,
            headers: attributes.headers,
            tags: attributes.tags,
            parts: content.parts,
            pieces: content.pieces,
            at: None,
        })
    }

    /// Replaces the tags of a version.
    pub fn set_tags(
        &self,
        key: &str,
        version: Option<&super::VersionRef>,
        tags: super::Pairs,
        cause: &Cause<'_>,
    ) -> Result<PutOutcome> {
        let call = self.host.admit(PUT, &self.name)?;
        let now = call.now(&self.host);
        let _changing = lock(&self.changing);
        self.check_writable()?;
        let old = self.head(key, version)?;
        let object = Arc::new(Object { tags, at: None, ..(*old).clone() });
        let ticket = self.commit(key, Change::Put(object.clone(), None), now, cause)?;
        Ok(PutOutcome { object, ticket })
    }
}

/// What one step changes.
#[derive(Debug)]
pub(super) enum Change {
    /// A version is added, and the upload that it was is over.
    Put(Arc<Object>, Option<u64>),
    /// A version is removed.
    Remove(Arc<Object>),
}

impl Change {
    /// The version that it is about.
    pub fn object(&self) -> &Arc<Object> {
        match self {
            Self::Put(object, _) | Self::Remove(object) => object,
        }
    }
}

/// A change that is appended and applied in a step, which may be that of a notification's target.
#[derive(Debug)]
pub(super) struct Step<'a> {
    bucket: &'a Bucket,
    key: &'a str,
    change: Change,
    /// What the change replaced: dropped when every lock is released.
    replaced: RefCell<Vec<Arc<Object>>>,
    pub is_appended: std::cell::Cell<bool>,
}

impl<'a> Step<'a> {
    pub fn new(bucket: &'a Bucket, key: &'a str, change: Change) -> Self {
        Self {
            bucket,
            key,
            change,
            replaced: RefCell::default(),
            is_appended: std::cell::Cell::new(false),
        }
    }

    /// Whether the change may give up a body.
    pub fn frees(&self) -> bool {
        match &self.change {
            Change::Put(_, upload) => {
                upload.is_some() || self.bucket.state().index.newest(self.key).is_some()
            }
            Change::Remove(_) => true,
        }
    }

    fn put(&self, log: &mut Append<'_>, state: &mut State, object: &Object, upload: Option<u64>) {
        let (bucket, key) = (self.bucket, self.key);
        let record = Record::Version { id: bucket.id, key, object };
        let at = log.append_live(&record, None);
        let stored = Arc::new(Object { at, ..object.clone() });
        for old in state.index.add(key, stored) {
            old.at.into_iter().for_each(|at| log.release(at));
            self.replaced.borrow_mut().push(old);
        }
        if let Some(upload) = upload {
            bucket.end_upload(log, state, upload);
        }
    }
}

fn length(record: &Record<'_>) -> usize {
    let mut bytes = Vec::new();
    record.encode(&mut bytes);
    bytes.len()
}

impl Also for Step<'_> {
    fn bytes(&self) -> usize {
        let (id, key) = (self.bucket.id, self.key);
        match &self.change {
            Change::Put(object, _) => {
                length(&Record::Version { id, key, object }) + self.bucket.ended_bytes()
            }
            Change::Remove(object) => length(&Record::VersionRemoved { id, key, seq: object.seq }),
        }
    }

    fn records(&self) -> usize {
        match &self.change {
            Change::Put(_, Some(_)) => 2,
            _ => 1,
        }
    }

    fn append(&self, log: &mut Append<'_>) {
        self.is_appended.set(true);
        let mut state = self.bucket.state();
        match &self.change {
            Change::Put(object, upload) => self.put(log, &mut state, object, *upload),
            Change::Remove(object) => {
                let (id, key, seq) = (self.bucket.id, self.key, object.seq);
                log.append(&Record::VersionRemoved { id, key, seq });
                if let Some(removed) = state.index.remove(key, seq) {
                    removed.at.into_iter().for_each(|at| log.release(at));
                    self.replaced.borrow_mut().push(removed);
                }
            }
        }
    }
}
