//! One service's protocols as a whole: a request to an operation and its input, an output or an
//! error to an answer.

mod query_answer;

pub use self::query_answer::rewrite;

use std::borrow::Cow;

use self::query_answer::{namespace, query_json, query_json_error, query_xml};
use crate::codec::cbor::TimeUnit;
use crate::codec::form::Form;
use crate::codec::{cbor, encode_blob, json, query, rest, xml};
use crate::error::{Result, WireError};
use crate::message::{Request, Response};
use crate::model::{Kind, Model, Operation, Protocol};
use crate::service::Input;
use crate::value::Value;

/// The content type that query requests may ask for.
const JSON: &str = "application/json";

/// How a request came, and so how it is answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dialect {
    /// The protocol.
    pub protocol: Protocol,
    /// The content type of a JSON or CBOR answer.
    pub content_type: Cow<'static, str>,
    /// Times in CBOR.
    pub unit: TimeUnit,
    /// A query request that asks for JSON.
    pub wants_json: bool,
}

impl Dialect {
    /// A dialect with the usual content type of its protocol.
    pub fn new(protocol: Protocol) -> Self {
        let content_type = match protocol {
            Protocol::Json => "application/x-amz-json-1.0",
            Protocol::Query => "text/xml",
            Protocol::RestJson => "application/json",
            Protocol::RestXml => "application/xml",
            Protocol::Cbor => "application/cbor",
        };
        Self {
            protocol,
            content_type: content_type.into(),
            unit: TimeUnit::Seconds,
            wants_json: false,
        }
    }

    /// How `request` asks to be answered, as far as that shows without a model.
    pub fn of(request: &Request<'_>) -> Option<Self> {
        let content_type = request.header("content-type").unwrap_or("");
        let plain = content_type.split(';').next().unwrap_or("").trim();
        if request.headers.contains_key("smithy-protocol") {
            return Some(Self::new(Protocol::Cbor));
        }
        if plain.starts_with("application/x-amz-cbor") {
            let mut dialect = Self::new(Protocol::Cbor);
            dialect.content_type = "application/x-amz-cbor-1.1".into();
            dialect.unit = TimeUnit::Millis;
            return Some(dialect);
        }
        if request.method == "POST" && request.headers.contains_key("x-amz-target") {
            let mut dialect = Self::new(Protocol::Json);
            if plain == "application/x-amz-json-1.1" {
                dialect.content_type = "application/x-amz-json-1.1".into();
            }
            return Some(dialect);
        }
        let is_form = plain == "application/x-www-form-urlencoded";
        let has_action = |text: &str| text.split('&').any(|pair| pair.starts_with("Action="));
        if is_form || has_action(request.query) {
            let accepted = request.header("accept").unwrap_or("");
            let wants_json = accepted.split(',').any(|one| one.trim().starts_with(JSON));
            return Some(Self { wants_json, ..Self::new(Protocol::Query) });
        }
        None
    }
}

/// The parameters of a query request: those of the path and those of the body.
pub fn form_of<'a>(request: &Request<'a>) -> Result<Form<'a>> {
    let mut form = Form::read(request.query.as_bytes())?;
    let content_type = request.header("content-type").unwrap_or("");
    if content_type.starts_with("application/x-www-form-urlencoded") {
        form.extend(Form::read(request.body)?);
    }
    Ok(form)
}

/// The operation that a request names; its input is not read yet.
pub struct Named<'a> {
    /// The operation.
    pub operation: &'a Operation,
    parameters: Parameters<'a>,
}

/// What had to be read of a request to find its operation.
enum Parameters<'a> {
    Body,
    Form(Form<'a>),
    Labels(Vec<(&'a str, &'a str)>),
}

/// The operation that `request` names.
pub fn identify<'a>(
    model: &'a Model,
    dialect: &Dialect,
    request: &Request<'a>,
) -> Result<Named<'a>> {
    match dialect.protocol {
        Protocol::Json | Protocol::Cbor => {
            let name = match request.header("x-amz-target") {
                Some(target) => target.rsplit_once('.').map_or(target, |(_, name)| name),
                None => request.path.rsplit_once('/').map_or("", |(_, name)| name),
            };
            let operation = model.operation(name).ok_or_else(unknown_operation)?;
            Ok(Named { operation, parameters: Parameters::Body })
        }
        Protocol::Query => {
            let form = form_of(request)?;
            let name = form.get("Action").unwrap_or("");
            let operation = model.operation(name).ok_or_else(|| {
                WireError::new(
                    "InvalidAction",
                    400,
                    format!("The action {} is not valid for this endpoint.", quoted(name)),
                )
            })?;
            Ok(Named { operation, parameters: Parameters::Form(form) })
        }
        Protocol::RestJson | Protocol::RestXml => {
            let form = Form::read(request.query.as_bytes())?;
            let route = model.route(request.method, request.path, form.pairs(), request.headers);
            let (name, labels) = route.ok_or_else(unknown_operation)?;
            let operation = model.operation(name).ok_or_else(unknown_operation)?;
            Ok(Named { operation, parameters: Parameters::Labels(labels) })
        }
    }
}

impl Named<'_> {
    /// The input as a value, not yet validated.
    pub fn value(&self, model: &Model, dialect: &Dialect, request: &Request<'_>) -> Result<Value> {
        let shape = self.operation.input.map(|id| model.shape(id));
        match (&self.parameters, shape) {
            (Parameters::Labels(labels), _) => {
                rest::read(model, dialect.protocol, self.operation, labels, request)
            }
            (_, None) => Ok(Value::Map(Vec::new())),
            (Parameters::Form(form), Some(shape)) => query::read(model, shape, form),
            (Parameters::Body, Some(shape)) => match dialect.protocol {
                Protocol::Json => json::read(model, shape, request.body),
                _ => cbor::read(model, shape, dialect.unit, request.body),
            },
        }
    }

    /// Hands the input to `start`, in the form in which typed structures are read from it.
    pub fn with_input<T>(
        &self,
        model: &Model,
        dialect: &Dialect,
        request: &Request<'_>,
        start: impl FnOnce(&Input<'_>) -> T,
    ) -> Result<T> {
        let shape = self.operation.input.map(|id| model.shape(id));
        match (&self.parameters, shape) {
            (Parameters::Body, Some(_)) if dialect.protocol == Protocol::Cbor => {
                Ok(start(&Input::Cbor(request.body)))
            }
            (Parameters::Body, _) => Ok(start(&Input::Json(request.body))),
            (Parameters::Form(form), Some(shape)) => {
                let tree = query::tree(form)?;
                Ok(start(&Input::Form(model, shape, tree.root())))
            }
            (Parameters::Form(_), None) => Ok(start(&Input::Json(b""))),
            // Inputs of the REST protocols lie in several places, which a value gathers.
            (Parameters::Labels(_), shape) => {
                let value = self.value(model, dialect, request)?;
                let mut body = Vec::new();
                if let Some(shape) = shape {
                    json::write(model, shape, &value, &mut body);
                }
                Ok(start(&Input::Json(&body)))
            }
        }
    }
}

fn quoted(text: &str) -> String {
    text.chars().take(crate::limits::QUOTE_CHARS_MAX).collect()
}

/// AWS's answer to an operation that does not exist.
pub fn unknown_operation() -> WireError {
    WireError::new("UnknownOperationException", 400, "The operation is not known.")
}

/// The answer that carries `output`.
pub fn write(
    model: &Model,
    dialect: &Dialect,
    operation: &Operation,
    output: &Value,
    request_id: &str,
) -> Response {
    let shape = operation.output.map(|id| model.shape(id));
    let answer = match dialect.protocol {
        Protocol::Json => {
            let mut body = Vec::new();
            match shape {
                Some(shape) => json::write(model, shape, output, &mut body),
                None => body.extend_from_slice(b"{}"),
            }
            Response::new(200, dialect.content_type.clone(), body)
        }
        Protocol::Cbor => {
            let mut body = Vec::new();
            match shape {
                Some(shape) => cbor::write(model, shape, dialect.unit, output, &mut body),
                None => body.extend_from_slice(&[0xbf, 0xff]),
            }
            cbor_answer(dialect, 200, body)
        }
        Protocol::Query if dialect.wants_json => {
            Response::new(200, JSON, query_json(model, operation, shape, output, request_id))
        }
        Protocol::Query => query_xml(model, operation, request_id, |shape, out| {
            xml::write_members(model, xml::Names::Query, shape, output, out);
        }),
        Protocol::RestJson | Protocol::RestXml => {
            rest::write(model, dialect.protocol, operation, output)
        }
    };
    answer.with("x-amzn-requestid", request_id.to_owned())
}

fn cbor_answer(dialect: &Dialect, status: u16, body: Vec<u8>) -> Response {
    let answer = Response::new(status, dialect.content_type.clone(), body);
    match dialect.unit {
        TimeUnit::Seconds => answer.with("smithy-protocol", "rpc-v2-cbor"),
        TimeUnit::Millis => answer,
    }
}

/// The answer that carries an error. Without a model (the service is not known) the form is the
/// protocol's plain one.
pub fn write_error(
    model: Option<&Model>,
    dialect: &Dialect,
    error: &WireError,
    request_id: &str,
) -> Response {
    let shape = model.and_then(|model| model.shape_named(error.name()));
    let known = shape.and_then(|shape| shape.error.as_ref());
    let code = match known.and_then(|known| known.code.as_deref()) {
        Some(code) if !error.has_query_code() => code,
        _ => error.query_code(),
    };
    let status = error.status();
    let kind = if error.is_sender() { "Sender" } else { "Receiver" };
    let compatible = model.is_some_and(|model| model.metadata.query_compatible);
    let answer = match dialect.protocol {
        Protocol::Json | Protocol::RestJson => {
            let body = json_error(model, error, dialect.protocol == Protocol::Json);
            let answer = Response::new(status, dialect.content_type.clone(), body);
            match dialect.protocol {
                Protocol::RestJson => answer.with("x-amzn-errortype", error.name().to_owned()),
                _ => answer,
            }
        }
        Protocol::Cbor => {
            let mut body = Vec::new();
            let mut members = vec![
                ("__type".to_owned(), Value::from(type_of(error))),
                ("message".to_owned(), error.message().into()),
            ];
            members.extend_from_slice(error.members());
            cbor::write_any(&Value::Map(members), &mut body);
            let answer = cbor_answer(dialect, status, body);
            match dialect.unit {
                TimeUnit::Millis => answer.with("x-amzn-errortype", error.name().to_owned()),
                TimeUnit::Seconds => answer,
            }
        }
        Protocol::Query if dialect.wants_json => {
            Response::new(status, JSON, query_json_error(error, code, kind, request_id))
        }
        Protocol::Query => {
            let body = xml_error(model, error, code, kind, request_id);
            Response::new(status, "text/xml", body)
        }
        Protocol::RestXml => {
            let is_s3 = model.is_some_and(|model| model.metadata.signing_name == "s3");
            let body = match is_s3 {
                true => s3_error(error, code, request_id),
                false => xml_error(model, error, code, kind, request_id),
            };
            Response::new(status, "application/xml", body)
        }
    };
    let answer = answer.with("x-amzn-requestid", request_id.to_owned());
    match dialect.protocol {
        Protocol::Json | Protocol::Cbor if compatible => {
            answer.with("x-amzn-query-error", format!("{code};{kind}"))
        }
        _ => answer,
    }
}

fn type_of(error: &WireError) -> String {
    match error.namespace() {
        Some(namespace) => format!("{namespace}#{}", error.name()),
        None => error.name().to_owned(),
    }
}

fn json_error(model: Option<&Model>, error: &WireError, typed: bool) -> Vec<u8> {
    let mut out = vec![b'{'];
    if typed {
        out.extend_from_slice(b"\"__type\":");
        json::write_text(&type_of(error), &mut out);
        out.push(b',');
    }
    let shape = model.and_then(|model| model.shape_named(error.name()));
    // Some services call it `Message`, and their SDKs look for that.
    let is_capital = shape.is_some_and(|shape| match &shape.kind {
        Kind::Structure(members) => members.iter().any(|member| member.wire() == "Message"),
        _ => false,
    });
    out.extend_from_slice(if is_capital { b"\"Message\":" } else { b"\"message\":" });
    json::write_text(error.message(), &mut out);
    if let (Some(model), Some(shape)) = (model, shape) {
        let mut rest = Vec::new();
        json::write(model, shape, &Value::Map(error.members().to_vec()), &mut rest);
        if rest.len() > 2 {
            out.push(b',');
            out.extend_from_slice(&rest[1..rest.len() - 1]);
        }
    }
    out.push(b'}');
    out
}

fn xml_error(
    model: Option<&Model>,
    error: &WireError,
    code: &str,
    kind: &str,
    request_id: &str,
) -> String {
    let mut out = String::from("<?xml version=\"1.0\"?><ErrorResponse");
    if let Some(model) = model {
        namespace(model, &mut out);
    }
    out.push_str("><Error>");
    xml::write_text_element("Type", kind, &mut out);
    xml::write_text_element("Code", code, &mut out);
    xml::write_text_element("Message", error.message(), &mut out);
    if error.has_detail() {
        out.push_str("<Detail/>");
    }
    out.push_str("</Error>");
    xml::write_text_element("RequestId", request_id, &mut out);
    out.push_str("</ErrorResponse>");
    out
}

/// The answer of S3 that carries an error.
pub fn write_s3_error(error: &WireError, request_id: &str) -> Response {
    let body = s3_error(error, error.query_code(), request_id);
    let answer = Response::new(error.status(), "application/xml", body);
    answer.with("x-amzn-requestid", request_id.to_owned())
}

fn s3_error(error: &WireError, code: &str, request_id: &str) -> String {
    let mut out = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Error>");
    xml::write_text_element("Code", code, &mut out);
    xml::write_text_element("Message", error.message(), &mut out);
    for (name, value) in error.members() {
        xml::write_text_element(name, value.as_str().unwrap_or(""), &mut out);
    }
    xml::write_text_element("RequestId", request_id, &mut out);
    // AWS names the host that answered, in a form that only AWS reads.
    xml::write_text_element("HostId", &encode_blob(request_id.as_bytes()), &mut out);
    out.push_str("</Error>");
    out
}
