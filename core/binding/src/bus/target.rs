//! Targets of rules, in and out.

use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict};
use trunkline_engine::{
    HttpOptions, HttpParameter, HttpPlace, HttpRate, HttpValue, Input, NewTarget, TargetDefinition,
    TargetResource, TokenSource, Transport,
};
use trunkline_types::{Millis, ResourceId};

use crate::error::invalid;

/// Time for one attempt over HTTP: EventBridge's.
const HTTP_TIMEOUT: Millis = 5_000;

/// A target to be given to a rule.
#[pyclass(frozen, module = "trunkline._core")]
pub(super) struct TargetSettings(pub NewTarget);

#[pymethods]
impl TargetSettings {
    // Each is a parameter of the rule in Python.
    #[allow(clippy::too_many_arguments)]
    #[new]
    #[pyo3(signature = (
        id, *, resource=None, url=None, lease, input=None, input_path=None, input_paths=None,
        input_template=None, dead_letter=None, retries_max, age_max, group=None, address=None,
        document=Vec::new(), partition_key_path=None, method=None, headers=Vec::new(),
        unavailable=None, parameters=Vec::new(), rate=None, token=None
    ))]
    fn new(
        id: String,
        resource: Option<u32>,
        url: Option<String>,
        lease: Millis,
        input: Option<String>,
        input_path: Option<String>,
        input_paths: Option<Vec<(String, String)>>,
        input_template: Option<String>,
        dead_letter: Option<u32>,
        retries_max: u32,
        age_max: Millis,
        group: Option<String>,
        address: Option<String>,
        document: Vec<u8>,
        partition_key_path: Option<String>,
        method: Option<String>,
        headers: Vec<(String, String)>,
        unavailable: Option<String>,
        parameters: Vec<PlainParameter>,
        rate: Option<(String, u32)>,
        token: Option<(String, u32)>,
    ) -> PyResult<Self> {
        let http = HttpOptions {
            parameters: parameters.into_iter().map(parameter).collect::<PyResult<_>>()?,
            rate: rate.map(|(key, per_second)| HttpRate { key, per_second }),
            token: token.map(|(key, id)| TokenSource { key, notices: ResourceId(id) }),
        };
        let (name, value) = ("content-type", "application/json; charset=utf-8");
        let is_given = headers.iter().any(|(given, _)| given.eq_ignore_ascii_case(name));
        let usual = (!is_given).then(|| (name.to_owned(), value.to_owned()));
        let headers = usual.into_iter().chain(headers).collect();
        let resource = match (resource, url) {
            (Some(id), _) => TargetResource::Resource(ResourceId(id)),
            _ if unavailable.is_some() => {
                let why = unavailable.unwrap_or_default();
                TargetResource::Outside(Transport::Unavailable { why })
            }
            (None, Some(url)) => {
                let method = method.unwrap_or_else(|| "POST".to_owned());
                let transport = Transport::Http { url, method, headers, timeout: HTTP_TIMEOUT };
                TargetResource::Outside(transport)
            }
            (None, None) => TargetResource::Outside(Transport::Handler { lease }),
        };
        let input = match (input, input_path, input_template) {
            (Some(text), _, _) => Input::Constant(text),
            (_, Some(path), _) => Input::Path(path),
            (_, _, Some(template)) => {
                Input::Template { paths: input_paths.unwrap_or_default(), template }
            }
            (None, None, None) => Input::Event,
        };
        Ok(Self(NewTarget {
            id,
            resource,
            arn: address,
            input,
            dead_letter: dead_letter.map(ResourceId),
            retries_max,
            age_max,
            group,
            document,
            key_path: partition_key_path,
            http,
        }))
    }
}

/// A part of a request: where it stands, its name, its value, and whether that is a path.
type PlainParameter = (String, String, String, bool);

fn parameter((place, name, value, is_path): PlainParameter) -> PyResult<HttpParameter> {
    let place = match place.as_str() {
        "path" => HttpPlace::Path,
        "query" => HttpPlace::Query,
        "header" => HttpPlace::Header,
        "body" => HttpPlace::Body,
        other => {
            return Err(invalid(format!("place {other:?}: path, query, header or body.")));
        }
    };
    let value = if is_path { HttpValue::Event(value) } else { HttpValue::Text(value) };
    Ok(HttpParameter { place, name, value })
}

/// A target by names.
pub(super) fn plain(py: Python<'_>, target: TargetDefinition) -> PyResult<Bound<'_, PyDict>> {
    let values = PyDict::new(py);
    values.set_item("id", target.id)?;
    values.set_item("resource", target.resource.0)?;
    values.set_item("outside", target.is_owned)?;
    values.set_item("address", target.arn)?;
    values.set_item("dead_letter", target.dead_letter.map(|queue| queue.0))?;
    values.set_item("max_attempts", target.retries_max)?;
    values.set_item("max_age", target.age_max as f64 / 1_000.0)?;
    values.set_item("group", target.group)?;
    values.set_item("partition_key_path", target.key_path)?;
    values.set_item("document", PyBytes::new(py, &target.document))?;
    let (input, path, paths, template) = match target.input {
        Input::Event => (None, None, None, None),
        Input::Constant(text) => (Some(text), None, None, None),
        Input::Path(path) => (None, Some(path), None, None),
        Input::Template { paths, template } => (None, None, Some(paths), Some(template)),
    };
    values.set_item("input", input)?;
    values.set_item("input_path", path)?;
    values.set_item("input_paths", paths)?;
    values.set_item("input_template", template)?;
    Ok(values)
}
