//! The batch verbs: one crossing, one ticket, a result for each entry.

use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyList, PyString};
use trunkline_engine::{Admitted, Outgoing, Sent, Ticket};
use trunkline_types::{Millis, Receipt};

use crate::error::raise;
use crate::queue::body::Body;
use crate::queue::handle::Handle;
use crate::queue::peeked::PeekedMessage;
use crate::queue::results::{BatchFailure, BatchResult, SendBatchResult};

/// An entry that Python has checked: body, group, dedup id, delay, attribute block.
pub(crate) type PreparedEntry<'py> =
    (Bound<'py, PyAny>, Option<String>, Option<String>, Option<Millis>, Option<Vec<u8>>);

/// Sends plain bodies; `None`, and nothing sent, if an entry is anything but `bytes` or `str`.
/// `admit` runs once it is known that the entries can be sent.
pub(crate) fn send_plain(
    py: Python<'_>,
    handle: &Handle,
    entries: &Bound<'_, PyList>,
    admit: impl FnOnce() -> PyResult<Admitted>,
) -> PyResult<Option<(SendBatchResult, Option<Ticket>)>> {
    let items: Vec<Bound<'_, PyAny>> = entries.iter().collect();
    let mut messages = Vec::with_capacity(items.len());
    for item in &items {
        let body = if let Ok(bytes) = item.cast::<PyBytes>() {
            bytes.as_bytes()
        } else if let Ok(text) = item.cast::<PyString>() {
            match text.to_str() {
                Ok(text) => text.as_bytes(),
                // Lone surrogate: fall back to the checked path, which raises the error.
                Err(_) => return Ok(None),
            }
        } else {
            return Ok(None);
        };
        messages.push(Outgoing { body, ..Outgoing::default() });
    }
    let call = admit()?;
    let indexes = 0..messages.len() as u32;
    send(py, (handle, &call), &messages, indexes, Vec::new()).map(Some)
}

/// Sends prepared entries; `failed` are those that Python has refused.
pub(crate) fn send_prepared(
    py: Python<'_>,
    call: (&Handle, &Admitted),
    entries: &[PreparedEntry<'_>],
    indexes: Vec<u32>,
    failed: Vec<(u32, String, String)>,
) -> PyResult<(SendBatchResult, Option<Ticket>)> {
    let bodies: Vec<Body<'_>> =
        entries.iter().map(|entry| entry.0.as_borrowed().extract()).collect::<PyResult<_>>()?;
    let messages: Vec<Outgoing<'_>> = entries
        .iter()
        .zip(&bodies)
        .map(|((_, group, dedup_id, delay, attributes), body)| Outgoing {
            body: &body.0,
            attributes: attributes.as_deref().unwrap_or_default(),
            group: group.as_deref(),
            dedup_id: dedup_id.as_deref(),
            delay: *delay,
        })
        .collect();
    let failed = failed.into_iter().map(BatchFailure::from_parts).collect();
    send(py, call, &messages, indexes.into_iter(), failed)
}

fn send(
    py: Python<'_>,
    (handle, call): (&Handle, &Admitted),
    messages: &[Outgoing<'_>],
    mut indexes: impl Iterator<Item = u32>,
    mut failed: Vec<BatchFailure>,
) -> PyResult<(SendBatchResult, Option<Ticket>)> {
    crate::memory::check(messages.iter().map(|message| message.body.len()).sum())?;
    let mut sent: Vec<(u32, Sent)> = Vec::with_capacity(messages.len());
    let ticket = handle
        .queue
        .send_batch_admitted(call, messages, |_, outcome| {
            let index = indexes.next().unwrap_or(u32::MAX);
            match outcome {
                Ok(one) => sent.push((index, one)),
                Err(error) => failed.push(BatchFailure::new(index, &error)),
            }
        })
        .map_err(raise)?;
    failed.sort_by_key(BatchFailure::index);
    Ok((SendBatchResult::new(py, handle, sent, failed)?, ticket))
}

/// Deletes, or with `visibility` changes the leases of, the deliveries that `items` name.
pub(crate) fn change(
    py: Python<'_>,
    (handle, call): (&Handle, &Admitted),
    items: &Bound<'_, PyList>,
    visibility: Option<Millis>,
) -> PyResult<(BatchResult, Option<Ticket>)> {
    // All of them first: a wrong type is the caller's mistake, and then nothing is changed.
    let mut named = Vec::with_capacity(items.len());
    for item in items {
        named.push(DeliveryRef::of(item)?);
    }
    let (mut failed, mut last) = (Vec::new(), None::<Ticket>);
    for (index, item) in named.iter().enumerate() {
        let outcome = item.receipt(handle).and_then(|receipt| match visibility {
            Some(visibility) => handle.queue.extend_admitted(call, &receipt, visibility),
            None => handle.queue.delete_admitted(call, &receipt),
        });
        match outcome {
            Ok(ticket) => last = ticket.or(last),
            Err(error) => failed.push(BatchFailure::new(index as u32, &error)),
        }
    }
    // Tickets are in order: the last one stands for all.
    Ok((BatchResult::new(py, named.len() as u32, failed)?, last))
}

/// A delivery, named by its message or by the text of its receipt.
pub(crate) enum DeliveryRef<'py> {
    Message(Bound<'py, PeekedMessage>),
    Text(Bound<'py, PyString>),
}

impl<'py> DeliveryRef<'py> {
    #[inline]
    pub fn of(item: Bound<'py, PyAny>) -> PyResult<Self> {
        let item = match item.cast_into::<PeekedMessage>() {
            Ok(message) => return Ok(Self::Message(message)),
            Err(other) => other.into_inner(),
        };
        item.cast_into::<PyString>().map(Self::Text).map_err(|other| {
            let kind = other.into_inner().get_type();
            let kind = kind.name().map_or_else(|_| "?".to_owned(), |name| name.to_string());
            PyTypeError::new_err(format!(
                "a delivery must be named by its Message or by the str of its receipt, not {kind}"
            ))
        })
    }

    #[inline]
    pub fn receipt(&self, handle: &Handle) -> trunkline_types::Result<Receipt> {
        match self {
            Self::Message(message) => message.get().receipt_for(handle),
            // A text that is not even Unicode names nothing: it is refused as any other.
            Self::Text(text) => handle.queue.decode_receipt(&text.to_string_lossy()),
        }
    }
}
