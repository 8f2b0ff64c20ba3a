//! Buckets: take, call, wrap.

mod content;
mod object;

use std::sync::Arc;

use pyo3::prelude::*;
use trunkline_engine::{
    Attributes, BUCKET, Bucket as CoreBucket, BucketConfig, Cause, Condition, Engine as CoreEngine,
    Entry, ListRequest, Object as CoreObject, Pairs, ResourceName, VersionRef, Versioning,
    bucket_operation,
};
use trunkline_types::{Code, Error, Result};

use self::content::{ObjectContent, ObjectWriter};
use self::object::StoredObject;
use crate::engine::Engine;
use crate::error::{guard, invalid, raise};
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

    /// The bucket of this name, whatever its account and region. If there is none, it is created
    /// with the full name.
    fn get_or_create(&self, py: Python<'_>, name: (String, String, String)) -> PyResult<Bucket> {
        let (account, region, name) = name;
        let name = ResourceName::new(BUCKET, account, region, name);
        let found = pending::settled(py, &self.0, &name, || {
            if let Some(found) = self.0.find_bucket(&name.name)? {
                return Ok((found, None));
            }
            match self.0.create_bucket(name.clone(), BucketConfig::default()) {
                Ok((bucket, ticket)) => Ok((bucket, ticket)),
                // Another thread was faster.
                Err(error) if error.code() == Code::ConflictException => {
                    Ok((self.0.find_bucket(&name.name)?.ok_or(error)?, None))
                }
                Err(error) => Err(error),
            }
        })?;
        Ok(self.wrap(found))
    }

    fn find(&self, name: &str) -> PyResult<Option<Bucket>> {
        guard(|| Ok(self.0.find_bucket(name).map_err(raise)?.map(|bucket| self.wrap(bucket))))
    }

    /// The buckets of an account, and of a region if one is given.
    fn list(&self, account: &str, region: Option<&str>, prefix: &str) -> PyResult<Vec<Bucket>> {
        guard(|| {
            let found = self.0.buckets(Some(account), prefix).map_err(raise)?;
            let is_meant = |bucket: &Arc<CoreBucket>| {
                region.is_none_or(|region| bucket.name().region == region)
            };
            let found = found.into_iter().filter(is_meant);
            Ok(found.map(|bucket| self.wrap(bucket)).collect())
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

#[pymethods]
impl Bucket {
    #[getter]
    fn name(&self) -> &str {
        &self.core.name().name
    }

    #[getter]
    fn account(&self) -> &str {
        &self.core.name().account
    }

    #[getter]
    fn region(&self) -> &str {
        &self.core.name().region
    }

    /// When it was created, in seconds since the epoch.
    #[getter]
    fn created_at(&self) -> f64 {
        self.core.created() as f64 / 1_000.0
    }

    #[getter]
    fn versioned(&self) -> bool {
        self.core.config().versioning == Versioning::Enabled
    }

    /// Keeps earlier versions from now on, or no longer.
    fn configure(&self, py: Python<'_>, versioned: bool) -> PyResult<()> {
        let change = |config: &mut BucketConfig| {
            config.versioning = match (versioned, config.versioning) {
                (true, _) => Versioning::Enabled,
                (false, Versioning::Off) => Versioning::Off,
                (false, _) => Versioning::Suspended,
            };
        };
        self.settled(py, || Ok(((), self.core.configure(change)?)))
    }

    /// Begins the content of an object.
    fn writer(&self, py: Python<'_>) -> PyResult<ObjectWriter> {
        guard(|| Ok(ObjectWriter::new(py.detach(|| self.core.writer()).map_err(raise)?)))
    }

    /// Makes an object of what was written.
    #[pyo3(signature = (key, writer, headers, tags, absent, etag))]
    #[allow(clippy::too_many_arguments, reason = "the arguments of the Python verb")]
    fn put(
        &self,
        py: Python<'_>,
        key: &str,
        writer: &ObjectWriter,
        headers: Pairs,
        tags: Pairs,
        absent: bool,
        etag: Option<String>,
    ) -> PyResult<StoredObject> {
        let condition = match etag {
            Some(etag) => Condition::Matches(etag),
            None if absent => Condition::Absent,
            None => Condition::None,
        };
        let cause = Cause { event: "ObjectCreated:Put", ..Cause::default() };
        let object = self.settled(py, || {
            let content = writer.finish()?;
            let attributes = Attributes { headers, tags };
            let put = self.core.put(key, content, attributes, &condition, &cause)?;
            Ok((put.object, put.ticket))
        })?;
        Ok(StoredObject::new(&self.core, key, &object))
    }

    /// Makes an object with the content of another one of this engine.
    fn copy(
        &self,
        py: Python<'_>,
        key: &str,
        source: &Bucket,
        source_key: &str,
        version: Option<&str>,
    ) -> PyResult<StoredObject> {
        if !Arc::ptr_eq(&self.engine, &source.engine) {
            return Err(invalid(
                "Value for parameter to is invalid. Reason: The bucket belongs to another engine; \
                 put what you get from this one there."
                    .to_owned(),
            ));
        }
        let cause = Cause { event: "ObjectCreated:Copy", ..Cause::default() };
        let object = self.settled(py, || {
            let object = source.present(source_key, version)?;
            let attributes =
                Attributes { headers: object.headers.clone(), tags: object.tags.clone() };
            let content = object.content();
            let put = self.core.put(key, content, attributes, &Condition::None, &cause)?;
            Ok((put.object, put.ticket))
        })?;
        Ok(StoredObject::new(&self.core, key, &object))
    }

    /// What is known of an object, and its content from `start` to `end`, which count as those of
    /// a slice do.
    #[pyo3(signature = (key, version, start, end))]
    fn get(
        &self,
        py: Python<'_>,
        key: &str,
        version: Option<&str>,
        start: Option<i64>,
        end: Option<i64>,
    ) -> PyResult<(StoredObject, ObjectContent)> {
        guard(|| {
            let get = || {
                let object = self.admitted(key, version)?;
                let (start, len) = stretch(object.size, start, end);
                let content = ObjectContent::new(object.open(start, len)?, len);
                Ok((StoredObject::new(&self.core, key, &object), content))
            };
            py.detach(get).map_err(raise)
        })
    }

    #[pyo3(signature = (key, version))]
    fn head(&self, py: Python<'_>, key: &str, version: Option<&str>) -> PyResult<StoredObject> {
        guard(|| {
            let object = py.detach(|| self.admitted(key, version)).map_err(raise)?;
            Ok(StoredObject::new(&self.core, key, &object))
        })
    }

    /// A page of objects and common prefixes in order, and where the next one goes on.
    fn list<'py>(
        &self,
        py: Python<'py>,
        prefix: &str,
        delimiter: Option<&str>,
        after: Option<&str>,
        limit: usize,
    ) -> PyResult<(Vec<Bound<'py, PyAny>>, Option<String>)> {
        guard(|| {
            let request = ListRequest { prefix, delimiter, after, limit };
            let page = py.detach(|| self.core.list(&request)).map_err(raise)?;
            let entry = |entry| match entry {
                Entry::Object(key, object) => {
                    let object = StoredObject::new(&self.core, &key, &object);
                    Ok(Bound::new(py, object)?.into_any())
                }
                Entry::Prefix(prefix) => Ok(prefix.into_pyobject(py)?.into_any()),
            };
            let entries = page.entries.into_iter().map(entry).collect::<PyResult<_>>()?;
            Ok((entries, page.next))
        })
    }

    #[pyo3(signature = (key, version))]
    fn delete(&self, py: Python<'_>, key: &str, version: Option<&str>) -> PyResult<()> {
        let version = version.map(VersionRef::from);
        let is_marked = version.is_none() && self.core.config().versioning != Versioning::Off;
        let event = match is_marked {
            true => "ObjectRemoved:DeleteMarkerCreated",
            false => "ObjectRemoved:Delete",
        };
        let cause = Cause { event, ..Cause::default() };
        self.settled(py, || {
            let deleted = self.core.delete(key, version.as_ref(), &Condition::None, &cause)?;
            Ok(((), deleted.ticket))
        })
    }

    /// Versions of objects, bytes of their content, and uploads that are not complete.
    fn statistics(&self) -> (u64, u64, u64) {
        let found = self.core.statistics();
        (found.objects, found.bytes, found.uploads)
    }

    fn remove(&self, py: Python<'_>) -> PyResult<()> {
        self.settled(py, || Ok(((), self.core.remove()?)))
    }
}

impl Bucket {
    /// Carries a verb out, and returns its value once that is as durable as the engine is.
    fn settled<T: Send>(
        &self,
        py: Python<'_>,
        verb: impl FnOnce() -> Result<(T, Option<trunkline_engine::Ticket>)> + Send,
    ) -> PyResult<T> {
        pending::settled(py, &self.engine, self.core.name(), verb)
    }

    /// The object for a call that reads it.
    fn admitted(&self, key: &str, version: Option<&str>) -> Result<Arc<CoreObject>> {
        let _call = self.engine.host().admit(bucket_operation::GET, self.core.name())?;
        self.present(key, version)
    }

    /// The newest version of an object or the one that is named, which is no delete marker.
    fn present(&self, key: &str, version: Option<&str>) -> Result<Arc<CoreObject>> {
        let version = version.map(VersionRef::from);
        let found = self.core.head(key, version.as_ref())?;
        if found.is_delete_marker {
            let text = format!("This version of {key:?} is a delete marker; it has no content.");
            return Err(Error::new(Code::NoSuchKey, text));
        }
        Ok(found)
    }
}

/// Start and length of a slice of `size` bytes.
fn stretch(size: u64, start: Option<i64>, end: Option<i64>) -> (u64, u64) {
    let place = |at: i64| match u64::try_from(at) {
        Ok(at) => at.min(size),
        Err(_) => size.saturating_sub(at.unsigned_abs()),
    };
    let start = start.map_or(0, place);
    (start, end.map_or(size, place).saturating_sub(start))
}

pub(crate) fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_class::<Buckets>()?;
    module.add_class::<Bucket>()?;
    object::register(module)?;
    content::register(module)
}
