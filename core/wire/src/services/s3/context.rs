//! What an operation knows of its request.

use std::sync::Arc;

use http::HeaderMap;
use trunkline_engine::{Bucket, Cause, Engine, VersionRef, Versioning};
use trunkline_types::Error;

use super::errors;
use crate::error::{Result, WireError};
use crate::model::Model;
use crate::service::Access;
use crate::value::Value;

/// A request whose operation is known.
pub(super) struct Context {
    pub engine: Arc<Engine>,
    pub account: String,
    pub region: String,
    pub model: Arc<Model>,
    pub operation: String,
    /// The path in the path style, still escaped.
    pub path: String,
    pub query: String,
    pub method: String,
    pub headers: HeaderMap,
    pub request_id: String,
    pub source_ip: String,
    /// Set where signatures are proved.
    pub access: Option<Access>,
    /// The input; what travels in the body is added when it is there.
    pub input: Value,
}

impl Context {
    /// A member of the input that is text.
    pub fn text(&self, name: &str) -> Option<&str> {
        self.input.get(name).and_then(Value::as_str)
    }

    /// A member of the input that is a number.
    pub fn number(&self, name: &str) -> Option<i64> {
        self.input.get(name).and_then(Value::as_int)
    }

    /// A header of the request, if it is there and is text.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }

    /// The bucket's name; empty for operations without one.
    pub fn bucket_name(&self) -> &str {
        self.text("Bucket").unwrap_or("")
    }

    /// The key; empty for operations without one.
    pub fn key(&self) -> &str {
        self.text("Key").unwrap_or("")
    }

    /// The bucket that the request names.
    pub fn bucket(&self) -> Result<Arc<Bucket>> {
        let name = self.bucket_name();
        let found = self.engine.find_bucket(name).map_err(|error| self.failed(&error))?;
        let bucket = found.ok_or_else(|| errors::no_such_bucket(name))?;
        match self.text("ExpectedBucketOwner") {
            Some(owner) if owner != bucket.name().account => Err(errors::access_denied()),
            _ => Ok(bucket),
        }
    }

    /// The version that the request names.
    pub fn version(&self) -> Option<VersionRef> {
        self.text("VersionId").filter(|text| !text.is_empty()).map(VersionRef::from)
    }

    /// The version that the request names, of a bucket that may have versions.
    pub fn version_in(&self, bucket: &Bucket) -> Result<Option<VersionRef>> {
        let named = self.text("VersionId").unwrap_or("");
        if bucket.config().versioning == Versioning::Off && !matches!(named, "" | "null") {
            let message = "Invalid version id specified";
            return Err(errors::invalid_argument("versionId", named, message));
        }
        Ok(self.version())
    }

    /// An error of the engine in S3's words.
    pub fn failed(&self, error: &Error) -> WireError {
        let found = errors::from_engine(error, self.bucket_name(), self.key());
        match (found.name(), self.text("VersionId")) {
            ("NoSuchVersion", Some(version)) => {
                errors::with(found, &[("Key", self.key()), ("VersionId", version)])
            }
            _ => found,
        }
    }

    /// Why something changes, for the events that tell of it.
    pub fn cause<'a>(&'a self, event: &'a str) -> Cause<'a> {
        Cause {
            event,
            principal: &self.account,
            source_ip: &self.source_ip,
            request_id: &self.request_id,
        }
    }
}
