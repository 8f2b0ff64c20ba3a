//! The queue's side of the border: its class, its messages and what its verbs answer.

pub(crate) mod attributes;
mod awaitable;
mod batch;
mod blocking;
pub(crate) mod body;
pub(crate) mod config;
pub(crate) mod handle;
mod leases;
mod listing;
pub(crate) mod management;
mod message;
mod peeked;
mod pending;
mod received;
mod receiving;
pub(crate) mod redrive;
pub(crate) mod results;
mod sent;
mod statistics;
mod verbs;
pub(crate) mod waiting;

use pyo3::prelude::*;

pub(crate) fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    attributes::register(module)?;
    config::register(module)?;
    verbs::register(module)?;
    blocking::register(module)?;
    management::register(module)?;
    peeked::register(module)?;
    message::register(module)?;
    awaitable::register(module)?;
    sent::register(module)?;
    results::register(module)?;
    listing::register(module)?;
    statistics::register(module)?;
    pending::register(module)?;
    receiving::register(module)?;
    redrive::register(module)
}
