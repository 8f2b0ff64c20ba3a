//! A worker's heartbeat and its release of failed messages.
//!
//! Both skip a delivery that its handler has settled. The interpreter's lock is held from the check
//! to the change, so a heartbeat never overtakes a release.

use pyo3::prelude::*;
use pyo3::types::PyList;
use trunkline_engine::{Admitted, Ticket};
use trunkline_types::Millis;

use crate::queue::handle::Handle;
use crate::queue::peeked::{PeekedMessage, RELEASED};

/// Extends the leases of unsettled messages to `lease` from now.
pub(crate) fn extend_unsettled(
    call: (&Handle, &Admitted),
    messages: &Bound<'_, PyList>,
    lease: Millis,
) -> PyResult<Option<Ticket>> {
    let mut last = None;
    for item in messages.iter() {
        last = change(call, &item, lease)?.or(last);
    }
    Ok(last)
}

/// Makes unsettled messages visible again, each after its delay.
pub(crate) fn release_unsettled(
    call: (&Handle, &Admitted),
    messages: &Bound<'_, PyList>,
    delays: &[Millis],
) -> PyResult<Option<Ticket>> {
    let mut last = None;
    for (item, delay) in messages.iter().zip(delays) {
        last = change(call, &item, *delay)?.or(last);
        item.cast::<PeekedMessage>()?.get().set_outcome(RELEASED);
    }
    Ok(last)
}

/// A lease that is over or cannot be changed is no error: it ends by itself.
fn change(
    (handle, call): (&Handle, &Admitted),
    item: &Bound<'_, PyAny>,
    visibility: Millis,
) -> PyResult<Option<Ticket>> {
    let message = item.cast::<PeekedMessage>()?.get();
    if message.outcome().is_some() {
        return Ok(None);
    }
    let receipt = message.receipt_for(handle);
    Ok(receipt
        .and_then(|receipt| handle.queue.extend_admitted(call, &receipt, visibility))
        .unwrap_or(None))
}
