//! What is known of an object.

use crate::report::as_dict;
use pyo3::prelude::*;
use pyo3::types::PyDict;
use trunkline_engine::{Bucket as CoreBucket, Object as CoreObject, Pairs};
use trunkline_types::Millis;

const METADATA: &str = "x-amz-meta-";

/// What is known of an object of a bucket. It does not change, and keeps no content.
///
/// >>> import trunkline
/// >>> uploads = trunkline.open().bucket("uploads")
/// >>> uploads.put("notes/1.txt", "one coffee", metadata={"by": "ann"})
/// <StoredObject 'notes/1.txt', 10 bytes>
#[pyclass(frozen, module = "trunkline._core")]
pub(crate) struct StoredObject {
    key: String,
    size: u64,
    etag: String,
    modified: Millis,
    version_id: String,
    headers: Pairs,
    tags: Pairs,
}

impl StoredObject {
    pub fn new(bucket: &CoreBucket, key: &str, object: &CoreObject) -> Self {
        Self {
            key: key.to_owned(),
            size: object.size,
            etag: object.etag.clone(),
            modified: object.modified,
            version_id: bucket.version_id(object),
            headers: object.headers.clone(),
            tags: object.tags.clone(),
        }
    }

    fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(own, _)| own == name).map(|(_, value)| &**value)
    }
}

#[pymethods]
impl StoredObject {
    /// The key.
    #[getter]
    fn key(&self) -> &str {
        &self.key
    }

    /// Bytes of content.
    #[getter]
    fn size(&self) -> u64 {
        self.size
    }

    /// The entity tag without quotes: the MD5 of the content if it was put in one piece.
    #[getter]
    fn etag(&self) -> &str {
        &self.etag
    }

    /// When it was put, in seconds since the epoch.
    #[getter]
    fn modified_at(&self) -> f64 {
        self.modified as f64 / 1_000.0
    }

    /// The id of the version; `"null"` of a version that was put without versioning.
    #[getter]
    fn version_id(&self) -> &str {
        &self.version_id
    }

    /// The type of the content; S3's default if none was given.
    #[getter]
    fn content_type(&self) -> &str {
        self.header("content-type").unwrap_or("binary/octet-stream")
    }

    /// The caller's metadata by name, in lower case.
    #[getter]
    fn metadata<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let found = PyDict::new(py);
        for (name, value) in &self.headers {
            if let Some(name) = name.strip_prefix(METADATA) {
                found.set_item(name, value)?;
            }
        }
        Ok(found)
    }

    /// The tags by name.
    #[getter]
    fn tags<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let found = PyDict::new(py);
        for (name, value) in &self.tags {
            found.set_item(name, value)?;
        }
        Ok(found)
    }

    /// The values by name, to be logged or written as JSON.
    fn as_dict<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, PyDict>> {
        as_dict(
            slf.as_any(),
            &[
                "key",
                "size",
                "etag",
                "modified_at",
                "version_id",
                "content_type",
                "metadata",
                "tags",
            ],
        )
    }

    fn __repr__(&self, py: Python<'_>) -> PyResult<String> {
        let key = self.key.as_str().into_pyobject(py)?.repr()?;
        Ok(format!("<StoredObject {key}, {} bytes>", self.size))
    }
}

pub(crate) fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_class::<StoredObject>()
}
