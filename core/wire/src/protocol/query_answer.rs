//! Answers of the query protocol, in XML, or in JSON for callers that ask for it.

use super::Dialect;
use crate::codec::{json, xml, xml_from_json};
use crate::error::WireError;
use crate::message::Response;
use crate::model::{Model, Operation, Protocol, Shape};
use crate::value::Value;

/// The answer that carries an output in JSON, straight in the caller's protocol. `None` where only
/// the way by its value leads there.
pub fn rewrite(
    model: &Model,
    dialect: &Dialect,
    operation: &Operation,
    json: &[u8],
    request_id: &str,
) -> Option<Response> {
    if dialect.protocol != Protocol::Query || dialect.wants_json {
        return None;
    }
    let mut is_written = true;
    let answer = query_xml(model, operation, request_id, |shape, out| {
        is_written = xml_from_json::write_members(model, xml::Names::Query, shape, json, out);
    });
    is_written.then(|| answer.with("x-amzn-requestid", request_id.to_owned()))
}

/// The answer of the query protocol, whose members `write` appends.
pub(super) fn query_xml(
    model: &Model,
    operation: &Operation,
    request_id: &str,
    write: impl FnOnce(&Shape, &mut String),
) -> Response {
    let mut out = String::from("<?xml version=\"1.0\"?><");
    let name = &operation.name;
    out.push_str(name);
    out.push_str("Response");
    namespace(model, &mut out);
    out.push('>');
    // The models of services that moved to JSON name no wrapper any more.
    let default = format!("{name}Result");
    if let Some(shape) = operation.output.map(|id| model.shape(id)) {
        let wrapper = operation.result_wrapper.as_deref().unwrap_or(&default);
        out.push_str(&format!("<{wrapper}>"));
        write(shape, &mut out);
        out.push_str(&format!("</{wrapper}>"));
    }
    out.push_str("<ResponseMetadata>");
    xml::write_text_element("RequestId", request_id, &mut out);
    out.push_str(&format!("</ResponseMetadata></{name}Response>"));
    Response::new(200, "text/xml", out)
}

pub(super) fn namespace(model: &Model, out: &mut String) {
    if let Some(uri) = &model.metadata.xml_namespace {
        out.push_str(" xmlns=\"");
        xml::escape(uri, out);
        out.push('"');
    }
}

/// What the XML of a query response says, as JSON.
pub(super) fn query_json(
    model: &Model,
    operation: &Operation,
    shape: Option<&Shape>,
    output: &Value,
    request_id: &str,
) -> Vec<u8> {
    let name = &operation.name;
    let mut out = format!("{{\"{name}Response\":{{").into_bytes();
    if let Some(shape) = shape {
        out.extend_from_slice(format!("\"{name}Result\":").as_bytes());
        json::write(model, shape, output, &mut out);
        out.push(b',');
    }
    out.extend_from_slice(b"\"ResponseMetadata\":{\"RequestId\":");
    json::write_text(request_id, &mut out);
    out.extend_from_slice(b"}}}");
    out
}

pub(super) fn query_json_error(
    error: &WireError,
    code: &str,
    kind: &str,
    request_id: &str,
) -> String {
    let mut body = serde_json::json!({
        "Error": {"Type": kind, "Code": code, "Message": error.message()},
        "RequestId": request_id,
    });
    if error.has_detail() {
        body["Error"]["Detail"] = serde_json::Value::Null;
    }
    body.to_string()
}
