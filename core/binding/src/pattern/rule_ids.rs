//! Maps the ids of rules to the numbers by which the matcher knows them.
//!
//! A number is the index of an id in a list, so a match does no work on ids. Only threads that hold
//! the GIL use the list and the dict.
//!
//! Invariant: while a batch runs, a released number keeps its id and is not assigned again, because
//! the batch may still find the removed rule.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use pyo3::sync::MutexExt;
use pyo3::types::{PyDict, PyInt, PyList, PyString};
use trunkline_pattern::RuleId;

/// The ids of a rule set.
pub(super) struct RuleIds {
    /// The id of each number; None for a free number.
    ids: Py<PyList>,
    /// The number of each id.
    numbers: Py<PyDict>,
    /// Serializes writers. They lock it before they change the matcher.
    free: Mutex<FreeNumbers>,
    batches: AtomicUsize,
}

/// Numbers without an id.
#[derive(Default)]
pub(super) struct FreeNumbers {
    free: Vec<RuleId>,
    /// Released while a batch was running.
    retired: Vec<RuleId>,
}

impl RuleIds {
    pub fn new(py: Python<'_>) -> Self {
        let (ids, numbers) = (PyList::empty(py).unbind(), PyDict::new(py).unbind());
        Self { ids, numbers, free: Mutex::default(), batches: AtomicUsize::new(0) }
    }

    /// Locks out other writers. Releases the GIL while it waits.
    pub fn write(&self, py: Python<'_>) -> MutexGuard<'_, FreeNumbers> {
        // A writer that panicked left the lists consistent.
        self.free.lock_py_attached(py).unwrap_or_else(PoisonError::into_inner)
    }

    /// The number of `id`, and whether it was assigned just now.
    pub fn number(
        &self,
        free: &mut FreeNumbers,
        id: &Bound<'_, PyAny>,
    ) -> PyResult<(RuleId, bool)> {
        let py = id.py();
        let numbers = self.numbers.bind(py);
        if let Some(number) = numbers.get_item(id)? {
            return Ok((number.extract()?, false));
        }
        self.recycle(py, free)?;
        let ids = self.ids.bind(py);
        let number = match free.free.last() {
            Some(&number) => {
                ids.set_item(number as usize, id)?;
                numbers.set_item(id, number)?;
                free.free.pop();
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

    /// The number of `id`, if it is in the set.
    pub fn find(&self, id: &Bound<'_, PyAny>) -> PyResult<Option<RuleId>> {
        self.numbers.bind(id.py()).get_item(id)?.map(|number| number.extract()).transpose()
    }

    /// Releases the number of `id`, which was removed from the matcher.
    pub fn forget(
        &self,
        free: &mut FreeNumbers,
        id: &Bound<'_, PyAny>,
        number: RuleId,
    ) -> PyResult<()> {
        self.numbers.bind(id.py()).del_item(id)?;
        free.retired.push(number);
        self.recycle(id.py(), free)
    }

    /// Makes released numbers assignable if no batch can still find their rules.
    fn recycle(&self, py: Python<'_>, free: &mut FreeNumbers) -> PyResult<()> {
        // A batch that begins now cannot find them: they were removed from the matcher before.
        if self.batches.load(Ordering::SeqCst) > 0 {
            return Ok(());
        }
        while let Some(number) = free.retired.pop() {
            self.ids.bind(py).set_item(number as usize, py.None())?;
            free.free.push(number);
        }
        Ok(())
    }

    /// Registers a running batch until the value is dropped.
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

    /// The id of a number as text.
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

/// A running batch.
pub(super) struct Batch<'a>(&'a RuleIds);

impl Drop for Batch<'_> {
    fn drop(&mut self) {
        self.0.batches.fetch_sub(1, Ordering::SeqCst);
    }
}

/// Refuses ids other than str and int: hashing them could run Python code that uses this set.
pub(super) fn check_id<'a, 'py>(id: &'a Bound<'py, PyAny>) -> PyResult<&'a Bound<'py, PyAny>> {
    if id.is_exact_instance_of::<PyString>() || id.is_exact_instance_of::<PyInt>() {
        return Ok(id);
    }
    let kind = id.get_type().name()?;
    Err(PyTypeError::new_err(format!("the id of a rule must be a str or an int, not {kind}")))
}
