//! The results of batches: frozen values whose members are made on first access.

use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyDict, PyTuple};
use trunkline_engine::Sent;
use trunkline_types::{Error, IdKey};

use crate::queue::handle::Handle;
use crate::queue::sent::{Accepted, SendResult};
use crate::report::as_dict;

/// Why one entry of a batch was refused.
///
/// >>> import trunkline
/// >>> queue = trunkline.open().queue("orders")
/// >>> failure = queue.delete_batch(["forged"]).failed[0]
/// >>> failure.index, failure.code
/// (0, 'ReceiptHandleIsInvalid')
#[pyclass(frozen, get_all, module = "trunkline")]
pub(crate) struct BatchFailure {
    /// The entry's place in the batch.
    index: u32,
    /// The stable code, as :attr:`TrunklineError.code`.
    code: String,
    /// The sentence for a person.
    message: String,
}

impl BatchFailure {
    pub fn new(index: u32, error: &Error) -> Self {
        let (code, message) = (error.code().name().to_owned(), error.message().to_owned());
        Self { index, code, message }
    }

    pub fn from_parts((index, code, message): (u32, String, String)) -> Self {
        Self { index, code, message }
    }

    pub fn index(&self) -> u32 {
        self.index
    }
}

#[pymethods]
impl BatchFailure {
    /// The values by name, to be logged or written as JSON.
    fn as_dict<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, PyDict>> {
        as_dict(slf.as_any(), &["index", "code", "message"])
    }

    fn __repr__(&self) -> String {
        format!("<BatchFailure of entry {}: {}: {}>", self.index, self.code, self.message)
    }
}

/// What became of the entries of a send.
///
/// >>> import trunkline
/// >>> result = trunkline.open().queue("orders").send_batch(["one", "two"])
/// >>> [sent.index for sent in result.successful], result.failed
/// ([0, 1], ())
#[pyclass(frozen, module = "trunkline")]
pub(crate) struct SendBatchResult {
    sent: Vec<(u32, Sent)>,
    key: IdKey,
    fifo: bool,
    successful: PyOnceLock<Py<PyTuple>>,
    failed: Py<PyTuple>,
}

impl SendBatchResult {
    pub fn new(
        py: Python<'_>,
        handle: &Handle,
        sent: Vec<(u32, Sent)>,
        failed: Vec<BatchFailure>,
    ) -> PyResult<Self> {
        let (key, fifo, failed) = (handle.key, handle.fifo, tuple(py, failed)?);
        Ok(Self { sent, key, fifo, successful: PyOnceLock::new(), failed })
    }
}

#[pymethods]
impl SendBatchResult {
    /// The entries that were accepted, in order.
    #[getter]
    fn successful<'py>(&self, py: Python<'py>) -> PyResult<&Bound<'py, PyTuple>> {
        let make = || {
            let (key, fifo) = (self.key, self.fifo);
            let one =
                |&(index, sent): &(u32, Sent)| SendResult::new(Accepted { sent, key, fifo, index });
            Ok::<_, PyErr>(PyTuple::new(py, self.sent.iter().map(one))?.unbind())
        };
        Ok(self.successful.get_or_try_init(py, make)?.bind(py))
    }

    /// The entries that were refused, in order.
    #[getter]
    fn failed<'py>(&self, py: Python<'py>) -> &Bound<'py, PyTuple> {
        self.failed.bind(py)
    }

    /// The values by name, to be logged or written as JSON.
    fn as_dict<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, PyDict>> {
        as_dict(slf.as_any(), &["successful", "failed"])
    }

    fn __repr__(&self, py: Python<'_>) -> PyResult<String> {
        let failed = self.failed.bind(py).len();
        Ok(format!("<SendBatchResult: {} successful, {failed} failed>", self.sent.len()))
    }
}

/// What became of the entries of a delete or of a change of leases.
///
/// >>> import trunkline
/// >>> queue = trunkline.open().queue("orders")
/// >>> sent = queue.send("one")
/// >>> queue.delete_batch([*queue.receive(), "forged"])
/// <BatchResult: 1 successful, 1 failed>
#[pyclass(frozen, module = "trunkline")]
pub(crate) struct BatchResult {
    entries: u32,
    successful: PyOnceLock<Py<PyTuple>>,
    failed: Py<PyTuple>,
}

impl BatchResult {
    pub fn new(py: Python<'_>, entries: u32, failed: Vec<BatchFailure>) -> PyResult<Self> {
        Ok(Self { entries, successful: PyOnceLock::new(), failed: tuple(py, failed)? })
    }
}

#[pymethods]
impl BatchResult {
    /// The places of the entries that were carried out.
    #[getter]
    fn successful<'py>(&self, py: Python<'py>) -> PyResult<&Bound<'py, PyTuple>> {
        let make = || {
            let failed = self.failed.bind(py);
            let failed: Vec<u32> = failed
                .iter()
                .map(|failure| Ok(failure.cast::<BatchFailure>()?.get().index))
                .collect::<PyResult<_>>()?;
            let good: Vec<u32> =
                (0..self.entries).filter(|index| failed.binary_search(index).is_err()).collect();
            Ok::<_, PyErr>(PyTuple::new(py, good)?.unbind())
        };
        Ok(self.successful.get_or_try_init(py, make)?.bind(py))
    }

    /// The entries that were refused, in order.
    #[getter]
    fn failed<'py>(&self, py: Python<'py>) -> &Bound<'py, PyTuple> {
        self.failed.bind(py)
    }

    /// The values by name, to be logged or written as JSON.
    fn as_dict<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, PyDict>> {
        as_dict(slf.as_any(), &["successful", "failed"])
    }

    fn __repr__(&self, py: Python<'_>) -> String {
        let bad = self.failed.bind(py).len();
        let good = self.entries as usize - bad;
        format!("<BatchResult: {good} successful, {bad} failed>")
    }
}

fn tuple(py: Python<'_>, failed: Vec<BatchFailure>) -> PyResult<Py<PyTuple>> {
    if failed.is_empty() {
        return Ok(PyTuple::empty(py).unbind());
    }
    Ok(PyTuple::new(py, failed)?.unbind())
}

pub(crate) fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_class::<BatchFailure>()?;
    module.add_class::<SendBatchResult>()?;
    module.add_class::<BatchResult>()
}
