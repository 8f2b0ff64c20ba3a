//! Deleting objects: a version goes, or a marker says that the key is deleted.

use std::sync::Arc;

use trunkline_host::Admitted;
use trunkline_journal::Ticket;
use trunkline_types::sync::lock;
use trunkline_types::{Millis, Result};

use super::config::Versioning;
use super::object::{Attributes, Content, Object, VersionRef};
use super::operation::DELETE;
use super::put::{Cause, Change, Condition};
use super::{Bucket, errors};

/// What a deletion came to.
#[derive(Debug, Default)]
pub struct Deleted {
    /// The version that was removed, or the marker that was added.
    pub object: Option<Arc<Object>>,
    /// To be waited for, if there is a journal.
    pub ticket: Option<Ticket>,
}

impl Bucket {
    /// Deletes a key, or a version of it for good. What is not there is deleted already.
    pub fn delete(
        &self,
        key: &str,
        version: Option<&VersionRef>,
        condition: &Condition,
        cause: &Cause<'_>,
    ) -> Result<Deleted> {
        let admitted = self.host.admit(DELETE, &self.name)?;
        self.delete_admitted(&admitted, key, version, condition, cause)
    }

    /// [`Bucket::delete`] by a call that was admitted.
    pub fn delete_admitted(
        &self,
        call: &Admitted,
        key: &str,
        version: Option<&VersionRef>,
        condition: &Condition,
        cause: &Cause<'_>,
    ) -> Result<Deleted> {
        debug_assert!(call.is_for(DELETE));
        let now = call.now(&self.host);
        if version.is_none() && self.config().versioning != Versioning::Off {
            // A marker frees nothing.
            self.host.refuse_if_full()?;
        }
        let deleted = {
            let _changing = lock(&self.changing);
            self.check_writable()?;
            condition.check(key, self.state().index.newest(key))?;
            self.delete_locked(key, version, now, cause)?
        };
        self.host.remove_unused_bodies()?;
        self.host.sweep_if_due(now);
        Ok(deleted)
    }

    /// The same, under `changing`.
    pub(super) fn delete_locked(
        &self,
        key: &str,
        version: Option<&VersionRef>,
        now: Millis,
        cause: &Cause<'_>,
    ) -> Result<Deleted> {
        let change = match version {
            Some(version) => {
                let found = self.version_of(&self.state(), key, version);
                found.map(Change::Remove)
            }
            None => self.deletion(key, now),
        };
        let Some(change) = change else { return Ok(Deleted::default()) };
        let object = change.object().clone();
        let ticket = self.commit(key, change, now, cause)?;
        Ok(Deleted { object: Some(object), ticket })
    }

    /// What deleting a key means now.
    fn deletion(&self, key: &str, now: Millis) -> Option<Change> {
        let versioning = self.config().versioning;
        if versioning == Versioning::Off {
            return self.state().index.newest(key).cloned().map(Change::Remove);
        }
        let content =
            Content { pieces: Vec::new(), size: 0, etag: String::new(), parts: Vec::new() };
        let object = self.new_object(content, Attributes::default(), now);
        let marker = Object { is_delete_marker: true, ..(*object).clone() };
        Some(Change::Put(Arc::new(marker), None))
    }

    /// Removes the bucket, which has to be empty.
    pub fn remove(&self) -> Result<Option<Ticket>> {
        self.check_writable()?;
        let _changing = lock(&self.changing);
        {
            // Uploads that are not complete are no objects: they end with the bucket.
            if !self.state().index.is_empty() {
                return Err(errors::not_empty(&self.name.name));
            }
        }
        self.remove_with_content()
    }
}
