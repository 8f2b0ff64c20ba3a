//! A response as Python takes it: status, headers, body.

use pyo3::prelude::*;
use pyo3::types::PyBytes;
use trunkline_wire::message::Response;

pub(super) type PlainResponse<'py> = (u16, Vec<(String, String)>, Bound<'py, PyBytes>);

pub(super) fn plain(py: Python<'_>, answer: Response) -> PlainResponse<'_> {
    let headers = answer.headers.into_iter().map(|(k, v)| (k.into_owned(), v.into_owned()));
    (answer.status, headers.collect(), PyBytes::new(py, &answer.body))
}
