//! Which id stands for which number of the matcher.
//!
//! The matcher knows rules by small numbers, so that a match does no work on ids: a number is the
//! place of an id in a list. List and index are touched by threads that hold the interpreter only.
//!
//! Invariant: while a batch is under way, a number that was given back keeps its id and is not
//! given out again; the batch may still find the rule that it stood for.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use pyo3::sync::MutexExt;
use pyo3::types::{PyDict, PyInt, PyList, PyString};
use trunkline_pattern::RuleId;

/// The ids of a set.
pub(super) struct Slots {
    /// The id of each number; None for a number that is free.
    ids: Py<PyList>,
    /// The number of each id.
    numbers: Py<PyDict>,
    /// Taken by writers alone, and before they ask the matcher for anything.
    spare: Mutex<Spare>,
    batches: AtomicUsize,
}

/// Numbers that stand for nothing.
#[derive(Default)]
pub(super) struct Spare {
    free: Vec<RuleId>,
    /// Given back while a batch was under way.
    retired: Vec<RuleId>,
}

impl Slots {
    pub fn new(py: Python<'_>) -> Self {
        let (ids, numbers) = (PyList::empty(py).unbind(), PyDict::new(py).unbind());
        Self { ids, numbers, spare: Mutex::default(), batches: AtomicUsize::new(0) }
    }

    /// The right to write. Waits for other writers with the interpreter released.
    pub fn write(&self, py: Python<'_>) -> MutexGuard<'_, Spare> {
        // A writer that panicked left nothing half done that this could see.
        self.spare.lock_py_attached(py).unwrap_or_else(PoisonError::into_inner)
    }

    /// The number of `id`, which gets one if it has none; whether it is new.
    pub fn number(&self, spare: &mut Spare, id: &Bound<'_, PyAny>) -> PyResult<(RuleId, bool)> {
        let py = id.py();
        let numbers = self.numbers.bind(py);
        if let Some(number) = numbers.get_item(id)? {
            return Ok((number.extract()?, false));
        }
        self.recycle(py, spare)?;
        let ids = self.ids.bind(py);
        let number = match spare.free.last() {
            Some(&number) => {
                ids.set_item(number as usize, id)?;
                numbers.set_item(id, number)?;
                spare.free.pop();
                number
            }
            None => {
                let number = RuleId::try_from(ids.len()).map_err(|_| {
                    crate::error::invalid("The set holds as many rules as it can.".to_owned())
                })?;
                ids.append(id)?;
                numbers.set_item(id, number)?;
                number
            }
        };
        Ok((number, true))
    }

    /// The number of `id`, if it has one.
    pub fn find(&self, id: &Bound<'_, PyAny>) -> PyResult<Option<RuleId>> {
        self.numbers.bind(id.py()).get_item(id)?.map(|number| number.extract()).transpose()
    }

    /// Gives back the number of `id`, which the matcher has forgotten.
    pub fn forget(&self, spare: &mut Spare, id: &Bound<'_, PyAny>, number: RuleId) -> PyResult<()> {
        self.numbers.bind(id.py()).del_item(id)?;
        spare.retired.push(number);
        self.recycle(id.py(), spare)
    }

    /// Lets numbers be given out again if no batch can still find what they stood for.
    fn recycle(&self, py: Python<'_>, spare: &mut Spare) -> PyResult<()> {
        // A batch that begins now does not find them: the matcher has forgotten them before.
        if self.batches.load(Ordering::SeqCst) > 0 {
            return Ok(());
        }
        while let Some(number) = spare.retired.pop() {
            self.ids.bind(py).set_item(number as usize, py.None())?;
            spare.free.push(number);
        }
        Ok(())
    }

    /// Says that a batch is under way, until the value is dropped.
    pub fn batch(&self) -> Batch<'_> {
        self.batches.fetch_add(1, Ordering::SeqCst);
        Batch(self)
    }

    /// The ids of `numbers`, as a list.
    #[inline]
    pub fn ids<'py>(&self, py: Python<'py>, numbers: &[RuleId]) -> PyResult<Bound<'py, PyList>> {
        if numbers.is_empty() {
            return Ok(PyList::empty(py));
        }
        let ids = self.ids.bind(py);
        let id = |number: &RuleId| {
            ids.get_item(*number as usize).unwrap_or_else(|_| py.None().into_bound(py))
        };
        PyList::new(py, numbers.iter().map(id))
    }

    /// The id of a number in words.
    pub fn name(&self, py: Python<'_>, number: RuleId) -> String {
        let id = self.ids.bind(py).get_item(number as usize);
        id.map_or_else(|_| String::new(), |id| id.to_string())
    }

    /// All ids, in the order of their numbers.
    pub fn all<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyList>> {
        let numbers = self.numbers.bind(py);
        let mut taken: Vec<RuleId> =
            numbers.values().iter().map(|number| number.extract()).collect::<PyResult<_>>()?;
        taken.sort_unstable();
        self.ids(py, &taken)
    }

    pub fn len(&self, py: Python<'_>) -> usize {
        self.numbers.bind(py).len()
    }
}

/// A batch that is under way.
pub(super) struct Batch<'a>(&'a Slots);

impl Drop for Batch<'_> {
    fn drop(&mut self) {
        self.0.batches.fetch_sub(1, Ordering::SeqCst);
    }
}

/// Refuses ids that are not plain: hashing others may run code, and code may come back to the set.
pub(super) fn checked<'a, 'py>(id: &'a Bound<'py, PyAny>) -> PyResult<&'a Bound<'py, PyAny>> {
    if id.is_exact_instance_of::<PyString>() || id.is_exact_instance_of::<PyInt>() {
        return Ok(id);
    }
    let kind = id.get_type().name()?;
    Err(PyTypeError::new_err(format!("the id of a rule must be a str or an int, not {kind}")))
}
