//! The stream's side of the border: its class, its records and batches, and its readers.

mod arguments;
mod batch;
mod blocking;
mod columns;
mod handle;
mod reader;
mod reading;
mod record;
mod statistics;
mod verbs;

use pyo3::prelude::*;

pub(crate) use arguments::{hash_key as hash_key_argument, shard as shard_argument};
pub(crate) use handle::StreamHandle;
pub(crate) use verbs::Stream;

pub(crate) fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    record::register(module)?;
    batch::register(module)?;
    reading::register(module)?;
    reader::register(module)?;
    statistics::register(module)?;
    verbs::register(module)?;
    blocking::register(module)
}
