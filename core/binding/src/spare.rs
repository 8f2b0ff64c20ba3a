//! An object of Python's that is made again and again, and nearly always let go of before the next
//! one is made. The last one is kept, and used again when nothing else refers to it: to make an
//! object and to end it take longer than all the rest of a short call.

use pyo3::PyClass;
use pyo3::prelude::*;
use pyo3::pyclass::boolean_struct::True;

use crate::gil_cell::GilCell;
use crate::raw_object::is_alone;

/// The last object of its kind.
pub(crate) struct Spare<T>(GilCell<Option<Py<T>>>);

impl<T: PyClass> Spare<T> {
    pub const fn new() -> Self {
        Self(GilCell::new(None))
    }

    /// The object that was kept, if nothing else refers to it, so its change is not seen.
    #[inline]
    pub fn take<'py>(&self, py: Python<'py>) -> Option<Bound<'py, T>> {
        let kept = self.0.replace(py, None)?.into_bound(py);
        is_alone(&kept).then_some(kept)
    }

    #[inline]
    pub fn keep(&self, object: &Bound<'_, T>) {
        let before = self.0.replace(object.py(), Some(object.clone().unbind()));
        drop(before);
    }
}

/// An object that is one value.
pub(crate) trait Refill:
    PyClass<Frozen = True> + Into<PyClassInitializer<Self>> + Sync
{
    type Value: Copy + Send;

    fn of(value: Self::Value) -> Self;

    /// Where the value is.
    fn cell(&self) -> &GilCell<Self::Value>;
}

impl<T: Refill> Spare<T> {
    /// An object with this value: the kept one, or a new one, which is kept.
    #[inline]
    pub fn refilled<'py>(&self, py: Python<'py>, value: T::Value) -> PyResult<Bound<'py, T>> {
        let object = match self.take(py) {
            Some(object) => {
                object.get().cell().replace(py, value);
                object
            }
            None => Bound::new(py, T::of(value))?,
        };
        self.keep(&object);
        Ok(object)
    }
}
