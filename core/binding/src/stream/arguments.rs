//! What Python may pass to the verbs of a stream.

use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use pyo3::types::{PyInt, PyList, PyString, PyTuple};
use trunkline_engine::{HashKey, HashKeyError, SequenceNumber, ShardId, Start};

use crate::error::invalid;
use crate::queue::body::Body;

/// Where a read starts: `"earliest"`, `"latest"`, a sequence number as text, or a time as
/// milliseconds.
#[derive(Clone, Copy)]
pub(crate) struct StartArgument(pub Start);

impl<'a, 'py> FromPyObject<'a, 'py> for StartArgument {
    type Error = PyErr;

    fn extract(value: Borrowed<'a, 'py, PyAny>) -> PyResult<Self> {
        if let Ok(text) = value.cast::<PyString>() {
            let start = match text.to_str()? {
                "earliest" => Start::TrimHorizon,
                "latest" => Start::Latest,
                number => Start::At(sequence(number, "start")?),
            };
            return Ok(Self(start));
        }
        if value.is_instance_of::<PyInt>() {
            return Ok(Self(Start::AtTimestamp(value.extract()?)));
        }
        Err(PyTypeError::new_err("start must be a str or a number of milliseconds"))
    }
}

/// What Python may put: bytes, or text as UTF-8.
pub(crate) struct Data<'a>(pub Body<'a>);

impl<'a, 'py> FromPyObject<'a, 'py> for Data<'a> {
    type Error = PyErr;

    #[inline]
    fn extract(value: Borrowed<'a, 'py, PyAny>) -> PyResult<Self> {
        Body::extract(value).map(Self).map_err(|refused| bad_data(value, refused))
    }
}

/// The records of a batch. They are held here, because the list may change beneath a call.
pub(crate) fn tuples<'py>(records: &Bound<'py, PyList>) -> PyResult<Vec<Bound<'py, PyTuple>>> {
    let tuple = |(index, record): (usize, Bound<'py, PyAny>)| match record.cast_into::<PyTuple>() {
        Ok(tuple) if tuple.len() == 2 => Ok(tuple),
        _ => Err(PyTypeError::new_err(format!("records[{index}] must be a pair (key, data)"))),
    };
    records.iter().enumerate().map(tuple).collect()
}

/// The key and the data of each record.
pub(crate) fn pairs<'a>(records: &'a [Bound<'_, PyTuple>]) -> PyResult<Vec<(&'a str, Data<'a>)>> {
    let mut pairs = Vec::with_capacity(records.len());
    for (index, record) in records.iter().enumerate() {
        let key = record.get_borrowed_item(0)?;
        if !key.is_instance_of::<PyString>() {
            return Err(bad_key(index, key)?);
        }
        pairs.push((key.extract()?, record.get_borrowed_item(1)?.extract()?));
    }
    Ok(pairs)
}

#[cold]
fn bad_key(index: usize, key: Borrowed<'_, '_, PyAny>) -> PyResult<PyErr> {
    let kind = key.get_type().name()?;
    Ok(PyTypeError::new_err(format!("records[{index}]: key must be a str, not {kind}")))
}

/// The refusal in the words of a stream.
#[cold]
fn bad_data(value: Borrowed<'_, '_, PyAny>, refused: PyErr) -> PyErr {
    if !refused.is_instance_of::<PyTypeError>(value.py()) {
        return refused;
    }
    match value.get_type().name() {
        Ok(kind) => PyTypeError::new_err(format!(
            "data must be bytes, str, bytearray or memoryview, not {kind}; serialise other values \
             first, for example with json.dumps()"
        )),
        Err(failure) => failure,
    }
}

/// A sequence number from its digits.
pub(crate) fn sequence(text: &str, field: &str) -> PyResult<SequenceNumber> {
    text.parse().map_err(|_| {
        invalid(format!(
            "Value {text:.64?} for parameter {field} is invalid. Reason: Must be the sequence of a \
             record of this stream{}.",
            if field == "start" { ", \"earliest\", \"latest\" or a datetime" } else { "" }
        ))
    })
}

/// A shard id, in its long or short form.
pub(crate) fn shard(text: &str) -> PyResult<ShardId> {
    text.parse().map_err(|()| {
        invalid(format!(
            "Value {text:.64?} for parameter shard is invalid. Reason: Must be the id of a shard, \
             such as \"shardId-000000000000\"."
        ))
    })
}

/// A hash key from its digits.
pub(crate) fn hash_key(text: &str, field: &str) -> PyResult<HashKey> {
    text.parse().map_err(|error| {
        let reason = match error {
            HashKeyError::Malformed => "Must be a decimal number without sign",
            HashKeyError::TooLarge => "Must be in the range: [0, 2^128-1]",
        };
        invalid(format!("Value {text:.64} for parameter {field} is invalid. Reason: {reason}."))
    })
}
