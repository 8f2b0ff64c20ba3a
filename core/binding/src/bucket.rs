//! Buckets: take, call, wrap.

use std::sync::{Arc, Mutex};

use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict};
use trunkline_engine::{
    Attributes, BUCKET, Bucket as CoreBucket, BucketConfig, Cause, Condition, ContentWriter,
    Engine as CoreEngine, Entry, ListRequest, Object as CoreObject, ObjectReader, Pairs,
    ResourceName, VersionRef, Versioning, bucket_operation,
};
use trunkline_types::sync::lock;
use trunkline_types::{Code, Error};

use crate::engine::Engine;
use crate::error::{guard, raise};
use crate::pending;

/// The buckets of an open engine.
#[pyclass(frozen, module = "trunkline._core")]
pub(crate) struct Buckets(Arc<CoreEngine>);

#[pymethods]
impl Buckets {
    #[new]
    fn new(engine: &Engine) -> Self {
        Self(engine.shared().clone())
    }

    fn create(
        &self,
        py: Python<'_>,
        name: (String, String, String),
        versioned: bool,
    ) -> PyResult<Bucket> {
        guard(|| {
            let (account, region, name) = name;
            let name = ResourceName::new(BUCKET, account, region, name);
            let versioning = if versioned { Versioning::Enabled } else { Versioning::Off };
            let config = BucketConfig { versioning, ..BucketConfig::default() };
            let create = || self.0.create_bucket(name.clone(), config);
            Ok(self.wrap(pending::settled(py, &self.0, &name, create)?))
        })
    }

    fn find(&self, name: &str) -> PyResult<Option<Bucket>> {
        guard(|| Ok(self.0.find_bucket(name).map_err(raise)?.map(|bucket| self.wrap(bucket))))
    }

    fn list(&self, account: &str, prefix: &str) -> PyResult<Vec<Bucket>> {
        guard(|| {
            let found = self.0.buckets(Some(account), prefix).map_err(raise)?;
            Ok(found.into_iter().map(|bucket| self.wrap(bucket)).collect())
        })
    }
}

impl Buckets {
    fn wrap(&self, core: Arc<CoreBucket>) -> Bucket {
        Bucket { engine: self.0.clone(), core }
    }
}

/// A bucket of an open engine.
#[pyclass(frozen, module = "trunkline._core")]
pub(crate) struct Bucket {
    engine: Arc<CoreEngine>,
    core: Arc<CoreBucket>,
}

fn condition(absent: bool, etag: Option<String>) -> Condition {
    match etag {
        Some(etag) => Condition::Matches(etag),
        None if absent => Condition::Absent,
        None => Condition::None,
    }
}

/// What is known of an object, as a dict.
fn known<'py>(
    py: Python<'py>,
    bucket: &CoreBucket,
    key: &str,
    object: &CoreObject,
) -> PyResult<Bound<'py, PyDict>> {
    let values = PyDict::new(py);
    values.set_item("key", key)?;
    values.set_item("size", object.size)?;
    values.set_item("etag", &object.etag)?;
    values.set_item("modified", object.modified)?;
    values.set_item("version", bucket.version_id(object))?;
    values.set_item("headers", object.headers.clone())?;
    values.set_item("tags", object.tags.clone())?;
    Ok(values)
}

#[pymethods]
impl Bucket {
    #[getter]
    fn name(&self) -> String {
        self.core.name().name.clone()
    }

    #[getter]
    fn versioned(&self) -> bool {
        self.core.config().versioning == Versioning::Enabled
    }

    /// Begins the content of an object.
    fn writer(&self) -> PyResult<ObjectWriter> {
        guard(|| {
            let writer = self.core.writer().map_err(raise)?;
            Ok(ObjectWriter(Mutex::new(Some(writer))))
        })
    }

    /// Makes an object of what was written.
    #[pyo3(signature = (key, writer, headers, tags, absent, etag))]
    #[allow(clippy::too_many_arguments, reason = "the arguments of the Python verb")]
    fn put<'py>(
        &self,
        py: Python<'py>,
        key: &str,
        writer: &ObjectWriter,
        headers: Pairs,
        tags: Pairs,
        absent: bool,
        etag: Option<String>,
    ) -> PyResult<Bound<'py, PyDict>> {
        let condition = condition(absent, etag);
        let cause = Cause { event: "ObjectCreated:Put", ..Cause::default() };
        let attributes = Attributes { headers, tags };
        let put = || {
            let written = lock(&writer.0).take();
            let written = written.ok_or_else(|| Error::new(Code::InternalError, "It is used."))?;
            let (content, _) = written.finish()?;
            let put = self.core.put(key, content, attributes, &condition, &cause)?;
            Ok((put.object, put.ticket))
        };
        let object = pending::settled(py, &self.engine, self.core.name(), put)?;
        known(py, &self.core, key, &object)
    }

    /// Makes an object with the content of another.
    fn copy<'py>(
        &self,
        py: Python<'py>,
        key: &str,
        source: &Bucket,
        source_key: &str,
    ) -> PyResult<Bound<'py, PyDict>> {
        let cause = Cause { event: "ObjectCreated:Copy", ..Cause::default() };
        let copy = || {
            let object = source.core.head(source_key, None)?;
            let attributes =
                Attributes { headers: object.headers.clone(), tags: object.tags.clone() };
            let content = object.content();
            let put = self.core.put(key, content, attributes, &Condition::None, &cause)?;
            Ok((put.object, put.ticket))
        };
        let object = pending::settled(py, &self.engine, self.core.name(), copy)?;
        known(py, &self.core, key, &object)
    }

    /// What is known of an object, and a reader of a stretch of it: `start` counts from the end if
    /// it is negative.
    #[pyo3(signature = (key, version, start, end))]
    fn get<'py>(
        &self,
        py: Python<'py>,
        key: &str,
        version: Option<&str>,
        start: i64,
        end: Option<u64>,
    ) -> PyResult<(Bound<'py, PyDict>, ObjectContent)> {
        guard(|| {
            let host = self.engine.host();
            let _call = host.admit(bucket_operation::GET, self.core.name()).map_err(raise)?;
            let object = self.find(key, version)?;
            let start = match u64::try_from(start) {
                Ok(start) => start.min(object.size),
                Err(_) => object.size.saturating_sub(start.unsigned_abs()),
            };
            let len = end.unwrap_or(object.size).min(object.size).saturating_sub(start);
            let reader = object.open(start, len).map_err(raise)?;
            let content = ObjectContent { reader: Mutex::new(reader), length: len };
            Ok((known(py, &self.core, key, &object)?, content))
        })
    }

    #[pyo3(signature = (key, version))]
    fn head<'py>(
        &self,
        py: Python<'py>,
        key: &str,
        version: Option<&str>,
    ) -> PyResult<Bound<'py, PyDict>> {
        guard(|| known(py, &self.core, key, &*self.find(key, version)?))
    }

    /// A page of objects and common prefixes, and where the next one goes on.
    #[allow(clippy::type_complexity, reason = "a tuple for Python")]
    fn list<'py>(
        &self,
        py: Python<'py>,
        prefix: &str,
        delimiter: Option<&str>,
        after: Option<&str>,
        limit: usize,
    ) -> PyResult<(Vec<Bound<'py, PyDict>>, Vec<String>, Option<String>)> {
        guard(|| {
            let request = ListRequest { prefix, delimiter, after, limit };
            let page = self.core.list(&request).map_err(raise)?;
            let (mut objects, mut prefixes) = (Vec::new(), Vec::new());
            for entry in page.entries {
                match entry {
                    Entry::Object(key, object) => {
                        objects.push(known(py, &self.core, &key, &object)?);
                    }
                    Entry::Prefix(prefix) => prefixes.push(prefix),
                }
            }
            Ok((objects, prefixes, page.next))
        })
    }

    #[pyo3(signature = (key, version))]
    fn delete(&self, py: Python<'_>, key: &str, version: Option<&str>) -> PyResult<()> {
        let version = version.map(VersionRef::from);
        let event = match (&version, self.core.config().versioning) {
            (None, Versioning::Enabled | Versioning::Suspended) => {
                "ObjectRemoved:DeleteMarkerCreated"
            }
            _ => "ObjectRemoved:Delete",
        };
        let cause = Cause { event, ..Cause::default() };
        let delete = || {
            let deleted = self.core.delete(key, version.as_ref(), &Condition::None, &cause)?;
            Ok(((), deleted.ticket))
        };
        pending::settled(py, &self.engine, self.core.name(), delete)
    }

    /// Versions of objects, bytes of their content, and uploads that are not complete.
    fn statistics(&self) -> (u64, u64, u64) {
        let found = self.core.statistics();
        (found.objects, found.bytes, found.uploads)
    }

    fn remove(&self, py: Python<'_>) -> PyResult<()> {
        let remove = || Ok(((), self.core.remove()?));
        pending::settled(py, &self.engine, self.core.name(), remove)
    }
}

impl Bucket {
    fn find(&self, key: &str, version: Option<&str>) -> PyResult<Arc<CoreObject>> {
        let version = version.map(VersionRef::from);
        let found = self.core.head(key, version.as_ref()).map_err(raise)?;
        if found.is_delete_marker {
            let text = format!("This version of {key:?} says that it was deleted.");
            return Err(raise(Error::new(Code::NoSuchKey, text)));
        }
        Ok(found)
    }
}

/// Content that is being written.
#[pyclass(frozen, module = "trunkline._core")]
pub(crate) struct ObjectWriter(Mutex<Option<ContentWriter>>);

#[pymethods]
impl ObjectWriter {
    fn write(&self, py: Python<'_>, data: &[u8]) -> PyResult<()> {
        guard(|| {
            py.detach(|| match &mut *lock(&self.0) {
                Some(writer) => writer.write(data),
                None => Ok(()),
            })
            .map_err(raise)
        })
    }
}

/// The content of an object, to be read once.
#[pyclass(frozen, module = "trunkline._core")]
pub(crate) struct ObjectContent {
    reader: Mutex<ObjectReader>,
    length: u64,
}

#[pymethods]
impl ObjectContent {
    #[getter]
    fn length(&self) -> u64 {
        self.length
    }

    /// Up to `count` bytes; none at the end.
    fn read<'py>(&self, py: Python<'py>, count: usize) -> PyResult<Bound<'py, PyBytes>> {
        guard(|| {
            let mut bytes = vec![0; count];
            let mut filled = 0;
            while filled < count {
                let part = &mut bytes[filled..];
                match py.detach(|| lock(&self.reader).read(part)).map_err(raise)? {
                    0 => break,
                    count => filled += count,
                }
            }
            Ok(PyBytes::new(py, &bytes[..filled]))
        })
    }
}

pub(crate) fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_class::<Buckets>()?;
    module.add_class::<Bucket>()?;
    module.add_class::<ObjectWriter>()?;
    module.add_class::<ObjectContent>()
}
