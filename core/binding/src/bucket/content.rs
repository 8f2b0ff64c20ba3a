//! The content of objects, written and read in pieces.

use std::sync::Mutex;

use pyo3::prelude::*;
use pyo3::types::PyBytes;
use trunkline_engine::{ContentWriter, ObjectContent as Content, ObjectReader};
use trunkline_types::sync::lock;
use trunkline_types::{Code, Error, Result};

use crate::error::{guard, raise};

/// Content that is being written.
#[pyclass(frozen, module = "trunkline._core")]
pub(crate) struct ObjectWriter(Mutex<Option<ContentWriter>>);

impl ObjectWriter {
    pub fn new(writer: ContentWriter) -> Self {
        Self(Mutex::new(Some(writer)))
    }

    /// Ends the content, and takes it.
    pub fn finish(&self) -> Result<Content> {
        let writer = lock(&self.0).take().ok_or_else(ended)?;
        Ok(writer.finish()?.0)
    }
}

#[cold]
fn ended() -> Error {
    Error::new(Code::UnsupportedOperation, "The content was ended. Begin another one.")
}

#[pymethods]
impl ObjectWriter {
    fn write(&self, py: Python<'_>, data: &[u8]) -> PyResult<()> {
        guard(|| {
            let write = || lock(&self.0).as_mut().ok_or_else(ended)?.write(data);
            py.detach(write).map_err(raise)
        })
    }

    /// Gives up what was written.
    fn discard(&self, py: Python<'_>) {
        py.detach(|| drop(lock(&self.0).take()));
    }
}

/// The content of an object, to be read once.
#[pyclass(frozen, module = "trunkline._core")]
pub(crate) struct ObjectContent {
    length: u64,
    unread: Mutex<Unread>,
}

struct Unread {
    reader: ObjectReader,
    left: u64,
}

impl ObjectContent {
    pub fn new(reader: ObjectReader, length: u64) -> Self {
        Self { length, unread: Mutex::new(Unread { reader, left: length }) }
    }
}

impl Unread {
    /// Reads up to `count` bytes. No more memory is taken than there is content.
    fn read(&mut self, count: u64) -> Result<Vec<u8>> {
        let count = usize::try_from(count.min(self.left)).unwrap_or(usize::MAX);
        let mut bytes = Vec::new();
        if bytes.try_reserve_exact(count).is_err() {
            let text = format!("{count} bytes do not fit into memory. Read fewer at a time.");
            return Err(Error::new(Code::InvalidParameterValue, text));
        }
        bytes.resize(count, 0);
        let mut filled = 0;
        while filled < count {
            match self.reader.read(&mut bytes[filled..])? {
                0 => break,
                read => filled += read,
            }
        }
        bytes.truncate(filled);
        self.left -= filled as u64;
        Ok(bytes)
    }
}

#[pymethods]
impl ObjectContent {
    #[getter]
    fn length(&self) -> u64 {
        self.length
    }

    /// Up to `count` bytes, or all that are left; none at the end.
    #[pyo3(signature = (count))]
    fn read<'py>(&self, py: Python<'py>, count: Option<u64>) -> PyResult<Bound<'py, PyBytes>> {
        guard(|| {
            let read = || lock(&self.unread).read(count.unwrap_or(u64::MAX));
            Ok(PyBytes::new(py, &py.detach(read).map_err(raise)?))
        })
    }
}

pub(crate) fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_class::<ObjectWriter>()?;
    module.add_class::<ObjectContent>()
}
