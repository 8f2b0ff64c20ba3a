//! The REST protocols: members bound to path, query string, headers, status and body.

use base64::Engine as _;

use super::form::Form;
use super::xml::Names;
use super::{json, scalar, uri, xml, xml_read};
use crate::error::{Result, WireError};
use crate::message::{Request, Response};
use crate::model::{Kind, Location, Member, Model, Operation, Protocol, Shape, TimeFormat};
use crate::value::Value;

/// Reads the input of `operation`; `labels` are the still escaped labels of its route.
pub fn read(
    model: &Model,
    protocol: Protocol,
    operation: &Operation,
    labels: &[(&str, &str)],
    request: &Request<'_>,
) -> Result<Value> {
    let Some(shape) = operation.input.map(|id| model.shape(id)) else {
        return Ok(Value::Map(Vec::new()));
    };
    let Kind::Structure(members) = &shape.kind else { return Ok(Value::Map(Vec::new())) };
    let mut values = match &shape.payload {
        Some(name) => read_payload(model, protocol, members, name, request.body)?,
        None => read_body(model, protocol, shape, request.body)?,
    };
    let query = Form::read(request.query.as_bytes())?;
    for member in members {
        let target = model.shape(member.shape);
        let value = match member.location {
            Location::Body | Location::Status => continue,
            Location::Uri => {
                let label = labels.iter().find(|(name, _)| *name == member.wire());
                match label {
                    None => continue,
                    Some((_, text)) => {
                        let text = String::from_utf8(uri::decode(text.as_bytes(), false))
                            .map_err(|_| WireError::serialization("The path is not UTF-8."))?;
                        scalar::read(target, &text)?
                    }
                }
            }
            Location::Query => match read_query(model, members, member, &query)? {
                Some(value) => value,
                None => continue,
            },
            Location::Header => match request.header(member.wire()) {
                Some(text) => read_header(model, member, text)?,
                None => continue,
            },
            Location::Headers => {
                let prefix = member.wire().to_ascii_lowercase();
                let named = request.headers.iter().filter_map(|(name, value)| {
                    let rest = name.as_str().strip_prefix(&prefix)?;
                    Some((rest.to_owned(), value.to_str().ok()?.into()))
                });
                Value::Map(named.collect())
            }
        };
        values.push((member.name.to_string(), value));
    }
    Ok(Value::Map(values))
}

fn read_body(model: &Model, protocol: Protocol, shape: &Shape, body: &[u8]) -> Result<Members> {
    let value = match protocol {
        Protocol::RestXml => xml_read::read(model, shape, body)?,
        _ => json::read(model, shape, body)?,
    };
    let Value::Map(mut values) = value else { return Ok(Vec::new()) };
    // A body may not set what travels elsewhere.
    if let Kind::Structure(members) = &shape.kind {
        values.retain(|(name, _)| {
            members.iter().any(|m| *m.name == **name && m.location == Location::Body)
        });
    }
    Ok(values)
}

type Members = Vec<(String, Value)>;

fn read_payload(
    model: &Model,
    protocol: Protocol,
    members: &[Member],
    name: &str,
    body: &[u8],
) -> Result<Members> {
    let Some(member) = members.iter().find(|member| *member.name == *name) else {
        return Ok(Vec::new());
    };
    if body.is_empty() {
        return Ok(Vec::new());
    }
    let shape = model.shape(member.shape);
    let value = match (&shape.kind, protocol) {
        (Kind::Blob, _) => Value::Blob(body.to_vec()),
        (Kind::Text, _) => Value::Text(
            String::from_utf8(body.to_vec())
                .map_err(|_| WireError::serialization("The body is not UTF-8."))?,
        ),
        (_, Protocol::RestXml) => xml_read::read(model, shape, body)?,
        _ => json::read(model, shape, body)?,
    };
    Ok(vec![(name.to_owned(), value)])
}

fn read_query(
    model: &Model,
    members: &[Member],
    member: &Member,
    query: &Form<'_>,
) -> Result<Option<Value>> {
    let shape = model.shape(member.shape);
    match &shape.kind {
        Kind::List(element) => {
            let element = model.shape(element.shape);
            let items: Vec<Value> = query
                .all(member.wire())
                .map(|text| scalar::read(element, text))
                .collect::<Result<_>>()?;
            Ok((!items.is_empty()).then_some(Value::List(items)))
        }
        // A map takes every parameter that no other member names.
        Kind::Map(_, element) => {
            let element = model.shape(element.shape);
            let taken = |name: &str| {
                members.iter().any(|m| m.location == Location::Query && m.wire() == name)
            };
            let mut entries: Members = Vec::new();
            for (name, text) in query.pairs().iter().filter(|(name, _)| !taken(name)) {
                let value = match &element.kind {
                    Kind::List(_) => Value::List(query.all(name).map(Value::from).collect()),
                    _ => {
                        check_once(query, name)?;
                        scalar::read(element, text)?
                    }
                };
                if !entries.iter().any(|(key, _)| key == name) {
                    entries.push((name.to_string(), value));
                }
            }
            Ok(Some(Value::Map(entries)))
        }
        _ => {
            check_once(query, member.wire())?;
            query.get(member.wire()).map(|text| scalar::read(shape, text)).transpose()
        }
    }
}

/// Refuses a parameter that comes twice where one value is wanted. A signature sorts the parameters
/// by name and value, so it does not tell which of them its owner sent first.
fn check_once(query: &Form<'_>, name: &str) -> Result<()> {
    match query.all(name).nth(1) {
        Some(_) => Err(WireError::serialization(format!("The parameter '{name}' is given twice."))),
        None => Ok(()),
    }
}

fn read_header(model: &Model, member: &Member, text: &str) -> Result<Value> {
    let shape = model.shape(member.shape);
    if member.json_value {
        let bytes = scalar::decode_blob(text)?;
        let text = String::from_utf8(bytes)
            .map_err(|_| WireError::serialization("A header is not UTF-8."))?;
        return Ok(Value::Text(text));
    }
    match &shape.kind {
        Kind::List(element) => {
            let element = model.shape(element.shape);
            let items = text.split(',').map(|item| scalar::read(element, item.trim()));
            Ok(Value::List(items.collect::<Result<_>>()?))
        }
        _ => scalar::read(shape, text),
    }
}

/// Writes the answer of `operation`.
pub fn write(model: &Model, protocol: Protocol, operation: &Operation, value: &Value) -> Response {
    let mut answer = Response { status: operation.status, ..Response::default() };
    let Some(shape) = operation.output.map(|id| model.shape(id)) else { return answer };
    let Kind::Structure(members) = &shape.kind else { return answer };
    for member in members {
        let Some(value) = value.get(&member.name).filter(|v| !matches!(v, Value::Null)) else {
            continue;
        };
        match member.location {
            Location::Status => {
                answer.status = value
                    .as_int()
                    .and_then(|status| u16::try_from(status).ok())
                    .unwrap_or(answer.status);
            }
            Location::Header => {
                let text = header_text(model, member, value);
                answer = answer.with(member.wire().to_ascii_lowercase(), text);
            }
            Location::Headers => {
                for (key, value) in value.members() {
                    let name = format!("{}{key}", member.wire()).to_ascii_lowercase();
                    answer = answer.with(name, value.as_str().unwrap_or("").to_owned());
                }
            }
            Location::Body | Location::Uri | Location::Query => {}
        }
    }
    let payload = shape.payload.as_deref();
    let payload = payload.and_then(|name| members.iter().find(|member| *member.name == *name));
    match payload {
        Some(member) => write_payload(model, protocol, member, value, &mut answer),
        None => write_body(model, protocol, operation, shape, value, &mut answer),
    }
    answer
}

fn header_text(model: &Model, member: &Member, value: &Value) -> String {
    let shape = model.shape(member.shape);
    let format = member.time.or(shape.time).unwrap_or(TimeFormat::Http);
    match value {
        Value::List(items) => {
            let texts: Vec<String> =
                items.iter().map(|item| scalar::write(shape, item, format)).collect();
            texts.join(",")
        }
        Value::Text(text) if member.json_value => {
            base64::engine::general_purpose::STANDARD.encode(text)
        }
        _ => scalar::write(shape, value, format),
    }
}

fn write_payload(
    model: &Model,
    protocol: Protocol,
    member: &Member,
    value: &Value,
    answer: &mut Response,
) {
    let shape = model.shape(member.shape);
    let (body, content_type) = match (&shape.kind, value.get(&member.name)) {
        (_, None | Some(Value::Null)) => return,
        (_, Some(Value::Blob(bytes))) => (bytes.clone(), "application/octet-stream"),
        (Kind::Text | Kind::Blob, Some(Value::Text(text))) => {
            (text.clone().into_bytes(), "text/plain")
        }
        (_, Some(value)) if protocol == Protocol::RestXml => {
            let mut out = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
            let name = member.wire_name.as_deref().or(shape.element.0.as_deref());
            xml::write_element(
                model,
                Names::Rest,
                member,
                name.unwrap_or(&shape.name),
                value,
                &mut out,
            );
            (out.into_bytes(), "application/xml")
        }
        (_, Some(value)) => {
            let mut out = Vec::new();
            json::write(model, shape, value, &mut out);
            (out, "application/json")
        }
    };
    answer.body = body;
    if answer.header("content-type").is_none() {
        answer.headers.push(("content-type".into(), content_type.into()));
    }
}

fn write_body(
    model: &Model,
    protocol: Protocol,
    operation: &Operation,
    shape: &Shape,
    value: &Value,
    answer: &mut Response,
) {
    let Kind::Structure(members) = &shape.kind else { return };
    if protocol != Protocol::RestXml {
        let kept = value.members().iter().filter(|(name, _)| {
            members.iter().any(|m| *m.name == **name && m.location == Location::Body)
        });
        let body = Value::Map(kept.cloned().collect());
        json::write(model, shape, &body, &mut answer.body);
        answer.headers.push(("content-type".into(), "application/json".into()));
        return;
    }
    if !members.iter().any(|member| member.location == Location::Body) {
        return;
    }
    let default = format!("{}Result", operation.name);
    let name = operation.result_wrapper.as_deref().or(shape.element.0.as_deref());
    let name = name.unwrap_or(&default);
    let mut out = format!("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<{name}");
    if let Some(uri) = shape.element.1.as_deref().or(model.metadata.xml_namespace.as_deref()) {
        out.push_str(" xmlns=\"");
        xml::escape(uri, &mut out);
        out.push('"');
    }
    out.push('>');
    xml::write_members(model, Names::Rest, shape, value, &mut out);
    out.push_str("</");
    out.push_str(name);
    out.push('>');
    answer.body = out.into_bytes();
    answer.headers.push(("content-type".into(), "application/xml".into()));
}
