//! A delivery whose verbs are awaited: its class. `lease.rs` has the verbs.

use pyo3::prelude::*;
use trunkline_engine::{Delivery, operation};

use crate::admission::HeldCall;
use crate::error::guard;
use crate::pending::PendingWrite;
use crate::queue::handle::HandleRef;
use crate::queue::message::Delivered;
use crate::queue::peeked::{DELETED, PeekedMessage};

/// One delivery of one message, from :meth:`trunkline.aio.Queue.receive`. ``async with message:``
/// deletes it at the end of the block; on an exception it makes it visible again.
///
/// >>> import asyncio, trunkline
/// >>> async def main():
/// ...     queue = trunkline.aio.open().queue("orders")
/// ...     await queue.send("one coffee")
/// ...     (message,) = await queue.receive()
/// ...     async with message:
/// ...         pass
/// ...     return queue.statistics().total
/// >>> asyncio.run(main())
/// 0
#[pyclass(
    frozen,
    extends = PeekedMessage,
    name = "Message",
    module = "trunkline.aio"
)]
pub(crate) struct AsyncMessage;

impl Delivered for AsyncMessage {
    #[inline]
    fn deliver<'py>(
        py: Python<'py>,
        handle: &HandleRef,
        delivery: &Delivery<'_>,
    ) -> PyResult<Bound<'py, Self>> {
        Bound::new(py, (Self, PeekedMessage::new(py, handle, delivery, false)?))
    }
}

impl AsyncMessage {
    /// Deletes the message; what is still to be waited for.
    #[inline]
    pub fn begin_delete(
        slf: &Bound<'_, Self>,
        py: Python<'_>,
        admitted: Option<&HeldCall>,
    ) -> PyResult<Option<Py<PendingWrite>>> {
        let message = slf.as_super().get();
        guard(|| {
            let call = message.handle.admit_or_hold(py, operation::DELETE, admitted)?;
            let ticket = message.delete(&call)?;
            message.set_outcome(DELETED);
            message.pending(py, ticket)
        })
    }
}

pub(crate) fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add("AsyncMessage", module.py().get_type::<AsyncMessage>())
}
